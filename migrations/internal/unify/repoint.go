package unify

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// repoint makes every row of a key's table refer to the surviving row, and returns how many rows
// changed. The ledger first gets their former values, in one narrow pass. The lock keeps the rows
// unchanged between the two statements.
func (s *session) repoint(ctx context.Context, r *reference) (int64, error) {
	if r.isSelf(s.runtime) {
		// The record has these rows in full.
		return s.exec(ctx, "re-point runtime."+r.column(), fmt.Sprintf(
			"UPDATE %[1]s t SET %[2]s = u.became FROM %[3]s u WHERE u.id = t.%[2]s AND u.became <> u.id",
			r.table.from(), ident(r.column()), s.record(rowsTable)))
	}
	column := ident(r.column())
	moved := "u.became <> u.id"
	sets := column + " = u.became"
	oldRef := "NULL"
	if r.refColumn != "" {
		ref := "t." + ident(r.refColumn)
		moved += " OR " + ref + " <> u.became_ref"
		sets += fmt.Sprintf(", %s = CASE WHEN %s IS NULL THEN NULL ELSE u.became_ref END", ident(r.refColumn), ref)
		oldRef = fmt.Sprintf("CASE WHEN %[1]s <> u.ref THEN %[1]s END", ref)
	}
	kept := moved
	if side := s.sideOf(r); side != "" {
		// A row that refers to a runtime of the other side does not change, but Down would take it for
		// a later one.
		kept += fmt.Sprintf(" OR u.ref ~ %s AND split_part(u.ref, '.', 2) <> %s", literal(legacyForm), literal(side))
	}
	join := fmt.Sprintf("%s u ON u.id = t.%s", s.record(rowsTable), column)
	if err := s.enter(ctx, r.table, r.column(), fmt.Sprintf(
		"SELECT %d::oid::regclass, %s, %s, t.%s, %s FROM %s t JOIN %s WHERE %s",
		r.table.OID, literal(r.column()), s.key(r), column, oldRef, r.table.from(), join, kept)); err != nil {
		return 0, err
	}
	n, err := s.exec(ctx, "re-point "+r.table.text()+"."+r.column(), fmt.Sprintf(
		"UPDATE %s t SET %s FROM %s u WHERE u.id = t.%s AND (%s)",
		r.table.from(), sets, s.record(rowsTable), column, moved))
	if err != nil {
		return 0, err
	}
	more, err := s.repointLoose(ctx, r)
	return n + more, err
}

// sideOf returns the side that one of attune's tables belongs to, or "" for any other table.
func (s *session) sideOf(r *reference) string {
	if r.table.Schema != s.schema || r.column() != "runtime" {
		return ""
	}
	switch r.table.Name {
	case "action", "sensor":
		return r.table.Name
	}
	return ""
}

// repointLoose updates refs beside a key that is NULL.
func (s *session) repointLoose(ctx context.Context, r *reference) (int64, error) {
	if c, _ := r.table.column(r.column()); r.refColumn == "" || c.NotNull {
		return 0, nil
	}
	column, ref := "t."+ident(r.column()), "t."+ident(r.refColumn)
	where := fmt.Sprintf("%s IS NULL AND %s <> %s", column, ref, target(ref+"::text"))
	if err := s.enter(ctx, r.table, r.column(), fmt.Sprintf(
		"SELECT %d::oid::regclass, %s, %s, NULL::bigint, %s FROM %s t WHERE %s",
		r.table.OID, literal(r.column()), s.looseKey(r), ref, r.table.from(), where)); err != nil {
		return 0, err
	}
	return s.exec(ctx, "re-point "+r.table.text()+"."+r.refColumn, fmt.Sprintf(
		"UPDATE %s t SET %s = %s WHERE %s", r.table.from(), ident(r.refColumn), target(ref+"::text"), where))
}

func (s *session) enter(ctx context.Context, t *table, column, rows string) error {
	_, err := s.exec(ctx, "enter "+t.text()+"."+column+" in the ledger",
		"INSERT INTO "+s.record(ledgerTable)+" (tbl, col, key, old_id, old_ref)\n"+rows)
	return err
}

// key returns what identifies a row of the table after re-pointing, as jsonb: the columns of its
// primary key, or of another key whose columns are never NULL, or all columns. Re-pointed columns
// may be part of the key, so it has their new values.
func (s *session) key(r *reference) string {
	ref := ""
	if r.refColumn != "" {
		ref = "CASE WHEN t." + ident(r.refColumn) + " IS NOT NULL THEN u.became_ref END"
	}
	return rowKey(r, "u.became", ref)
}

func (s *session) looseKey(r *reference) string {
	ref := "t." + ident(r.refColumn)
	return rowKey(r, "t."+ident(r.column()), target(ref+"::text"))
}

// rowKey returns the key with the given values of the re-pointed columns.
func rowKey(r *reference, id, ref string) string {
	if len(r.table.Key) == 0 {
		drop, with := []string{r.column()}, ""
		for _, c := range r.table.Columns {
			if c.Generated {
				drop = append(drop, c.Name)
			}
		}
		if r.refColumn != "" {
			with = " || jsonb_build_object(" + literal(r.refColumn) + ", " + ref + ")"
		}
		return "(to_jsonb(t) - " + array(drop) + with + ")"
	}
	return "jsonb_build_object(" + list(r.table.Key, ", ", func(name string) string {
		switch name {
		case r.column():
			return literal(name) + ", " + id
		case r.refColumn:
			return literal(name) + ", " + ref
		}
		return literal(name) + ", t." + ident(name)
	}) + ")"
}

// depsTable returns pack if it keeps its dependencies as an array of text.
func (s *session) depsTable() *table {
	pack := s.ownTable("pack")
	if pack == nil {
		return nil
	}
	c, ok := pack.column(depsColumn)
	if !ok || !slices.Contains([]string{"text[]", "character varying[]"}, strings.SplitN(c.Type, "(", 2)[0]) {
		return nil
	}
	return pack
}

// unifiedDeps returns an array of refs with each legacy ref unified, without duplicates, in the order
// of their first occurrence.
func unifiedDeps(deps string) string {
	return fmt.Sprintf(`(SELECT coalesce(array_agg(d.ref ORDER BY d.n), '{}') FROM (
  SELECT %s AS ref, min(e.n) AS n FROM unnest(%s) WITH ORDINALITY e (ref, n) GROUP BY 1) d)`, target("e.ref::text"), deps)
}

// oldDeps returns the condition that an array contains a legacy ref.
func oldDeps(deps string) string {
	return fmt.Sprintf("EXISTS (SELECT FROM unnest(%s) e (ref) WHERE e.ref::text <> %s)", deps, target("e.ref::text"))
}

// repointDeps updates the refs of the runtimes that packs depend on.
func (s *session) repointDeps(ctx context.Context) (int64, error) {
	t := s.depsTable()
	if t == nil {
		return 0, nil
	}
	deps := "t." + ident(depsColumn)
	pack := &reference{table: t, Columns: []string{depsColumn}}
	if err := s.enter(ctx, t, depsColumn, fmt.Sprintf(
		"SELECT %d::oid::regclass, %s, %s, NULL::bigint, %s::text FROM %s t WHERE %s",
		t.OID, literal(depsColumn), rowKey(pack, "NULL", "NULL"), deps, t.from(), oldDeps(deps))); err != nil {
		return 0, err
	}
	return s.exec(ctx, "re-point pack.runtime_deps", fmt.Sprintf(
		"UPDATE %s t SET %s = %s WHERE %s", t.from(), ident(depsColumn), unifiedDeps(deps), oldDeps(deps)))
}
