package unify_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/attune-go/attune/migrations/unify"
)

var _ = exec.Command
var _ = fmt.Sprint

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
		t.Fatalf("%v\n%s", err, query)
	}
}

func TestSimple(t *testing.T) {
	ctx := context.Background()
	db, _ := newDB(t)
	text, err := os.ReadFile("../postgres/20260203000000_baseline.up.sql")
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, "CREATE SCHEMA att")
	must(t, db, strings.ReplaceAll(string(text), "{schema}", "att"))
	must(t, db, `
INSERT INTO att.pack (id, ref, label, version, runtime_deps) VALUES (1,'core','Core','1','{core.action.python,core.sensor.python,x}');
INSERT INTO att.runtime (id, ref, pack, runtime_type, name, distributions) VALUES
 (1,'core.action.python',1,'action','Python','["python3"]'),
 (2,'core.sensor.python3',1,'sensor','Python','{"verification":{"commands":[{"binary":"python","args":["--version"],"priority":3},{"binary":"python3","args":["--version"],"priority":3}]}, "min_version":"3.8"}'),
 (3,'core.sensor.builtin',1,'sensor','B','{}'),
 (4,'core.sensor.node',1,'sensor','Node','{}');
INSERT INTO att.sensor (ref,label,entrypoint,runtime,runtime_ref) SELECT 's'||i,'l','e',1+i%4,(ARRAY['core.action.python','core.sensor.python3','core.sensor.builtin','core.sensor.node'])[1+i%4] FROM generate_series(1,8) i;
INSERT INTO att.action (ref,pack,pack_ref,label,entrypoint,runtime) SELECT 's'||i,1,'core','l','e',1+i%4 FROM generate_series(1,8) i;
`)
	plan, err := unify.Examine(ctx, db, "att")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(plan)
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		r, err := unify.Up(ctx, tx, "att", unify.Options{})
		t.Logf("%+v", r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var out string
	db.NewRaw("select string_agg(r::text, E'\n') from att.runtime r").Scan(ctx, &out)
	t.Log(out)
	db.NewRaw("select string_agg(r::text, E'\n') from att.sensor r").Scan(ctx, &out)
	t.Log(out)
	db.NewRaw("select string_agg(r::text, E'\n') from att.runtime_unification_ledger r").Scan(ctx, &out)
	t.Log(out)
	db.NewRaw("select string_agg(r::text, E'\n') from att.runtime_unification_catalog r").Scan(ctx, &out)
	t.Log(out)
	db.NewRaw("select string_agg(runtime_deps::text, E'\n') from att.pack r").Scan(ctx, &out)
	t.Log(out)
}
