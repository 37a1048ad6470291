package store_test

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// everything runs each statement that a Store has once.
func everything(ctx context.Context, st *store.Store, def *metadata.Definition) error {
	first := func(errs ...error) error {
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
	p := &schema.Pack{Ref: "acme", Label: "Acme", Version: "1"}
	if err := first(st.Packs.Create(ctx, p), st.Packs.Upsert(ctx, p)); err != nil {
		return err
	}
	_, err1 := st.Packs.Update(ctx, "acme", store.PackChanges{})
	_, err2 := st.Packs.List(ctx, store.Page{After: "a", Limit: 1})
	row, err3 := st.Runtimes.UpsertDefinition(ctx, def, nil)
	if err := first(err1, err2, err3); err != nil {
		return err
	}
	_, err1 = st.Runtimes.Resolve(ctx, "mri")
	_, err2 = st.RuntimeVersions.ByRuntime(ctx, "acme.ruby")
	_, err3 = st.Definitions(ctx)
	w, _, err4 := st.Workers.Register(ctx, store.Registration{Name: "w", Role: metadata.Worker})
	if err := first(err1, err2, err3, err4); err != nil {
		return err
	}
	_, err1 = st.Workers.ByIdentity(ctx, metadata.Worker, "w")
	_, err2 = st.Workers.Update(ctx, w.ID, store.WorkerChanges{Runtime: metadata.Some(&row.ID)})
	_, err3 = st.Workers.Select(ctx, store.Selection{
		Names: []string{"w"}, Roles: []metadata.Role{metadata.Worker}, Statuses: []schema.WorkerStatus{schema.WorkerInactive},
		Lacks: []store.Requirement{{Ref: "acme.ruby"}}, Limit: 1,
	})
	_, err4 = st.Workers.RowLimit(ctx)
	return first(err1, err2, err3, err4, st.Workers.Delete(ctx, w.ID),
		st.Runtimes.Delete(ctx, def.Ref), st.Packs.Delete(ctx, "acme"))
}

// No statement and no transaction asks for a second connection.
func TestOneConnectionIsEnough(t *testing.T) {
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
	e := postgres(t, `Od.d "na'me? ?0`)
	if err := everything(t.Context(), e.Store, definition(t, rubyDefinition)); err != nil {
		t.Fatal(err)
	}
}

// Every statement names the schema, in whatever place it names a table.
func TestEveryTableIsQualified(t *testing.T) {
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
				"pragma_table_info(t.name, '" + e.schema + "')", "pragma_foreign_key_list(t.name, '" + e.schema + "')"}
			for _, with := range withQuery.FindAllStringSubmatch(statement, -1) {
				accepted = append(accepted, with[1]+" ", with[1]+")", with[1]+",")
			}
			for _, keyword := range []string{"FROM ", "JOIN ", "INTO ", "UPDATE "} {
				for _, rest := range strings.Split(statement, keyword)[1:] {
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
	each(t, func(t *testing.T, e env) {
		for _, table := range []string{"pack", "runtime", "runtime_version", "worker"} {
			e.exec(t, "ALTER TABLE {schema}."+table+" ADD COLUMN tenant integer DEFAULT 7")
		}
		if err := everything(t.Context(), e.Store, definition(t, rubyDefinition)); err != nil {
			t.Fatal(err)
		}
	})
}
