package unify

import (
	"context"
	"errors"
	"fmt"
)

// temporaryIndexes creates indexes so that a delete does not read a whole table for each row. It
// returns the keys for which no index helps.
//
// Postgres does not use an index before the end of the transaction if it was created over rows
// with other versions that somebody may still see. Re-pointing makes such versions, so the
// indexes are created before. Other transactions make them too, so the catalog is asked.
func (s *session) temporaryIndexes(ctx context.Context) (bare []*reference, err error) {
	for i, r := range s.references {
		r.temporary = nil
		for j, p := range r.Unindexed {
			name := fmt.Sprintf("attune_unify_%d_%d", i+1, j+1)
			if _, err := s.exec(ctx, "index "+r.table.text()+" for the delete", fmt.Sprintf(
				"CREATE INDEX %s ON %s (%s)", name, p.sql(), ident(r.column()))); err != nil {
				return nil, err
			}
			r.temporary = append(r.temporary, qualified(p.Schema, name))
		}
		useless, err := s.count(ctx, "check that the indexes are usable", fmt.Sprintf(
			"SELECT count(*) FROM pg_index i JOIN unnest(%s) name ON i.indexrelid = to_regclass(name) WHERE i.indcheckxmin", array(r.temporary)))
		if err != nil {
			return nil, err
		}
		if useless == 0 {
			continue
		}
		if err := s.dropTemporary(ctx, r); err != nil {
			return nil, err
		}
		bare = append(bare, r)
	}
	return bare, nil
}

func (s *session) dropTemporary(ctx context.Context, r *reference) error {
	for _, name := range r.temporary {
		if _, err := s.exec(ctx, "drop a temporary index", "DROP INDEX "+name); err != nil {
			return err
		}
	}
	r.temporary = nil
	return nil
}

// deleteMerged deletes the rows that were merged into another one. It first checks that nothing
// refers to them any more, so that no cascade deletes anything.
func (s *session) deleteMerged(ctx context.Context, bare []*reference) error {
	for _, r := range s.references {
		n, err := s.count(ctx, "find references to merged rows", fmt.Sprintf(
			"SELECT count(*) FROM %s t JOIN %s u ON u.id = t.%s WHERE u.became <> u.id",
			r.table.from(), s.record(rowsTable), ident(r.column())))
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("%d rows of %s still refer to a runtime that was merged into another", n, r.table.text())
		}
	}
	done, err := s.deleteWithoutKeys(ctx, bare)
	if err != nil {
		return err
	}
	if !done {
		if err := s.delete(ctx); err != nil {
			return err
		}
	}
	for _, r := range s.references {
		if err := s.dropTemporary(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) delete(ctx context.Context) error {
	_, err := s.exec(ctx, "delete the merged rows", fmt.Sprintf(
		"DELETE FROM %s r USING %s u WHERE u.id = r.id AND u.became <> u.id", s.runtime.from(), s.record(rowsTable)))
	return err
}

// errOtherKeys means that keys would not be restored exactly.
var errOtherKeys = errors.New("the keys would differ from the original ones")

// deleteWithoutKeys deletes the rows while keys without a usable index are dropped. Adding a key
// checks all rows of a table in one pass. If the keys cannot be restored exactly, because rows
// already violate them or a partition has its own, they stay. It then changes nothing and returns
// false, and the delete takes longer.
func (s *session) deleteWithoutKeys(ctx context.Context, bare []*reference) (done bool, err error) {
	if len(bare) == 0 {
		return false, nil
	}
	keys, err := s.keysOf(ctx, bare)
	if err != nil {
		return false, err
	}
	before, err := s.keyState(ctx)
	if err != nil {
		return false, err
	}
	if _, err := s.exec(ctx, "set a savepoint", "SAVEPOINT attune_delete"); err != nil {
		return false, err
	}
	err = s.withoutKeys(ctx, keys, s.delete)
	if err == nil {
		var after string
		if after, err = s.keyState(ctx); err == nil && after != before {
			err = errOtherKeys
		}
	}
	if err == nil {
		_, err = s.exec(ctx, "release a savepoint", "RELEASE SAVEPOINT attune_delete")
		return err == nil, err
	}
	if !errors.Is(err, errOtherKeys) && sqlState(err) == "" {
		return false, err
	}
	s.log.WarnContext(ctx, "deleting the merged rows reads a table for each of them", "table", bare[0].table.text(), "because", err.Error())
	_, err = s.exec(ctx, "go back to a savepoint", "ROLLBACK TO SAVEPOINT attune_delete")
	return false, err
}

// A key is a foreign key with the definition that restores it.
type key struct {
	Table      string  `json:"relation"`
	Name       string  `json:"name"`
	Definition string  `json:"definition"`
	Comment    *string `json:"comment"`
}

// keysOf returns all keys to runtime on the columns of the references, including those of
// partitions.
func (s *session) keysOf(ctx context.Context, references []*reference) ([]key, error) {
	var keys []key
	on := list(references, " OR ", func(r *reference) string {
		return fmt.Sprintf("a.attname = %s AND (c.conrelid = %[2]d OR c.conrelid IN (SELECT p.relid FROM pg_partition_tree(%[2]d) p))",
			literal(r.column()), r.TableOID)
	})
	err := s.load(ctx, "read the keys without an index", fmt.Sprintf(`
SELECT c.conrelid::regclass::text AS relation, c.conname AS name, pg_get_constraintdef(c.oid) AS definition,
  obj_description(c.oid, 'pg_constraint') AS comment
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.conparentid = 0 AND c.confrelid = %d AND (%s) ORDER BY c.oid`, s.runtime.OID, on), &keys)
	return keys, err
}

// withoutKeys runs fn while the keys are dropped.
func (s *session) withoutKeys(ctx context.Context, keys []key, fn func(ctx context.Context) error) error {
	for _, k := range keys {
		if _, err := s.exec(ctx, "drop key "+k.Name, "ALTER TABLE "+k.Table+" DROP CONSTRAINT "+ident(k.Name)); err != nil {
			return err
		}
	}
	if err := fn(ctx); err != nil {
		return err
	}
	for _, k := range keys {
		if _, err := s.exec(ctx, "restore key "+k.Name, "ALTER TABLE "+k.Table+" ADD CONSTRAINT "+ident(k.Name)+" "+k.Definition+
			comment("CONSTRAINT "+ident(k.Name)+" ON "+k.Table, k.Comment)); err != nil {
			return err
		}
	}
	return nil
}

// keyState returns everything in the catalog about the keys to runtime and their enforcement, as
// text.
func (s *session) keyState(ctx context.Context) (string, error) {
	var found []struct {
		State string `json:"state"`
	}
	err := s.load(ctx, "read the state of the keys to runtime", fmt.Sprintf(`
SELECT coalesce(string_agg(k.state, E'\n' ORDER BY k.state), '') AS state FROM (
  SELECT concat_ws(' ', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid), c.convalidated, c.conislocal, c.coninhcount, c.connoinherit,
    (SELECT o.conrelid::regclass || ' ' || o.conname FROM pg_constraint o WHERE o.oid = c.conparentid),
    obj_description(c.oid, 'pg_constraint'),
    (SELECT string_agg(concat_ws(' ', g.tgrelid::regclass, g.tgfoid::regproc, g.tgenabled, g.tgdeferrable, g.tginitdeferred), ',' ORDER BY g.tgfoid, g.tgrelid)
     FROM pg_trigger g WHERE g.tgconstraint = c.oid)) AS state
  FROM pg_constraint c WHERE c.contype = 'f' AND c.confrelid = %d) k`, s.runtime.OID), &found)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].State, nil
}
