package unify

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A catalog holds the tables of the migration and everything that refers to them.
type catalog struct {
	// tables holds runtime, the other tables of the schema, and every table with a key to runtime
	// in any schema.
	tables     []*table
	runtime    *table
	references []*reference
	// loose holds the denormalised refs in tables with keys to runtime that belong to none of the
	// keys. Each is rewritten by its own text.
	loose []*reference
}

// A table is one of the tables that the migration reads or writes.
type table struct {
	OID    int64  `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Kind is relkind: r for a table, p for a partitioned one.
	Kind  string `json:"kind"`
	Owner string `json:"owner"`
	// Owned reports that the current role has the rights of the owner.
	Owned bool `json:"owned"`
	// CanRead, CanUpdate and CanCreate (in its schema) report privileges.
	CanRead   bool `json:"can_read"`
	CanUpdate bool `json:"can_update"`
	CanCreate bool `json:"can_create"`
	// Hidden reports that row level security hides rows from the current role.
	Hidden  bool     `json:"hidden"`
	Columns []column `json:"columns"`
	// Key holds the columns that identify rows. It is empty if there are no such columns.
	Key []string `json:"key"`
	// Triggers holds the enabled triggers of users on the table and its partitions.
	Triggers []trigger `json:"triggers"`
}

type column struct {
	Num     int    `json:"num"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	TypeOID int64  `json:"type_oid"`
	// Category is typcategory: N is numeric, S a string, A an array.
	Category  string `json:"category"`
	NotNull   bool   `json:"not_null"`
	Default   string `json:"default"`
	Generated bool   `json:"generated"`
}

// A trigger is an enabled trigger. Enabled is tgenabled: O, R or A.
type trigger struct {
	Table   string `json:"relation"`
	Name    string `json:"name"`
	Enabled string `json:"enabled"`
	// Cloned reports that it is on a partitioned table, and each partition has a copy.
	Cloned bool `json:"cloned"`
}

// A reference is a foreign key to runtime.id.
type reference struct {
	table      *table
	OID        int64    `json:"oid"`
	TableOID   int64    `json:"table_oid"`
	Name       string   `json:"name"`
	Columns    []string `json:"columns"`
	To         []string `json:"to"`
	Definition string   `json:"definition"`
	// Unindexed holds the table, or its partitions, without an index to find the rows that refer
	// to one runtime.
	Unindexed []part `json:"unindexed"`
	// Ancestors holds the tables that TableOID is a partition of.
	Ancestors []int64 `json:"ancestors"`
	// refColumn is the denormalised ref beside the key. It is empty if the table lacks it.
	refColumn string
	// temporary holds the names of the indexes that replace missing ones in Unindexed.
	temporary []string
}

// A part is a table with rows of its own: an ordinary one or a partition.
type part struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Owner  string `json:"owner"`
	// Owned and CanCreate have the meaning that they have in table.
	Owned     bool `json:"owned"`
	CanCreate bool `json:"can_create"`
}

func (p part) sql() string { return qualified(p.Schema, p.Name) }

// ourNames lists the tables that the unified schema changes.
var ourNames = []string{"pack", "runtime", "action", "sensor", "worker"}

const (
	jsonbOID     = 3802
	typeColumn   = "runtime_type"
	refColumn    = "runtime_ref"
	depsColumn   = "runtime_deps"
	versionTable = "runtime_version"
)

// isOwn reports whether the table is one of attune's.
func (t *table) isOwn(schema string) bool {
	return t.Schema == schema && slices.Contains(ourNames, t.Name)
}

func (t *table) sql() string  { return qualified(t.Schema, t.Name) }
func (t *table) text() string { return t.Schema + "." + t.Name }

// from returns the table as named in statements that touch its rows. Tables that inherit from
// an ordinary table do not inherit its keys, but partitions do.
func (t *table) from() string {
	if t.Kind == "p" {
		return t.sql()
	}
	return "ONLY " + t.sql()
}

// isUsable reports whether the current role sees and may write every row.
func (t *table) isUsable() bool { return t.CanRead && t.CanUpdate && !t.Hidden }

func (t *table) column(name string) (column, bool) {
	i := slices.IndexFunc(t.Columns, func(c column) bool { return c.Name == name })
	if i < 0 {
		return column{}, false
	}
	return t.Columns[i], true
}

func (t *table) has(name string) bool {
	_, ok := t.column(name)
	return ok
}

func (r *reference) column() string { return r.Columns[0] }

// isSelf reports whether the reference is runtime's reference to itself.
func (r *reference) isSelf(runtime *table) bool { return r.TableOID == runtime.OID }

// isSimple reports whether the key is one column that refers to runtime.id. Only such keys can be
// re-pointed.
func (r *reference) isSimple() bool {
	return len(r.Columns) == 1 && len(r.To) == 1 && r.To[0] == "id"
}

// isLegacy reports whether runtime still has its two sides.
func (s *session) isLegacy() bool { return s.runtime.has(typeColumn) }

// ownTable returns one of attune's tables, or nil if it is missing.
func (s *session) ownTable(name string) *table {
	for _, t := range s.tables {
		if t.Schema == s.schema && t.Name == name {
			return t
		}
	}
	return nil
}

// indexes selects the indexes that find the rows of t with a value in column a. An index with
// indcheckxmin was created over rows that were being changed, and Postgres does not use it in
// transactions as old as the index.
const indexes = `SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
  JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[0]
  WHERE i.indrelid = t.oid AND i.indisvalid AND k.attname = a.attname AND m.amname IN ('btree', 'hash')
    AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = '(' || quote_ident(a.attname) || ' IS NOT NULL)')
    AND (NOT i.indcheckxmin OR age(i.xmin) > age(pg_snapshot_xmin(pg_current_snapshot())::xid))`

// inspect reads the catalog.
func (s *session) inspect(ctx context.Context) error {
	s.catalog = catalog{}
	err := s.load(ctx, "find the keys to runtime", `
SELECT c.oid::int8 AS oid, c.conrelid::int8 AS table_oid, c.conname AS name, pg_get_constraintdef(c.oid) AS definition,
  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k (num, n)
   JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num) AS columns,
  (SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY k (num, n)
   JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num) AS "to",
  (SELECT json_agg(json_build_object('schema', n.nspname, 'name', t.relname, 'owner', pg_get_userbyid(t.relowner),
       'owned', pg_has_role(t.relowner, 'USAGE'), 'can_create', has_schema_privilege(n.oid, 'CREATE')) ORDER BY t.oid)
   FROM (SELECT c.conrelid AS oid UNION SELECT p.relid::oid FROM pg_partition_tree(c.conrelid) p) p
   JOIN pg_class t ON t.oid = p.oid JOIN pg_namespace n ON n.oid = t.relnamespace
   WHERE t.relkind = 'r' AND NOT EXISTS (`+indexes+`)) AS unindexed,
  ARRAY(SELECT p.relid::oid::int8 FROM pg_partition_ancestors(c.conrelid) p WHERE p.relid <> c.conrelid) AS ancestors
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.conparentid = 0 AND c.confrelid = to_regclass(`+literal(qualified(s.schema, "runtime"))+`)
ORDER BY c.conrelid::regclass::text, c.conname`, &s.references)
	if err != nil {
		return err
	}
	if err := s.loadTables(ctx); err != nil {
		return err
	}
	for _, t := range s.tables {
		if t.Schema == s.schema && t.Name == "runtime" {
			s.runtime = t
		}
	}
	if s.runtime == nil {
		return fmt.Errorf("table %s is missing", qualified(s.schema, "runtime"))
	}
	s.linkReferences()
	return nil
}

func (s *session) loadTables(ctx context.Context) error {
	oids := list(s.references, "", func(r *reference) string { return fmt.Sprintf(", %d", r.TableOID) })
	return s.load(ctx, "read the catalog", `
SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
  pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS owned,
  has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS can_read,
  has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'UPDATE') AS can_update,
  has_schema_privilege(n.oid, 'CREATE') AS can_create,
  c.relrowsecurity AND (NOT pg_has_role(c.relowner, 'USAGE') OR c.relforcerowsecurity)
    AND NOT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS hidden,
  (SELECT json_agg(json_build_object('num', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'type_oid', a.atttypid::int8, 'category', t.typcategory::text, 'not_null', a.attnotnull,
      'default', CASE WHEN a.attgenerated = '' THEN coalesce(pg_get_expr(d.adbin, d.adrelid), '') ELSE '' END,
      'generated', a.attgenerated <> '') ORDER BY a.attnum)
   FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (num, n)
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num WHERE k.n <= i.indnkeyatts)
   FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
     AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (num, n)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num WHERE k.n <= i.indnkeyatts AND NOT a.attnotnull)
   ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) AS key,
  (SELECT json_agg(json_build_object('relation', tg.tgrelid::regclass::text, 'name', tg.tgname, 'enabled', tg.tgenabled::text,
       'cloned', EXISTS (SELECT FROM pg_class o WHERE o.oid = tg.tgrelid AND o.relkind = 'p'))
     ORDER BY tg.tgrelid::regclass::text, tg.tgname)
   FROM (SELECT c.oid AS oid UNION SELECT p.relid::oid FROM pg_partition_tree(c.oid) p) p JOIN pg_trigger tg ON tg.tgrelid = p.oid
   WHERE NOT tg.tgisinternal AND tg.tgenabled <> 'D') AS triggers
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (n.nspname = `+literal(s.schema)+` AND c.relname = ANY (`+array(ourNames)+`) AND c.relkind IN ('r', 'p'))
  OR c.oid IN (0`+oids+`)
ORDER BY n.nspname, c.relname`, &s.tables)
}

// linkReferences joins keys and tables. It drops the key of a partition whose root has one on
// the same column, because the rows of the partition belong to the root too.
func (s *session) linkReferences() {
	byTable := map[int64][]*reference{}
	for _, r := range s.references {
		byTable[r.TableOID] = append(byTable[r.TableOID], r)
		for _, t := range s.tables {
			if t.OID == r.TableOID {
				r.table = t
			}
		}
	}
	covered := func(r *reference) bool {
		return slices.ContainsFunc(r.Ancestors, func(oid int64) bool {
			return slices.ContainsFunc(byTable[oid], func(o *reference) bool { return slices.Equal(o.Columns, r.Columns) })
		})
	}
	s.references = slices.DeleteFunc(s.references, covered)
	// A column with two keys is re-pointed once.
	seen := map[string]bool{}
	s.references = slices.DeleteFunc(s.references, func(r *reference) bool {
		id := fmt.Sprint(r.TableOID, r.Columns, r.To)
		if seen[id] {
			return true
		}
		seen[id] = true
		return false
	})
	for _, r := range s.references {
		r.refColumn = besideColumn(r, byTable[r.TableOID])
	}
	s.loose = s.looseRefs()
}

// besideColumn returns the column with the denormalised ref of a key: the key's name with _ref,
// or runtime_ref if it can only belong to this key.
func besideColumn(r *reference, keys []*reference) string {
	if !r.isSimple() {
		return ""
	}
	name := strings.TrimSuffix(r.column(), "_id") + "_ref"
	if c, ok := r.table.column(name); ok && c.text() {
		return name
	}
	if c, ok := r.table.column(refColumn); ok && c.text() && len(keys) == 1 {
		return refColumn
	}
	return ""
}

// text reports whether the column stores text and is not generated.
func (c column) text() bool { return c.Category == "S" && !c.Generated }
