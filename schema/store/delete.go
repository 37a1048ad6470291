package store

import (
	"context"

	"github.com/uptrace/bun"
)

// References returns the rows of other tables that refer to a runtime or, where the
// runtime's own go with it, to one of its versions; what attune itself knows of hosts
// that have it apart. A runtime that does not exist has none.
func (r *Runtimes) References(ctx context.Context, ref string) ([]Reference, error) {
	return r.referring(ctx, ref)
}

// Delete removes a runtime and its versions. Hosts that have it lose it when they
// next verify. Errors: ErrNotFound; ErrReferenced, which errors.As finds as a
// *ReferencedError, while rows of other tables refer to it that the database would
// refuse, or delete too, as it does sensors.
func (r *Runtimes) Delete(ctx context.Context, ref string) error {
	return r.fail("delete", ref, r.remove(ctx, ref))
}

// References returns the rows of other tables that refer to a pack, its runtimes,
// actions and sensors among them. A pack that does not exist has none.
func (p *Packs) References(ctx context.Context, ref string) ([]Reference, error) {
	return p.referring(ctx, ref)
}

// Delete removes a pack that nothing refers to. Errors: ErrNotFound; ErrReferenced,
// which errors.As finds as a *ReferencedError, while rows of other tables refer to it
// that the database would refuse, or delete too, as it does runtimes, actions and
// sensors, and what refers to those.
func (p *Packs) Delete(ctx context.Context, ref string) error {
	return p.fail("delete", ref, p.remove(ctx, ref))
}

// referring returns the rows of other tables that refer to the row of a ref.
func (t table[M]) referring(ctx context.Context, ref string) ([]Reference, error) {
	if !storable(ref) {
		return []Reference{}, nil
	}
	refs := references{dialect: t.dialect}
	name := bun.Name(t.name)
	return refs.find(ctx, t.name, bun.SafeQuery("SELECT ?.* FROM ? AS ? WHERE ?.ref = ?", name, t.of(t.name), name, name, ref))
}

// remove deletes the row of a ref if nothing hinders.
//
// On Postgres it first locks the row: a new foreign key waits for the lock, and an
// older one is seen. In SQLite there is one writer at a time.
func (t table[M]) remove(ctx context.Context, ref string) error {
	if !storable(ref) {
		return ErrNotFound
	}
	return t.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		t := t
		t.db = tx
		if t.postgres {
			if _, err := tx.NewRaw("SELECT 1 FROM ? WHERE ref = ? FOR UPDATE", t.of(t.name), ref).Exec(ctx); err != nil {
				return err
			}
		}
		refs, err := t.referring(ctx, ref)
		if err != nil {
			return err
		}
		if err := hindered(refs); err != nil {
			return err
		}
		result, err := tx.NewRaw("DELETE FROM ? WHERE ref = ?", t.of(t.name), ref).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return ErrNotFound
	})
}
