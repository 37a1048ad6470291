package migrations

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun/dialect"
	bunschema "github.com/uptrace/bun/schema"

	"github.com/attune-go/attune/schema"
)

// models lists the tables that this program reads and writes.
var models = []any{
	schema.Pack{}, schema.Runtime{}, schema.RuntimeVersion{}, schema.Action{}, schema.Sensor{}, schema.Worker{},
	schema.WorkerRuntime{}, schema.CapabilityChange{}, schema.WorkerSweep{}, schema.WorkerLabel{}, schema.WorkerTaint{},
	schema.WorkerCordon{}, schema.WorkerOperatorTaint{},
	schema.Token{}, schema.Session{}, schema.Audit{},
}

// What the models need besides their own columns, by table.
var (
	references = map[string]map[string]string{
		"runtime":         {"pack": "foreign key to pack (id) on delete cascade"},
		"runtime_version": {"runtime": "foreign key to runtime (id) on delete cascade"},
		"action":          {"pack": "foreign key to pack (id) on delete cascade", "runtime": "foreign key to runtime (id)"},
		"sensor": {
			"pack": "foreign key to pack (id) on delete cascade", "runtime": "foreign key to runtime (id) on delete cascade",
		},
		"worker": {"runtime": "foreign key to runtime (id)"},
		"worker_runtime": {
			"worker": "foreign key to worker (id) on delete cascade", "runtime": "foreign key to runtime (id) on delete set null",
		},
		"capability_change":     {"worker": "foreign key to worker (id) on delete set null"},
		"worker_label":          {"worker": "foreign key to worker (id) on delete cascade"},
		"worker_taint":          {"worker": "foreign key to worker (id) on delete cascade"},
		"worker_cordon":         {"worker": "foreign key to worker (id) on delete cascade"},
		"worker_operator_taint": {"worker": "foreign key to worker (id) on delete cascade"},
		"attune_session":        {"token": "foreign key to attune_token (id) on delete cascade"},
	}
	triggers = map[string][]string{
		"worker":         {"worker_follow_labels_insert", "worker_follow_labels_update"},
		"worker_runtime": {"worker_runtime_delete"},
	}
	// On SQLite the programs write the times themselves.
	triggersOfPostgres = map[string][]string{
		"runtime":         {"definition_mark_count"},
		"runtime_version": {"definition_mark_count"},
		"worker":          {"worker_bound_documents", "worker_bound_values", "worker_stamp_heartbeat", "worker_stamp_updated"},
		"worker_runtime":  {"worker_runtime_bound_documents"},
	}
	// The models do not declare these defaults, because Bun would write them in place of false.
	// SQL statements may omit the columns.
	defaults = map[string]string{
		"pack.is_standard":           "false",
		"sensor.enabled":             "true",
		"runtime_version.is_default": "false",
	}
)

// A shape is the comparable part of a table on either database.
type shape struct {
	columns map[string]column
	// uniques holds column lists with sorted names, including the primary key: "ref",
	// "runtime, version".
	uniques []string
	// references maps columns to their foreign keys.
	references map[string][]string
	// triggers lists the enabled triggers.
	triggers []string
}

// A kind is what a column can store on either database. It is named like the type in the
// migrations for Postgres.
type kind string

const (
	kindBigint  kind = "bigint"
	kindInteger kind = "integer"
	kindText    kind = "text"
	kindBoolean kind = "boolean"
	kindTime    kind = "timestamp with time zone"
	kindJSON    kind = "jsonb"
	kindList    kind = "text[]"
)

// A column is a column of a table.
type column struct {
	kind kind
	// name is the name of the type in the database.
	name     string
	nullable bool
	// def is the expression of the default. Empty means that the column has no default.
	def string
}

// sequence is the default of a column that numbers its rows.
const sequence = "from a sequence"

func (c column) String() string {
	text := c.name
	if !c.nullable {
		text += " not null"
	}
	if c.def != "" {
		text += " default " + c.def
	}
	return text
}

// accepts reports whether a column accepts all values of another one.
func (c column) accepts(other column) bool {
	return c.kind == other.kind || c.kind == kindInteger && other.kind == kindBigint
}

// modelShape returns the shape of a model's table.
func modelShape(t *bunschema.Table) *shape {
	s := &shape{columns: map[string]column{}, references: map[string][]string{}, triggers: triggers[t.Name]}
	for _, f := range t.Fields {
		s.columns[f.Name] = modelColumn(t, f)
	}
	if t.Dialect().Name() == dialect.PG {
		s.triggers = slices.Concat(s.triggers, triggersOfPostgres[t.Name])
	}
	for c, r := range references[t.Name] {
		s.references[c] = []string{r}
	}
	s.uniques = []string{columnList(t.PKs)}
	for name, fields := range t.Unique {
		if name != "" {
			s.uniques = append(s.uniques, columnList(fields))
			continue
		}
		for _, f := range fields {
			s.uniques = append(s.uniques, f.Name)
		}
	}
	slices.Sort(s.uniques)
	return s
}

func columnList(fields []*bunschema.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func modelColumn(t *bunschema.Table, f *bunschema.Field) column {
	c := column{kind: modelKind(f), nullable: !f.NotNull, def: cmp.Or(f.SQLDefault, defaults[t.Name+"."+f.Name])}
	c.name = string(c.kind)
	if f.AutoIncrement {
		c.def = sequence
	}
	if t.Dialect().Name() != dialect.SQLite {
		return c
	}
	if c.kind == kindTime && c.def != "" {
		c.def = sqliteNow
	}
	if c.kind == kindList {
		c.kind, c.def = kindJSON, strings.ReplaceAll(c.def, "{}", "[]")
	}
	c.name = sqliteNames[c.kind]
	return c
}

// sqliteNow is the default of times on SQLite. Its text order is the order in time.
const sqliteNow = "(strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))"

// sqliteJSON is the type of documents, which SQLite stores as text.
const sqliteJSON = "TEXT checked with json_valid"

// sqliteNames maps kinds to the types in the migrations for SQLite.
var sqliteNames = map[kind]string{
	kindBigint: "INTEGER", kindInteger: "INTEGER", kindText: "TEXT", kindBoolean: "BOOLEAN",
	kindTime: "TIMESTAMP", kindJSON: sqliteJSON,
}

func modelKind(f *bunschema.Field) kind {
	switch {
	case f.UserSQLType == "jsonb":
		return kindJSON
	case f.Tag.HasOption("array"):
		return kindList
	case f.IndirectType == reflect.TypeFor[time.Time]():
		return kindTime
	}
	switch f.IndirectType.Kind() {
	case reflect.Bool:
		return kindBoolean
	case reflect.Int64:
		return kindBigint
	case reflect.Int:
		return kindInteger
	case reflect.String:
		return kindText
	}
	return kind(f.IndirectType.String())
}
