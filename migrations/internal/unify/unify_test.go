package unify_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations/internal/unify"
)

func must(t testing.TB, db bun.IDB, query string) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), query); err != nil {
		t.Fatalf("%v\n%.300s", err, query)
	}
}

// legacyDB returns a database with the legacy schema and its URL. The statements are run in it. It is the
// clone of a template.
func legacyDB(t testing.TB, schema string, statements ...string) (*bun.DB, string) {
	t.Helper()
	text, err := os.ReadFile("../../postgres/20260203000000_baseline.up.sql")
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{
		`CREATE SCHEMA IF NOT EXISTS ` + quote(schema),
		strings.ReplaceAll(string(text), "{schema}", quote(schema)),
	}, statements...)
	db := testdb.Platform(t, strings.Join(all, "\n"), func(ctx context.Context, db *bun.DB) error {
		for _, s := range all {
			if _, err := db.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
	return db.DB, db.URL
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func installation(t testing.TB, schema string) (*bun.DB, string) {
	t.Helper()
	text, err := os.ReadFile("testdata/installation.sql")
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.ReplaceAll(quote(schema), "'", "''")
	return legacyDB(t, schema, strings.NewReplacer("{schema}", quote(schema), "{plain}", plain).Replace(string(text)))
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
	t.Parallel()
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

// IDs that only the database may generate prevent nothing either.
func TestIdentityColumn(t *testing.T) {
	t.Parallel()
	db, url := installation(t, "public")
	must(t, db, `ALTER TABLE runtime ALTER COLUMN id DROP DEFAULT; DROP SEQUENCE runtime_id_seq;
ALTER TABLE runtime ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (START WITH 200)`)
	before := dump(t, db, url)
	up(t, db, "public")
	down(t, db, "public", unify.Options{})
	if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
		t.Errorf("after up and down (-before +after):\n%s", diff)
	}
	up(t, db, "public")
	must(t, db, `INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) VALUES ('new', 'N', 'n', 23, 'acme.alone')`)
	down(t, db, "public", unify.Options{})
	equal(t, db, "the new row", `SELECT runtime::text FROM sensor WHERE ref = 'new'`, "200")
}

// Each function refuses the state that belongs to another one.
func TestWrongState(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, _ := legacyDB(t, "public")
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	report, err := unify.Up(ctx, tx, "public", unify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := report.String(), "0 runtimes became 0, 0 rows re-pointed.\n"; got != want {
		t.Errorf("got report %q, want %q", got, want)
	}
	if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err == nil || !strings.Contains(err.Error(), "already unified") {
		t.Errorf("unifying twice gave %v", err)
	}
	if _, err := unify.Examine(ctx, tx, "public"); err == nil || !strings.Contains(err.Error(), "already unified") {
		t.Errorf("a plan of a unified schema gave %v", err)
	}
	if _, err := unify.Examine(ctx, tx, "nowhere"); err == nil || !strings.Contains(err.Error(), `"nowhere"."runtime"`) {
		t.Errorf("a schema without runtime gave %v", err)
	}
}

// equal checks one value of the database.
func equal(t testing.TB, db bun.IDB, what, query, want string) {
	t.Helper()
	var got string
	if err := db.NewRaw(query).Scan(context.Background(), &got); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}
