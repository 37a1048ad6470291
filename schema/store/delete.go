package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
	bunschema "github.com/uptrace/bun/schema"
)

// References returns the rows of other tables that refer to a runtime or, where the
// runtime's own go with it, to one of its versions; what attune itself knows of hosts
// that have it apart. A runtime that does not exist has none.
func (r *Runtimes) References(ctx context.Context, ref string) ([]Reference, error) {
	if !storable(ref) {
		return []Reference{}, nil
	}
	refs := references{dialect: r.dialect}
	return refs.find(ctx, r.name, bun.SafeQuery("SELECT runtime.* FROM ? AS runtime WHERE runtime.ref = ?", r.of(r.name), ref))
}

// Delete removes a runtime and its versions. Hosts that have it lose it when they
// next verify. Errors: ErrNotFound; ErrReferenced, which errors.As finds as a
// *ReferencedError, while rows of other tables refer to it that the database would
// refuse, or delete too, as it does sensors.
//
// On Postgres it first locks the row: a new foreign key waits for the lock, and an
// older one is seen. In SQLite there is one writer at a time.
func (r *Runtimes) Delete(ctx context.Context, ref string) error {
	if checkText(ref) != nil {
		return r.fail("delete", ref, ErrNotFound)
	}
	return r.fail("delete", ref, r.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		in := *r
		in.db = tx
		if in.postgres {
			if _, err := tx.NewRaw("SELECT 1 FROM ? AS runtime WHERE runtime.ref = ? FOR UPDATE", in.of(in.name), ref).Exec(ctx); err != nil {
				return err
			}
		}
		row, err := in.one(ctx, "runtime.ref = ?", ref)
		if err != nil {
			return err
		}
		refs, err := in.References(ctx, ref)
		if err != nil {
			return err
		}
		if err := hindered(refs); err != nil {
			return err
		}
		return in.removeID(ctx, row.ID)
	}))
}

// References returns the rows of other tables that refer to a pack, its runtimes,
// actions and sensors among them. A pack that does not exist has none.
func (p *Packs) References(ctx context.Context, ref string) ([]Reference, error) {
	if !storable(ref) {
		return []Reference{}, nil
	}
	refs := references{dialect: p.dialect}
	return refs.find(ctx, p.name, bun.SafeQuery("SELECT pack.* FROM ? AS pack WHERE pack.ref = ?", p.of(p.name), ref))
}

// Delete removes a pack with its runtimes, actions and sensors. Errors:
// ErrNotFound, and ErrReferenced while a worker, or an action or sensor that is
// not of this pack, refers to one of its runtimes.
func (p *Packs) Delete(ctx context.Context, ref string) error {
	runtime := p.of("runtime")
	const inPack = " IN (SELECT runtime.id FROM ? AS runtime WHERE runtime.pack = pack.id)"
	return p.fail("delete", ref, p.remove(ctx, ref, []reference{
		{"action", bun.SafeQuery("action.runtime"+inPack+" AND action.pack <> pack.id", runtime)},
		{"sensor", bun.SafeQuery("sensor.runtime"+inPack+" AND (sensor.pack IS NULL OR sensor.pack <> pack.id)", runtime)},
		{"worker", bun.SafeQuery("worker.runtime"+inPack, runtime)},
	},
		bun.SafeQuery("SELECT 1 FROM ? AS pack WHERE pack.ref = ? FOR UPDATE", p.of("pack"), ref),
		bun.SafeQuery(`SELECT 1 FROM ? AS runtime
			WHERE runtime.pack = (SELECT pack.id FROM ? AS pack WHERE pack.ref = ?)
			ORDER BY runtime.id FOR UPDATE`, runtime, p.of("pack"), ref)))
}

// reference is a table and which of its rows forbid a deletion.
type reference struct {
	table string
	on    bunschema.QueryWithArgs
}

// remove deletes the row of a ref unless one of refs forbids it.
//
// On Postgres it first locks what others could refer to: a new foreign key waits
// for the lock, and an older one is seen, because the DELETE is a statement of
// its own. In SQLite there is one writer at a time.
func (t table[M]) remove(ctx context.Context, ref string, refs []reference, locks ...bunschema.QueryWithArgs) error {
	if checkText(ref) != nil {
		return ErrNotFound
	}
	return t.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		t := t
		t.db = tx
		if t.postgres {
			for _, lock := range locks {
				if _, err := tx.NewRaw("?", lock).Exec(ctx); err != nil {
					return err
				}
			}
		}
		q := tx.NewDelete().Model((*M)(nil)).ModelTableExpr("? AS ?", t.of(t.name), bun.Name(t.name)).
			Where("ref = ?", ref)
		for _, r := range refs {
			q = q.Where("NOT EXISTS (SELECT 1 FROM ? AS ? WHERE ?)", t.of(r.table), bun.Name(r.table), r.on)
		}
		result, err := q.Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return t.hindrance(ctx, ref, refs)
	})
}

// hindrance says why the row of a ref was not deleted.
func (t table[M]) hindrance(ctx context.Context, ref string, refs []reference) error {
	if _, err := t.one(ctx, "ref = ?", ref); err != nil {
		return err
	}
	var found []string
	for _, r := range refs {
		var rows int
		err := t.db.NewRaw(t.pick("SELECT pg_catalog.count(*)", "SELECT count(*)")+" FROM ? AS ?, ? AS ? WHERE ?.ref = ? AND ?",
			t.of(r.table), bun.Name(r.table), t.of(t.name), bun.Name(t.name), bun.Name(t.name), ref, r.on).
			Scan(ctx, &rows)
		if err != nil {
			return err
		}
		if rows == 1 {
			found = append(found, "1 row of "+r.table)
		} else if rows > 1 {
			found = append(found, fmt.Sprintf("%d rows of %s", rows, r.table))
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%w a moment ago; try again", ErrReferenced)
	}
	return fmt.Errorf("%w by %s", ErrReferenced, strings.Join(found, ", "))
}
