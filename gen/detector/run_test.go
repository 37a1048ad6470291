package detector_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	hostile "github.com/attune-go/attune/gen/testdata/detector-hostile/out"
	"github.com/attune-go/attune/gen/testdata/detector/acme"
	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// onHost returns a recorded host whose executables print answer and exit with status. It
// records the arguments of each run.
func onHost(t *testing.T, binaries, answer string, status int) (cfg detect.Config, runs *[][]string) {
	t.Helper()
	recorded, err := host.Parse("host", []byte("host: {os: linux, arch: amd64, path: [/usr/bin]}\nbinaries: ["+binaries+"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	runs = new([][]string)
	h := &answering{RecordedHost: recorded, run: func(inv host.Invocation) host.Result {
		*runs = append(*runs, inv.Args)
		return host.Result{Stdout: []byte(answer), ExitCode: status}
	}}
	return detect.Config{Host: h, Parallelism: 1, Explain: true, Getenv: func(string) string { return "" }}, runs
}

type answering struct {
	*host.RecordedHost
	run func(host.Invocation) host.Result
}

func (a *answering) Run(_ context.Context, inv host.Invocation) host.Result { return a.run(inv) }

type constructor func([]metadata.Definition, detect.Config) (*detect.Detector, error)

func run(t *testing.T, construct constructor, rows []metadata.Definition, cfg detect.Config) *capability.Document {
	t.Helper()
	d, err := construct(rows, cfg)
	if err != nil {
		t.Fatal(err)
	}
	caps, err := d.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return caps
}

func TestGeneratedDetector(t *testing.T) {
	// The command asks no version, so it runs because the package brings it.
	cfg, _ := onHost(t, "{path: /usr/bin/cobc}, {path: /opt/cobol/3.3/bin/cobc}", `cobc (GnuCOBOL) 3.11.2`, 3)
	caps := run(t, acme.Worker, nil, cfg)
	cobol, ok := acme.Capabilities(caps).Cobol()
	if !ok || cobol.Version != "3.11.2" || cobol.Path != "/usr/bin/cobc" || !slices.Equal(cobol.Command, []string{"cobc", "--probe", "a b"}) || len(cobol.Attempts) == 0 {
		t.Errorf("a host with COBOL: %v, %+v", ok, cobol)
	}
	if caps.Source != capability.SourcePack || !slices.Equal(caps.Runtimes, []string{"cobol", "trusted"}) {
		t.Errorf("a worker's document says %s from %s", caps.Runtimes, caps.Source)
	}
	if trusted, ok := acme.Capabilities(caps).Trusted(); !ok || trusted.Source != capability.Unverified || len(trusted.Installations) != 1 {
		t.Errorf("%v, %+v", ok, trusted)
	}
	if timer, ok := acme.Capabilities(caps).Timer(); ok || timer.Absence != nil {
		t.Errorf("a worker has a sensor's runtime: %+v", timer)
	}

	cfg, _ = onHost(t, "", "", 0)
	caps = run(t, acme.Sensor, nil, cfg)
	if timer, ok := acme.Capabilities(caps).Timer(); !ok || timer.Name != "timer" {
		t.Errorf("a sensor lacks its runtime: %+v", caps)
	}
	if cobol, ok := acme.Capabilities(caps).Cobol(); ok || cobol.Outcome != capability.NotFound || cobol.Absence == nil || cobol.Installations != nil {
		t.Errorf("a host without COBOL: %v, %+v", ok, cobol)
	}
}

// TestRowsAreAuthoritative checks that the rows of a database replace the generated
// definitions: an edited row, a new one, and an empty table.
func TestRowsAreAuthoritative(t *testing.T) {
	rows := acme.Definitions()
	rows = rows[:1]
	rows[0].Distributions = metadata.Distributions{Verification: &metadata.Verification{AlwaysAvailable: true}}
	rows = append(rows, metadata.Definition{Ref: "late.comer", Name: "Late", Distributions: rows[0].Distributions})
	cfg, runs := onHost(t, "{path: /usr/bin/cobc}", "cobc (GnuCOBOL) 3.11.2", 3)
	caps := run(t, acme.Worker, rows, cfg)
	cobol, ok := acme.Capabilities(caps).Cobol()
	if !ok || cobol.Source != capability.AlwaysAvailable || len(*runs) > 0 {
		t.Errorf("an edited row: %v, %+v; ran %q", ok, cobol, *runs)
	}
	if late, ok := caps.Runtime("late.comer"); !ok || caps.Source != capability.SourceDatabase {
		t.Errorf("a row that came later: %+v, source %s", late, caps.Source)
	}
	if acme.Definitions()[0].Distributions.Verification.AlwaysAvailable {
		t.Error("a caller changed the definitions of the package")
	}
	caps = run(t, acme.Worker, []metadata.Definition{}, cfg)
	if len(caps.Runtimes) > 0 || len(caps.Undetected) > 0 || caps.Source != capability.SourceDatabase {
		t.Errorf("a database without rows: %v, %v, source %s", caps.Runtimes, caps.Undetected, caps.Source)
	}
}

// TestCommandsThatAreTrusted checks that a detector trusts the commands of its package and
// of the core pack, and does not run others.
func TestCommandsThatAreTrusted(t *testing.T) {
	core := core.Definitions()
	erlang := core[slices.IndexFunc(core, func(d metadata.Definition) bool { return d.Ref == "core.erlang" })]
	row := metadata.Definition{Ref: "late.comer", Name: "Late", Distributions: metadata.Distributions{Verification: &metadata.Verification{
		Commands: []metadata.Command{{Binary: "erl", Args: []string{"-eval", "x"}}},
	}}}
	cfg, runs := onHost(t, "{path: /usr/bin/erl}", "Erlang/OTP 27.1", 0)
	caps := run(t, acme.Worker, []metadata.Definition{erlang, row}, cfg)
	if late, ok := caps.Runtime("late.comer"); ok || late.Outcome != capability.DeniedByPolicy {
		t.Errorf("a row's command: %+v", late)
	}
	if _, ok := caps.Runtime("core.erlang"); !ok || len(*runs) != 1 {
		t.Errorf("the core pack's command: %+v; ran %q", caps.Undetected, *runs)
	}
	strict, err := host.NewPolicy(host.PolicyConfig{Mode: host.ModeStrict})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Policy = strict
	if caps := run(t, acme.Worker, nil, cfg); slices.Contains(caps.Runtimes, "cobol") {
		t.Error("a policy that was given did not count")
	}
}

func TestHostileDefinitionIsRunAsWritten(t *testing.T) {
	cfg, runs := onHost(t, "{path: /usr/bin/tool}", "日本\n7", 0)
	caps := run(t, hostile.Worker, nil, cfg)
	want := [][]string{{"`", "\n", "\t", "*/", "%d", `\`, `"`, "", "\u202eabc", "a`b\"c"}}
	if diff := cmp.Diff(want, *runs); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	if odd, ok := hostile.Capabilities(caps).Type(); !ok || odd.Version != "7.0.0" || odd.Name != "`+\"`" {
		t.Errorf("%v, %+v", ok, odd)
	}
}
