// Package layout describes where a database keeps what attune reads and writes.
//
// A database of attune's own keeps everything in the tables of package schema. A guest is a
// database whose tables a platform made. Those tables stay as they are, and attune keeps the
// rest in tables named attune_…. A Layout is read once from the catalog. For each table of
// package schema it has a relation to read from, with exactly the model's columns, and the
// table and functions to write to.
package layout

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
	bundialect "github.com/uptrace/bun/dialect"
)

// A Layout describes where one schema of a database keeps what attune reads and writes. It does
// not change; read a new one after a migration of the platform.
type Layout struct {
	// Schema holds the tables: main on SQLite.
	Schema string
	// Own reports that attune made or unified the tables, so that every table is the model's.
	Own bool
	// Migrated reports that attune's own tables exist.
	Migrated bool
	// Executions reports that the platform runs executions on the workers that it finds.
	Executions bool
	// Taints reports that the platform's scheduler knows cordons, labels and taints.
	Taints bool
	// UniqueNames reports that the names of workers are unique.
	UniqueNames bool

	columns map[string]map[string]string
}

// OfOwn returns the layout of a schema whose tables are attune's own, without reading it. An
// empty schema is public.
func OfOwn(db bun.IDB, schema string) *Layout {
	if db.Dialect().Name() != bundialect.PG {
		schema = "main"
	}
	return &Layout{Schema: cmp.Or(schema, "public"), Own: true, Migrated: true}
}

// In a guest stateTable has a row for each worker of attune's, and runtimeState one for each
// runtime that attune loaded.
const (
	stateTable   = "attune_worker_state"
	runtimeState = "attune_runtime_state"
)

// beside maps the tables of models to their tables in a guest.
var beside = map[string]string{
	"worker_runtime": "attune_worker_runtime", "capability_change": "attune_capability_change", "worker_sweep": "attune_worker_sweep",
	"runtime_version": "attune_runtime_version", "worker_label": "attune_worker_label", "worker_taint": "attune_worker_taint",
	"worker_cordon": "attune_worker_cordon", "worker_operator_taint": "attune_worker_operator_taint",
	markTable: "attune_definition_mark",
}

// relations lists the tables that Read looks for.
func relations() []string {
	names := []string{"pack", "runtime", "action", "sensor", "worker", "execution", stateTable, roundTable}
	for model, guest := range beside {
		names = append(names, model, guest)
	}
	return names
}

// markTable has the number of changes of definitions.
const markTable = "definition_mark"

// roundTable has the progress of a guest in resolving what the platform's workers declare.
const roundTable = "attune_declaration_round"

// Read reads the layout of a schema from the catalog. An empty schema means public. A schema
// without attune's tables has an empty layout of attune's own.
func Read(ctx context.Context, db bun.IDB, schema string) (*Layout, error) {
	if db.Dialect().Name() != bundialect.PG {
		return OfOwn(db, schema), nil
	}
	l := &Layout{Schema: cmp.Or(schema, "public"), columns: map[string]map[string]string{}}
	var rows []struct{ Relation, Name, Type string }
	err := db.NewRaw(`
SELECT c.relname AS relation, a.attname AS name, t.typname AS type
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = ? AND c.relkind IN ('r', 'p')
  AND c.relname IN (?)`, l.Schema, bun.List(relations())).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read the layout of schema %q: %w", l.Schema, err)
	}
	for _, r := range rows {
		if l.columns[r.Relation] == nil {
			l.columns[r.Relation] = map[string]string{}
		}
		l.columns[r.Relation][r.Name] = r.Type
	}
	guest := l.columns[stateTable] != nil
	ours := l.Has("worker", "identity") && l.Has("worker", "heartbeat_interval") && l.Has("runtime", "digest") ||
		l.Has("worker_runtime", "runtime_ref") && l.Has("worker_runtime", "unconfirmed_since") // somebody dropped one of the others
	l.Own = !guest && (ours || l.columns["runtime"] == nil)
	l.Migrated = guest || l.Own && l.columns["worker_runtime"] != nil
	l.Executions = l.columns["execution"] != nil
	l.Taints = l.Has("worker", "cordoned")
	if !l.Own {
		l.UniqueNames, err = uniqueNames(ctx, db, l.Schema)
	}
	return l, err
}

func uniqueNames(ctx context.Context, db bun.IDB, schema string) (unique bool, err error) {
	err = db.NewRaw(`
SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE n.nspname = ? AND c.relname = 'worker' AND a.attname = 'name' AND i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL)`, schema).
		Scan(ctx, &unique)
	if err != nil {
		return false, fmt.Errorf("find a unique key on worker.name in schema %q: %w", schema, err)
	}
	return unique, nil
}

// HasTables reports whether there are runtimes and workers to look at.
func (l *Layout) HasTables() bool { return l.Has("runtime", "ref") && l.Has("worker", "name") }

// Guest reports whether a platform made the tables.
func (l *Layout) Guest() bool { return !l.Own }

// Has reports whether a table of the platform has a column.
func (l *Layout) Has(table, column string) bool { return l.columns[table][column] != "" }

// Type returns the type of a column, such as jsonb or _text for a list of text. It returns "" for
// a missing column.
func (l *Layout) Type(table, column string) string { return l.columns[table][column] }

// Table returns the quoted name of the table to which a model's rows are written. In a guest the
// identity, instance, status and times of a worker are written to attune_worker_state instead.
func (l *Layout) Table(model string) string { return l.name(l.Relation(model)) }

// Relation returns the name of the table that a model's rows are written to, without the
// schema.
func (l *Layout) Relation(model string) string {
	if !l.Own && beside[model] != "" {
		return beside[model]
	}
	return model
}

// State returns the table that has the identity, status and heartbeats of attune's workers,
// and its column with the worker's id.
func (l *Layout) State() (table, key string) {
	if l.Own {
		return l.name("worker"), "id"
	}
	return l.name(stateTable), "worker"
}

// Declares reports whether the function declare_workers resolves what a platform's workers declare.
func (l *Layout) Declares() bool { return !l.Own && l.columns[roundTable] != nil }

// DefinitionMark returns the quoted table that has the number of changes of definitions, and the name of the triggers
// that count them. Both are empty if the database has none.
func (l *Layout) DefinitionMark() (table, trigger string) {
	name := l.Relation(markTable)
	if l.Guest() && l.columns[name] == nil {
		return "", ""
	}
	return l.name(name), name + "_count"
}

// A Source is a table that definitions are read from, with a column that identifies a row.
type Source struct{ Table, Key string }

// Definitions returns the tables that definitions are read from.
func (l *Layout) Definitions() []Source {
	all := []Source{{l.name("runtime"), "id"}}
	if l.Own || l.columns["runtime_version"] != nil {
		all = append(all, Source{l.name("runtime_version"), "id"})
	}
	if !l.Own && l.Migrated {
		all = append(all, Source{l.name(runtimeState), "runtime"}, Source{l.name(beside["runtime_version"]), "id"})
	}
	return all
}

// Function returns the quoted name of one of attune's functions.
func (l *Layout) Function(name string) string {
	if !l.Own {
		name = "attune_" + name
	}
	return l.name(name)
}

// Rows returns the relation from which a model's rows are read: a table, or a query in parentheses
// with exactly the model's columns. It needs an alias.
func (l *Layout) Rows(model string) string {
	if columns := reported[model]; columns != "" && !l.exists(model) && !(model == "worker_cordon" && l.HasCordons()) {
		return none(columns)
	}
	if l.Own {
		return l.name(model)
	}
	switch model {
	case "runtime":
		return l.runtimes()
	case "runtime_version":
		return l.versions()
	case "action":
		return l.requiring(model, "id, ref, pack, pack_ref, label, description, entrypoint, runtime",
			"param_schema, out_schema, created, updated")
	case "sensor":
		return l.requiring(model, "id, ref, pack, pack_ref, label, description, entrypoint, runtime, runtime_ref",
			"enabled, param_schema, config, created, updated")
	case "worker":
		return l.workers()
	case "worker_cordon":
		return l.cordons()
	}
	return l.Table(model)
}

// exists reports whether attune's table of a model exists, as far as the catalog was read.
func (l *Layout) exists(model string) bool {
	return l.columns == nil || l.columns[l.Relation(model)] != nil && (l.Own || l.Migrated)
}

// reported lists the columns of the tables of reports. A database that is not migrated lacks
// the tables.
var reported = map[string]string{
	"worker_runtime": "id int8, worker int8, runtime int8, runtime_ref text, name text, active bool, outcome text, source text, " +
		"version text, version_raw text, prerelease bool, sort_key text, path text, real_path text, detail text, hint text, evidence jsonb, " +
		"verified_at timestamptz, unconfirmed_since timestamptz, created timestamptz, updated timestamptz",
	"capability_change": "id int8, worker int8, worker_name text, worker_role text, runtime_ref text, name text, kind text, " +
		"old_version text, new_version text, detail text, created timestamptz",
	"worker_label":          "worker int8, key text, value text",
	"worker_taint":          "id int8, worker int8, key text, value text, effect text",
	"worker_cordon":         "worker int8, reason text, created_by text, created timestamptz",
	"worker_operator_taint": "worker int8, key text, value text, effect text, created_by text, created timestamptz",
}

// none returns a query without rows that has some columns, given as name and type.
func none(columns string) string {
	var list []string
	for _, c := range strings.Split(columns, ", ") {
		name, kind, _ := strings.Cut(c, " ")
		list = append(list, "CAST(NULL AS pg_catalog."+kind+") AS "+name)
	}
	return "(SELECT " + strings.Join(list, ", ") + " WHERE false)"
}

func (l *Layout) name(name string) string { return quote(l.Schema) + "." + quote(name) }

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// column returns a column of the platform, or otherwise if it is missing.
func (l *Layout) column(table, column, otherwise string) string {
	if !l.Has(table, column) {
		return otherwise
	}
	return "t." + column
}

// optional returns columns of the platform's, given as name and type, with NULL for those
// that are missing.
func (l *Layout) optional(table, columns string) string {
	var list []string
	for _, c := range strings.Split(columns, ", ") {
		name, kind, _ := strings.Cut(c, " ")
		list = append(list, l.column(table, name, "CAST(NULL AS pg_catalog."+kind+")")+" AS "+name)
	}
	return strings.Join(list, ", ")
}

// document returns a column of the platform's with a document, in which an empty list stands
// for an empty object.
func (l *Layout) document(table, column string) string {
	if !l.Has(table, column) {
		return "CAST('{}' AS pg_catalog.jsonb)"
	}
	c := "t." + column
	return "CASE WHEN pg_catalog.pg_column_size(" + c + ") < 16 AND CAST(" + c + " AS pg_catalog.text) = '[]' THEN '{}' ELSE " + c + " END"
}

// runtimes returns the runtimes that are not retired. Values from attune's packs take precedence
// over columns that the platform added since.
func (l *Layout) runtimes() string {
	aliases := "pg_catalog.to_jsonb(" + l.column("runtime", "aliases", "CAST('[]' AS pg_catalog.jsonb)") + ")"
	config := l.document("runtime", "execution_config")
	digest, join := "CAST(NULL AS pg_catalog.text)", ""
	if l.Migrated {
		aliases, config, digest = "coalesce(s.aliases, "+aliases+")", "coalesce(s.execution_config, "+config+")", "s.digest"
		join = " LEFT JOIN " + l.name(runtimeState) + " s ON s.runtime = t.id"
	}
	return "(SELECT t.id, t.ref, " + l.optional("runtime", "pack int8, pack_ref text, description text") + ", t.name, " +
		aliases + " AS aliases, " + l.document("runtime", "distributions") + " AS distributions, " +
		l.optional("runtime", "installation jsonb") + ", " + config + " AS execution_config, " + digest + " AS digest, " +
		"t.created, t.updated FROM " + l.name("runtime") + " t" + join + l.notRetired("runtime") + ")"
}

func (l *Layout) notRetired(table string) string {
	if !l.Has(table, "retired_at") {
		return ""
	}
	return " WHERE t.retired_at IS NULL"
}

// versions returns attune's versions, and the platform's that are not retired, with negative IDs.
func (l *Layout) versions() string {
	var parts []string
	if l.columns["runtime_version"] != nil {
		key := "CAST('' AS pg_catalog.text)"
		if l.Migrated {
			key = "coalesce(" + l.name("attune_version_key") + "(t.version), '')"
		}
		parts = append(parts, "SELECT -t.id AS id, t.runtime, t.version, "+key+` COLLATE pg_catalog."C" AS sort_key, t.is_default, `+
			l.document("runtime_version", "distributions")+" AS distributions, "+
			l.document("runtime_version", "execution_config")+" AS execution_config, "+
			"t.meta, t.created, t.updated FROM "+l.name("runtime_version")+" t"+l.notRetired("runtime_version"))
	}
	if l.Migrated {
		parts = append(parts, "SELECT t.id, t.runtime, t.version, t.sort_key, t.is_default, t.distributions, t.execution_config, "+
			"t.meta, t.created, t.updated FROM "+
			l.name("attune_runtime_version")+" t")
	}
	if parts == nil {
		return none("id int8, runtime int8, version text, sort_key text, is_default bool, distributions jsonb, execution_config jsonb, " +
			"meta jsonb, created timestamptz, updated timestamptz")
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ")"
}

// requirements lists the columns of an action or a sensor that make its requirement, with their types
// and the value that a missing one has.
var requirements = []struct{ column, kind, missing string }{
	{"runtime_version_constraint", "text", "NULL"}, {"required_worker_runtimes", "jsonb", "'{}'"},
	{"worker_selector", "jsonb", "'{}'"}, {"worker_tolerations", "jsonb", "'[]'"}, {"worker_affinity", "jsonb", "'{}'"},
}

// requiring returns actions or sensors with their requirement. Each column of it is the platform's,
// or else the one of attune_requirement.
func (l *Layout) requiring(table, before, after string) string {
	var columns []string
	join := ""
	for _, r := range requirements {
		from := l.column(table, r.column, "")
		if kind := l.Type(table, r.column); r.kind == "jsonb" && kind != "jsonb" && kind != "json" {
			from = ""
		}
		if from == "" && l.Migrated {
			from, join = "q."+r.column, " LEFT JOIN "+l.name("attune_requirement")+" q ON q."+table+" = t.id"
		}
		missing := "CAST(" + r.missing + " AS pg_catalog." + r.kind + ")"
		if from != "" {
			missing = "coalesce(CAST(" + from + " AS pg_catalog." + r.kind + "), " + missing + ")"
		}
		columns = append(columns, missing+" AS "+r.column)
	}
	all := "t." + strings.ReplaceAll(before, ", ", ", t.") + ", " + strings.Join(columns, ", ")
	if after != "" {
		all += ", t." + strings.ReplaceAll(after, ", ", ", t.")
	}
	return "(SELECT " + all + " FROM " + l.name(table) + " t" + join + ")"
}

// Requirements returns the relation from which the requirements of actions or sensors are read: it has
// only the columns that the roles of docs/roles.sql and docs/roles-guest.sql may read. It needs an alias.
func (l *Layout) Requirements(model string) string {
	if l.Own {
		return l.name(model)
	}
	return l.requiring(model, "id, ref, pack_ref, runtime", "")
}

// HasCordons reports whether the platform's table has the columns of cordons, so that cordons are
// written there.
func (l *Layout) HasCordons() bool { return !l.Own && l.Type("worker", "cordoned") == "bool" }

// cordons returns the cordons in the platform's table, and attune's from before it had the columns.
func (l *Layout) cordons() string {
	var parts []string
	if l.HasCordons() {
		at := "t.updated"
		if kind := l.Type("worker", "cordoned_at"); kind == "timestamptz" || kind == "timestamp" {
			at = "coalesce(CAST(t.cordoned_at AS pg_catalog.timestamptz), t.updated)"
		}
		parts = append(parts, "SELECT t.id AS worker, CAST("+l.column("worker", "cordon_reason", "NULL")+" AS pg_catalog.text) AS reason, "+
			"CAST("+l.column("worker", "cordoned_by", "NULL")+" AS pg_catalog.text) AS created_by, "+at+" AS created "+
			"FROM "+l.name("worker")+" t WHERE t.cordoned")
	}
	if l.exists("worker_cordon") {
		before := ""
		if l.HasCordons() {
			before = " JOIN " + l.name("worker") + " w ON w.id = t.worker WHERE w.cordoned IS NOT TRUE"
		}
		parts = append(parts, "SELECT t.worker, t.reason, t.created_by, t.created FROM "+l.Table("worker_cordon")+" t"+before)
	}
	return "(" + strings.Join(parts, " UNION ALL ") + ")"
}

// workers returns attune's and the platform's workers. The platform's have no identity, and an
// interval of 30 seconds, so that they are fresh for 90.
func (l *Layout) workers() string {
	const foreign = "CASE WHEN s.worker IS NULL THEN %s ELSE s.%s END AS %[2]s"
	status, heartbeat := "CAST(t.status AS pg_catalog.text)", "t.last_heartbeat"
	state, join := status+" AS status", ""
	beat := heartbeat
	identity := "CAST(NULL AS pg_catalog.text) AS identity, CAST(NULL AS pg_catalog.text) AS instance, 30 AS heartbeat_interval, " +
		"CAST(NULL AS pg_catalog.timestamptz) AS refresh_requested"
	if l.Migrated {
		state, beat = fmt.Sprintf(foreign, status, "status"), fmt.Sprintf(foreign, heartbeat, "last_heartbeat")
		identity = "s.identity, s.instance, " + fmt.Sprintf(foreign, "30", "heartbeat_interval") + ", s.refresh_requested"
		join = " LEFT JOIN " + l.name(stateTable) + " s ON s.worker = t.id"
	}
	return "(SELECT t.id, t.name, CAST(t.worker_type AS pg_catalog.text) AS worker_type, " +
		"CAST(t.worker_role AS pg_catalog.text) AS worker_role, " +
		l.optional("worker", "runtime int8, host text, port int4") + ", " + state + ", t.capabilities, " +
		l.optional("worker", "meta jsonb") + ", " + beat + ", " + identity + ", t.created, t.updated" +
		" FROM " + l.name("worker") + " t" + join + ")"
}
