package migrations

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// A Difference is one point in which a database differs from what the Bun models need.
type Difference struct {
	Table string `json:"table"`
	// Column is empty if the difference concerns the table.
	Column string `json:"column,omitempty"`
	// Is is what the database has, ShouldBe what the models need.
	Is       string `json:"is"`
	ShouldBe string `json:"should_be"`
}

// Where returns the table, with the column if the difference has one.
func (d Difference) Where() string {
	if d.Column == "" {
		return d.Table
	}
	return d.Table + "." + d.Column
}

// String returns the difference as a sentence.
func (d Difference) String() string { return d.Where() + ": " + d.Is + ", should be " + d.ShouldBe }

// An OtherColumn is a column of attune's tables that this program does not know. It belongs to
// the platform or to a later release.
type OtherColumn struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	// Type is the type in the spelling of the database.
	Type string `json:"type"`
	// Required reports that the column is not null and has no default. A row of attune's is
	// then refused unless a trigger fills the column.
	Required bool `json:"required,omitempty"`
}

// Drift compares the Bun models with the live catalog: columns with their types, nullability
// and defaults, primary and unique keys, foreign keys with their action on delete, and
// attune's triggers. The schema must be migrated. It defaults to the result of FindSchema.
//
// Types that accept the same values are equal, such as an enum or varchar without a limit for
// text, and bigint for integer. So are defaults in another spelling. Drift ignores objects that
// others added. It does not compare checks, the values of enums, collations, other indexes,
// views, functions, privileges, or the tables of the migrator and of the unification. In a
// guest it compares only attune's own tables.
func Drift(ctx context.Context, db bun.IDB, schemaName string) ([]Difference, error) {
	spaces, err := survey(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("compare the models: read the catalog: %w", explain(err))
	}
	s, err := choose(spaces, schemaName)
	if err != nil {
		return nil, fmt.Errorf("compare the models: %w", err)
	}
	found, _, err := drift(ctx, db, s)
	return found, err
}

// drift compares the models with the tables of a schema, in the order of the models.
func drift(ctx context.Context, db bun.IDB, s *space) (found []Difference, others []OtherColumn, err error) {
	shapes, err := shapesOf(ctx, db, s)
	if err != nil {
		return nil, nil, fmt.Errorf("compare the models with schema %q: read the catalog: %w", s.name, explain(err))
	}
	found, others = []Difference{}, []OtherColumn{}
	for _, model := range models {
		t := db.Dialect().Tables().Get(reflect.TypeOf(model))
		name, want := t.Name, modelShape(t)
		if s.relations[stateTable] != nil {
			if name = guestTables[t.Name]; name == "" {
				continue // it belongs to the platform
			}
			want.triggers = guestTriggers[name]
		}
		r := s.relations[name]
		switch {
		case r == nil:
			found = append(found, Difference{Table: name, Is: "missing", ShouldBe: "a table"})
		case !r.table:
			found = append(found, Difference{Table: name, Is: "not a table", ShouldBe: "a table"})
		default:
			found = append(found, compare(name, want, shapes[name])...)
			others = append(others, unknownColumns(name, want, shapes[name])...)
		}
	}
	return found, others, nil
}

// compare returns what a model needs and a table lacks.
func compare(table string, want, got *shape) []Difference {
	var found []Difference
	differ := func(column, is, shouldBe string) {
		found = append(found, Difference{Table: table, Column: column, Is: is, ShouldBe: shouldBe})
	}
	for _, name := range sortedKeys(want.columns) {
		w := want.columns[name]
		g, ok := got.columns[name]
		if !ok {
			differ(name, "missing", w.String())
			continue
		}
		if !w.accepts(g) {
			differ(name, g.name, w.name)
		}
		if g.nullable != w.nullable {
			differ(name, nullability(g), nullability(w))
		}
		if w.def != "" && !sameDefault(w, g) {
			differ(name, defaultOf(g), defaultOf(w))
		}
		for _, r := range want.references[name] {
			if actual := got.references[name]; !slices.Contains(actual, r) {
				differ(name, cmp.Or(strings.Join(actual, " and "), "no foreign key"), r)
			}
		}
	}
	for _, u := range want.uniques {
		if !slices.Contains(got.uniques, u) {
			differ("", "no unique key ("+u+")", "unique key ("+u+")")
		}
	}
	for _, t := range want.triggers {
		if !slices.Contains(got.triggers, t) {
			differ("", "no trigger "+t+" that fires", "trigger "+t)
		}
	}
	return found
}

// unknownColumns returns the columns of a table that a model lacks.
func unknownColumns(table string, want, got *shape) []OtherColumn {
	var others []OtherColumn
	for _, name := range sortedKeys(got.columns) {
		if _, ours := want.columns[name]; !ours {
			c := got.columns[name]
			others = append(others, OtherColumn{Table: table, Column: name, Type: c.name, Required: !c.nullable && c.def == ""})
		}
	}
	return others
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func nullability(c column) string {
	if c.nullable {
		return "nullable"
	}
	return "not null"
}

func defaultOf(c column) string {
	if c.def == "" {
		return "no default"
	}
	return "default " + c.def
}
