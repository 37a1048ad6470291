package migrations

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	bunschema "github.com/uptrace/bun/schema"

	"github.com/attune-go/attune/schema"
)

// Difference is one point in which a database and the Bun models disagree.
type Difference struct {
	Table string `json:"table"`
	// Column is empty where the table as a whole is meant.
	Column  string `json:"column,omitempty"`
	Problem string `json:"problem"`
}

func (d Difference) String() string {
	if d.Column == "" {
		return d.Table + ": " + d.Problem
	}
	return d.Table + "." + d.Column + ": " + d.Problem
}

// models are the tables that this program reads and writes.
var models = []any{
	schema.Pack{}, schema.Runtime{}, schema.RuntimeVersion{}, schema.Action{}, schema.Sensor{}, schema.Worker{},
	schema.WorkerRuntime{}, schema.CapabilityChange{}, schema.WorkerSweep{},
}

// references are the foreign keys that the models count on, "cascade" where
// they count on that too.
var references = map[string][]string{
	"runtime":           {"pack -> pack cascade"},
	"runtime_version":   {"runtime -> runtime cascade"},
	"action":            {"pack -> pack cascade", "runtime -> runtime"},
	"sensor":            {"pack -> pack cascade", "runtime -> runtime cascade"},
	"worker":            {"runtime -> runtime"},
	"worker_runtime":    {"worker -> worker cascade", "runtime -> runtime"},
	"capability_change": {"worker -> worker"},
}

// shape is what can be compared of a table, whatever the database.
type shape struct {
	columns map[string]column
	// uniques are column lists: "ref", "runtime, version".
	uniques []string
	// references are as in the variable of that name.
	references []string
}

// column of a table. class is one of integer, text, boolean, time, json, list.
type column struct {
	class      string
	nullable   bool
	hasDefault bool
}

// Drift compares the Bun models with the live catalog: columns, their kind of
// type, nullability, defaults where the models count on one, uniques and
// foreign keys. What others have added is no difference. It needs an installation
// that is migrated; an empty schema means the one that is found.
func Drift(ctx context.Context, db bun.IDB, schemaName string) ([]Difference, error) {
	spaces, err := survey(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("compare the models: read the catalog: %w", explain(err))
	}
	s, err := choose(spaces, schemaName)
	if err != nil {
		return nil, fmt.Errorf("compare the models: %w", err)
	}
	var found []Difference
	for _, model := range models {
		t := db.Dialect().Tables().Get(reflect.TypeOf(model))
		r := s.relations[t.Name]
		if r == nil || !r.table {
			found = append(found, Difference{Table: t.Name, Problem: "there is no such table"})
			continue
		}
		live, err := shapeOf(ctx, db, r.oid, t.Name)
		if err != nil {
			return nil, fmt.Errorf("compare the models: read the catalog for %s: %w", table(s.name, t.Name), explain(err))
		}
		found = append(found, compare(t.Name, modelShape(t), live)...)
	}
	return found, nil
}

// compare lists what a model counts on and a table does not have.
func compare(name string, model, live *shape) []Difference {
	var found []Difference
	differ := func(column, format string, args ...any) {
		found = append(found, Difference{Table: name, Column: column, Problem: fmt.Sprintf(format, args...)})
	}
	columns := make([]string, 0, len(model.columns))
	for c := range model.columns {
		columns = append(columns, c)
	}
	slices.Sort(columns)
	for _, c := range columns {
		want := model.columns[c]
		got, ok := live.columns[c]
		if !ok {
			differ(c, "there is no such column")
			continue
		}
		if got.class != want.class {
			differ(c, "the type is %s, not %s", got.class, want.class)
		}
		if got.nullable != want.nullable {
			differ(c, "it is %s, not %s", nullability(got), nullability(want))
		}
		if want.hasDefault && !got.hasDefault {
			differ(c, "it has no default")
		}
	}
	for _, u := range model.uniques {
		if !slices.Contains(live.uniques, u) {
			differ("", "(%s) is not unique", u)
		}
	}
	for _, r := range model.references {
		if !slices.ContainsFunc(live.references, func(l string) bool { return l == r || l == r+" cascade" }) {
			differ("", "the foreign key %s is missing", r)
		}
	}
	return found
}

func nullability(c column) string {
	if c.nullable {
		return "nullable"
	}
	return "not null"
}

// modelShape derives a table's shape from its model.
func modelShape(t *bunschema.Table) *shape {
	s := &shape{columns: map[string]column{}, references: references[t.Name]}
	for _, f := range t.Fields {
		s.columns[f.Name] = column{
			class:      modelClass(f, t.Dialect().Name()),
			nullable:   !f.NotNull,
			hasDefault: f.SQLDefault != "" || f.AutoIncrement,
		}
	}
	for name, fields := range t.Unique {
		var columns []string
		for _, f := range fields {
			if name == "" {
				s.uniques = append(s.uniques, f.Name)
			} else {
				columns = append(columns, f.Name)
			}
		}
		if name != "" {
			s.uniques = append(s.uniques, strings.Join(columns, ", "))
		}
	}
	slices.Sort(s.uniques)
	return s
}

func modelClass(f *bunschema.Field, database dialect.Name) string {
	switch {
	case f.UserSQLType == "jsonb":
		return "json"
	case f.Tag.HasOption("array") && database == dialect.SQLite:
		return "json"
	case f.Tag.HasOption("array"):
		return "list"
	case f.IndirectType == reflect.TypeFor[time.Time]():
		return "time"
	}
	switch f.IndirectType.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.String:
		return "text"
	}
	return f.IndirectType.String()
}
