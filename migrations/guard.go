package migrations

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/guards"
)

// The guards are no step: they are put in place after the steps, again whenever
// their text has changed, and no record speaks of them. An older program leaves
// those of a newer one alone until it is asked to migrate.

func (m *Migrator) guards() guards.Set {
	if m.postgres() {
		return guards.Postgres()
	}
	return guards.SQLite()
}

// upGuards puts the guards in place where they are missing or others.
func (m *Migrator) upGuards(ctx context.Context, res *Result) error {
	inPlace := false
	err := m.read(ctx, func(ctx context.Context, tx bun.IDB) (err error) {
		inPlace, err = m.guarded(ctx, tx, res.Schema)
		return err
	})
	if err == nil && !inPlace {
		err = m.write(ctx, func(ctx context.Context, tx bun.IDB) error {
			// Whoever held the lock may have done it.
			inPlace, err := m.guarded(ctx, tx, res.Schema)
			if err != nil || inPlace {
				return err
			}
			res.Guards = true
			if err := m.script(ctx, tx, res.Schema, m.guards().Apply); err != nil || !m.postgres() {
				return err
			}
			return shareGuards(ctx, tx, res.Schema)
		})
	}
	if err != nil {
		return fmt.Errorf("put the guards of metadata in place in schema %q: %w", res.Schema, explain(err))
	}
	return nil
}

// shareGuards gives the functions to the owners of the tables, who may have to
// take them away one day without whoever migrates now.
func shareGuards(ctx context.Context, tx bun.IDB, schema string) error {
	var foreign []struct{ Function, Owner string }
	err := tx.NewRaw(`
SELECT DISTINCT p.proname::pg_catalog.text AS function, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text AS owner
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.oid = c.relnamespace
WHERE n.nspname = ? AND t.tgname LIKE 'attune\_guard\_%' AND c.relname = 'runtime' AND p.proowner <> c.relowner`, schema).
		Scan(ctx, &foreign)
	for _, f := range foreign {
		if err == nil {
			_, err = tx.ExecContext(ctx, "ALTER FUNCTION "+table(schema, f.Function)+"() OWNER TO "+quote(f.Owner))
		}
	}
	return err
}

// guarded is whether the guards in place are this program's.
func (m *Migrator) guarded(ctx context.Context, db bun.IDB, schema string) (bool, error) {
	set, n := m.guards(), 0
	if !m.postgres() {
		err := db.NewRaw(`
SELECT count(*) FROM main.sqlite_schema
WHERE type = 'trigger' AND name LIKE 'attune\_guard\_%' ESCAPE '\'
  AND EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'view' AND instr(sql, ?) > 0)`, set.Mark).Scan(ctx, &n)
		return n == set.Triggers, err
	}
	err := db.NewRaw(`
SELECT count(*)
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.oid = c.relnamespace
WHERE n.nspname = ? AND t.tgname LIKE 'attune\_guard\_%' AND pg_catalog.obj_description(p.oid, 'pg_proc') = ?`,
		schema, set.Mark).Scan(ctx, &n)
	return n == set.Triggers, err
}

// dropGuards takes the guards away: what a migration brings back was there before
// them, whatever it holds.
func (m *Migrator) dropGuards(ctx context.Context, tx bun.IDB, schema string) error {
	if err := m.script(ctx, tx, schema, m.guards().Drop); err != nil {
		return fmt.Errorf("take the guards of metadata away in schema %q: %w", schema, err)
	}
	return nil
}
