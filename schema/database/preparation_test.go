package database_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/statement"
)

// numbers runs the statement, which the connection may prepare.
func numbers(ctx context.Context, db bun.IDB, query string) (list []int64, err error) {
	err = db.NewRaw(query).Scan(statement.WithPreparation(ctx), &list)
	return list, err
}

// TestPreparation checks which statements a session prepares, by the server's own list of them.
func TestPreparation(t *testing.T) {
	direct := testdb.EmptyPostgres(t)
	prepared := func(db bun.IDB) (n int) {
		t.Helper()
		if err := db.NewRaw("SELECT count(*) FROM pg_prepared_statements").Scan(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	sum := func(db bun.IDB, i int) {
		t.Helper()
		if got, err := numbers(t.Context(), db, fmt.Sprintf("SELECT %d + n FROM generate_series(1, 2) AS n", i)); err != nil || fmt.Sprint(got) != fmt.Sprint([]int{i + 1, i + 2}) {
			t.Errorf("got %v, %v", got, err)
		}
	}
	db := open(t, direct.URL)
	db.SetMaxOpenConns(1)
	if n := prepared(db); n != 0 {
		t.Errorf("%d statements that are not marked", n)
	}
	if err := db.RunInTx(t.Context(), nil, func(_ context.Context, tx bun.Tx) error { sum(tx, 1); return nil }); err != nil || prepared(db) != 0 {
		t.Errorf("%d statements after a transaction, %v", prepared(db), err)
	}
	for range 3 {
		sum(db, 1)
		sum(db, 2)
	}
	if n := prepared(db); n != 2 {
		t.Errorf("%d statements after two texts, want 2", n)
	}
	for i := range 200 {
		sum(db, i)
	}
	if n := prepared(db); n != 128 {
		t.Errorf("%d statements after 200 texts, want 128", n)
	}

	chosen := open(t, withParameter(t, direct.URL, "default_query_exec_mode", "simple_protocol"))
	chosen.SetMaxOpenConns(1)
	sum(chosen, 1)
	if n := prepared(chosen); n != 0 {
		t.Errorf("%d statements although the URL chooses how they run", n)
	}
}

// TestPreparationWithParameters: a statement is prepared once for all its values, and runs as it is where none is prepared.
func TestPreparationWithParameters(t *testing.T) {
	direct := testdb.EmptyPostgres(t)
	ask := func(db bun.IDB, i int64) {
		t.Helper()
		ctx := statement.WithParameters(t.Context(), "SELECT $1 + n FROM generate_series(1, 2) AS n", i)
		var got []int64
		err := db.NewRaw("SELECT ? + n FROM generate_series(1, 2) AS n", i).Scan(ctx, &got)
		if err != nil || !slices.Equal(got, []int64{i + 1, i + 2}) {
			t.Errorf("%d: got %v, %v", i, got, err)
		}
	}
	for name, url := range map[string]string{
		"direct": direct.URL, "pooled": testdb.Pooler(t, direct.URL, 2), "chosen": withParameter(t, direct.URL, "default_query_exec_mode", "exec"),
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, url)
			db.SetMaxOpenConns(1)
			for i := range int64(10) {
				ask(db, i)
				if err := db.RunInTx(t.Context(), nil, func(_ context.Context, tx bun.Tx) error { ask(tx, i); return nil }); err != nil {
					t.Fatal(err)
				}
			}
			var n int
			if err := db.NewRaw("SELECT count(*) FROM pg_prepared_statements").Scan(t.Context(), &n); err != nil {
				t.Fatal(err)
			}
			if name == "direct" && n != 1 {
				t.Errorf("%d statements after one text, want 1", n)
			}
		})
	}
}

// TestPreparationAfterDDL: a statement whose table has other columns since gives its new result.
func TestPreparationAfterDDL(t *testing.T) {
	db := open(t, testdb.EmptyPostgres(t).URL)
	run(t, db, "CREATE TABLE t AS SELECT 1 AS a")
	for range 2 {
		if got, err := numbers(t.Context(), db, "SELECT * FROM t"); err != nil || fmt.Sprint(got) != "[1]" {
			t.Fatalf("got %v, %v", got, err)
		}
		run(t, db, "ALTER TABLE t ALTER a TYPE bigint")
	}
}

// TestPreparationBehindPooler: a pooler gives statements other sessions than those that prepared them.
func TestPreparationBehindPooler(t *testing.T) {
	url := testdb.Pooler(t, testdb.EmptyPostgres(t).URL, 2)
	var clients sync.WaitGroup
	for range 2 {
		db := open(t, url)
		for client := range 4 {
			clients.Go(func() {
				for i := range 100 {
					text := fmt.Sprintf("SELECT %d + n FROM generate_series(1, 2) AS n, pg_sleep(0.001)", i%5)
					if got, err := numbers(t.Context(), db, text); err != nil || fmt.Sprint(got) != fmt.Sprint([]int{i%5 + 1, i%5 + 2}) {
						t.Errorf("client %d: got %v, %v", client, got, err)
						return
					}
				}
			})
		}
	}
	clients.Wait()
}
