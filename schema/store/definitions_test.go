package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

const rubyDefinition = `{
  "ref": "acme.ruby", "pack_ref": "acme", "name": "Ruby", "aliases": ["ruby", "mri"], "description": "it's",
  "distributions": {"verification": {"commands": [{"binary": "ruby", "args": ["--version"], "x": 1.50}]}, "y": {"z": []}},
  "installation": {"apt": ["ruby"]},
  "execution_config": {"interpreter": {"binary": "ruby"}, "environment": {"k": null}},
  "versions": [
    {"version": "3.2", "is_default": true, "distributions": {"verification": {"commands": [{"binary": "ruby3.2"}]}},
     "execution_config": {"interpreter": {"binary": "ruby3.2"}}, "meta": {"eol": "2026"}},
    {"version": "3.1"}
  ]}`

func definition(t *testing.T, text string) *metadata.Definition {
	t.Helper()
	def := new(metadata.Definition)
	decode(t, text, def)
	return def
}

func TestDefinitionRoundTrip(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		acme := pack("acme")
		if err := e.Packs.Create(t.Context(), acme); err != nil {
			t.Fatal(err)
		}
		def := definition(t, rubyDefinition)
		row, err := e.Runtimes.UpsertDefinition(t.Context(), def, ptr(def.Digest()))
		if err != nil {
			t.Fatal(err)
		}
		if row.Pack == nil || *row.Pack != acme.ID || row.Digest == nil || *row.Digest != def.Digest() {
			t.Errorf("got %+v, want the pack %d and the digest", row, acme.ID)
		}
		got, err := e.Runtimes.Definition(t.Context(), "acme.ruby")
		if err != nil {
			t.Fatal(err)
		}
		if got.Digest() != def.Digest() {
			want, _ := json.Marshal(def)
			have, _ := json.Marshal(got)
			t.Errorf("got %s\nwant %s", have, want)
		}
		all, err := e.Definitions(t.Context())
		if err != nil || len(all) != 1 || all[0].Digest() != def.Digest() {
			t.Errorf("got definitions %+v, %v; want the same", all, err)
		}

		// Without a digest the row keeps it; versions that stay keep their ids.
		kept, _ := e.RuntimeVersions.ByRef(t.Context(), "acme.ruby", "3.2")
		def.Versions = append(def.Versions[:1], metadata.VersionDefinition{Version: "3.3"})
		def.PackRef = ""
		again, err := e.Runtimes.UpsertDefinition(t.Context(), def, nil)
		if err != nil {
			t.Fatal(err)
		}
		if again.ID != row.ID || again.Digest == nil || *again.Digest != *row.Digest || again.Pack == nil {
			t.Errorf("got %+v, want id, digest and pack of %+v", again, row)
		}
		list, _ := e.RuntimeVersions.ByRuntime(t.Context(), "acme.ruby")
		if diff := cmp.Diff([]string{"3.3", "3.2"}, versions(list)); diff != "" || list[1].ID != kept.ID {
			t.Errorf("got versions %+v, want 3.3, and 3.2 with id %d", list, kept.ID)
		}
		def.Versions = nil
		if _, err := e.Runtimes.UpsertDefinition(t.Context(), def, nil); err != nil {
			t.Fatal(err)
		}
		if n := count(t, e, "runtime_version"); n != 0 {
			t.Errorf("%d versions are left, want none", n)
		}
	})
}

func TestUpsertDefinitionWritesAllOrNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		def := definition(t, rubyDefinition)
		def.Versions[1].Version = "newest"
		_, err := e.Runtimes.UpsertDefinition(t.Context(), def, nil)
		wantError(t, err, "invalid", `upsert runtime "acme.ruby": invalid: /versions/1/version: `)
		var faults metadata.Faults
		if !errors.As(err, &faults) {
			t.Errorf("%v holds no faults", err)
		}

		// What only the database can refuse.
		def = definition(t, rubyDefinition)
		if e.postgres {
			e.exec(t, `CREATE FUNCTION {schema}.no() RETURNS trigger LANGUAGE plpgsql AS
				$$ BEGIN RAISE 'no 3.1 here'; END $$`)
			e.exec(t, `CREATE TRIGGER no BEFORE INSERT ON {schema}.runtime_version FOR EACH ROW
				WHEN (NEW.version = '3.1') EXECUTE FUNCTION {schema}.no()`)
		} else {
			e.exec(t, `CREATE TRIGGER {schema}.no BEFORE INSERT ON runtime_version WHEN NEW.version = '3.1'
				BEGIN SELECT RAISE(ABORT, 'no 3.1 here'); END`)
		}
		_, err = e.Runtimes.UpsertDefinition(t.Context(), def, nil)
		wantError(t, err, "invalid", `upsert runtime "acme.ruby": upsert runtime version "3.1": invalid: `)
		if r, v := count(t, e, "runtime"), count(t, e, "runtime_version"); r != 0 || v != 0 {
			t.Errorf("%d runtimes and %d versions were written, want none", r, v)
		}
	})
}

func TestDefinitionsWithMalformedRows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		testdb.Unguard(t, e.DB, e.schema) // these rows are older than they are
		for ref, document := range map[string]string{
			"a.array": `["python3"]`, "b.scalar": `"python3"`, "c.wrong": `{"verification": {"commands": 5}}`,
			"d.good": `{"verification": {"always_available": true}}`, "f.null": `null`,
		} {
			e.exec(t, "INSERT INTO {schema}.runtime (ref, name, distributions) VALUES (?, 'n', ?)", ref, document)
		}
		e.exec(t, `INSERT INTO {schema}.runtime (ref, name) VALUES ('e.bare', 'n')`)
		e.exec(t, `INSERT INTO {schema}.runtime (ref, name, execution_config) VALUES ('g.config', 'n', '[1]')`)
		e.exec(t, `INSERT INTO {schema}.runtime (ref, name, aliases) VALUES ('h.aliases', 'n', '[1]')`)
		defs, err := e.Definitions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for i := range defs {
			got[defs[i].Ref] = defs[i].Fault() != nil
			if i > 0 && defs[i-1].Ref >= defs[i].Ref {
				t.Errorf("%s comes after %s", defs[i].Ref, defs[i-1].Ref)
			}
		}
		want := map[string]bool{
			"a.array": true, "b.scalar": true, "c.wrong": true, "d.good": false, "e.bare": false, "f.null": false,
			"g.config": true, "h.aliases": true,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("which have faults:\n%s", diff)
		}
		for _, d := range defs[:3] {
			if d.Distributions.Fault() == nil {
				t.Errorf("%s: the fault is not in its distributions", d.Ref)
			}
		}
	})
}

// counter counts the statements of a database.
type counter struct{ statements []string }

func (c *counter) BeforeQuery(ctx context.Context, event *bun.QueryEvent) context.Context {
	c.statements = append(c.statements, event.Query)
	return ctx
}

func (c *counter) AfterQuery(context.Context, *bun.QueryEvent) {}

func TestDefinitionsTakeFewStatements(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		if testing.Short() && !e.postgres {
			t.Skip("-short: SQLite takes long under the race detector, for one statement after the other")
		}
		for n := range 30 {
			def := definition(t, rubyDefinition)
			def.Ref = fmt.Sprintf("acme.ruby%d", n)
			if _, err := e.Runtimes.UpsertDefinition(t.Context(), def, nil); err != nil {
				t.Fatal(err)
			}
		}
		c := new(counter)
		defs, err := store.New(e.WithQueryHook(c), store.Config{Schema: e.schema}).Definitions(t.Context())
		if err != nil || len(defs) != 30 {
			t.Fatalf("got %d definitions, %v; want 30", len(defs), err)
		}
		want := 3
		if e.postgres {
			want = 6 // one that measures, and those of a transaction
		}
		if len(c.statements) != want {
			t.Errorf("got %d statements, want %d: %.100q", len(c.statements), want, c.statements)
		}
		for _, d := range defs {
			if len(d.Versions) != 2 {
				t.Errorf("%s has %d versions, want 2", d.Ref, len(d.Versions))
			}
		}
	})
}

// An embedder's transaction holds everything, and what he rolls back is gone.
func TestInsideTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		rollback := errors.New("rollback")
		err := e.RunInTx(t.Context(), &sql.TxOptions{}, func(ctx context.Context, tx bun.Tx) error {
			st := store.New(tx, store.Config{Schema: e.schema})
			if err := st.Packs.Create(ctx, pack("acme")); err != nil {
				return err
			}
			if _, err := st.Runtimes.UpsertDefinition(ctx, definition(t, rubyDefinition), nil); err != nil {
				return err
			}
			if _, _, err := st.Workers.Register(ctx, store.Registration{Name: "host-1", Role: metadata.Worker}); err != nil {
				return err
			}
			// The embedder's own worker of that identity, in the same transaction.
			if e.schema == "attune" {
				if _, err := tx.ExecContext(ctx, "UPDATE worker SET payroll = 13 WHERE identity = 'action/host-1'"); err != nil {
					return err
				}
			}
			defs, err := st.Definitions(ctx)
			if err != nil || len(defs) != 1 {
				return fmt.Errorf("got %d definitions, %w", len(defs), err)
			}
			if _, err := st.Runtimes.Resolve(ctx, "MRI"); err != nil {
				return err
			}
			workers, err := st.Workers.Select(ctx, store.Selection{Names: []string{"host-1"}})
			if err != nil || len(workers) != 1 {
				return fmt.Errorf("got %d workers, %w", len(workers), err)
			}
			wantError(t, st.Packs.Create(ctx, pack("acme")), "duplicate", "insert pack")
			if err := st.Runtimes.Delete(ctx, "acme.ruby"); err != nil {
				return err
			}
			return rollback
		})
		if !errors.Is(err, rollback) {
			t.Fatal(err)
		}
		for _, table := range []string{"pack", "runtime", "runtime_version", "worker"} {
			if n := count(t, e, table); n != 0 {
				t.Errorf("%d rows of %s outlived the rollback", n, table)
			}
		}
	})
}
