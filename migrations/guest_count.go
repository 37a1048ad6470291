package migrations

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// isUncounted reports whether the platform created its table of versions after attune moved in, so that its changes
// are not counted in guestMark and hosts read its rows.
func (m *Migrator) isUncounted(ctx context.Context, db bun.IDB, in *inspection) (uncounted bool, err error) {
	versions := in.relations[versionTable]
	if !in.guest() || !in.isRecorded(Lookups) || in.relations[guestMark] == nil || versions == nil || !versions.table {
		return false, nil
	}
	err = db.NewRaw(`
SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = ?0 AND t.tgname = ?1)
   AND EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.pronamespace = ?2 AND p.proname = ?1)`, versions.oid, guestMark+"_count", in.oid).
		Scan(ctx, &uncounted)
	if err != nil {
		return false, fmt.Errorf("find the trigger that counts changes of %s: %w", table(in.name, versionTable), explain(err))
	}
	return uncounted, nil
}

// upCounter makes the platform's table of versions count its changes, as Lookups does with one that exists before.
func (m *Migrator) upCounter(ctx context.Context, res *Result) error {
	var in *inspection
	due := false
	look := func(ctx context.Context, tx bun.IDB) (err error) {
		if in, err = m.inspect(ctx, tx); err == nil {
			due, err = m.isUncounted(ctx, tx, in)
		}
		return err
	}
	err := m.read(ctx, look)
	if err == nil && due {
		err = m.write(ctx, func(ctx context.Context, tx bun.IDB) error {
			if err := m.lockPlatform(ctx, tx, in, "SHARE ROW EXCLUSIVE"); err != nil {
				return err
			}
			// Another process that held the lock may already have done it.
			if err := look(ctx, tx); err != nil || !due {
				return err
			}
			return m.script(ctx, tx, in.name, countVersions)
		})
		res.Counted = err == nil && due
	}
	if err != nil {
		return fmt.Errorf("count changes of %s: %w; all migrations are applied", table(res.Schema, versionTable), err)
	}
	return nil
}

// countVersions is the part of Lookups for the table of versions. The kind ALWAYS can only be set by its owner.
const countVersions = `
CREATE TRIGGER attune_definition_mark_count AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {schema}.runtime_version
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.attune_definition_mark_count();
DO $attune$
BEGIN
    ALTER TABLE {schema}.runtime_version ENABLE ALWAYS TRIGGER attune_definition_mark_count;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END
$attune$`
