package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	bunschema "github.com/uptrace/bun/schema"
)

// An OnDelete is what a foreign key does when the referenced row is deleted.
type OnDelete string

// The actions of a foreign key.
const (
	OnDeleteRefuse  OnDelete = "refuse" // NO ACTION and RESTRICT
	OnDeleteCascade OnDelete = "cascade"
	OnDeleteSetNull OnDelete = "set null" // SET DEFAULT too
)

// A Reference is a foreign key by which rows refer to the row to delete, directly or through
// rows that would be deleted with it.
type Reference struct {
	// Table holds the referring rows. It includes the schema if that is not attune's.
	Table string `json:"table"`
	// Columns holds the columns of the foreign key.
	Columns []string `json:"columns"`
	// Rows is the number of referring rows; -1 if this login may not read all of them.
	Rows int `json:"rows"`
	// Examples holds the refs, names or ids of the first few rows.
	Examples []string `json:"examples"`
	// OnDelete is what the database does to the rows.
	OnDelete OnDelete `json:"on_delete"`
}

// Hinders reports whether the rows hinder a deletion: the database would refuse it, or
// delete them too.
func (r *Reference) Hinders() bool {
	switch r.OnDelete {
	case OnDeleteSetNull:
		return false
	case OnDeleteRefuse:
		return r.Rows > 0 // the database checks the rows that this login may not read
	}
	return r.Rows != 0
}

// Unseen reports whether this login may not read the rows, and the database would refuse
// the deletion if there are any.
func (r *Reference) Unseen() bool { return r.OnDelete == OnDeleteRefuse && r.Rows < 0 }

// String returns the reference in words: 2 rows of sensor (a.one, a.two).
func (r *Reference) String() string {
	return r.inWords(" of " + r.Table)
}

// Clearing returns what a deletion clears, in words: sensor.runtime in 2 rows (a.one, a.two).
func (r *Reference) Clearing() string {
	return r.Table + "." + strings.Join(r.Columns, ", "+r.Table+".") + " in " + r.inWords("")
}

func (r *Reference) inWords(of string) string {
	text := "rows" + of + " that this login may not read"
	switch {
	case r.Rows == 1:
		text = "1 row" + of
	case r.Rows >= 0:
		text = fmt.Sprintf("%d rows%s", r.Rows, of)
	}
	if len(r.Examples) == 0 {
		return text
	}
	more := ""
	if r.Rows > len(r.Examples) {
		more = ", …"
	}
	return text + " (" + strings.Join(r.Examples, ", ") + more + ")"
}

// references finds the rows that refer to rows of a table, through all foreign keys of the
// database.
type references struct {
	dialect
	// keys caches the foreign keys, by the table that they refer to.
	keys map[string][]foreignKey
}

// A foreignKey is a foreign key of one table.
type foreignKey struct {
	Namespace, Name  string
	Columns, Targets []string
	Action           string
	// Label is the column that names a row to people; empty if this login can read none.
	Label string
	// Readable reports whether this login may read the columns of every row.
	Readable bool
}

// ownTables lists the tables whose rows only hold attune's own records of the referenced
// row, as do tables whose names begin with attune_. In a guest only the latter do.
var ownTables = []string{
	"runtime_version", "worker_runtime", "worker_label", "worker_taint", "worker_cordon", "worker_operator_taint", "capability_change",
}

func (d dialect) isOwn(k *foreignKey) bool {
	own := d.layout.Own && slices.Contains(ownTables, k.Name) || strings.HasPrefix(k.Name, "attune_")
	return k.Namespace == d.schema && own
}

// find returns the rows of other tables that refer to rows of a table, ordered by table. It
// leaves out attune's own tables, but follows references to their rows that would be
// deleted too. rows selects whole rows of the table.
func (r *references) find(ctx context.Context, table string, rows bunschema.QueryWithArgs) ([]Reference, error) {
	keys, err := r.ofTable(ctx, table)
	if err != nil {
		return nil, fmt.Errorf("list foreign keys to %s: %w", table, err)
	}
	found := []Reference{}
	for i := range keys {
		k := &keys[i]
		from := bun.SafeQuery("?.? AS referring WHERE EXISTS (SELECT 1 FROM (?) AS target WHERE ?)",
			bun.Name(k.Namespace), bun.Name(k.Name), rows, r.on(k))
		if r.isOwn(k) {
			if action(k.Action) != OnDeleteCascade || k.Name == table {
				continue
			}
			further, err := r.find(ctx, k.Name, bun.SafeQuery("SELECT referring.* FROM ?", from))
			if err != nil {
				return nil, err
			}
			found = append(found, further...)
			continue
		}
		one := Reference{Table: k.Name, Columns: k.Columns, Rows: -1, Examples: []string{}, OnDelete: action(k.Action)}
		if k.Namespace != r.schema {
			one.Table = k.Namespace + "." + k.Name
		}
		if k.Readable {
			if err := r.count(ctx, k, from, &one); err != nil {
				return nil, fmt.Errorf("count rows of %s: %w", one.Table, err)
			}
		}
		if one.Rows != 0 {
			found = append(found, one)
		}
	}
	slices.SortStableFunc(found, func(a, b Reference) int { return cmp.Compare(a.Table, b.Table) })
	return found, nil
}

// on returns the condition that a referring row refers to the target. It names the operator
// of pg_catalog, because the referring column can have a type for which another schema
// holds a closer match.
func (r *references) on(k *foreignKey) bunschema.QueryWithArgs {
	pair := r.pick("referring.? OPERATOR(pg_catalog.=) target.?", "referring.? = target.?")
	var pairs []any
	for i := range k.Columns {
		pairs = append(pairs, bun.SafeQuery(pair, bun.Name(k.Columns[i]), bun.Name(k.Targets[i])))
	}
	return bun.SafeQuery(strings.Repeat("? AND ", len(pairs)-1)+"?", pairs...)
}

// examples is the number of referring rows that a Reference names.
const examples = 5

// count sets the number of referring rows and the first few examples.
func (r *references) count(ctx context.Context, k *foreignKey, from bunschema.QueryWithArgs, to *Reference) error {
	err := r.db.NewRaw(r.pick("SELECT pg_catalog.count(*)", "SELECT count(*)")+" FROM ?", from).Scan(ctx, &to.Rows)
	if err != nil || to.Rows == 0 || k.Label == "" {
		return err
	}
	text := bun.SafeQuery(r.pick("CAST(referring.? AS pg_catalog.text)", "CAST(referring.? AS text)"), bun.Name(k.Label))
	return r.db.NewRaw("SELECT ?0 FROM ?1 AND ?0 IS NOT NULL ORDER BY 1 LIMIT ?2", text, from, examples).Scan(ctx, &to.Examples)
}

// action converts the letter in pg_constraint, or the words of SQLite, to an OnDelete.
func action(name string) OnDelete {
	switch strings.ToLower(name) {
	case "c", "cascade":
		return OnDeleteCascade
	case "n", "d", "set null", "set default":
		return OnDeleteSetNull
	}
	return OnDeleteRefuse
}

// ofTable returns the foreign keys that refer to a table.
func (r *references) ofTable(ctx context.Context, table string) ([]foreignKey, error) {
	if keys, ok := r.keys[table]; ok {
		return keys, nil
	}
	read := r.fromSQLite
	if r.postgres {
		read = r.fromPostgres
	}
	keys, err := read(ctx, table)
	if err == nil {
		if r.keys == nil {
			r.keys = map[string][]foreignKey{}
		}
		r.keys[table] = keys
	}
	return keys, err
}

// labels lists the columns by which people know a row, the best first.
var labels = []string{"ref", "name", "id"}

// label returns the first of the labels that a table has, or "".
func label(columns []string) string {
	for _, l := range labels {
		if slices.Contains(columns, l) {
			return l
		}
	}
	return ""
}

func (r *references) fromPostgres(ctx context.Context, table string) ([]foreignKey, error) {
	var rows []struct {
		Namespace, Name, Action   string
		Columns, Targets, Choices string
		Readable                  bool
	}
	const column = `(SELECT coalesce(pg_catalog.json_agg(a.attname ORDER BY k.i), '[]') FROM pg_catalog.unnest(c.%s) WITH ORDINALITY AS k (n, i)
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.%s AND a.attnum = k.n)::pg_catalog.text`
	err := r.db.NewRaw(`SELECT n.nspname AS namespace, t.relname AS name, c.confdeltype AS action,
			`+fmt.Sprintf(column, "conkey", "conrelid")+` AS columns,
			`+fmt.Sprintf(column, "confkey", "confrelid")+` AS targets,
			(SELECT coalesce(pg_catalog.json_agg(a.attname), '[]') FROM pg_catalog.pg_attribute a
				WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
				  AND pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT'))::pg_catalog.text AS choices,
			pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND NOT ? AND
			(SELECT pg_catalog.bool_and(pg_catalog.has_column_privilege(t.oid, k.n, 'SELECT')) FROM pg_catalog.unnest(c.conkey) AS k (n)) AS readable
		FROM pg_catalog.pg_constraint c
		JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
		WHERE c.contype = 'f' AND c.conparentid = '0'
		  AND c.confrelid = (SELECT o.oid FROM pg_catalog.pg_class o JOIN pg_catalog.pg_namespace s ON s.oid = o.relnamespace
			WHERE s.nspname = ? AND o.relname = ?)
		ORDER BY n.nspname, t.relname, c.conname`, limitCondition("t"), r.schema, table).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	var keys []foreignKey
	for _, row := range rows {
		k := foreignKey{Namespace: row.Namespace, Name: row.Name, Action: row.Action, Readable: row.Readable}
		var choices []string
		for _, list := range []struct {
			text string
			to   *[]string
		}{{row.Columns, &k.Columns}, {row.Targets, &k.Targets}, {row.Choices, &choices}} {
			if err := json.Unmarshal([]byte(list.text), list.to); err != nil {
				return nil, err
			}
		}
		k.Label = label(choices)
		keys = append(keys, k)
	}
	return keys, nil
}

func (r *references) fromSQLite(ctx context.Context, table string) ([]foreignKey, error) {
	var rows []struct {
		Name, Source, Target, Action, Choices string
		Key, Seq                              int
	}
	err := r.db.NewRaw(`SELECT t.name AS name, k.id AS key, k.seq AS seq, k."from" AS source, coalesce(k."to", 'id') AS target, k.on_delete AS action,
			(SELECT json_group_array(c.name) FROM pragma_table_info(t.name, ?0) AS c) AS choices
		FROM ?1.sqlite_master AS t JOIN pragma_foreign_key_list(t.name, ?0) AS k
		WHERE t.type = 'table' AND k."table" = ?2 COLLATE NOCASE ORDER BY t.name, k.id, k.seq`, r.schema, bun.Name(r.schema), table).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	var keys []foreignKey
	for _, row := range rows {
		if row.Seq == 0 {
			var choices []string
			if err := json.Unmarshal([]byte(row.Choices), &choices); err != nil {
				return nil, err
			}
			keys = append(keys, foreignKey{Namespace: r.schema, Name: row.Name, Action: row.Action, Label: label(choices), Readable: true})
		}
		last := &keys[len(keys)-1]
		last.Columns, last.Targets = append(last.Columns, row.Source), append(last.Targets, row.Target)
	}
	return keys, nil
}
