package service_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// several gives the harness a runtime t.kit with three installations: 1.0.0 along
// PATH, 1.1.9 that its locations show, and 1.2.4 that a version declares. The
// last one does what trouble says while the file that is given exists.
func (b *harness) several(trouble string) (file string) {
	b.Helper()
	file = filepath.Join(b.bin, "trouble")
	b.install("kit", "echo kit 1.0.0")
	b.kept("1.1.9", "echo kit 1.1.9")
	b.kept("1.2.4", "test -e "+file+" && { "+trouble+"; }; echo kit 1.2.4")
	// A healthy script takes longer than a moment where everything runs at once.
	const text = `{
		"ref": "t.kit", "name": "kit",
		"distributions": {"verification": {"commands": [{"binary": "kit", "args": ["--version"], "timeout": "1s"}], "locations": ["~/kept/1.1*/kit"]}},
		"versions": [{"version": "1.2", "distributions": {"verification":
			{"commands": [{"binary": "kit", "args": ["-version"], "pattern": "kit", "timeout": "1s"}], "locations": ["~/kept/1.2*/kit"]}}}]}`
	var def metadata.Definition
	if err := json.Unmarshal([]byte(text), &def); err != nil {
		b.Fatal(err)
	}
	if _, err := b.Runtimes.UpsertDefinition(b.Context(), &def, nil); err != nil {
		b.Fatal(err)
	}
	return file
}

// kept makes an installation that PATH does not show, another file than the one
// before.
func (b *harness) kept(version, script string) (path string) {
	b.Helper()
	dir := filepath.Join(b.bin, "kept", version)
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	path = filepath.Join(dir, "kit")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		b.Fatal(err)
	}
	return path
}

func (b *harness) touch(file string) {
	b.Helper()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		b.Fatal(err)
	}
}

// sql runs a statement in which SCHEMA. stands for the schema.
func (b *harness) sql(db *testdb.DB, statement string) {
	b.Helper()
	schema := ""
	if db.Schema != "" {
		schema = db.Schema + "."
	}
	if _, err := b.db.ExecContext(b.Context(), strings.ReplaceAll(statement, "SCHEMA.", schema)); err != nil {
		b.Fatal(err)
	}
}

// losses returns the details of losses, by version.
func (b *harness) losses() map[string]string {
	b.Helper()
	changes, err := b.Changes.After(b.Context(), 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range changes {
		if c.Kind == schema.CapabilityLost {
			out[*c.OldVersion] = *c.Detail
		}
	}
	return out
}

// TestCannotTellOfOneOfSeveral checks that an installation that could not be determined is not
// lost at once, while others that were removed are.
func TestCannotTellOfOneOfSeveral(t *testing.T) {
	t.Parallel()
	const hang = "exec /bin/sleep 1000"
	for name, test := range map[string]struct {
		// trouble begins; the service that goes on is given back.
		trouble func(b *harness, db *testdb.DB, svc *service.Service, cfg service.Config, file string) *service.Service
		// restore ends it.
		restore func(b *harness, db *testdb.DB, file string)
		// why it is lost in the end.
		why string
	}{
		"another definition changes": {
			trouble: func(b *harness, db *testdb.DB, svc *service.Service, _ service.Config, file string) *service.Service {
				b.touch(file)
				b.sql(db, "UPDATE SCHEMA.runtime SET description = coalesce(description, '') || 'x' WHERE ref = 't.beta'")
				return svc
			},
			why: "timeout: ",
		},
		"the process is killed": {
			trouble: func(b *harness, _ *testdb.DB, _ *service.Service, cfg service.Config, file string) *service.Service {
				b.touch(file)
				cfg.Takeover = true // the one before says nothing more
				return b.start(cfg)
			},
			why: "timeout: ",
		},
		"the file is replaced": {
			trouble: func(b *harness, _ *testdb.DB, svc *service.Service, _ service.Config, _ string) *service.Service {
				b.kept("1.2.4", hang)
				return svc
			},
			restore: func(b *harness, _ *testdb.DB, _ string) { b.kept("1.2.4", "echo kit 1.2.4") },
			why:     "timeout: ",
		},
		"rubbish in its version": {
			trouble: func(b *harness, db *testdb.DB, svc *service.Service, _ service.Config, _ string) *service.Service {
				b.sql(db, `UPDATE SCHEMA.runtime_version SET distributions = '{"verification": {"commands": [{"binary": "kit", "pattern": "("}]}}' WHERE version = '1.2'`)
				return svc
			},
			restore: func(b *harness, _ *testdb.DB, _ string) { b.several(hang) },
			why:     "invalid_metadata: version 1.2 is left out",
		},
	} {
		t.Run(name, func(t *testing.T) {
			testdb.Each(t, func(t *testing.T, db *testdb.DB) {
				t.Parallel()
				b := newHarness(t, db)
				file := b.several(hang)
				cfg := b.config()
				cfg.FullEvery, cfg.UnconfirmedFor = 1000, 2*time.Minute
				svc := b.start(cfg)
				b.step(svc)
				b.has("alpha@1.0.0", "beta@2.0.0", "kit@1.2.4", "kit@1.1.9", "kit@1.0.0")

				if err := os.RemoveAll(filepath.Join(b.bin, "kept", "1.1.9")); err != nil {
					t.Fatal(err)
				}
				svc = test.trouble(b, db, svc, cfg, file)
				b.pass(svc, round)
				b.has("alpha@1.0.0", "beta@2.0.0", "kit@1.2.4?", "kit@1.0.0")
				if lost := b.losses(); len(lost) != 1 || !strings.Contains(lost["1.1.9"], "no longer found at "+b.bin) {
					t.Fatalf("lost: %v, want 1.1.9 alone, with its path", lost)
				}

				if test.restore != nil {
					test.restore(b, db, file)
				}
				_ = os.Remove(file)
				if err := os.RemoveAll(filepath.Join(b.bin, "kept", "1.1.9")); err != nil {
					t.Fatal(err)
				}
				b.pass(svc, round)
				b.has("alpha@1.0.0", "beta@2.0.0", "kit@1.2.4", "kit@1.0.0")
				if lost := b.losses(); len(lost) != 1 {
					t.Fatalf("lost: %v, want 1.1.9 alone", lost)
				}

				svc = test.trouble(b, db, svc, cfg, file)
				b.pass(svc, 4*time.Minute)
				b.has("alpha@1.0.0", "beta@2.0.0", "kit@1.0.0")
				if lost := b.losses(); !strings.HasPrefix(lost["1.2.4"], test.why) {
					t.Errorf("lost: %v, want 1.2.4 for %q", lost, test.why)
				}
			})
		})
	}
}

// TestFailureIsStored checks that a failure beside an available runtime is stored as its last
// probe saw it, and does not count as a capability.
func TestFailureIsStored(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		file := b.several("echo libssl.so.3: cannot open shared object file >&2; exit 127")
		cfg := b.config()
		cfg.FullEvery = 1
		svc := b.start(cfg)
		b.step(svc)
		if rows := b.failures(); len(rows) != 0 {
			t.Fatalf("failures where all is well: %+v", rows)
		}
		b.touch(file)
		b.pass(svc, round)
		b.has("alpha@1.0.0", "beta@2.0.0", "kit@1.1.9", "kit@1.0.0")
		path := filepath.Join(b.bin, "kept", "1.2.4", "kit")
		want := "exit_mismatch: " + path + " -version: exit status 127, want 0: libssl.so.3: cannot open shared object file"
		if got := b.losses()["1.2.4"]; got != want {
			t.Errorf("history says %q, want %q", got, want)
		}
		rows := b.failures()
		if len(rows) != 1 || rows[0].Path != path || rows[0].Outcome != string(capability.ExitMismatch) || rows[0].VerifiedAt == nil ||
			!strings.Contains(string(rows[0].Evidence), "libssl.so.3") || *rows[0].Detail != strings.TrimPrefix(want, "exit_mismatch: ") {
			t.Fatalf("failures: %+v", rows)
		}
		b.offers(db, "t.kit", "1.1.9", "1.0.0")

		// One with a version that is too old has a version and does not count.
		b.sql(db, `UPDATE SCHEMA.runtime_version SET distributions = '{"min_version": "1.3", "verification": {"commands": [{"binary": "kit", "args": ["-version"]}], "locations": ["~/kept/1.2*/kit"]}}' WHERE version = '1.2'`)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		b.pass(svc, round)
		if rows := b.failures(); len(rows) != 1 || rows[0].Outcome != string(capability.BelowMinVersion) || rows[0].Version != "1.2.4" {
			t.Fatalf("failures: %+v", rows)
		}
		b.offers(db, "t.kit", "1.1.9", "1.0.0")

		// Gone, and with it the failure.
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			t.Fatal(err)
		}
		b.pass(svc, round)
		if rows := b.failures(); len(rows) != 0 {
			t.Fatalf("failures of what is gone: %+v", rows)
		}
	})
}

// failures returns the rows that do not count.
func (b *harness) failures() (out []schema.WorkerRuntime) {
	b.Helper()
	rows, err := b.WorkerRuntimes.ByWorker(b.Context(), b.row().ID)
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range rows {
		if r.Outcome != schema.OutcomeAvailable && !r.IsNegative() {
			out = append(out, r)
		}
	}
	return out
}

// offers checks that the view available_runtime and Having return exactly these versions of
// the harness's worker.
func (b *harness) offers(db *testdb.DB, ref string, want ...string) {
	b.Helper()
	table := "available_runtime"
	if db.Schema != "" {
		table = db.Schema + "." + table
	}
	got := []string{}
	if err := b.db.NewRaw("SELECT version FROM "+table+" WHERE ref = ? ORDER BY key DESC", ref).Scan(b.Context(), &got); err != nil {
		b.Fatal(err)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		b.Errorf("available_runtime: %q, want %q", got, want)
	}
	for _, text := range []string{"1.0", "1.1", "1.2"} {
		constraint, err := version.ParseConstraint(text)
		if err != nil {
			b.Fatal(err)
		}
		matches, err := b.Workers.Having(b.Context(), ref, store.HavingFilter{Constraint: &constraint})
		if err != nil || (len(matches) == 1) != strings.Contains(fmt.Sprint(want), text+".") {
			b.Errorf("having %s: %+v, %v; want %q", text, matches, err, want)
		}
	}
}
