package migrations_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/migrations"
)

// TestPlatformMayChangeItsSchema: any single change of the platform's columns, keys, indexes, tables, functions and
// types that worked before up works after it. The exceptions are those that docs/upgrading.md names.
func TestPlatformMayChangeItsSchema(t *testing.T) {
	t.Parallel()
	eachShape(t, func(t *testing.T, db testDB, shape platform.Shape) {
		db.SetMaxOpenConns(1) // the function is the session's
		run(t, db, `SET search_path TO attune, public; SET platform.catalog_writer = 'on'`,
			`CREATE FUNCTION pg_temp.works(change text) RETURNS boolean LANGUAGE plpgsql AS $$
			BEGIN
				EXECUTE change;
				RAISE EXCEPTION USING ERRCODE = 'UNDO0';
			EXCEPTION WHEN OTHERS THEN
				RETURN SQLSTATE = 'UNDO0';
			END $$`,
			`CREATE TEMP TABLE possible AS `+changesOfThePlatform)
		const work = `SELECT change FROM possible WHERE pg_temp.works(change)`
		before := strs(t, db, work)
		if len(before) < 200 {
			t.Fatalf("%d changes work before up", len(before))
		}
		up(t, db.DB, migrations.Config{})
		after := strs(t, db, work)
		var lost []string
		for _, change := range before {
			if !slices.Contains(after, change) {
				lost = append(lost, change)
			}
		}
		want := []string{`ALTER TABLE worker ALTER capabilities TYPE text`, `ALTER TABLE worker DROP capabilities`}
		referred := []string{"sensor"} // rows of attune's refer to their rows
		if !shape.Has(platform.A) {
			referred = append(referred, "worker") // later, rows of the platform's refer to them too
		}
		for _, table := range referred {
			want = append(want, "ALTER TABLE "+table+" ALTER id TYPE text", "ALTER TABLE "+table+" DROP CONSTRAINT "+table+"_pkey", "ALTER TABLE "+table+" DROP id",
				"DROP TABLE "+table, "TRUNCATE "+table)
		}
		if diff := cmp.Diff(sorted(want), sorted(lost)); diff != "" {
			t.Errorf("changes that work no longer (-documented +found):\n%s", diff)
		}
	})
}

// changesOfThePlatform lists statements that change one object of the platform's.
const changesOfThePlatform = `
	WITH tables AS (SELECT oid, oid::regclass AS name FROM pg_class WHERE relnamespace = 'attune'::regnamespace AND relkind = 'r')
	SELECT format(change, name, attname) AS change FROM tables JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped,
		unnest(ARRAY['ALTER TABLE %s DROP %I', 'ALTER TABLE %s RENAME %I TO former', 'ALTER TABLE %s ALTER %I TYPE text', 'ALTER TABLE %s ALTER %I DROP NOT NULL']) change
	UNION ALL
	SELECT format(change, name) FROM tables,
		unnest(ARRAY['TRUNCATE %s', 'DELETE FROM %s', 'DROP TABLE %s', 'ALTER TABLE %s RENAME TO former', 'ALTER TABLE %s SET SCHEMA public']) change
	UNION ALL
	SELECT format(change, name, conname) FROM tables JOIN pg_constraint ON conrelid = tables.oid,
		unnest(ARRAY['ALTER TABLE %s DROP CONSTRAINT %I', 'ALTER TABLE %s RENAME CONSTRAINT %I TO former']) change
	UNION ALL
	SELECT format('DROP INDEX %s', indexrelid::regclass) FROM tables JOIN pg_index ON indrelid = oid
	UNION ALL
	SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc WHERE pronamespace = 'attune'::regnamespace
	UNION ALL
	SELECT format('ALTER TYPE %s RENAME TO former', oid::regtype) FROM pg_type WHERE typnamespace = 'attune'::regnamespace AND typtype = 'e'`
