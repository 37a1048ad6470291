package transaction_test

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	bunschema "github.com/uptrace/bun/schema"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database/transaction"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A platform is a transaction that a platform began, with its own way to run statements.
type platform struct {
	bun.IDB

	exec     func(query string) error
	commit   func() error
	rollback func() error
}

// kinds lists how platforms begin transactions.
var kinds = map[string]func(t *testing.T, db *testdb.DB, opts *sql.TxOptions) platform{
	"database/sql": func(t *testing.T, db *testdb.DB, opts *sql.TxOptions) platform {
		return fromSQL(t, db.DB.DB, opts, pgdialect.New())
	},
	"pgx": func(t *testing.T, db *testdb.DB, opts *sql.TxOptions) platform {
		conn, err := pgx.Connect(t.Context(), db.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
		return fromPgx(t, conn, opts)
	},
	"pgxpool": func(t *testing.T, db *testdb.DB, opts *sql.TxOptions) platform {
		pool, err := pgxpool.New(t.Context(), db.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return fromPgx(t, pool, opts)
	},
}

func fromSQL(t *testing.T, db *sql.DB, opts *sql.TxOptions, dialect bunschema.Dialect) platform {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	joined, err := transaction.FromSQL(t.Context(), tx, dialect)
	if err != nil {
		t.Fatal(err)
	}
	return platform{joined, func(query string) error { _, err := tx.ExecContext(t.Context(), query); return err }, tx.Commit, tx.Rollback}
}

func fromPgx(t *testing.T, db interface {
	BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error)
}, opts *sql.TxOptions,
) platform {
	t.Helper()
	options := pgx.TxOptions{}
	if opts != nil && opts.ReadOnly {
		options.AccessMode = pgx.ReadOnly
	}
	if opts != nil && opts.Isolation == sql.LevelRepeatableRead {
		options.IsoLevel = pgx.RepeatableRead
	}
	tx, err := db.BeginTx(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	joined, release, err := transaction.FromPgx(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return platform{
		joined, func(query string) error { _, err := tx.Exec(t.Context(), query); return err },
		func() error { return tx.Commit(t.Context()) }, func() error { return tx.Rollback(t.Context()) },
	}
}

// work writes by the platform's own statements and by attune's, with an error that the
// transaction survives.
func work(t *testing.T, tx platform) {
	t.Helper()
	if err := tx.exec("CREATE TABLE job (worker bigint); INSERT INTO job VALUES (7)"); err != nil {
		t.Fatal(err)
	}
	st := store.New(tx, store.Config{})
	if _, err := install.Load(t.Context(), tx, store.Config{}, packs.Core(), install.Options{}); err != nil {
		t.Fatal(err)
	}
	worker, _, err := st.Workers.Register(t.Context(), store.Registration{
		Name: "build-7", Role: metadata.Worker, Instance: new("1"), HeartbeatInterval: new(10),
		Capabilities: capabilities("3.12.1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.Workers.Register(t.Context(), store.Registration{
		Name: "build-7", Role: metadata.Worker, Instance: new("2"), HeartbeatInterval: new(10),
	}); !errors.Is(err, store.ErrLive) {
		t.Errorf("a second instance: %v, want ErrLive", err)
	}
	if _, err := st.Workers.Heartbeat(t.Context(), worker.ID, "1"); err != nil {
		t.Errorf("heartbeat: %v", err)
	}
	found, err := st.Workers.Having(t.Context(), "core.python", store.HavingFilter{})
	if err != nil || len(found) != 1 || found[0].Version != "3.12.1" {
		t.Errorf("within the transaction %+v have Python, %v", found, err)
	}
	if err := tx.exec("INSERT INTO job SELECT id FROM worker"); err != nil {
		t.Errorf("the platform's own statement after attune's: %v", err)
	}
}

// capabilities has Python in one version.
func capabilities(version string) *store.Capabilities {
	return &store.Capabilities{
		Document: []byte(`{"runtimes":["python"]}`),
		Runtimes: []schema.WorkerRuntime{{
			RuntimeRef: "core.python", Name: "python", Outcome: schema.OutcomeAvailable, Source: "verified",
			Version: version, Path: "/usr/bin/python3", VerifiedAt: new(time.Now()),
		}},
	}
}

func TestStore(t *testing.T) {
	for name, begin := range kinds {
		t.Run(name, func(t *testing.T) {
			db := testdb.Postgres(t)
			count := func() (n int) {
				t.Helper()
				err := db.NewRaw(`SELECT (SELECT count(*) FROM worker) + (SELECT count(*) FROM runtime)
					+ (SELECT count(*) FROM pg_class WHERE relname = 'job')`).Scan(t.Context(), &n)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			tx := begin(t, db, nil)
			work(t, tx)
			if err := tx.rollback(); err != nil || count() != 0 {
				t.Errorf("after the rollback %d things are left, %v", count(), err)
			}
			tx = begin(t, db, nil)
			work(t, tx)
			if count() != 0 {
				t.Error("others see what was not committed")
			}
			if err := tx.commit(); err != nil {
				t.Fatal(err)
			}
			if want := 1 + len(packs.Core().Definitions) + 1; count() != want {
				t.Errorf("after the commit %d rows and tables are there, want %d", count(), want)
			}
			if _, err := store.New(tx, store.Config{}).Runtimes.ByRef(t.Context(), "core.python"); err == nil {
				t.Error("a statement after the transaction succeeded")
			}
		})
	}
}

// TestMigrations checks that a platform's transaction takes all migrations, and has its own
// settings afterwards.
func TestMigrations(t *testing.T) {
	for name, begin := range kinds {
		t.Run(name, func(t *testing.T) {
			db := testdb.EmptyPostgres(t)
			schemas := func() (n int) {
				t.Helper()
				if err := db.NewRaw("SELECT count(*) FROM pg_namespace WHERE nspname IN ('attune', 'shop')").Scan(t.Context(), &n); err != nil {
					t.Fatal(err)
				}
				return n
			}
			migrate := func(tx platform) *migrations.Migrator {
				t.Helper()
				if err := tx.exec("CREATE SCHEMA shop; SET LOCAL search_path = shop; SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '7s'"); err != nil {
					t.Fatal(err)
				}
				before := settings(t, tx)
				m, err := migrations.New(tx.IDB, migrations.Config{Schema: "attune"})
				if err != nil {
					t.Fatal(err)
				}
				if plan, err := m.Plan(t.Context()); err != nil || len(plan.Pending) == 0 {
					t.Fatal(plan, err)
				}
				if res, err := m.Up(t.Context()); err != nil || len(res.Done) == 0 || !res.Guards {
					t.Fatal(res, err)
				}
				if status, err := m.Status(t.Context()); err != nil || !status.AsExpected() {
					t.Fatal(status, err)
				}
				if diff := cmp.Diff(before, settings(t, tx)); diff != "" {
					t.Errorf("settings of the transaction (-before +after):\n%s", diff)
				}
				if err := tx.exec("CREATE TABLE job (id int)"); err != nil { // in shop
					t.Fatal(err)
				}
				return m
			}
			tx := begin(t, db, nil)
			migrate(tx)
			if err := tx.rollback(); err != nil || schemas() != 0 {
				t.Errorf("after the rollback %d schemas are left, %v", schemas(), err)
			}
			tx = begin(t, db, nil)
			m := migrate(tx)
			if _, err := m.Down(t.Context()); err != nil {
				t.Errorf("Down: %v", err)
			}
			if _, err := m.Up(t.Context()); err != nil {
				t.Errorf("Up again: %v", err)
			}
			if err := tx.commit(); err != nil || schemas() != 2 {
				t.Fatalf("after the commit %d schemas are there, %v", schemas(), err)
			}
			own, err := migrations.New(db, migrations.Config{Schema: "attune"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := own.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func settings(t *testing.T, db bun.IDB) (values []string) {
	t.Helper()
	err := db.NewRaw(`SELECT name || '=' || current_setting(name) FROM unnest(ARRAY['search_path', 'lock_timeout', 'statement_timeout',
		'idle_in_transaction_session_timeout', 'TimeZone', 'row_security', 'jit']) AS name`).Scan(t.Context(), &values)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// TestMigrationsRefuse checks that a migration is refused where the transaction cannot take it,
// and that the transaction goes on.
func TestMigrationsRefuse(t *testing.T) {
	for name, begin := range kinds {
		t.Run(name, func(t *testing.T) {
			db := testdb.EmptyPostgres(t)
			for want, opts := range map[string]sql.TxOptions{
				"the migration cannot run in this transaction: its isolation must be read committed, got repeatable read": {Isolation: sql.LevelRepeatableRead},
				"the migration cannot run in this transaction: the database is read-only: it is read-only":                {ReadOnly: true},
			} {
				tx := begin(t, db, &opts)
				m, err := migrations.New(tx.IDB, migrations.Config{})
				if err != nil {
					t.Fatal(err)
				}
				_, err = m.Up(t.Context())
				if !errors.Is(err, migrations.ErrTransaction) || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("Up: %v, want %s", err, want)
				}
				if plan, err := m.Plan(t.Context()); err != nil || len(plan.Pending) == 0 {
					t.Errorf("Plan: %+v, %v", plan, err)
				}
				if err := tx.exec("SELECT 1"); err != nil {
					t.Errorf("the platform's next statement: %v", err)
				}
				_ = tx.rollback()
			}
		})
	}
}

// TestSQLite checks the store and the migrations in a transaction on SQLite.
func TestSQLite(t *testing.T) {
	db := testdb.EmptySQLite(t)
	tables := func() (n int) {
		t.Helper()
		if err := db.NewRaw("SELECT count(*) FROM sqlite_master WHERE name IN ('worker', 'job')").Scan(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, end := range []func(platform) error{
		func(tx platform) error { return tx.rollback() },
		func(tx platform) error { return tx.commit() },
	} {
		if tables() != 0 {
			t.Fatal("the rollback left tables")
		}
		tx := fromSQL(t, db.DB.DB, nil, sqlitedialect.New())
		m, err := migrations.New(tx.IDB, migrations.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if res, err := m.Up(t.Context()); err != nil || len(res.Done) == 0 {
			t.Fatal(res, err)
		}
		if status, err := m.Status(t.Context()); err != nil || !status.AsExpected() {
			t.Fatal(status, err)
		}
		work(t, tx)
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
	}
	if tables() != 2 {
		t.Error("the commit left no tables")
	}
}

// TestValues holds the values of each type against those of pgx's stdlib.
func TestValues(t *testing.T) {
	const query = `SELECT true, 1::int2, -2::int4, 9007199254740993::int8, 1.5::float4, -0.1::float8, 'NaN'::float8, 12.340::numeric,
		'x'::text, 'y'::varchar, 'z'::name, '"c"'::"char", '\x00ff'::bytea, '{"a": 1.0}'::jsonb, '[1]'::json, 42::oid, '{a,"b c",NULL}'::text[],
		'2026-02-03'::date, '2026-02-03 04:05:06.789'::timestamp, '2026-02-03 04:05:06.789+02'::timestamptz, 'infinity'::timestamptz,
		'1 day'::interval, '0e37df36-f698-11e6-8dd4-cb9ced3df976'::uuid, NULL::int8, NULL::text, ''::text, ''::bytea`
	db := testdb.EmptyPostgres(t)
	read := func(db bun.IDB) []any {
		t.Helper()
		rows, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil || !rows.Next() {
			t.Fatal(err, rows.Err())
		}
		values := make([]any, len(columns))
		for i := range values {
			values[i] = &values[i]
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		if rows.Next() || rows.Err() != nil {
			t.Error("a second row", rows.Err())
		}
		return values
	}
	want := read(db)
	for name, begin := range kinds {
		if diff := cmp.Diff(want, read(begin(t, db, nil)), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s (-stdlib +got):\n%s", name, diff)
		}
	}
}

// TestReleased checks that a released transaction of pgx goes on and leaves no goroutine.
func TestReleased(t *testing.T) {
	db := testdb.EmptyPostgres(t)
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for range 50 {
		joined, release, err := transaction.FromPgx(t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := joined.ExecContext(t.Context(), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		release()
		if _, err := joined.ExecContext(t.Context(), "SELECT 1"); err == nil {
			t.Error("a statement after release succeeded")
		}
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+5; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, before %d", runtime.NumGoroutine(), before)
		}
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := transaction.FromPgx(ended, tx); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	if _, err := transaction.FromSQL(ended, nil, pgdialect.New()); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
}

// TestExampleFromPgx runs what the example calls.
func TestExampleFromPgx(t *testing.T) {
	db := testdb.Postgres(t)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE host (name text PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	long := strings.Repeat("n", 10_000) // attune refuses such a name
	if register(t.Context(), pool, "build-7") != nil || register(t.Context(), pool, long) == nil {
		t.Error("build-7 was refused, or the long name was taken")
	}
	for _, query := range []string{"SELECT name FROM host", "SELECT name FROM worker"} {
		var names []string
		if err := db.NewRaw(query).Scan(t.Context(), &names); err != nil || len(names) != 1 || names[0] != "build-7" {
			t.Errorf("%s: %q, %v", query, names, err)
		}
	}
}
