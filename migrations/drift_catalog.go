package migrations

import (
	"context"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
)

// shapeOf reads one table's shape from the live catalog.
func shapeOf(ctx context.Context, db bun.IDB, oid int64, name string) (*shape, error) {
	var columns []struct {
		Name, Type           string
		NotNull, PK, Default bool
	}
	s := &shape{columns: map[string]column{}}
	q := queriesOf(db, oid, name)
	if err := q.columns.Scan(ctx, &columns); err != nil {
		return nil, err
	}
	for _, c := range columns {
		s.columns[c.Name] = column{class: classOf(c.Type), nullable: !c.NotNull && !c.PK, hasDefault: c.Default || c.PK}
	}
	if err := q.uniques.Scan(ctx, &s.uniques); err != nil {
		return nil, err
	}
	return s, q.references.Scan(ctx, &s.references)
}

// classOf says what kind of type a catalog's type name is.
func classOf(name string) string {
	switch strings.ToLower(name) {
	case "int2", "int4", "int8", "integer":
		return "integer"
	case "text", "varchar", "bpchar", "name", "enum":
		return "text"
	case "bool", "boolean":
		return "boolean"
	case "timestamptz", "timestamp":
		return "time"
	case "jsonb", "json":
		return "json"
	case "_text", "_varchar":
		return "list"
	}
	return name
}

// queries read a table's columns, unique column lists and foreign keys.
type queries struct{ columns, uniques, references *bun.RawQuery }

func queriesOf(db bun.IDB, oid int64, name string) queries {
	if db.Dialect().Name() == dialect.SQLite {
		return queries{
			// What SQLite keeps as text is told apart by the table's checks.
			columns: db.NewRaw(`
SELECT c.name, CASE WHEN instr(m.sql, 'json_valid(' || c.name || ')') > 0 THEN 'json' ELSE c.type END AS type,
       c."notnull" AS not_null, c.pk > 0 AS pk, c.dflt_value IS NOT NULL AS "default"
FROM main.sqlite_master m, pragma_table_info(m.name, 'main') c WHERE m.type = 'table' AND m.name = ?`, name),
			uniques: db.NewRaw(`
SELECT (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(i.name, 'main') ORDER BY seqno))
FROM pragma_index_list(?, 'main') i WHERE i."unique" AND NOT i.partial AND i.origin <> 'pk' ORDER BY 1`, name),
			references: db.NewRaw(`
SELECT group_concat(f."from", ', ') || ' -> ' || f."table" || CASE f.on_delete WHEN 'CASCADE' THEN ' cascade' ELSE '' END
FROM pragma_foreign_key_list(?, 'main') f GROUP BY f.id, f."table", f.on_delete ORDER BY 1`, name),
		}
	}
	return queries{
		columns: db.NewRaw(`
SELECT a.attname AS name, CASE t.typtype WHEN 'e' THEN 'enum' ELSE t.typname END AS type,
       a.attnotnull AS not_null, false AS pk, a.atthasdef OR a.attidentity <> '' AS "default"
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ? AND a.attnum > 0 AND NOT a.attisdropped`, oid),
		uniques: db.NewRaw(`
SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY k.position)
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (attnum, position)
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = ? AND i.indisunique AND i.indisvalid AND NOT i.indisprimary
  AND i.indpred IS NULL AND i.indexprs IS NULL AND k.position <= i.indnkeyatts
GROUP BY i.indexrelid ORDER BY 1`, oid),
		references: db.NewRaw(`
SELECT (SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY k.position)
        FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY AS k (attnum, position)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum)
       || ' -> ' || r.relname || CASE f.confdeltype WHEN 'c' THEN ' cascade' ELSE '' END
FROM pg_catalog.pg_constraint f JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
WHERE f.conrelid = ? AND f.contype = 'f' ORDER BY 1`, oid),
	}
}
