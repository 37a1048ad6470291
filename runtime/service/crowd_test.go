package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// crowded returns a config whose detections have two slots and 12 s, so that commands still
// hang when the other results are reported.
func (b *harness) crowded(policy *host.Policy) service.Config {
	cfg := b.config()
	cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
		return detect.New(defs, detect.Config{
			Host: cfg.Host.(detect.Host), Policy: policy, Explain: true, Now: b.clock.Now, Getenv: func(string) string { return "" },
			Parallelism: 2, Timeout: 12 * time.Second,
		})
	}
	return cfg
}

// comesToSay steps in real time until the row has the wanted runtimes, written as for has.
func (b *harness) comesToSay(svc *service.Service, want string) {
	b.Helper()
	got := "nothing"
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, err := svc.Step(b.Context()); err != nil {
			b.Fatalf("the service ended: %v\n%s", err, b.log)
		}
		row, err := b.Workers.ByIdentity(b.Context(), metadata.Worker, b.name)
		if err != nil {
			continue // not yet
		}
		caps := new(capability.Document)
		if err := json.Unmarshal(row.Capabilities, caps); err != nil {
			b.Fatal(err)
		}
		var all []string
		for _, d := range caps.Detected {
			all = append(all, written(d.Name, d.Version, !d.UnconfirmedSince.IsZero()))
		}
		if got = strings.Join(all, " "); got == want {
			return
		}
	}
	b.Fatalf("the row says %s, want %s\n%s", got, want, b.log)
}

// TestManyHang checks that changes of a runtime are reported while more commands hang than may
// run at once.
func TestManyHang(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	for i := range 12 {
		name := fmt.Sprintf("aa%02d", i) // before alpha
		b.define(name, fmt.Sprintf(`{"verification": {"commands": [{"binary": %q, "args": ["--version"], "timeout": "5m"}]}}`, name))
		b.install(name, "exec /bin/sleep 1000")
	}
	policy, err := host.NewPolicy(host.PolicyConfig{Mode: host.ModeOpen})
	if err != nil {
		t.Fatal(err)
	}
	svc := b.start(b.crowded(policy))
	b.comesToSay(svc, "alpha@1.0.0 beta@2.0.0")
	b.remove("alpha")
	b.clock.advance(round)
	b.comesToSay(svc, "beta@2.0.0")
	b.hangs(svc, true)
	b.install("alpha", "echo alpha 1.0.1")
	svc.Refresh() // it does not wait for what hangs either
	b.comesToSay(svc, "alpha@1.0.1 beta@2.0.0")
	b.hangs(svc, true)
	svc.Leave(t.Context())
	b.hangs(svc, false)
	changes, err := b.Changes.After(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if c.Name != "alpha" && (c.Name != "beta" || c.Kind != "gained") {
			t.Errorf("%s %s", c.Kind, c.Name)
		}
	}
}

// hangs checks whether commands of this harness run.
func (b *harness) hangs(svc *service.Service, want bool) {
	b.Helper()
	n := 0
	for _, pid := range children(b.T) {
		environ, _ := os.ReadFile("/proc/" + pid + "/environ") // it may be gone by now
		if bytes.Contains(environ, []byte("PATH="+b.bin)) {
			n++
		}
	}
	if (n > 0) != want || n > 10 {
		b.Errorf("%d commands run, want any: %v, and 10 at most\n%s", n, want, b.log)
	}
}

// TestHostileLocations checks that a definition whose locations match executables that hang
// affects neither other runtimes nor its own installation.
func TestHostileLocations(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	b.underStandardPolicy() // the folder
	folders, allow := make([]string, 12), make([]string, 12)
	for i := range folders {
		folders[i] = filepath.Join(b.bin, fmt.Sprintf("h%02d", i))
		allow[i] = folders[i] + "/alpha --version"
	}
	policy, err := host.NewPolicy(host.PolicyConfig{Allow: allow})
	if err != nil {
		t.Fatal(err)
	}
	cfg := b.crowded(policy)
	cfg.FullEvery = 1
	svc := b.start(cfg)
	b.step(svc)
	b.has("alpha@1.0.0", "beta@2.0.0")
	for _, folder := range folders {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "alpha"), []byte("#!/bin/sh\nexec /bin/sleep 1000\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b.define("alpha", fmt.Sprintf(`{"verification": {"commands": [{"binary": "alpha", "args": ["--version"], "timeout": "5m"}], "locations": [%q]}}`, b.bin+"/h*/alpha"))
	b.clock.advance(round)
	b.install("beta", "echo beta 2.1.0")
	b.comesToSay(svc, "alpha@1.0.0 beta@2.1.0")
	b.hangs(svc, true)
	b.step(svc)
	b.has("alpha@1.0.0", "beta@2.1.0")
	b.clock.advance(round)
	b.remove("beta")
	b.comesToSay(svc, "alpha@1.0.0")
	b.hangs(svc, true)
	svc.Leave(t.Context())
	b.hangs(svc, false)
	b.history("gained alpha", "gained beta", "version_changed beta", "lost beta")
}

// skipping is a detector without time for t.alpha.
type skipping struct {
	service.Detector
	skip bool
}

func (d *skipping) Detect(ctx context.Context) (*capability.Document, error) {
	caps, err := d.Detector.Detect(ctx)
	if err != nil || !d.skip {
		return caps, err
	}
	return caps.WithRefs([]string{"t.alpha"}, &capability.Document{Undetected: []capability.Absence{
		{Ref: "t.alpha", Name: "alpha", Outcome: capability.Timeout, Detail: "it was not reached", Unreached: true},
	}}), nil
}

// TestUnreached checks that a runtime for which no time was left is kept, but not forever.
func TestUnreached(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg, d := b.config(), &skipping{}
	detector := cfg.Detector
	cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
		var err error
		d.Detector, err = detector(defs, warnings)
		return d, err
	}
	cfg.UnconfirmedFor = 5 * time.Minute
	svc := b.start(cfg)
	b.step(svc)
	d.skip = true
	b.install("beta", "echo beta 2.0.0") // something is to be seen
	b.pass(svc, 4*round)
	b.has("alpha@1.0.0", "beta@2.0.0")
	d.skip = false
	b.pass(svc, round)
	d.skip = true
	b.install("beta", "echo beta 2.0.0")
	b.pass(svc, 4*round)
	b.has("alpha@1.0.0", "beta@2.0.0")
	b.pass(svc, 3*round)
	b.has("alpha@1.0.0?", "beta@2.0.0")
	b.pass(svc, 6*round)
	b.has("beta@2.0.0")
	d.skip = false
	b.pass(svc, round)
	b.has("alpha@1.0.0", "beta@2.0.0")
}
