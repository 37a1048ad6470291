package migrations

import (
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/migrations/internal/lazy"
)

// shapesOf reads the shapes of the models' tables from the live catalog. Missing tables have no
// shape.
func shapesOf(ctx context.Context, db bun.IDB, s *space) (map[string]*shape, error) {
	var oids []int64
	shapes := map[string]*shape{}
	for name, r := range s.relations {
		if r.table {
			oids = append(oids, r.oid)
			shapes[name] = &shape{columns: map[string]column{}, references: map[string][]string{}}
		}
	}
	q := queriesOf(db, oids, sortedKeys(shapes))
	var columns []struct {
		Relation, Name, Type, Kind, Def string
		NotNull                         bool
	}
	if err := q.columns.Scan(ctx, &columns); err != nil {
		return nil, err
	}
	for _, c := range columns {
		shapes[c.Relation].columns[c.Name] = column{kind: kindOf(c.Kind), name: c.Type, nullable: !c.NotNull, def: c.Def}
	}
	var keys []struct{ Relation, Columns string }
	if err := q.uniques.Scan(ctx, &keys); err != nil {
		return nil, err
	}
	for _, k := range keys {
		t := shapes[k.Relation]
		t.uniques = append(t.uniques, k.Columns)
	}
	var refs []struct{ Relation, Columns, Target, Action string }
	if err := q.references.Scan(ctx, &refs); err != nil {
		return nil, err
	}
	for _, r := range refs {
		text := "foreign key to " + r.Target
		if a := strings.ToLower(r.Action); a != "no action" && a != "restrict" {
			text += " on delete " + a
		}
		t := shapes[r.Relation]
		if !slices.Contains(t.references[r.Columns], text) {
			t.references[r.Columns] = append(t.references[r.Columns], text)
		}
	}
	var fire []struct{ Relation, Name string }
	if err := q.triggers.Scan(ctx, &fire); err != nil {
		return nil, err
	}
	for _, f := range fire {
		t := shapes[f.Relation]
		t.triggers = append(t.triggers, f.Name)
	}
	return shapes, nil
}

// preciseTime matches times with limited fractions of a second.
var preciseTime = lazy.Regexp(`^timestamp\([0-9]\) with time zone$`)

// kindOf returns the kind of a catalog's type. A type that attune does not use is a kind by
// itself.
func kindOf(name string) kind {
	name = strings.ToLower(name)
	switch {
	case name == "character varying":
		return kindText
	case name == "character varying[]":
		return kindList
	case preciseTime().MatchString(name):
		return kindTime
	}
	return kind(name)
}

// queries read the columns, unique column lists, foreign keys and triggers of some tables.
type queries struct{ columns, uniques, references, triggers *bun.RawQuery }

func queriesOf(db bun.IDB, oids []int64, names []string) queries {
	if db.Dialect().Name() == dialect.SQLite {
		return queriesOfSQLite(db, names)
	}
	tables := bun.List(oids)
	return queries{
		columns: db.NewRaw(`
SELECT c.relname AS relation, a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       CASE t.typtype WHEN 'e' THEN 'text' ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END AS kind, a.attnotnull AS not_null,
       CASE WHEN a.attidentity <> '' THEN ?1 ELSE coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') END AS def
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.oid IN (?0)`, tables, sequence),
		uniques: db.NewRaw(`
SELECT c.relname AS relation, pg_catalog.string_agg(a.attname, ', ' ORDER BY a.attname) AS columns
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid IN (?) AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL AND k.position <= i.indnkeyatts
GROUP BY c.relname, i.indexrelid ORDER BY 1, 2`, tables),
		references: db.NewRaw(`
SELECT c.relname AS relation,
       (SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY k.position)
        FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY AS k (attnum, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum) AS columns,
       pg_catalog.concat(CASE WHEN r.relnamespace <> c.relnamespace THEN pg_catalog.concat(r.relnamespace::pg_catalog.regnamespace, '.') END, r.relname, ' (',
           (SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY k.position)
            FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY AS k (attnum, position)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum), ')') AS target,
       CASE f.confdeltype WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' ELSE 'no action' END AS action
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class c ON c.oid = f.conrelid
JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
WHERE f.conrelid IN (?) AND f.contype = 'f' ORDER BY 1, 2, 3, 4`, tables),
		triggers: db.NewRaw(`
SELECT c.relname AS relation, g.tgname AS name
FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
WHERE g.tgrelid IN (?) AND g.tgenabled IN ('O', 'A') AND NOT g.tgisinternal`, tables),
	}
}

func queriesOfSQLite(db bun.IDB, names []string) queries {
	tables := bun.List(names)
	return queries{
		// SQLite stores several kinds as text, which the table's checks distinguish. Its integers
		// have 64 bits. A single INTEGER as the primary key is a sequence.
		columns: db.NewRaw(`
SELECT c.relation, c.name, c.not_null, c.def, CASE WHEN c.checked THEN ?1 ELSE c.type END AS type,
       CASE WHEN c.checked THEN 'jsonb' ELSE CASE upper(c.type)
            WHEN 'INTEGER' THEN 'bigint' WHEN 'TIMESTAMP' THEN 'timestamp with time zone' ELSE c.type END END AS kind
FROM (SELECT m.name AS relation, c.name, c.type, c."notnull" OR c.pk > 0 AS not_null,
             upper(c.type) = 'TEXT' AND instr(m.sql, 'json_valid(' || c.name || ')') > 0 AS checked,
             CASE WHEN c.dflt_value IS NOT NULL THEN c.dflt_value
                  WHEN c.pk > 0 AND upper(c.type) = 'INTEGER'
                      AND NOT EXISTS (SELECT 1 FROM pragma_table_info(m.name, 'main') o WHERE o.pk > 1) THEN ?2 ELSE '' END AS def
      FROM main.sqlite_master m, pragma_table_info(m.name, 'main') c WHERE m.type = 'table' AND m.name IN (?0)) c`,
			tables, sqliteJSON, sequence),
		uniques: db.NewRaw(`
SELECT m.name AS relation, (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name, 'main') ORDER BY name)) AS columns
FROM main.sqlite_master m, pragma_index_list(m.name, 'main') i
WHERE m.type = 'table' AND m.name IN (?0) AND i."unique" AND NOT i.partial AND i.origin <> 'pk'
UNION ALL
SELECT m.name, (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(m.name, 'main') WHERE pk > 0 ORDER BY name))
FROM main.sqlite_master m WHERE m.type = 'table' AND m.name IN (?0) AND EXISTS (SELECT 1 FROM pragma_table_info(m.name, 'main') WHERE pk > 0)
ORDER BY 1, 2`, tables),
		references: db.NewRaw(`
SELECT m.name AS relation, group_concat(f."from", ', ') AS columns,
       f."table" || ' (' || group_concat(coalesce(f."to", 'id'), ', ') || ')' AS target, f.on_delete AS action
FROM main.sqlite_master m, pragma_foreign_key_list(m.name, 'main') f
WHERE m.type = 'table' AND m.name IN (?) GROUP BY m.name, f.id, f."table", f.on_delete ORDER BY 1, 2, 3, 4`, tables),
		triggers: db.NewRaw(`
SELECT tbl_name AS relation, name FROM main.sqlite_master WHERE type = 'trigger' AND tbl_name IN (?)`, tables),
	}
}
