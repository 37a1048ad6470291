//go:build unix

package hostcmd_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// counted puts twenty Pythons that count their starts on PATH, and returns the number of
// starts until now.
func counted(t *testing.T) (starts func() int) {
	t.Helper()
	count := filepath.Join(t.TempDir(), "starts")
	var path []string
	for i := range 20 {
		dir := t.TempDir()
		text := fmt.Sprintf("#!/bin/sh\necho x >> %s\necho Python 3.12.%d\n", count, i)
		if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		path = append(path, dir)
	}
	t.Setenv("PATH", strings.Join(path, ":"))
	return func() int {
		text, _ := os.ReadFile(count)
		return strings.Count(string(text), "\n")
	}
}

// pythons returns the number of Pythons in a document, and how many are remembered.
func pythons(caps *capability.Document) (all, remembered int) {
	for _, d := range caps.Detected {
		if d.Name == "python" && strings.HasPrefix(d.Version, "3.12.") && strings.Contains(d.Path, "/T") {
			all++
			if d.Remembered {
				remembered++
			}
		}
	}
	return all, remembered
}

// detectInProcess runs `worker detect python --json` in a process of its own.
func detectInProcess(t *testing.T, args ...string) (caps *capability.Document, errOut string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^TestAsWorker$", "--", "detect", "python", "--json"}, args...)...)
	cmd.Env = append(os.Environ(), asWorker+"=1")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return document(t, answer{out: out.String()}), errs.String()
}

// TestDetectTwice checks that the second `worker detect` starts nothing, nor do explain,
// register and the other role, and that --fresh and --max-age 0 start all.
func TestDetectTwice(t *testing.T) {
	home := isolate(t)
	starts := counted(t)
	detect := func(why string, want, remembered int, args ...string) {
		t.Helper()
		before := starts()
		caps, errOut := detectInProcess(t, args...)
		if got := starts() - before; got != want {
			t.Errorf("%s: started %d, want %d", why, got, want)
		}
		if all, known := pythons(caps); all != 20 || known != remembered {
			t.Errorf("%s: found %d, %d of them remembered; want 20 and %d", why, all, known, remembered)
		}
		if errOut != "" {
			t.Errorf("%s: it says %s", why, errOut)
		}
	}
	detect("first", 20, 0)
	detect("second", 0, 20)
	detect("fresh", 20, 0, "--fresh")
	detect("no age", 20, 0, "--max-age", "0")
	detect("an hour", 0, 20, "--max-age", "1h")
	before := starts()
	want(t, run(t, metadata.Worker, "explain", "python"), 0, "remembered from")
	want(t, run(t, metadata.Worker, "register"), 0, "is registered")
	want(t, run(t, metadata.Worker, "detect", "python", "--max-age=-1s"), 2, "--max-age: must be at least 0s, got -1s")
	if got := starts(); got != before {
		t.Errorf("explain and register started %d", got-before)
	}
	t.Setenv("ATTUNE_WORKER_MAX_AGE", "0")
	detect("no age, by the variable", 20, 0)
	t.Setenv("ATTUNE_WORKER_MAX_AGE", "24h")

	file := filepath.Join(home, ".cache", "attune", "verified.json")
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	detect("a damaged file", 20, 0)
	detect("after that", 0, 20)
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	detect("a file that others can read", 20, 0)
	detect("which was replaced by a private one", 0, 20)

	blocked := t.TempDir()
	if err := os.WriteFile(filepath.Join(blocked, "attune"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", blocked)
	detect("a place that cannot be written", 20, 0)
	t.Setenv("XDG_CACHE_HOME", "relative")
	detect("a relative place", 20, 0)
	t.Setenv("XDG_CACHE_HOME", "")

	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			caps, errOut := detectInProcess(t, "--fresh")
			if all, _ := pythons(caps); all != 20 || errOut != "" {
				t.Errorf("several at once: found %d, and it says %q", all, errOut)
			}
		})
	}
	all.Wait()
	detect("after several at once", 0, 20)
}

// TestDeniedIsNotRemembered checks that policy is asked before the memory.
func TestDeniedIsNotRemembered(t *testing.T) {
	isolate(t)
	starts := counted(t)
	detectInProcess(t)
	t.Setenv("ATTUNE_POLICY_DENY", "python")
	before := starts()
	caps, _ := detectInProcess(t)
	if len(caps.Detected) != 0 || len(caps.Undetected) != 1 || caps.Undetected[0].Outcome != capability.DeniedByPolicy {
		t.Errorf("found %+v, undetected %+v", caps.Detected, caps.Undetected)
	}
	if got := starts(); got != before {
		t.Errorf("started %d", got-before)
	}
}

// TestRegisterAndRunStartNothing counts starts on both databases: once a detection has started
// everything, neither register nor the first round of run starts anything.
func TestRegisterAndRunStartNothing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		served(t, db)
		starts := counted(t)
		t.Setenv("ATTUNE_DATABASE_URL", testdb.Relay(t, db.URL))
		if all, _ := pythons(document(t, run(t, metadata.Worker, "detect", "--json"))); all != 20 || starts() != 20 {
			t.Fatalf("found %d and started %d, want 20", all, starts())
		}
		if all, remembered := pythons(registered(t, db, func() {
			want(t, run(t, metadata.Worker, "register", "--name", "w1"), 0)
		})); all != 20 || remembered != 20 {
			t.Errorf("register reported %d, %d of them remembered", all, remembered)
		}
		if all, remembered := pythons(registered(t, db, func() {
			p := launch(t, "run", "--name", "w1", "--verify-interval", "1h")
			p.says("registered and active", 1)
			p.signal(syscall.SIGTERM)
			p.ends(cli.ExitDone)
		})); all != 20 || remembered != 20 {
			t.Errorf("run reported %d, %d of them remembered", all, remembered)
		}
		if got := starts(); got != 20 {
			t.Errorf("register and run started %d", got-20)
		}
	})
}

// registered returns the document of worker w1 after report has written it.
func registered(t *testing.T, db *testdb.DB, report func()) *capability.Document {
	t.Helper()
	report()
	row, err := store.New(db.DB, store.Config{Schema: db.Schema}).Workers.ByIdentity(t.Context(), metadata.Worker, "w1")
	if err != nil {
		t.Fatal(err)
	}
	caps := new(capability.Document)
	if err := json.Unmarshal(row.Capabilities, caps); err != nil {
		t.Fatal(err)
	}
	return caps
}
