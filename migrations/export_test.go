package migrations

import (
	"context"
	"fmt"
	"reflect"

	"github.com/uptrace/bun"
)

// Column is one column of a live catalog, for comparing two databases.
type Column struct {
	Class                string
	Nullable, HasDefault bool
}

// Shape is a table of a live catalog, in terms that both databases share.
type Shape struct {
	Columns             map[string]Column
	Uniques, References []string
}

// Shapes reads the tables of the models from a live catalog.
func Shapes(ctx context.Context, db bun.IDB, schemaName string) (map[string]Shape, error) {
	spaces, err := survey(ctx, db)
	if err != nil {
		return nil, err
	}
	s, err := choose(spaces, schemaName)
	if err != nil {
		return nil, err
	}
	shapes := map[string]Shape{}
	for _, model := range models {
		name := db.Dialect().Tables().Get(reflect.TypeOf(model)).Name
		r := s.relations[name]
		if r == nil {
			return nil, fmt.Errorf("no table %s", name)
		}
		live, err := shapeOf(ctx, db, r.oid, name)
		if err != nil {
			return nil, err
		}
		out := Shape{Columns: map[string]Column{}, Uniques: live.uniques, References: live.references}
		for n, c := range live.columns {
			class := c.class
			if class == "list" {
				class = "json" // how SQLite keeps it
			}
			out.Columns[n] = Column{class, c.nullable, c.hasDefault}
		}
		shapes[name] = out
	}
	return shapes, nil
}
