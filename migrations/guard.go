package migrations

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/migrations/internal/guards"
)

// The guards are not a migration. They are created after the migrations and replaced whenever
// their text has changed, and have no record. An older program leaves the guards of a newer
// one alone until it migrates.

// A GuardState describes whether the guards of metadata are in place.
type GuardState string

// The states of the guards. Up puts them in place in all states but GuardsInPlace and
// GuardsOff.
const (
	// GuardsInPlace means that all guards exist with this program's text.
	GuardsInPlace GuardState = "in place"
	// GuardsMissing means that no guard exists.
	GuardsMissing GuardState = "missing"
	// GuardsIncomplete means that some are missing or disabled.
	GuardsIncomplete GuardState = "incomplete"
	// GuardsOther means that some guards have the text of another release or mode, or were
	// altered.
	GuardsOther GuardState = "other text"
	// GuardsOff means that the database is configured to have no guards.
	GuardsOff GuardState = "off"
)

// isSettled reports whether Up has nothing to do.
func (s GuardState) isSettled() bool { return s == GuardsInPlace || s == GuardsOff }

// upGuards creates or replaces the guards unless they are in place.
func (m *Migrator) upGuards(ctx context.Context, res *Result) error {
	state, due := GuardsInPlace, false
	var in *inspection
	var mode guardMode
	look := func(ctx context.Context, tx bun.IDB) (err error) {
		if in, err = m.inspect(ctx, tx); err != nil {
			return err
		}
		if mode, err = m.guardMode(ctx, tx, in); err != nil {
			return err
		}
		state, err = m.guardState(ctx, tx, in, mode)
		due = !state.isSettled() || mode.changed
		return err
	}
	err := m.read(ctx, look)
	if err == nil && due {
		err = m.write(ctx, func(ctx context.Context, tx bun.IDB) error {
			if in.guest() {
				if err := m.lockPlatform(ctx, tx, in, "ACCESS EXCLUSIVE"); err != nil {
					return err
				}
			}
			// Another process that held the lock may already have done it.
			if err := look(ctx, tx); err != nil || !due {
				return err
			}
			return m.putGuards(ctx, tx, in, mode)
		})
		res.Guards = err == nil && !state.isSettled()
	}
	if err != nil {
		return fmt.Errorf("put the guards of metadata in place in schema %q: %w; all migrations are applied, "+
			"but wrong metadata may be accepted until this is repeated with success", res.Schema, err)
	}
	return nil
}

// putGuards puts the guards of a mode in place, and stores the mode.
func (m *Migrator) putGuards(ctx context.Context, tx bun.IDB, in *inspection, mode guardMode) error {
	if err := DropGuards(ctx, tx, in.name); err != nil {
		return err
	}
	if err := m.script(ctx, tx, in.name, m.guards(in, mode.Guarding).Apply); err != nil || !m.postgres() {
		return err
	}
	if err := m.keepGuardMode(ctx, tx, in, mode); err != nil {
		return err
	}
	return m.shareGuards(ctx, tx, in.name)
}

// shareGuards makes the owners of the tables the owners of the functions, so that they can
// drop them.
func (m *Migrator) shareGuards(ctx context.Context, tx bun.IDB, schema string) error {
	var foreign []struct{ Function, Owner string }
	err := tx.NewRaw(`
SELECT DISTINCT p.proname::pg_catalog.text AS function, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text AS owner
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.oid = c.relnamespace
WHERE n.nspname = ? AND p.proname IN (?) AND c.relname IN ('runtime', 'action', 'sensor') AND p.proowner <> c.relowner`, schema, bun.List(guards.Postgres().Names())).
		Scan(ctx, &foreign)
	for _, f := range foreign {
		if err == nil {
			_, err = tx.ExecContext(ctx, "ALTER FUNCTION "+table(schema, f.Function)+"() OWNER TO "+quote(f.Owner))
		}
	}
	return err
}

// A keptGuard is a function or trigger of the guards in the catalog.
type keptGuard struct {
	Name, Text string
	// Trigger reports a trigger instead of a function. Fires reports that it is enabled.
	Trigger, Fires bool
}

const keptInPostgres = `
SELECT p.proname AS name,
       pg_catalog.concat(pg_catalog.array_to_string(p.proconfig, '; '), CASE WHEN p.prosecdef THEN '; by its owner' END, E'\n', p.prosrc) AS text,
       false AS trigger, true AS fires
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ?0 AND p.proname IN (?1) AND p.pronargs = 0
UNION ALL
SELECT pg_catalog.concat(c.relname, '.', t.tgname), pg_catalog.concat_ws(' ', t.tgtype,
         (SELECT pg_catalog.string_agg(a.attname, ',') FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr)),
         pg_catalog.concat_ws('.', nullif(f.nspname, n.nspname), p.proname), pg_catalog.replace(pg_catalog.encode(t.tgargs, 'escape'), '\000', ''), t.tgqual),
       true, t.tgenabled IN ('O', 'A')
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace
WHERE n.nspname = ?0 AND pg_catalog.concat(c.relname, '.', t.tgname) IN (?1)`

const keptInSQLite = `SELECT name, sql AS text, type = 'trigger' AS "trigger", true AS fires FROM main.sqlite_schema WHERE name IN (?1)`

// guardState compares the guards in the catalog with those of the mode.
func (m *Migrator) guardState(ctx context.Context, db bun.IDB, in *inspection, mode guardMode) (GuardState, error) {
	query, all := keptInSQLite, guards.SQLite()
	if m.postgres() {
		query, all = keptInPostgres, guards.PostgresGuest()
	}
	set := m.guards(in, mode.Guarding)
	var kept []keptGuard
	if err := db.NewRaw(query, in.name, bun.List(all.Names())).Scan(ctx, &kept); err != nil {
		return "", fmt.Errorf("read guards of metadata in schema %q: %w", in.name, explain(err))
	}
	triggers, firing, other := 0, 0, false
	for _, k := range kept {
		other = other || k.Text != set.Kept[k.Name]
		if k.Trigger {
			triggers++
		}
		if k.Fires {
			firing++
		}
	}
	switch {
	case triggers == 0 && mode.Guarding == GuardingOff:
		return GuardsOff, nil
	case triggers == 0:
		return GuardsMissing, nil
	case other:
		return GuardsOther, nil
	case firing < len(set.Kept):
		return GuardsIncomplete, nil
	}
	return GuardsInPlace, nil
}

// ApplyGuards creates or replaces guards of documents of your own: text is postgres.sql or
// sqlite.sql as attune-gen metadata wrote it. It can be repeated, and must be called again
// when the text has changed. Call it where your migrations run, because it locks the tables.
// An empty schema means public; SQLite only has main.
func ApplyGuards(ctx context.Context, db bun.IDB, schema, text string) error {
	if db.Dialect().Name() == dialect.PG {
		schema = cmp.Or(schema, "public")
	} else {
		schema = sqliteSchema
	}
	// The statements contain question marks, which are no placeholders of bun's.
	_, err := db.ExecContext(ctx, "?", bun.Safe(strings.ReplaceAll(text, "{schema}", quote(schema))))
	if err != nil {
		return fmt.Errorf("apply guards in schema %q: %w", schema, err)
	}
	return nil
}

// DropGuards drops the guards of metadata in a schema until the next Up. A migration that
// brings back older rows needs it, and a test that writes some. An empty schema means
// public; SQLite only has main.
func DropGuards(ctx context.Context, db bun.IDB, schema string) error {
	set, former := guards.SQLite(), formerInSQLite
	if db.Dialect().Name() == dialect.PG {
		set, former, schema = guards.Postgres(), formerInPostgres, cmp.Or(schema, "public")
	} else {
		schema = sqliteSchema
	}
	_, err := db.ExecContext(ctx, strings.ReplaceAll(set.Drop, "{schema}", quote(schema)))
	var old []string
	if err == nil {
		err = db.NewRaw(former, schema).Scan(ctx, &old)
	}
	for _, drop := range old {
		if err == nil {
			_, err = db.ExecContext(ctx, drop)
		}
	}
	if err != nil {
		return fmt.Errorf("drop guards of metadata in schema %q: %w", schema, err)
	}
	return nil
}

// Guards had the names of their types before, which the guards of other packages can have
// too. These statements are dropped where no trigger uses them any more.
const (
	formerInPostgres = `
SELECT pg_catalog.format('DROP FUNCTION %I.%I()', n.nspname, p.proname)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ? AND p.pronargs = 0 AND p.prorettype = 'pg_catalog.trigger'::pg_catalog.regtype
  AND p.proname IN ('attune_guard_aliases', 'attune_guard_definition_name', 'attune_guard_distributions', 'attune_guard_execution_config')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgfoid = p.oid)`
	formerInSQLite = `
SELECT 'DROP VIEW main."' || v.name || '"' FROM main.sqlite_schema AS v
WHERE ? = 'main' AND v.type = 'view'
  AND v.name IN ('attune_guard_aliases', 'attune_guard_definition_name', 'attune_guard_distributions', 'attune_guard_execution_config')
  AND NOT EXISTS (SELECT 1 FROM main.sqlite_schema AS t WHERE t.type = 'trigger' AND t.tbl_name <> v.name AND instr(t.sql, v.name) > 0)`
)
