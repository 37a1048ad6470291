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

// Change is one change of the catalog, and how it is undone.
type Change struct {
	// Action is add, drop or change.
	Action string `json:"action"`
	// Object in words: index idx_runtime_name.
	Object string `json:"object"`
	// Do is the SQL; empty where dropping something else does it.
	Do string `json:"-"`
	// Undo is the SQL that takes it back. Early is undone before the rows are
	// put back, everything else after it.
	Undo  string `json:"-"`
	Early bool   `json:"-"`
}

// state is what Down must know of the moment before Up.
type state struct {
	// Legacy reports that runtime had its two sides. It is false where an earlier
	// program took over a schema that was unified already.
	Legacy bool `json:"legacy"`
	// Columns that runtime had.
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
	if _, err := s.exec(ctx, "create the tables that keep what was", ddl); err != nil {
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

// giveToOwner makes a new table belong to whom runtime belongs to: the platform
// must be able to use and to drop what a superuser created for it.
func (s *session) giveToOwner(ctx context.Context, name string) error {
	_, err := s.exec(ctx, "give table "+name+" to the owner of runtime",
		"ALTER TABLE "+s.record(name)+" OWNER TO "+ident(s.runtime.Owner))
	return err
}

// recordState writes down what Down must know of the moment before.
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

// apply makes the changes in order and records how they are undone, numbered
// from seq.
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
		_, err := s.exec(ctx, "record how "+c.Object+" is put back", fmt.Sprintf(
			"INSERT INTO %s (seq, early, object, undo) VALUES (%d, %t, %s, %s)",
			s.record(catalogTable), seq+i, c.Early, literal(c.Object), literal(c.Undo)))
		if err != nil {
			return err
		}
	}
	return nil
}

// changes are all changes of the catalog in order: first those that are made
// before the unified rows get their values, then those that are made after.
func (s *session) changes(ctx context.Context) (first, then []Change, err error) {
	if first, err = s.drops(ctx); err != nil {
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
