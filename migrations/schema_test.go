package migrations_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

func TestWhichSchema(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		legacy []string
		wanted string
		used   string
		err    error
		says   []string
	}{
		{name: "none", used: "public"},
		{name: "none, asked for", wanted: "attune", used: "attune"},
		{name: "one elsewhere", legacy: []string{"platform"}, used: "platform"},
		{name: "one elsewhere, asked for", legacy: []string{"platform"}, wanted: "platform", used: "platform"},
		{name: "several", legacy: []string{"one", "two"}, err: migrations.ErrAmbiguousSchema, says: []string{"one", "two"}},
		{name: "several, one asked for", legacy: []string{"one", "two"}, wanted: "two", used: "two"},
		{name: "a new one beside another", legacy: []string{"platform"}, wanted: "attune", err: migrations.ErrSecondSchema, says: []string{"platform", `"attune"`}},
		{name: "a name to be quoted", wanted: `My Schema"x`, used: `My Schema"x`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			db := testdb.EmptyPostgres(t)
			for _, s := range c.legacy {
				legacy(t, db.DB, s)
			}
			before := objects(t, db)
			m := migrator(t, db.DB, migrations.Config{Schema: c.wanted})
			res, err := m.Up(ctx)
			if c.err != nil {
				if !errors.Is(err, c.err) {
					t.Fatalf("Up: %v, want %v", err, c.err)
				}
				for _, s := range c.says {
					if !strings.Contains(err.Error(), s) {
						t.Errorf("the error does not say %s: %v", s, err)
					}
				}
				if _, err := m.Plan(ctx); !errors.Is(err, c.err) {
					t.Errorf("Plan: %v, want %v", err, c.err)
				}
				if diff := cmp.Diff(before, objects(t, db)); diff != "" {
					t.Errorf("a refused up changed the catalog (-before +after):\n%s", diff)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if res.Schema != c.used {
				t.Errorf("schema = %q, want %q", res.Schema, c.used)
			}
			if schema, err := m.Check(ctx); err != nil || schema != c.used {
				t.Errorf("Check = %q, %v; want %q", schema, err, c.used)
			}
			if len(c.legacy) < 2 {
				if schema, err := migrations.FindSchema(ctx, db.DB); err != nil || schema != c.used {
					t.Errorf("FindSchema = %q, %v; want %q", schema, err, c.used)
				}
			}
			downTo(t, db.DB, migrations.Baseline, migrations.Config{Schema: c.wanted})
		})
	}
}

// TestNamesElsewhere uses a search_path that finds other tables of the same names first, some of them
// temporary, and checks that those do not change.
func TestNamesElsewhere(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	ctx := context.Background()
	name := strs(t, db, "SELECT current_database()")[0]
	run(t, db,
		`CREATE SCHEMA evil`,
		`CREATE TABLE evil.runtime (id bigint, runtime_type text)`,
		`CREATE TABLE evil.worker (id bigint)`,
		`CREATE TABLE evil.pg_class (id bigint)`,
		`CREATE TABLE evil.pg_namespace (id bigint)`,
		`CREATE TABLE evil.attune_migrations (version bigint)`,
		`CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ''evil'''`,
		`CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''infinity''::timestamptz'`,
		`ALTER DATABASE `+name+` SET search_path = evil, pg_catalog, public`)
	// One connection, because the temporary tables belong to it.
	fresh := open(t, db.URL)
	fresh.SetMaxOpenConns(1)
	for _, table := range []string{"pack", "runtime", "action", "sensor", "worker", "worker_runtime", "attune_migrations"} {
		run(t, fresh, "CREATE TEMP TABLE "+table+" (id bigint)")
	}
	before := strs(t, db, `SELECT relname || ' ' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
		WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(evil|pg_temp_)') ORDER BY 1`)
	for range 2 {
		if res := up(t, fresh, migrations.Config{}); res.Schema != "public" || len(res.Done) != len(ids) {
			t.Fatalf("up = %+v, want every migration in public", res)
		}
		run(t, fresh, `INSERT INTO public.pack (ref, label, version) VALUES ('core', 'Core', '1')`,
			`INSERT INTO public.runtime (ref, name) VALUES ('core.python', 'Python')`)
		if n := count(t, fresh, `SELECT count(*) FROM public.runtime WHERE created < 'infinity'`); n != 1 {
			t.Error("created is not the time of Postgres's own now()")
		}
		if _, err := migrator(t, fresh, migrations.Config{}).Plan(ctx); err != nil {
			t.Error(err)
		}
		run(t, fresh, `DELETE FROM public.runtime`, `DELETE FROM public.pack`)
		downTo(t, fresh, migrations.Baseline, migrations.Config{})
	}
	after := strs(t, db, `SELECT relname || ' ' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
		WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(evil|pg_temp_)') ORDER BY 1`)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("tables elsewhere changed (-before +after):\n%s", diff)
	}
	if got := strs(t, fresh, "SELECT current_setting('search_path')"); got[0] != "evil, pg_catalog, public" {
		t.Errorf("the connection's search_path is %q afterwards", got)
	}
}

// embedder creates the tables of a platform without attune.
func embedder(t *testing.T, db testDB) {
	t.Helper()
	run(t, db,
		`CREATE TABLE public.worker (id bigserial PRIMARY KEY, name text NOT NULL, status text, salary numeric)`,
		`CREATE TABLE public.runtime (id bigserial PRIMARY KEY, name text, minutes integer)`,
		`CREATE TABLE public.bun_migrations (id bigserial PRIMARY KEY, name text, group_id bigint, migrated_at timestamptz)`,
		`CREATE TYPE public.worker_status_enum AS ENUM ('hired', 'fired')`,
		`INSERT INTO public.worker (name, salary) VALUES ('Ada', 1)`,
		`INSERT INTO public.bun_migrations (name) VALUES ('1')`)
}

func TestBesideAnEmbeddersTables(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	embedder(t, db)
	before := objects(t, db)

	_, err := migrator(t, db.DB, migrations.Config{}).Up(context.Background())
	if !errors.Is(err, migrations.ErrNotOurs) {
		t.Fatalf("Up without a schema: %v, want ErrNotOurs", err)
	}
	for _, want := range []string{"worker exists without attune's columns (worker_type, capabilities)", "the name worker_status_enum is taken", "attune needs a schema of its own"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if diff := cmp.Diff(before, objects(t, db)); diff != "" {
		t.Fatalf("a refused up changed the catalog (-before +after):\n%s", diff)
	}

	up(t, db.DB, migrations.Config{Schema: "attune"})
	// Now one schema holds attune's tables, and it is found without being named.
	if schema, err := migrator(t, db.DB, migrations.Config{}).Check(context.Background()); err != nil || schema != "attune" {
		t.Errorf("Check = %q, %v; want attune", schema, err)
	}
	downTo(t, db.DB, migrations.Baseline, migrations.Config{Schema: "attune"})
	run(t, db, "DROP SCHEMA attune") // empty: no CASCADE
	if diff := cmp.Diff(before, objects(t, db)); diff != "" {
		t.Errorf("up and down changed the embedder's catalog (-before +after):\n%s", diff)
	}
	if n := count(t, db, "SELECT count(*) FROM public.worker"); n != 1 {
		t.Errorf("%d of the embedder's workers are left, want 1", n)
	}
}

func TestSQLiteHasNoSchemas(t *testing.T) {
	t.Parallel()
	db := testdb.EmptySQLite(t)
	if _, err := migrations.New(db.DB, migrations.Config{Schema: "attune"}); err == nil {
		t.Error("New: no error")
	}
	if res := up(t, db.DB, migrations.Config{Schema: "main"}); res.Schema != "main" {
		t.Errorf("schema = %q, want main", res.Schema)
	}
}
