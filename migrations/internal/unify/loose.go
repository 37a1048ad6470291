package unify

import (
	"context"
	"fmt"
	"strings"
)

// isRefColumn reports whether the name of the column is that for refs of runtimes.
func isRefColumn(name string) bool {
	return name == refColumn || strings.HasSuffix(name, "_"+refColumn)
}

// looseRefs returns the denormalised refs of tables with keys to runtime that stand beside no key.
// It is unknown which key they belong to, but their text alone determines what they become.
func (s *session) looseRefs() []*reference {
	var found []*reference
	for _, t := range s.tables {
		of := s.referencesOf(t)
		if len(of) == 0 {
			continue
		}
		tied := map[string]bool{}
		for _, r := range of {
			tied[r.column()], tied[r.refColumn] = true, true
		}
		for _, c := range t.Columns {
			if isRefColumn(c.Name) && c.text() && !tied[c.Name] {
				found = append(found, &reference{table: t, TableOID: t.OID, Columns: []string{c.Name}})
			}
		}
	}
	return found
}

// looseOf returns the loose refs of a table.
func (s *session) looseOf(t *table) []*reference {
	var of []*reference
	for _, r := range s.loose {
		if r.table == t {
			of = append(of, r)
		}
	}
	return of
}

// oldText returns the condition that the loose ref of row t is a legacy one.
func oldText(r *reference) string {
	ref := "t." + ident(r.column())
	return ref + " <> " + target(ref+"::text")
}

// repointText unifies a loose ref. The ledger also gets refs that already have the unified form,
// or Down would take them for later ones.
func (s *session) repointText(ctx context.Context, r *reference) (int64, error) {
	ref := "t." + ident(r.column())
	if err := s.enter(ctx, r.table, r.column(), fmt.Sprintf(
		"SELECT %d::oid::regclass, %s, %s, NULL::bigint, %s FROM %s t WHERE %s OR %s IN (SELECT u.became_ref FROM %s u)",
		r.table.OID, literal(r.column()), rowKey(r, target(ref+"::text"), ""), ref, r.table.from(), oldText(r), ref,
		s.record(rowsTable))); err != nil {
		return 0, err
	}
	return s.exec(ctx, "re-point "+r.table.text()+"."+r.column(), fmt.Sprintf(
		"UPDATE %s t SET %s = %s WHERE %s", r.table.from(), ident(r.column()), target(ref+"::text"), oldText(r)))
}

// unpointText restores a loose ref. Later ones come first, while those of the ledger can still be
// recognised by what they became.
func (d *downSession) unpointText(ctx context.Context, r *reference) (int64, error) {
	doing, ref := "take "+r.table.text()+"."+r.column()+" back", ident(r.column())
	since, err := d.exec(ctx, doing, fmt.Sprintf(`
UPDATE %s t SET %s = m.ref FROM %s WHERE t.%[2]s = m.current_ref AND m.ref <> m.current_ref
  AND NOT EXISTS (SELECT FROM %[4]s l WHERE %[5]s AND l.key = %[6]s AND %[7]s = t.%[2]s)`,
		r.table.from(), ref, d.preferredRows(d.sideOfText(r)), d.record(ledgerTable), ofColumn(r), currentKey(r), target("l.old_ref")))
	if err != nil {
		return 0, err
	}
	entries := fmt.Sprintf("SELECT l.key, l.old_ref, %s AS was FROM %s l WHERE %s", target("l.old_ref"), d.record(ledgerTable), ofColumn(r))
	n, err := d.exec(ctx, doing, match(r, ref+" = x.old_ref", entries, "t."+ref+" <> x.old_ref"))
	return since + n, err
}

// sideOfText returns the side of a loose ref, by its name or else by its table.
func (d *downSession) sideOfText(r *reference) string {
	for _, side := range []string{"action", "sensor"} {
		if r.column() == side+"_"+refColumn || r.table.Schema == d.schema && r.table.Name == side {
			return side
		}
	}
	return ""
}
