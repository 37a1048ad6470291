package store_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/schema/store"
)

// No statement and no transaction asks for a second connection.
func TestOneConnectionIsEnough(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		e.SetMaxOpenConns(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := everything(ctx, e.Store, definition(t, rubyDefinition)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSchemaOfAnyName(t *testing.T) {
	t.Parallel()
	e := postgres(t, `Od.d "na'me? ?0`)
	if err := everything(t.Context(), e.Store, definition(t, rubyDefinition)); err != nil {
		t.Fatal(err)
	}
}

// Every statement names the schema, in whatever place it names a table.
func TestEveryTableIsQualified(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		c := new(counter)
		st := store.New(e.WithQueryHook(c), store.Config{Schema: e.schema})
		if err := everything(t.Context(), st, definition(t, rubyDefinition)); err != nil {
			t.Fatal(err)
		}
		if len(c.statements) < 20 {
			t.Errorf("only %d statements were seen", len(c.statements))
		}
		for _, statement := range c.statements {
			accepted := []string{`"` + e.schema + `".`, "(", "LATERAL (", "SET", "pg_catalog.", "json_each(",
				"pragma_table_info(t.name, '" + e.schema + "')", "pragma_foreign_key_list(t.name, '" + e.schema + "')",
				"pragma_database_list "} // the list of the schemas themselves
			for _, with := range withQuery.FindAllStringSubmatch(statement, -1) {
				accepted = append(accepted, with[1]+" ", with[1]+")", with[1]+",")
			}
			compared := strings.ReplaceAll(statement, "IS NOT DISTINCT FROM ", "= ") // a comparison, not a table
			for _, keyword := range []string{"FROM ", "JOIN ", "INTO ", "UPDATE "} {
				for _, rest := range strings.Split(compared, keyword)[1:] {
					if !slices.ContainsFunc(accepted, func(prefix string) bool { return strings.HasPrefix(rest+" ", prefix) }) {
						t.Errorf("%q is not qualified in: %s", keyword+rest, statement)
					}
				}
			}
		}
	})
}

// withQuery is the name of a query in a statement's WITH, which no table can take.
var withQuery = regexp.MustCompile(`(?:\bWITH (?:RECURSIVE )?|\),\s+)(\w+)(?: \([\w, ]+\))? AS (?:MATERIALIZED |NOT MATERIALIZED )?\(`)

// An installation's tables have columns of other people's.
func TestFurtherColumns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for _, table := range []string{"pack", "runtime", "runtime_version", "worker"} {
			e.exec(t, "ALTER TABLE {schema}."+table+" ADD COLUMN tenant integer DEFAULT 7")
		}
		if err := everything(t.Context(), e.Store, definition(t, rubyDefinition)); err != nil {
			t.Fatal(err)
		}
	})
}

// TestIdentity: stores of one database and schema have one identity, and others have another.
func TestIdentity(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		identity := func(st *store.Store) string {
			t.Helper()
			id, err := st.Identity(t.Context())
			if err != nil || id == "" {
				t.Fatalf("%q, %v", id, err)
			}
			return id
		}
		own := identity(e.Store)
		if again := identity(store.New(e.DB, store.Config{Schema: e.schema})); again != own {
			t.Errorf("%q and %q are of one database", own, again)
		}
		if other := identity(sqlite(t).Store); other == own {
			t.Errorf("%q is of two databases", own)
		}
		if !e.postgres {
			return
		}
		if other := identity(postgres(t, "public").Store); other == own {
			t.Errorf("%q is of two databases", own)
		}
		e.exec(t, "CREATE SCHEMA beside_it")
		e.exec(t, "CREATE TABLE beside_it.worker ()")
		if other := identity(store.New(e.DB, store.Config{Schema: "beside_it"})); other == own {
			t.Errorf("%q is of two schemas", own)
		}
	})
}
