package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// References returns the rows of other tables that refer to a runtime or to its versions,
// which are deleted with it. It leaves out attune's own records of hosts. It returns
// nothing for a runtime that does not exist.
func (r *Runtimes) References(ctx context.Context, ref string) ([]Reference, error) {
	return r.referring(ctx, ref)
}

// Delete removes a runtime and its versions. Hosts lose the capability when they next
// verify. Errors: ErrNotFound; ErrReferenced, which errors.As finds as a *ReferencedError,
// if rows of other tables refer to it and the database would refuse the deletion or delete
// them too, such as sensors.
func (r *Runtimes) Delete(ctx context.Context, ref string) error {
	return r.fail("delete", ref, r.remove(ctx, ref))
}

// References returns the rows of other tables that refer to a pack, including its own
// runtimes, actions and sensors. It returns nothing for a pack that does not exist.
func (p *Packs) References(ctx context.Context, ref string) ([]Reference, error) {
	return p.referring(ctx, ref)
}

// Delete removes a pack that nothing refers to. Errors: ErrNotFound; ErrReferenced, which
// errors.As finds as a *ReferencedError, if rows of other tables refer to it and the
// database would refuse the deletion or delete them too. The database would delete
// runtimes, actions and sensors, and the rows that refer to those.
func (p *Packs) Delete(ctx context.Context, ref string) error {
	return p.fail("delete", ref, p.remove(ctx, ref))
}

// MayDelete returns the error with which the database refuses any deletion from the table to
// this login or, on SQLite, to this user. It deletes nothing, and locks nothing on Postgres.
func (t table[M]) MayDelete(ctx context.Context) error {
	table := t.of(t.name)
	if !t.postgres { // an explained statement does not open the file for writing
		_, err := t.db.NewRaw("DELETE FROM ? WHERE FALSE", table).Exec(ctx)
		return t.mayDelete(err)
	}
	queries := []any{bun.SafeQuery("SELECT 1 FROM ? WHERE FALSE FOR UPDATE", table), bun.SafeQuery("DELETE FROM ? WHERE FALSE", table)}
	if s := t.layout.Split(t.name); s != nil {
		queries = append(queries, bun.SafeQuery("SELECT 1 FROM ? WHERE FALSE FOR UPDATE", bun.Safe(s.Beside)))
	}
	return t.explain(ctx, queries...)
}

// explain returns the error with which Postgres refuses one of the queries of a deletion. No
// trigger fires.
func (t table[M]) explain(ctx context.Context, queries ...any) error {
	for _, query := range queries {
		if _, err := t.db.NewRaw("EXPLAIN ?", query).Exec(ctx); err != nil {
			return t.mayDelete(err)
		}
	}
	return nil
}

func (t table[M]) mayDelete(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("delete from %s: %w", t.name, t.classify("delete", err))
}

// referring returns the rows of other tables that refer to the row with ref.
func (t table[M]) referring(ctx context.Context, ref string) ([]Reference, error) {
	if !storable(ref) {
		return []Reference{}, nil
	}
	refs := references{dialect: t.dialect}
	name := bun.Name(t.name)
	return refs.find(ctx, t.name, bun.SafeQuery("SELECT ?.* FROM ? AS ? WHERE ? = ?", name, t.of(t.name), name, t.text(t.name+".ref"), ref))
}

// remove deletes the row with ref if no reference hinders it.
//
// On Postgres it first locks the row: a new reference waits for the lock, and an earlier
// one is visible. SQLite has one writer at a time.
func (t table[M]) remove(ctx context.Context, ref string) error {
	if !storable(ref) {
		return ErrNotFound
	}
	return t.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		t := t
		t.db = tx
		if t.postgres {
			if _, err := tx.NewRaw("SELECT 1 FROM ? WHERE ? = ? FOR UPDATE", t.of(t.name), t.text("ref"), ref).Exec(ctx); err != nil {
				return err
			}
		}
		if s := t.layout.Split(t.name); s != nil {
			if _, err := t.lockBeside(ctx, s, "? = ?", t.text(t.name+".ref"), ref); err != nil {
				return err
			}
		}
		refs, err := t.referring(ctx, ref)
		if err != nil {
			return err
		}
		if err := hindrance(refs); err != nil {
			return err
		}
		result, err := tx.NewRaw("DELETE FROM ? WHERE ? = ?", t.of(t.name), t.text("ref"), ref).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return ErrNotFound
	})
}
