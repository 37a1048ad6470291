package unify

import (
	"context"
	"fmt"
)

// unpoint restores what a key's table referred to. Rows that were added or changed since go to the row
// of their side first, while the ledger's rows can still be recognised by the runtime that they refer
// to.
func (d *downSession) unpoint(ctx context.Context, r *reference) (int64, error) {
	since, err := d.unpointSince(ctx, r)
	if err != nil {
		return 0, err
	}
	sets := ident(r.column()) + " = x.into_id"
	if r.refColumn != "" {
		sets += fmt.Sprintf(", %[1]s = CASE WHEN t.%[1]s IS NULL THEN NULL ELSE coalesce(x.old_ref, x.ref) END", ident(r.refColumn))
	}
	entries := fmt.Sprintf(`SELECT l.key, l.old_ref, u.became AS was, m.into_id, m.ref
  FROM %s l JOIN %s u ON u.id = l.old_id JOIN %s m ON m.id = u.id AND m.former WHERE %s`,
		d.record(ledgerTable), d.record(rowsTable), d.record(restoredTable), ofColumn(r))
	n, err := d.exec(ctx, "take "+r.table.text()+"."+r.column()+" back", match(r, sets, entries, "true"))
	if err != nil {
		return 0, err
	}
	loose, err := d.unpointLoose(ctx, r)
	return since + n + loose, err
}

// ofColumn returns the condition that selects a column's rows of the ledger.
func ofColumn(r *reference) string {
	return fmt.Sprintf("l.tbl = %d::oid AND l.col = %s", r.table.OID, literal(r.column()))
}

// match updates the rows of a key's table that are in entries (key, was, …) and still refer to what they
// were re-pointed to. Rows without a key are paired by number: equal rows are interchangeable.
func match(r *reference, sets, entries, where string) string {
	key, column := currentKey(r), ident(r.column())
	if len(r.table.Key) > 0 {
		return fmt.Sprintf("UPDATE %s t SET %s FROM (%s) x WHERE x.key = %s AND t.%s IS NOT DISTINCT FROM x.was AND %s",
			r.table.from(), sets, entries, key, column, where)
	}
	return fmt.Sprintf(`UPDATE %[1]s t SET %[2]s FROM (
  SELECT c.tab, c.tid, e.* FROM (
    SELECT t.tableoid AS tab, t.ctid AS tid, t.%[3]s AS now, %[4]s AS key,
      row_number() OVER (PARTITION BY %[4]s, t.%[3]s ORDER BY t.tableoid, t.ctid) AS n FROM %[1]s t) c
  JOIN (SELECT e.*, row_number() OVER (PARTITION BY e.key, e.was ORDER BY e.old_ref) AS n FROM (%[5]s) e) e
    ON e.key = c.key AND e.n = c.n AND e.was IS NOT DISTINCT FROM c.now) x
WHERE t.tableoid = x.tab AND t.ctid = x.tid AND %[6]s`, r.table.from(), sets, column, key, entries, where)
}

// unpointSince moves rows that are missing in the ledger, or that refer to another runtime by now.
func (d *downSession) unpointSince(ctx context.Context, r *reference) (int64, error) {
	column := ident(r.column())
	sets, moved := column+" = m.into_id", "m.into_id <> t."+column
	if r.refColumn != "" {
		ref := ident(r.refColumn)
		sets += fmt.Sprintf(", %[1]s = CASE WHEN t.%[1]s IS NULL THEN NULL ELSE m.ref END", ref)
		moved += " OR t." + ref + " <> m.ref"
	}
	return d.exec(ctx, "move later rows of "+r.table.text(), fmt.Sprintf(
		"UPDATE %s t SET %s FROM %s WHERE m.current = t.%s AND (%s) AND NOT %s",
		r.table.from(), sets, d.preferredRows(d.sideOf(r)), column, moved, d.inLedger(r)))
}

// unpointLoose restores refs beside a key that is NULL.
func (d *downSession) unpointLoose(ctx context.Context, r *reference) (int64, error) {
	if c, _ := r.table.column(r.column()); r.refColumn == "" || c.NotNull {
		return 0, nil
	}
	doing, ref := "take "+r.table.text()+"."+r.refColumn+" back", ident(r.refColumn)
	entries := fmt.Sprintf("SELECT l.key, l.old_ref, NULL::bigint AS was FROM %s l WHERE %s AND l.old_id IS NULL",
		d.record(ledgerTable), ofColumn(r))
	n, err := d.exec(ctx, doing, match(r, ref+" = x.old_ref", entries, "t."+ref+" = "+target("x.old_ref")))
	if err != nil {
		return 0, err
	}
	more, err := d.exec(ctx, doing, fmt.Sprintf("UPDATE %s t SET %s = m.ref FROM %s "+
		"WHERE t.%s IS NULL AND t.%s = m.current_ref AND m.ref <> m.current_ref",
		r.table.from(), ref, d.preferredRows(d.sideOf(r)), ident(r.column()), ref))
	return n + more, err
}

// unpointDeps restores the refs of the runtimes that packs depend on.
func (d *downSession) unpointDeps(ctx context.Context) (int64, error) {
	t := d.depsTable()
	if t == nil {
		return 0, nil
	}
	pack := &reference{table: t, Columns: []string{depsColumn}}
	deps, name := "t."+ident(depsColumn), ident(depsColumn)
	n, err := d.exec(ctx, "restore pack.runtime_deps", fmt.Sprintf(
		"UPDATE %s t SET %s = l.old_ref::text[] FROM %s l WHERE %s AND l.key = %s AND %s::text[] = %s",
		t.from(), name, d.record(ledgerTable), ofColumn(pack), rowKey(pack, "NULL", "NULL"), deps, unifiedDeps("l.old_ref::text[]")))
	if err != nil {
		return 0, err
	}
	more, err := d.exec(ctx, "move later values of pack.runtime_deps", fmt.Sprintf(`
UPDATE %[1]s t SET %[2]s = (
  SELECT array_agg(coalesce(m.ref, e.ref) ORDER BY e.n) FROM unnest(%[3]s) WITH ORDINALITY e (ref, n) LEFT JOIN %[4]s ON m.current_ref = e.ref)
WHERE EXISTS (SELECT FROM unnest(%[3]s) e (ref) JOIN %[4]s ON m.current_ref = e.ref WHERE m.ref <> e.ref)`,
		t.from(), name, deps, d.preferredRows("action")))
	return n + more, err
}
