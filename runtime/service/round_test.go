package service_test

import (
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
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// counted counts the full detections, and can change their results.
type counted struct {
	service.Detector
	full int
}

func (c *counted) Detect(ctx context.Context) (*capability.Document, error) {
	c.full++
	return c.Detector.Detect(ctx)
}

// counting returns a configuration that counts detections.
func (b *harness) counting() (service.Config, *counted) {
	cfg, n := b.config(), &counted{}
	detector := cfg.Detector
	cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
		var err error
		n.Detector, err = detector(defs, warnings)
		return n, err
	}
	return cfg, n
}

// round lets the time of one round pass.
const round = service.DefaultVerifyInterval * 11 / 10

func TestRemovedUpgradedPutBack(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		svc := b.start(b.config())
		b.step(svc)
		b.remove("alpha")
		b.pass(svc, round)
		b.has("beta@2.0.0")
		b.install("beta", "echo beta 2.1.0")
		b.pass(svc, round)
		b.has("beta@2.1.0")
		b.install("alpha", "echo alpha 1.0.0")
		b.pass(svc, round)
		b.has("alpha@1.0.0", "beta@2.1.0")
		b.history("gained alpha", "gained beta", "lost alpha", "version_changed beta", "gained alpha")
		for _, line := range []string{"capability lost", "capability version_changed", "old_version=2.0.0 new_version=2.1.0"} {
			if !strings.Contains(b.log.String(), line) {
				t.Errorf("the log lacks %q:\n%s", line, b.log)
			}
		}
	})
}

// TestRoundsAreCheap checks that nothing runs or is written while nothing changes, except in
// the regular full rounds.
func TestRoundsAreCheap(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		cfg, n := b.counting()
		cfg.FullEvery = 5
		svc := b.start(cfg)
		b.step(svc)
		written := b.row().Updated
		b.pass(svc, 4*round)
		if n.full != 1 {
			t.Errorf("after 4 rounds without a change: %d detections, want the first alone", n.full)
		}
		if now := b.row().Updated; !now.Equal(written) {
			t.Error("a round without a change wrote the row")
		}
		b.pass(svc, 6*round)
		if n.full != 3 {
			t.Errorf("after 10 rounds: %d detections, want 3", n.full)
		}
		b.history("gained alpha", "gained beta")
	})
}

// TestEveryKindOfChangeIsSeen checks that every kind of change is seen without a full round.
func TestEveryKindOfChangeIsSeen(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(b *harness, path string)
		want   string
	}{
		"other size":                     {func(b *harness, path string) { rewrite(b, path, "echo alpha 1.10.0", false) }, "alpha@1.10.0 beta@2.0.0"},
		"same size, other time":          {func(b *harness, path string) { rewrite(b, path, "echo alpha 1.0.1", false) }, "alpha@1.0.1 beta@2.0.0"},
		"same size and time, other file": {func(b *harness, path string) { rewrite(b, path, "echo alpha 1.0.2", true) }, "alpha@1.0.2 beta@2.0.0"},
		"a link to another file": {func(b *harness, path string) {
			b.install("other", "echo alpha 3.0.0")
			b.remove("alpha")
			if err := os.Symlink("other", path); err != nil {
				b.Fatal(err)
			}
		}, "alpha@3.0.0 beta@2.0.0"},
		"what a shim runs, chosen beside it": {func(b *harness, path string) {
			b.choose("version", "1.0.9")
		}, "alpha@1.0.9 beta@2.0.0"},
		"what a shim runs, chosen for the user": {func(b *harness, path string) {
			b.choose(".tool-versions", "1.1.9")
		}, "alpha@1.1.9 beta@2.0.0"},
		"a version beside the shims": {func(b *harness, path string) {
			if err := os.MkdirAll(filepath.Join(filepath.Dir(b.bin), "versions/1.5.0/bin"), 0o755); err != nil {
				b.Fatal(err)
			}
			b.install("../versions/1.5.0/bin/alpha", "echo alpha 1.5.0")
		}, "alpha@1.5.0"}, // by then the shims answer for versions that are not installed
		"not executable": {func(b *harness, path string) {
			if err := os.Chmod(path, 0o644); err != nil {
				b.Fatal(err)
			}
		}, "beta@2.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newHarness(t, testdb.SQLite(t))
			// The home folder is a version manager's too, with a shim that looks
			// into its files.
			b.bin = filepath.Join(b.bin, "shims")
			if err := os.Mkdir(b.bin, 0o755); err != nil {
				t.Fatal(err)
			}
			b.install("beta", "echo beta 2.0.0")
			b.install("alpha", `h=${0%/*/*}; read v <$h/version || read v <$h/.tool-versions || v=1.0.0; echo alpha $v`)
			cfg := b.config()
			cfg.FullEvery = 1000
			svc := b.start(cfg)
			b.step(svc)
			test.change(b, filepath.Join(b.bin, "alpha"))
			b.pass(svc, round)
			b.has(strings.Fields(test.want)...)
		})
	}
}

// choose writes the file of a version manager that chooses a version.
func (b *harness) choose(file, version string) {
	b.Helper()
	if err := os.WriteFile(filepath.Join(filepath.Dir(b.bin), file), []byte(version+"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
}

// rewrite changes a program, in its file or, with the same time, as a new one.
func rewrite(b *harness, path, script string, anew bool) {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	target := path
	if anew {
		target = path + ".new"
	}
	if err := os.WriteFile(target, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		b.Fatal(err)
	}
	when := info.ModTime()
	if !anew {
		when = when.Add(time.Second)
	}
	if err := os.Chtimes(target, when, when); err != nil {
		b.Fatal(err)
	}
	if anew {
		if err := os.Rename(target, path); err != nil {
			b.Fatal(err)
		}
	}
}

// TestHangs checks that a runtime whose probe begins to hang is kept at first and lost after
// UnconfirmedFor.
func TestHangs(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		b := newHarness(t, db)
		hang := filepath.Join(b.bin, "hang")
		b.install("alpha", "test -e "+hang+" && exec /bin/sleep 1000; echo alpha 1.0.0")
		b.define("alpha", `{"verification": {"commands": [{"binary": "alpha", "args": ["--version"], "timeout": "500ms"}]}}`)
		cfg := b.config()
		cfg.FullEvery, cfg.UnconfirmedFor = 1, 5*time.Minute
		svc := b.start(cfg)
		b.step(svc)
		b.pass(svc, 2*round)
		b.has("alpha@1.0.0", "beta@2.0.0")
		if err := os.WriteFile(hang, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		b.pass(svc, round)
		b.has("alpha@1.0.0?", "beta@2.0.0")
		b.pass(svc, 3*time.Minute)
		b.has("alpha@1.0.0?", "beta@2.0.0")
		b.history("gained alpha", "gained beta")
		if n := strings.Count(b.log.String(), "could not be confirmed"); n != 1 {
			t.Errorf("what is unconfirmed is said %d times, want once", n)
		}
		b.pass(svc, 3*time.Minute)
		b.has("beta@2.0.0")
		b.history("gained alpha", "gained beta", "lost alpha")
		if err := os.Remove(hang); err != nil {
			t.Fatal(err)
		}
		b.pass(svc, round)
		b.has("alpha@1.0.0", "beta@2.0.0")
	})
}

// TestUnconfirmedAcrossARestart checks that the time for which an unconfirmed runtime is kept
// goes on across a restart.
func TestUnconfirmedAcrossARestart(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		b := newHarness(t, db)
		b.define("alpha", `{"verification": {"commands": [{"binary": "alpha", "args": ["--version"], "timeout": "500ms"}]}}`)
		cfg := b.config()
		cfg.UnconfirmedFor = 5 * time.Minute
		first := b.start(cfg)
		b.step(first)
		first.Leave(t.Context())
		b.install("alpha", "exec /bin/sleep 1000")
		second := b.start(cfg)
		b.step(second)
		b.has("alpha@1.0.0?", "beta@2.0.0")
		b.pass(second, 6*time.Minute)
		b.has("beta@2.0.0")
	})
}

// TestUnconfirmedIsConfirmed checks that a confirmation resets the time.
func TestUnconfirmedIsConfirmed(t *testing.T) {
	b := newHarness(t, testdb.SQLite(t))
	b.define("alpha", `{"verification": {"commands": [{"binary": "alpha", "args": ["--version"], "timeout": "500ms"}]}}`)
	cfg := b.config()
	cfg.FullEvery = 1000
	svc := b.start(cfg)
	b.step(svc)
	b.install("alpha", "exec /bin/sleep 1000")
	b.pass(svc, round)
	b.has("alpha@1.0.0?", "beta@2.0.0")
	b.install("alpha", "echo alpha 1.0.0")
	b.pass(svc, round)
	b.has("alpha@1.0.0", "beta@2.0.0")
	b.history("gained alpha", "gained beta")
}

// TestOneOfSeveralIsUnconfirmed checks that a runtime stays available if one of its
// installations could not be determined.
func TestOneOfSeveralIsUnconfirmed(t *testing.T) {
	b := newHarness(t, testdb.SQLite(t))
	more := t.TempDir()
	flag := filepath.Join(b.bin, "flag")
	script := "#!/bin/sh\ntest -e " + flag + " && exec /bin/sleep 1000; echo alpha 0.9.0\n"
	if err := os.WriteFile(filepath.Join(more, "alpha"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	b.define("alpha", fmt.Sprintf(`{"verification": {"commands": [{"binary": "alpha", "args": ["--version"], "timeout": "500ms"}], "locations": [%q]}}`, more+"/alpha"))
	cfg := b.config()
	cfg.FullEvery = 1
	svc := b.start(cfg)
	b.step(svc)
	b.has("alpha@1.0.0", "alpha@0.9.0", "beta@2.0.0")
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.pass(svc, round)
	b.has("alpha@1.0.0", "alpha@0.9.0?", "beta@2.0.0")
	if err := os.Remove(filepath.Join(more, "alpha")); err != nil {
		t.Fatal(err)
	}
	b.pass(svc, round)
	b.has("alpha@1.0.0", "beta@2.0.0")
}

// TestDefinitionsChange changes definitions while the service runs.
func TestDefinitionsChange(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		cfg := b.config()
		cfg.FullEvery = 1000
		svc := b.start(cfg)
		b.step(svc)
		b.install("gamma", "echo gamma 3.0.0")
		b.define("gamma", `{"verification": {"commands": [{"binary": "gamma", "args": ["--version"]}]}}`)
		b.pass(svc, round)
		b.has("alpha@1.0.0", "beta@2.0.0", "gamma@3.0.0")
		b.define("beta", `{"min_version": "2.5", "verification": {"commands": [{"binary": "beta", "args": ["--version"]}]}}`)
		b.pass(svc, round)
		b.has("alpha@1.0.0", "gamma@3.0.0")
		if err := b.Runtimes.Delete(t.Context(), "t.alpha"); err != nil {
			t.Fatal(err)
		}
		b.pass(svc, round)
		b.has("gamma@3.0.0")
		b.history("gained alpha", "gained beta", "gained gamma", "lost beta", "lost alpha")
	})
}

// reading counts how often all definitions are read.
type reading struct {
	*store.Store
	reads int
}

func (r *reading) BoundedDefinitions(ctx context.Context) ([]metadata.Definition, store.Omission, error) {
	r.reads++
	return r.Store.BoundedDefinitions(ctx)
}

// TestDefinitionsAreReadWhenTheyChange checks that definitions are not read in every round.
// SQLite has no mark, so a service reads its local file each time.
func TestDefinitionsAreReadWhenTheyChange(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	cfg, r := b.config(), &reading{Store: b.own}
	cfg.FullEvery = 3
	cfg.Open = func(context.Context) (*service.Database, error) {
		return &service.Database{Definitions: r, Rows: b.own.Workers}, nil
	}
	svc := b.start(cfg)
	b.step(svc)
	b.pass(svc, 10*round)
	if r.reads != 1 {
		t.Errorf("read %d times in 10 rounds without a change, want once", r.reads)
	}
	// A write that skips triggers and leaves updated as it is.
	if _, err := b.db.ExecContext(t.Context(), `ALTER TABLE runtime DISABLE TRIGGER ALL; UPDATE runtime SET distributions = '{"min_version": "9"}' || distributions WHERE ref = 't.beta'`); err != nil {
		t.Fatal(err)
	}
	b.pass(svc, 2*round)
	b.has("alpha@1.0.0")
	b.pass(svc, 4*round)
	if r.reads != 2 {
		t.Errorf("read %d times with one change, want twice", r.reads)
	}
	// A write that changes nothing makes the service read the definitions once.
	if _, err := b.db.ExecContext(t.Context(), `UPDATE runtime SET name = name`); err != nil {
		t.Fatal(err)
	}
	b.pass(svc, 4*round)
	if r.reads != 3 || strings.Count(b.log.String(), "definitions changed; verifying") != 1 {
		t.Errorf("read %d times, want 3 times\n%s", r.reads, b.log)
	}
}

// TestRubbish checks that an unreadable definition takes nothing away at once, and nothing
// from other runtimes.
func TestRubbish(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		svc := b.start(b.config())
		b.step(svc)
		b.spoil(db, "t.alpha", `{"verification": {"commands": "rm -rf"}}`)
		b.pass(svc, round)
		b.has("alpha@1.0.0?", "beta@2.0.0")
		b.define("alpha", `{"verification": {"commands": [{"binary": "alpha", "args": ["--version"]}]}}`)
		b.pass(svc, round)
		b.has("alpha@1.0.0", "beta@2.0.0")
		b.history("gained alpha", "gained beta")
	})
}

// spoil writes a document past the guards of the database.
func (b *harness) spoil(db *testdb.DB, ref, document string) {
	b.Helper()
	table := "runtime"
	var statements []string
	if db.Schema != "" {
		table = db.Schema + ".runtime"
		statements = []string{"ALTER TABLE " + table + " DISABLE TRIGGER USER"}
		var checks []string
		if err := b.db.NewRaw("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = ?::regclass", table).Scan(b.Context(), &checks); err != nil {
			b.Fatal(err)
		}
		for _, c := range checks {
			statements = append(statements, fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %q", table, c))
		}
	} else {
		var triggers []string
		if err := b.db.NewRaw("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'runtime'").Scan(b.Context(), &triggers); err != nil {
			b.Fatal(err)
		}
		for _, tr := range triggers {
			statements = append(statements, fmt.Sprintf("DROP TRIGGER %q", tr))
		}
		statements = append(statements, "PRAGMA ignore_check_constraints = on")
	}
	statements = append(statements, fmt.Sprintf("UPDATE %s SET distributions = '%s' WHERE ref = '%s'", table, document, ref))
	conn, err := b.db.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	for _, s := range statements {
		if _, err := conn.ExecContext(b.Context(), s); err != nil {
			b.Fatalf("%s: %v", s, err)
		}
	}
}

// TestHostile checks that a hostile definition runs nothing. A runtime denied by policy is
// absent, not undetermined, so what the former definition found is lost at once.
func TestHostile(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		svc := b.start(b.underStandardPolicy())
		b.step(svc)
		harm := filepath.Join(t.TempDir(), "harm")
		b.define("alpha", fmt.Sprintf(`{"verification": {"commands": [{"binary": "/bin/sh", "args": ["-c", "touch %s"]}]}}`, harm))
		b.pass(svc, round)
		if _, err := os.Stat(harm); err == nil {
			t.Fatal("what the database says was run")
		}
		row := b.row()
		if !strings.Contains(string(row.Capabilities), string(capability.DeniedByPolicy)) {
			t.Errorf("the document does not say that it was denied: %s", row.Capabilities)
		}
		b.has("beta@2.0.0")
		if why := b.losses()["1.0.0"]; !strings.HasPrefix(why, "denied_by_policy: ") {
			t.Errorf("history says %q of what was denied", why)
		}
		b.pass(svc, 2*round)
		if n := strings.Count(b.log.String(), "outcome=denied_by_policy"); n != 1 {
			t.Errorf("the log says %d times that it was denied, want once:\n%s", n, b.log)
		}
	})
}

// underStandardPolicy returns a configuration with the standard policy.
func (b *harness) underStandardPolicy() service.Config {
	b.Helper()
	cfg := b.config()
	cfg.Detector = func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
		return detect.New(defs, detect.Config{
			Host: cfg.Host.(detect.Host), Explain: true, Now: b.clock.Now, Getenv: func(string) string { return "" },
		}) // nil is the standard policy
	}
	if err := os.Chmod(b.bin, 0o755); err != nil {
		b.Fatal(err)
	}
	return cfg
}

// TestWhoMayWriteIsSeen checks that a change of permissions is seen without a full round,
// because policy depends on it.
func TestWhoMayWriteIsSeen(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.SQLite(t))
	cfg := b.underStandardPolicy()
	cfg.FullEvery = 1000
	svc := b.start(cfg)
	b.step(svc)
	b.has("alpha@1.0.0", "beta@2.0.0")
	for _, step := range []struct {
		mode os.FileMode
		want string
	}{{0o777, "beta@2.0.0"}, {0o755, "alpha@1.0.0 beta@2.0.0"}} {
		if err := os.Chmod(filepath.Join(b.bin, "alpha"), step.mode); err != nil {
			t.Fatal(err)
		}
		b.pass(svc, round)
		b.has(strings.Fields(step.want)...)
	}
}

// TestRefresh requests a refresh by a call and in the database.
func TestRefresh(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		cfg, n := b.counting()
		cfg.FullEvery = 1000
		svc := b.start(cfg)
		b.step(svc)
		svc.Refresh()
		b.step(svc)
		if n.full != 2 {
			t.Fatalf("after a signal: %d detections, want 2", n.full)
		}
		for i := range 2 {
			if _, err := b.Workers.RequestRefresh(t.Context(), b.row().ID); err != nil {
				t.Fatal(err)
			}
			b.pass(svc, 3*service.DefaultHeartbeatInterval)
			if n.full != 3+i {
				t.Fatalf("after request %d: %d detections, want %d", i+1, n.full, 3+i)
			}
			b.answered()
		}
		// What was asked for while nobody ran is answered by the first round of the
		// next process.
		svc.Leave(t.Context())
		if _, err := b.Workers.RequestRefresh(t.Context(), b.row().ID); err != nil {
			t.Fatal(err)
		}
		next := b.start(cfg)
		b.step(next)
		if b.answered(); n.full != 5 {
			t.Errorf("after a restart: %d detections, want 5", n.full)
		}
	})
}

// answered checks that the document answers the last request.
func (b *harness) answered() {
	b.Helper()
	row, caps := b.row(), new(capability.Document)
	if err := json.Unmarshal(row.Capabilities, caps); err != nil {
		b.Fatal(err)
	}
	if !caps.Refreshed.Equal(*row.RefreshRequested) {
		b.Errorf("the document answers the request of %v, want that of %v", caps.Refreshed, *row.RefreshRequested)
	}
}
