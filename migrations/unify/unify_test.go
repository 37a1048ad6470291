package unify_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/attune-go/attune/migrations/unify"
)

func newDB(t testing.TB) (*bun.DB, string) {
	base := os.Getenv("ATTUNE_TEST_DATABASE_URL")
	if base == "" {
		t.Skip("no ATTUNE_TEST_DATABASE_URL")
	}
	admin, err := sql.Open("pgx", base)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("unify_%d_%d", os.Getpid(), counter())
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	url := strings.Replace(base, "/postgres?", "/"+name+"?", 1)
	pool, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = pool.Close()
		if _, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close()
	})
	return bun.NewDB(pool, pgdialect.New()), url
}

var n int

func counter() int { n++; return n }

func must(t testing.TB, db bun.IDB, query string) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), query); err != nil {
		t.Fatalf("%v\n%.300s", err, query)
	}
}

func baseline(t testing.TB, db *bun.DB, schema string) {
	t.Helper()
	text, err := os.ReadFile("../postgres/20260203000000_baseline.up.sql")
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, `CREATE SCHEMA IF NOT EXISTS `+quote(schema))
	must(t, db, strings.ReplaceAll(string(text), "{schema}", quote(schema)))
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func installation(t testing.TB, schema string) (*bun.DB, string) {
	t.Helper()
	db, url := newDB(t)
	baseline(t, db, schema)
	text, err := os.ReadFile("testdata/installation.sql")
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, strings.NewReplacer("{schema}", quote(schema), "{plain}", strings.ReplaceAll(quote(schema), "'", "''")).Replace(string(text)))
	return db, url
}

// dump gives the schema as pg_dump writes it and every row of every table, as
// sorted lines. Where a column stands in its table does not matter.
func dump(t testing.TB, db *bun.DB, url string) []string {
	t.Helper()
	out, err := exec.Command("pg_dump", "--schema-only", "--restrict-key=x", url).Output()
	if err != nil {
		if out, err = exec.Command("pg_dump", "--schema-only", url).Output(); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for _, line := range strings.Split(string(out), "\n") {
		if strings.HasPrefix(line, "\\restrict") || strings.HasPrefix(line, "\\unrestrict") {
			continue
		}
		lines = append(lines, "schema: "+strings.TrimSuffix(line, ","))
	}
	lines = append(lines, rows(t, db)...)
	slices.Sort(lines)
	return lines
}

func rows(t testing.TB, db bun.IDB) []string {
	t.Helper()
	ctx := context.Background()
	var tables []string
	if err := db.NewRaw(`SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`).Scan(ctx, &tables); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, table := range tables {
		var columns []string
		if err := db.NewRaw(`SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`, table).Scan(ctx, &columns); err != nil {
			t.Fatal(err)
		}
		var rows []string
		if err := db.NewRaw(`SELECT ROW(`+strings.Join(columns, ", ")+`)::text FROM ONLY `+table).Scan(ctx, &rows); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			all = append(all, table+": "+row)
		}
	}
	return all
}

func up(t testing.TB, db *bun.DB, schema string) *unify.Report {
	t.Helper()
	var report *unify.Report
	err := db.RunInTx(context.Background(), nil, func(ctx context.Context, tx bun.Tx) (err error) {
		report, err = unify.Up(ctx, tx, schema, unify.Options{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func down(t testing.TB, db *bun.DB, schema string, opts unify.Options) *unify.Report {
	t.Helper()
	var report *unify.Report
	err := db.RunInTx(context.Background(), nil, func(ctx context.Context, tx bun.Tx) (err error) {
		report, err = unify.Down(ctx, tx, schema, opts)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestUpAndDownGiveEverythingBack(t *testing.T) {
	for _, schema := range []string{"public", `it's "odd"`} {
		t.Run(schema, func(t *testing.T) {
			db, url := installation(t, schema)
			before := dump(t, db, url)
			for range 2 {
				report := up(t, db, schema)
				t.Logf("%+v", report)
				if _, err := unify.ExamineDown(context.Background(), db, schema); err != nil {
					t.Fatal(err)
				}
				down(t, db, schema, unify.Options{})
				if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
					t.Fatalf("after up and down (-before +after):\n%s", diff)
				}
			}
		})
	}
}
