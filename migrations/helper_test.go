package migrations_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/database"
)

type testDB = *testdb.DB

// ids lists the migrations, oldest first.
var ids = []string{migrations.Baseline, migrations.UnifyRuntimes, migrations.WorkerRuntime, migrations.SafeFunctions, migrations.Fleet, migrations.WorkerLabels, migrations.Placement, migrations.Lookups, migrations.Server, migrations.Declarations}

// open opens the same database again.
func open(t *testing.T, url string) *bun.DB {
	t.Helper()
	db, err := database.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, db testDB)) {
	t.Run("postgres", func(t *testing.T) { test(t, testdb.EmptyPostgres(t)) })
	t.Run("sqlite", func(t *testing.T) { test(t, testdb.EmptySQLite(t)) })
}

func migrator(t *testing.T, db *bun.DB, cfg migrations.Config) *migrations.Migrator {
	t.Helper()
	m, err := migrations.New(db, cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return m
}

func up(t *testing.T, db *bun.DB, cfg migrations.Config) *migrations.Result {
	t.Helper()
	res, err := migrator(t, db, cfg).Up(context.Background())
	if err != nil {
		t.Fatalf("Up: %v", err)
	}
	return res
}

func down(t *testing.T, db *bun.DB, cfg migrations.Config) *migrations.Result {
	t.Helper()
	res, err := migrator(t, db, cfg).Down(context.Background())
	if err != nil {
		t.Fatalf("Down: %v", err)
	}
	return res
}

// downTo undoes migrations, the newest first, down to and including the one with an ID.
func downTo(t *testing.T, db *bun.DB, id string, cfg migrations.Config) *migrations.Result {
	t.Helper()
	for {
		if res := down(t, db, cfg); res.Done[0].ID == id {
			return res
		}
	}
}

func run(t *testing.T, db bun.IDB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func strs(t *testing.T, db bun.IDB, query string) []string {
	t.Helper()
	var got []string
	if err := db.NewRaw(query).Scan(context.Background(), &got); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return got
}

func count(t *testing.T, db bun.IDB, query string) int {
	t.Helper()
	var n int
	if err := db.NewRaw(query).Scan(context.Background(), &n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// legacy creates a database that other migrations left behind, in a schema, with a column of others.
func legacy(t *testing.T, db *bun.DB, schema string) {
	t.Helper()
	ddl, err := fs.ReadFile(migrations.Files(), "postgres/"+migrations.Baseline+".up.sql")
	if err != nil {
		t.Fatal(err)
	}
	run(t, db,
		`CREATE SCHEMA IF NOT EXISTS `+schema,
		strings.ReplaceAll(string(ddl), "{schema}", schema),
		`ALTER TABLE `+schema+`.sensor ADD COLUMN trigger_ref text`)
}

// objects lists everything that a database contains outside of the system's schemas, for comparing
// catalogs.
func objects(t *testing.T, db testDB) []string {
	t.Helper()
	if db.Dialect().Name() != dialect.PG {
		return strs(t, db, `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY 1`)
	}
	return strs(t, db, `
SELECT * FROM (
SELECT 'schema ' || nspname FROM pg_namespace n WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL SELECT 'relation ' || c.oid::regclass || ' ' || relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL SELECT 'column ' || a.attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' '
    || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND relkind IN ('r', 'p', 'v') JOIN pg_namespace n ON n.oid = relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'index ' || pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = indrelid
  JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname !~ '^pg_'
UNION ALL SELECT 'constraint ' || conname || ' ' || conrelid::regclass || ' ' || pg_get_constraintdef(k.oid) FROM pg_constraint k
  JOIN pg_namespace n ON n.oid = connamespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
UNION ALL SELECT 'enum ' || e.enumtypid::regtype || ' ' || enumlabel FROM pg_enum e
) o (line) ORDER BY 1`)
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
