package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
)

// explains checks the result of Explain for the error of a statement.
func explains(t *testing.T, err, kind error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("the statement did not fail")
	}
	got := database.Explain(fmt.Errorf("list the workers: %w", err))
	if !errors.Is(got, kind) || !errors.Is(got, err) {
		t.Errorf("%v: want it to wrap %v and what it explains", got, kind)
	}
	contains(t, got, append(says, "list the workers: ", err.Error())...)
	if again := database.Explain(fmt.Errorf("once more: %w", got)); strings.Count(again.Error(), says[0]) != 1 {
		t.Errorf("explained twice: %v", again)
	}
}

func TestExplainPostgres(t *testing.T) {
	ctx := t.Context()
	fixture := testdb.EmptyPostgres(t)
	db, other := open(t, fixture.URL), open(t, fixture.URL)
	db.SetMaxOpenConns(1)
	run(t, db, "CREATE TABLE t (x int)")

	_, err := db.ExecContext(ctx, "BEGIN READ ONLY; INSERT INTO t VALUES (1)")
	explains(t, err, database.ErrReadOnly, "default_transaction_read_only")
	run(t, db, "ROLLBACK")

	tx, err := other.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(ctx, "LOCK TABLE t"); err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(ctx, "SET lock_timeout = 50; SELECT x FROM t")
	explains(t, err, database.ErrLocked, "try again")
	_ = tx.Rollback()

	var pid int
	if err := db.NewRaw("SELECT pg_backend_pid()").Scan(ctx, &pid); err != nil {
		t.Fatal(err)
	}
	held, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(ctx, "SELECT pg_terminate_backend(?, 5000)", pid); err != nil {
		t.Fatal(err)
	}
	_, err = held.ExecContext(ctx, "SELECT 1")
	explains(t, err, database.ErrUnreachable, "try again")
}

func TestExplainLeavesOthersAlone(t *testing.T) {
	_, opened := database.Open(t.Context(), "postgres://h:1/db?connect_timeout=1&host=/no/such/folder")
	_, wrong := open(t, database.Memory).ExecContext(t.Context(), "SELECT nonsense")
	for _, err := range []error{nil, opened, wrong, sql.ErrNoRows, context.Canceled} {
		if got := database.Explain(err); got != err {
			t.Errorf("Explain(%v) = %v", err, got)
		}
	}
}

func TestClassifyLeavesOtherErrorsAlone(t *testing.T) {
	db := open(t, database.Memory)
	_, err := db.ExecContext(t.Context(), "SELECT nonsense FROM nowhere")
	for _, err := range []error{nil, err, sql.ErrNoRows, context.Canceled} {
		if got := database.Classify(err); got != nil {
			t.Errorf("Classify(%v) = %v, want nil", err, got)
		}
	}
}
