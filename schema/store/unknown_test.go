package store_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestHavingUnknown checks that a ref which nobody knows is an error with the ref that is
// probably meant, unlike a known one without workers.
func TestHavingUnknown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		fails := func(ref string, want store.UnknownRuntimeError, text string) {
			t.Helper()
			for _, filter := range []store.HavingFilter{{}, {Constraint: constraint(t, ">4,<3")}} {
				found, err := e.Workers.Having(ctx, ref, filter)
				var unknown *store.UnknownRuntimeError
				if found != nil || !errors.As(err, &unknown) || *unknown != want || !errors.Is(err, store.ErrNotFound) || !strings.HasSuffix(err.Error(), text) {
					t.Errorf("%s: %v, %v, want %s", ref, found, err, text)
				}
			}
		}
		fails("core.python", store.UnknownRuntimeError{Ref: "core.python", Undefined: true}, "not found; the database has no runtimes: load a pack")
		if _, err := e.Runtimes.UpsertDefinition(ctx, &metadata.Definition{Ref: "acme.cobol", Name: "COBOL"}, nil); err != nil {
			t.Fatal(err)
		}
		running(t, e, "host", negative("pack.ofhost", "ofhost", "not_found", "no such program"))
		fails("acme.colob", store.UnknownRuntimeError{Ref: "acme.colob", Near: "acme.cobol"}, `find workers having "acme.colob": runtime "acme.colob": not found; did you mean acme.cobol?`)
		fails("ruby", store.UnknownRuntimeError{Ref: "ruby"}, `runtime "ruby": not found`)
		fails("acme'?\x00", store.UnknownRuntimeError{Ref: "acme'?\x00"}, "not found")
		for _, ref := range []string{"acme.cobol", "pack.ofhost"} {
			if found, err := e.Workers.Having(ctx, ref, store.HavingFilter{}); err != nil || found == nil || len(found) > 0 {
				t.Errorf("%s: %v, %v", ref, found, err)
			}
		}
	})
}

// TestNoDefinitions checks that a database without packs is named in the log.
func TestNoDefinitions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		var log strings.Builder
		st := store.New(e.DB, store.Config{Schema: e.schema, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for _, want := range []int{1, 0} {
			log.Reset()
			if _, err := st.Definitions(t.Context()); err != nil || strings.Count(log.String(), "load a pack") != want {
				t.Errorf("%v, log %q, want %d lines", err, log.String(), want)
			}
			if _, err := st.Runtimes.UpsertDefinition(t.Context(), &metadata.Definition{Ref: "acme.cobol", Name: "COBOL"}, nil); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestNoTables checks that statements on a database without tables say what to do.
func TestNoTables(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func() (*testdb.DB, string){
		"postgres": func() (*testdb.DB, string) {
			return testdb.EmptyPostgres(t), `attune's tables are missing in schema "public": migrate the database, or set Config.Schema to the schema that has them: `
		},
		"another schema": func() (*testdb.DB, string) {
			db := testdb.Postgres(t, testdb.Schema("attune"))
			return db, `attune's tables are missing in schema "public": `
		},
		"sqlite": func() (*testdb.DB, string) {
			return testdb.EmptySQLite(t), "attune's tables are missing: migrate the database: "
		},
	} {
		db, want := open()
		st := store.New(db, store.Config{})
		_, definitions := st.Definitions(t.Context())
		_, _, register := st.Workers.Register(t.Context(), store.Registration{Name: "a", Role: metadata.Worker})
		_, having := st.Workers.Having(t.Context(), "core.python", store.HavingFilter{})
		_, refs := st.Runtimes.ByRef(t.Context(), "core.python")
		for what, err := range map[string]error{"definitions": definitions, "register": register, "having": having, "by ref": refs} {
			if !errors.Is(err, store.ErrNoTables) || !strings.Contains(err.Error(), want) || database.Classify(err) != nil {
				t.Errorf("%s: %s: %v, want %s", name, what, err, want)
			}
		}
	}
}
