package core_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// TestCoreIsTheEmbeddedPack checks that the generated package equals the embedded pack.
func TestCoreIsTheEmbeddedPack(t *testing.T) {
	pack := packs.Core().Definitions
	if diff := cmp.Diff(detect.Commands(pack), core.Commands()); diff != "" {
		t.Errorf("commands (-pack +generated):\n%s", diff)
	}
	digests := map[string]string{}
	for _, def := range pack {
		digests[def.Ref] = def.Digest()
	}
	if diff := cmp.Diff(digests, core.Digests()); diff != "" {
		t.Errorf("digests (-pack +generated):\n%s", diff)
	}
}

// TestDetectorsFindWhatThePackFinds checks the generated detectors against the pack.
func TestDetectorsFindWhatThePackFinds(t *testing.T) {
	recorded, err := host.Parse("host", []byte(`
host: {os: linux, arch: amd64, path: [/usr/local/bin, /usr/bin]}
binaries:
  - {path: /usr/bin/python3, runs: [{args: [--version], stdout: "Python 3.11.7\n"}]}
  - {path: /usr/local/bin/python3, runs: [{args: [--version], stdout: "Python 3.12.1\n"}]}
  - {path: /usr/bin/ruby, runs: [{args: [--version], timeout: true}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)
	for role, generated := range map[metadata.Role]func([]metadata.Definition, detect.Config) (*detect.Detector, error){
		metadata.Worker: core.Worker, metadata.Sensor: core.Sensor,
	} {
		cfg := detect.Config{Host: recorded, Explain: true, Getenv: func(string) string { return "" }, Now: func() time.Time { return noon }}
		detector, err := generated(nil, cfg)
		if err != nil {
			t.Fatal(err)
		}
		got, err := detector.Detect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		cfg.Role, cfg.Source = role, capability.SourcePack
		cfg.Policy = detect.StandardPolicy(core.Commands())
		if detector, err = detect.New(packs.Core().Definitions, cfg); err != nil {
			t.Fatal(err)
		}
		want, err := detector.Detect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-pack +generated):\n%s", role, diff)
		}
		caps := core.Capabilities(got)
		python, ok := caps.Python()
		if !ok || len(python.Installations) != 2 || python.Version != "3.12.1" || python.Path != "/usr/local/bin/python3" || len(python.Attempts) == 0 {
			t.Errorf("%s: python is %v, %+v", role, ok, python)
		}
		if ruby, ok := caps.Ruby(); ok || !ruby.Outcome.CouldNotTell() {
			t.Errorf("%s: ruby is %v, %+v", role, ok, ruby)
		}
		if _, ok := caps.SensorBuiltin(); ok != (role == metadata.Sensor) {
			t.Errorf("%s: the builtin sensors are %v", role, ok)
		}
	}
}

// TestDotnetHasEachOfItsVersions checks the typed capabilities of a program with several.
func TestDotnetHasEachOfItsVersions(t *testing.T) {
	recorded, err := host.Parse("host", []byte(`
host: {os: linux, arch: amd64, path: [/usr/bin]}
binaries:
  - path: /usr/bin/dotnet
    runs: [{args: [--list-runtimes], stdout: "Microsoft.NETCore.App 6.0.36 [/x]\nMicrosoft.NETCore.App 8.0.10 [/x]\n"}]
`))
	if err != nil {
		t.Fatal(err)
	}
	detector, err := core.Worker(nil, detect.Config{Host: recorded, Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	caps, err := detector.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dotnet, ok := core.Capabilities(caps).Dotnet()
	var versions []string
	for _, in := range dotnet.Installations {
		versions = append(versions, in.Version+" "+in.Path)
	}
	if diff := cmp.Diff([]string{"8.0.10 /usr/bin/dotnet", "6.0.36 /usr/bin/dotnet"}, versions); !ok || diff != "" {
		t.Errorf("dotnet is %v (-want +got):\n%s", ok, diff)
	}
}

// TestCoreRefs checks the refs that are read first from a database.
func TestCoreRefs(t *testing.T) {
	var refs []string
	for _, def := range core.Definitions() {
		refs = append(refs, def.Ref)
	}
	if diff := cmp.Diff(refs, metadata.CoreRefs()); diff != "" {
		t.Errorf("(-pack +metadata):\n%s", diff)
	}
}
