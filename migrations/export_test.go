package migrations

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// A Column is one column of a live catalog, for comparing two databases.
type Column struct {
	Kind                 string
	Nullable, HasDefault bool
}

// A Shape is a table of a live catalog, in terms that both databases share.
type Shape struct {
	Columns           map[string]Column
	Uniques, Triggers []string
	References        map[string][]string
}

// Shapes returns the tables of the models in a live catalog.
func Shapes(ctx context.Context, db bun.IDB, schemaName string) (map[string]Shape, error) {
	spaces, err := survey(ctx, db)
	if err != nil {
		return nil, err
	}
	s, err := choose(spaces, schemaName)
	if err != nil {
		return nil, err
	}
	live, err := shapesOf(ctx, db, s)
	if err != nil {
		return nil, err
	}
	shapes := map[string]Shape{}
	for _, model := range models {
		name := db.Dialect().Tables().Get(reflect.TypeOf(model)).Name
		t := live[name]
		if t == nil {
			return nil, fmt.Errorf("no table %s", name)
		}
		out := Shape{Columns: map[string]Column{}, Uniques: t.uniques, References: t.references, Triggers: t.triggers}
		for n, c := range t.columns {
			switch c.kind { // how SQLite keeps them
			case kindList:
				c.kind = kindJSON
			case kindInteger:
				c.kind = kindBigint
			}
			out.Columns[n] = Column{string(c.kind), c.nullable, c.def != ""}
		}
		out.Triggers = slices.DeleteFunc(out.Triggers, func(name string) bool {
			// A check on Postgres refuses what these refuse on SQLite, and programs on SQLite write what these
			// write on Postgres.
			return strings.HasPrefix(name, "attune_guard_") || strings.Contains(name, "_version_constraint_") || strings.HasPrefix(name, "worker_stamp_") ||
				strings.HasSuffix(name, "_bound_documents") || name == "definition_mark_count" || name == "worker_bound_values"
		})
		if len(out.Triggers) == 0 {
			out.Triggers = nil
		}
		shapes[name] = out
	}
	return shapes, nil
}
