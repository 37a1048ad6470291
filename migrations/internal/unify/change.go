package unify

import (
	"context"
	"encoding/json"
	"fmt"
)

// The tables that keep what Down needs.
const (
	rowsTable    = "runtime_unification"
	ledgerTable  = "runtime_unification_ledger"
	catalogTable = "runtime_unification_catalog"
)

// A Change is one change of the catalog, with the SQL that undoes it.
type Change struct {
	// Action is add, drop or change.
	Action string `json:"action"`
	// Object names the object: index idx_runtime_name.
	Object string `json:"object"`
	// Do is the SQL. It is empty if dropping another object has the same effect.
	Do string `json:"-"`
	// Undo is the SQL that undoes the change. Early changes are undone before the rows are restored,
	// all others after.
	Undo  string `json:"-"`
	Early bool   `json:"-"`
}

// A state is what Down must know about the schema before Up.
type state struct {
	// Legacy reports that runtime had its two sides. It is false if an earlier program took over a
	// schema that was already unified.
	Legacy bool `json:"legacy"`
	// Columns lists the columns that runtime had.
	Columns []string `json:"columns"`
}

const stateObject = "state"

func (s *session) createRecord(ctx context.Context) error {
	ddl := fmt.Sprintf(`
CREATE TABLE %[1]s (
  id bigint PRIMARY KEY,
  ref text NOT NULL,
  became bigint NOT NULL,
  became_ref text NOT NULL,
  legacy jsonb NOT NULL,
  merged jsonb
);
CREATE TABLE %[2]s (
  tbl regclass NOT NULL,
  col text NOT NULL,
  key jsonb NOT NULL,
  old_id bigint,
  old_ref text
);
CREATE TABLE %[3]s (
  seq integer PRIMARY KEY,
  early boolean NOT NULL,
  object text NOT NULL,
  undo text NOT NULL
);
COMMENT ON TABLE %[1]s IS 'Each row of runtime before it was unified, and the id that it became';
COMMENT ON TABLE %[2]s IS 'Each row that was re-pointed when runtime was unified: its key as it is now, and its old values; an old_ref of null was the ref of old_id';
COMMENT ON TABLE %[3]s IS 'How each change of the catalog is undone that unifying runtime made'`,
		s.record(rowsTable), s.record(ledgerTable), s.record(catalogTable))
	if _, err := s.exec(ctx, "create the record tables", ddl); err != nil {
		return err
	}
	for _, name := range []string{rowsTable, ledgerTable, catalogTable} {
		if err := s.giveToOwner(ctx, name); err != nil {
			return err
		}
	}
	return s.recordState(ctx)
}

func (s *session) record(name string) string { return qualified(s.schema, name) }

// giveToOwner makes the owner of runtime the owner of a new table, so that the platform can use
// and drop what a superuser created for it.
func (s *session) giveToOwner(ctx context.Context, name string) error {
	_, err := s.exec(ctx, "give table "+name+" to the owner of runtime",
		"ALTER TABLE "+s.record(name)+" OWNER TO "+ident(s.runtime.Owner))
	return err
}

// recordState records what Down must know about the schema before Up.
func (s *session) recordState(ctx context.Context) error {
	before := state{Legacy: true}
	for _, c := range s.runtime.Columns {
		before.Columns = append(before.Columns, c.Name)
	}
	text, err := json.Marshal(before)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, "record the state", fmt.Sprintf("INSERT INTO %s (seq, early, object, undo) VALUES (0, false, %s, %s)",
		s.record(catalogTable), literal(stateObject), literal(string(text))))
	return err
}

// apply makes the changes in order, and records how to undo them, numbered from seq.
func (s *session) apply(ctx context.Context, seq int, changes []Change) error {
	for i, c := range changes {
		if c.Do != "" {
			if _, err := s.exec(ctx, c.Action+" "+c.Object, c.Do); err != nil {
				return err
			}
		}
		if c.Undo == "" {
			continue
		}
		_, err := s.exec(ctx, "record how to undo "+c.Object, fmt.Sprintf(
			"INSERT INTO %s (seq, early, object, undo) VALUES (%d, %t, %s, %s)",
			s.record(catalogTable), seq+i, c.Early, literal(c.Object), literal(c.Undo)))
		if err != nil {
			return err
		}
	}
	return nil
}

// changes returns all changes of the catalog in order: first those before the unified rows get
// their values, then those after.
func (s *session) changes(ctx context.Context) (first, then []Change, err error) {
	if first, err = s.legacyDrops(ctx); err != nil {
		return nil, nil, err
	}
	first = append(first, s.addColumns()...)
	first = append(first, s.loosen()...)
	for _, step := range []func(context.Context) ([]Change, error){s.addIdentity, s.addVersions, s.addIndexes} {
		more, err := step(ctx)
		if err != nil {
			return nil, nil, err
		}
		then = append(then, more...)
	}
	return first, append(then, s.addCheck()...), nil
}
