package unify

import (
	"context"
	"fmt"
	"strings"
)

// A uniqueKey is a unique index or an exclusion constraint that covers a re-pointed column.
type uniqueKey struct {
	Name string `json:"name"`
	// Relation is the table or partition that the index is on.
	Relation  string `json:"relation"`
	Exclusion bool   `json:"exclusion"`
	// NullsEqual reports that the index treats NULLs as equal.
	NullsEqual bool     `json:"nulls_equal"`
	Columns    []string `json:"columns"`
	Predicate  string   `json:"predicate"`
	// Operators holds the operator of an exclusion constraint for each column.
	Operators []string `json:"operators"`
}

// uniqueObstacles returns unique keys that rows would violate after they refer to the surviving
// runtime.
func (s *session) uniqueObstacles(ctx context.Context) ([]Obstacle, error) {
	var found []Obstacle
	for _, t := range s.tables {
		if len(s.referencesOf(t)) == 0 || !t.isUsable() {
			continue
		}
		keys, err := s.uniqueKeys(ctx, t)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			more, err := s.uniqueObstacle(ctx, t, k)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
	}
	return found, nil
}

func (s *session) uniqueKeys(ctx context.Context, t *table) ([]uniqueKey, error) {
	var keys []uniqueKey
	err := s.load(ctx, "read the unique keys of "+t.text(), fmt.Sprintf(`
SELECT x.relname AS name, i.indrelid::regclass::text AS relation, i.indisexclusion AS exclusion,
  coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) AS nulls_equal,
  (SELECT array_agg(pg_get_indexdef(i.indexrelid, k, true) ORDER BY k) FROM generate_series(1, i.indnkeyatts) k) AS columns,
  coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
  (SELECT array_agg(format('OPERATOR(%%I.%%s)', n.nspname, o.oprname) ORDER BY e.n)
   FROM pg_constraint c CROSS JOIN unnest(c.conexclop) WITH ORDINALITY e (oid, n)
     JOIN pg_operator o ON o.oid = e.oid JOIN pg_namespace n ON n.oid = o.oprnamespace
   WHERE c.conindid = i.indexrelid AND c.contype = 'x') AS operators
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
WHERE (i.indrelid = %[1]d OR i.indrelid IN (SELECT p.relid FROM pg_partition_tree(%[1]d) p)) AND (i.indisunique OR i.indisexclusion)
  AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = ANY (%[2]s) AND (a.attnum = ANY (i.indkey::int2[])
    OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
      AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum)))
ORDER BY 2, 1`, t.OID, array(s.repointedColumns(t))), &keys)
	return keys, err
}

// A duplicateRow is one row that would be a duplicate under a unique key.
type duplicateRow struct {
	// Key holds the values of the table's key as text. It is empty if the table has no key.
	Key   []string `json:"key"`
	Place string   `json:"place"`
}

func (s *session) uniqueObstacle(ctx context.Context, t *table, k uniqueKey) ([]Obstacle, error) {
	var rows []duplicateRow
	if err := s.load(ctx, "try unique key "+k.Name, s.duplicatesQuery(t, k), &rows); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return []Obstacle{{
		Object: fmt.Sprintf("unique key %s of table %s", k.Name, t.text()),
		Reason: fmt.Sprintf("%d rows would be duplicates under (%s) after they refer to the surviving runtime",
			len(rows), strings.Join(k.Columns, ", ")),
		SQL: deleteDuplicates(t, rows) + "\n-- or change them; if possible, the rows that already refer to the surviving runtime stay",
	}}, nil
}

// duplicatesQuery selects all rows but one of each set of duplicates.
func (s *session) duplicatesQuery(t *table, k uniqueKey) string {
	key := "NULL::text[]"
	if len(t.Key) > 0 {
		key = "ARRAY[" + list(t.Key, ", ", func(name string) string {
			// The row's present key is wanted, not the future one.
			return "(SELECT o." + ident(name) + "::text FROM " + t.from() + " o WHERE o.ctid = q.attune_ctid AND o.tableoid = q.attune_table)"
		}) + "]"
	}
	where := "attune_table IN (SELECT " + literal(k.Relation) + "::regclass::oid" +
		" UNION SELECT p.relid::oid FROM pg_partition_tree(" + literal(k.Relation) + ") p)"
	if k.Predicate != "" {
		where += " AND (" + k.Predicate + ")"
	}
	var selected, names []string
	for i, column := range k.Columns {
		name := fmt.Sprintf("attune_%d", i+1)
		selected, names = append(selected, "("+column+") AS "+name), append(names, name)
		if !k.NullsEqual {
			where += " AND (" + column + ") IS NOT NULL"
		}
	}
	rows := fmt.Sprintf("SELECT %s, attune_moved, attune_ctid, attune_table FROM %s WHERE %s",
		strings.Join(selected, ", "), s.simulatedRows(t), where)
	second := fmt.Sprintf("SELECT *, row_number() OVER (PARTITION BY %s ORDER BY attune_moved, attune_table, attune_ctid) AS attune_n"+
		" FROM (%s) r",
		strings.Join(names, ", "), rows)
	condition := "q.attune_n > 1"
	if k.Exclusion {
		second = rows
		condition = "EXISTS (SELECT FROM (" + rows + ") o WHERE (q.attune_moved OR o.attune_moved) " +
			"AND (q.attune_moved, q.attune_table, q.attune_ctid) > (o.attune_moved, o.attune_table, o.attune_ctid)"
		for i, name := range names {
			condition += fmt.Sprintf(" AND q.%s %s o.%s", name, k.Operators[i], name)
		}
		condition += ")"
	}
	return s.withMap() + "SELECT " + key + " AS key, q.attune_ctid::text AS place FROM (" + second + ") q WHERE " + condition
}

// deleteDuplicates returns a statement that deletes the rows.
func deleteDuplicates(t *table, rows []duplicateRow) string {
	if len(t.Key) == 0 {
		places := list(rows, ", ", func(r duplicateRow) string { return literal(r.Place) })
		return fmt.Sprintf("DELETE FROM %s WHERE ctid IN (%s);", t.from(), places)
	}
	return fmt.Sprintf("DELETE FROM %s WHERE (%s) IN (%s);", t.from(), list(t.Key, ", ", ident),
		list(rows, ", ", func(c duplicateRow) string { return "(" + list(c.Key, ", ", literal) + ")" }))
}
