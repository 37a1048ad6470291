package database_test

import (
	"context"
	"database/sql"
	neturl "net/url"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
)

// TestTransactionsAreLimited checks that the server ends the transaction of a silent client,
// and that no session keeps the setting: behind a pooler other clients would get it.
func TestTransactionsAreLimited(t *testing.T) {
	url := testdb.EmptyPostgres(t).URL
	setting := func(db bun.IDB) string {
		t.Helper()
		var value string
		if err := db.NewRaw("SHOW idle_in_transaction_session_timeout").Scan(t.Context(), &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	within := func(db *bun.DB, opts *sql.TxOptions) (value, level string) {
		t.Helper()
		err := db.RunInTx(t.Context(), opts, func(ctx context.Context, tx bun.Tx) error {
			value = setting(tx)
			return tx.NewRaw("SHOW transaction_isolation").Scan(ctx, &level)
		})
		if err != nil {
			t.Fatal(err)
		}
		return value, level
	}
	db := open(t, url)
	db.SetMaxOpenConns(1)
	before := setting(db)
	if value, level := within(db, nil); value != "30s" || level != "read committed" {
		t.Errorf("within a transaction: %s, %s", value, level)
	}
	if value, level := within(db, &sql.TxOptions{Isolation: sql.LevelSerializable}); value != "30s" || level != "serializable" {
		t.Errorf("within one that is serializable: %s, %s", value, level)
	}
	if after := setting(db); after != before || after == "30s" {
		t.Errorf("the session had %s before, and has %s", before, after)
	}
	if value, _ := within(open(t, withParameter(t, url, "idle_in_transaction_session_timeout", "7s")), nil); value != "7s" {
		t.Errorf("with a value in the URL: %s", value)
	}
}

// TestTransactionIsRolledBack checks that a failed transaction leaves the connection usable.
func TestTransactionIsRolledBack(t *testing.T) {
	db := open(t, testdb.EmptyPostgres(t).URL)
	db.SetMaxOpenConns(1)
	ctx := t.Context()
	if _, err := db.ExecContext(ctx, "CREATE TABLE t (a int)"); err != nil {
		t.Fatal(err)
	}
	for _, last := range []string{"SELECT 1/0", "SELECT 1"} {
		err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if _, err := tx.ExecContext(ctx, "INSERT INTO t VALUES (1)"); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, last); err != nil {
				return err
			}
			return context.Canceled
		})
		if err == nil {
			t.Error("no error")
		}
	}
	if n, err := db.NewSelect().Table("t").Count(ctx); err != nil || n != 0 {
		t.Errorf("%d rows, %v; want none", n, err)
	}
}

func withParameter(t *testing.T, url, key, value string) string {
	t.Helper()
	u, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}
