package unify

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed restore.sql
var restoreSQL string

// restoredTable holds the rows to restore in runtime while Down runs.
const restoredTable = "runtime_unification_restored"

// A downSession is a run of Down or ExamineDown.
type downSession struct {
	*session
	before state
	undo   []undo
}

// An undo is one row of the record of the catalog.
type undo struct {
	Seq    int    `json:"seq"`
	Early  bool   `json:"early"`
	Object string `json:"object"`
	Undo   string `json:"undo"`
}

// readRecord reads how to undo the changes of the catalog, latest change first.
func (s *session) readRecord(ctx context.Context) (*downSession, error) {
	for _, name := range []string{rowsTable, ledgerTable, catalogTable} {
		if found, err := s.relation(ctx, name); err != nil {
			return nil, err
		} else if found == nil {
			return nil, fmt.Errorf("%w: table %s is missing", ErrNoRecord, s.record(name))
		}
	}
	d := &downSession{session: s}
	if err := s.load(ctx, "read the record of the catalog",
		"SELECT seq, early, object, undo FROM "+s.record(catalogTable)+" ORDER BY seq DESC", &d.undo); err != nil {
		return nil, err
	}
	if n := len(d.undo); n == 0 || d.undo[n-1].Object != stateObject {
		return nil, fmt.Errorf("%w: table %s is incomplete", ErrNoRecord, s.record(catalogTable))
	}
	last := len(d.undo) - 1
	if err := json.Unmarshal([]byte(d.undo[last].Undo), &d.before); err != nil {
		return nil, fmt.Errorf("read the state before: %w", err)
	}
	d.undo = d.undo[:last]
	return d, nil
}

// isAdded reports whether Up added the object.
func (d *downSession) isAdded(object string) bool {
	return slices.ContainsFunc(d.undo, func(u undo) bool { return u.Object == object })
}

// restoredRows returns the SELECT of the rows to restore in runtime. The plan and the migration use the
// same one.
func (d *downSession) restoredRows() string {
	var kept []string
	for _, name := range d.before.Columns {
		if c, ok := d.runtime.column(name); ok && !c.Generated && !slices.Contains([]string{"id", "ref", typeColumn}, name) {
			kept = append(kept, name)
		}
	}
	return strings.NewReplacer(
		"{runtime}", d.runtime.from(),
		"{rows}", d.record(rowsTable),
		"{row}", d.encode("r"),
		"{columns}", array(kept),
		"{used}", d.usedRuntimes(),
		"{loaded}", d.loadedDefinitions(),
		"{objects}", "(jsonb_typeof(d.was) = 'object' AND jsonb_typeof(d.present) = 'object')",
		"{lists}", "CASE WHEN jsonb_typeof(d.was) = 'array' AND jsonb_typeof(d.present) = 'array' "+
			"THEN jsonb_array_length(d.was) = jsonb_array_length(d.present) END",
		"{type}", typeColumn,
		"{legacy}", fmt.Sprint(d.before.Legacy),
		"{builtin}", literal(builtinRef),
		"{legacy_form}", literal(legacyForm),
	).Replace(restoreSQL)
}

// usedRuntimes returns a SELECT of the runtimes that rows outside of the ledger refer to, with the side of
// these rows.
func (d *downSession) usedRuntimes() string {
	parts := []string{"SELECT NULL::bigint AS id, ''::text AS side WHERE false"}
	for _, r := range d.references {
		if side := d.sideOf(r); side != "" {
			parts = append(parts, fmt.Sprintf("SELECT DISTINCT t.%s::bigint, %s FROM %s t WHERE NOT %s",
				ident(r.column()), literal(side), r.table.from(), d.inLedger(r)))
		}
	}
	return strings.Join(parts, "\n  UNION ALL ")
}

// currentKey returns the present key of a row t.
func currentKey(r *reference) string {
	ref := "NULL"
	if r.refColumn != "" {
		ref = "t." + ident(r.refColumn)
	}
	return rowKey(r, "t."+ident(r.column()), ref)
}

// inLedger returns the condition that row t was re-pointed and still refers to the same runtime.
func (d *downSession) inLedger(r *reference) string {
	return fmt.Sprintf("EXISTS (SELECT FROM %s l JOIN %s u ON u.id = l.old_id WHERE %s AND u.became = t.%s AND l.key = %s)",
		d.record(ledgerTable), d.record(rowsTable), ofColumn(r), ident(r.column()), currentKey(r))
}

// preferredRows returns one restored row for each present runtime: for a table of one side the row of that
// side, for others the row that keeps the ID.
func (d *downSession) preferredRows(side string) string {
	order := "m.id = m.current DESC NULLS LAST"
	if side != "" {
		order = fmt.Sprintf("m.side IN (%s, '') DESC, m.former DESC, "+
			"(split_part(m.ref, '.', 3) = split_part(m.current_ref, '.', 2)) DESC, m.id", literal(side))
	}
	return fmt.Sprintf("(SELECT DISTINCT ON (m.current) m.current, m.current_ref, m.into_id, m.ref FROM %s m ORDER BY m.current, %s) m",
		d.record(restoredTable), order)
}

// materialize creates the table of the rows to restore, and gives new rows their IDs.
func (d *downSession) materialize(ctx context.Context) error {
	table := d.record(restoredTable)
	next := fmt.Sprintf("(SELECT max(id) FROM %s) + row_number() OVER (ORDER BY m.ref)", d.runtime.from())
	sequence, err := d.idSequence(ctx)
	if err != nil {
		return err
	}
	if sequence != "" {
		next = "nextval(" + literal(sequence) + ")"
	}
	for _, step := range []struct{ doing, sql string }{
		{"create the rows to restore", "CREATE TABLE " + table + " AS\n" + d.restoredRows()},
		{"number the new rows", fmt.Sprintf(
			"UPDATE %[1]s t SET id = n.id FROM (SELECT m.ref, %[2]s AS id FROM %[1]s m WHERE m.id IS NULL AND m.place = 1) n "+
				"WHERE t.ref = n.ref AND t.id IS NULL AND t.place = 1",
			table, next)},
		{"join rows with the same ref", fmt.Sprintf(
			"ALTER TABLE %[1]s ADD COLUMN into_id bigint; "+
				"UPDATE %[1]s t SET into_id = w.id FROM %[1]s w WHERE w.ref = t.ref AND w.place = 1", table)},
		{"analyze the rows to restore", "ANALYZE " + table},
	} {
		if _, err := d.exec(ctx, step.doing, step.sql); err != nil {
			return err
		}
	}
	return nil
}

func (d *downSession) idSequence(ctx context.Context) (string, error) {
	var found []struct {
		Name *string `json:"name"`
	}
	err := d.load(ctx, "find the sequence of runtime.id",
		"SELECT pg_get_serial_sequence("+literal(d.runtime.sql())+", 'id') AS name", &found)
	if err != nil || len(found) == 0 || found[0].Name == nil {
		return "", err
	}
	return *found[0].Name, nil
}

// writeFormer writes the former rows of runtime.
func (d *downSession) writeFormer(ctx context.Context) error {
	row := "(m.row || jsonb_build_object('id', m.id, 'ref', m.ref))"
	var names, values, sets []string
	for _, name := range d.before.Columns {
		if c, ok := d.runtime.column(name); ok && !c.Generated {
			value := decode(row, c)
			names, values = append(names, ident(name)), append(values, value)
			if name != "id" {
				sets = append(sets, ident(name)+" = "+value)
			}
		}
	}
	table, restored := d.runtime.from(), d.record(restoredTable)
	for _, step := range []struct{ doing, sql string }{
		// These come first, because a row that stays may refer to one of them.
		{"write the restored rows", fmt.Sprintf(
			"INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s m WHERE m.place = 1 AND m.id <> m.current ORDER BY m.id",
			d.runtime.sql(), strings.Join(names, ", "), strings.Join(values, ", "), restored)},
		{"write the remaining rows", fmt.Sprintf(
			"UPDATE %s r SET %s FROM %s m WHERE m.id = r.id AND m.place = 1 AND m.id = m.current", table, strings.Join(sets, ", "), restored)},
	} {
		if _, err := d.exec(ctx, step.doing, step.sql); err != nil {
			return err
		}
	}
	return nil
}
