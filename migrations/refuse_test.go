package migrations_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// wantError checks the kind of an error, and that it contains what a user needs.
func wantError(t *testing.T, doing string, err, kind error, says ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("%s: %v, want %v", doing, err, kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s does not say %q: %v", doing, s, err)
		}
	}
}

const shortly = 50 * time.Millisecond

func TestLockedByAnotherMigration(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		other := start(t, db, "VALUES ('"+migrations.Baseline)
		other.expect(t, "paused")
		_, err := migrator(t, db.DB, migrations.Config{LockTimeout: shortly}).Up(context.Background())
		if db.Dialect().Name() == dialect.PG {
			pid := count(t, db, "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND "+thisDatabase)
			wantError(t, "Up", err, migrations.ErrLocked, fmt.Sprintf("process %d (application ", pid), "its query: ", "pg_terminate_backend")
		} else {
			wantError(t, "Up", err, migrations.ErrLocked, "another process is writing to this file", "try again")
		}
		if _, err := io.WriteString(other.input, "go on\n"); err != nil {
			t.Fatal(err)
		}
		other.expect(t, fmt.Sprint("done ", len(ids)))
	})
}

func TestLockedTable(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	ctx := context.Background()
	legacy(t, db.DB, "platform")
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	run(t, tx, "SET LOCAL application_name = 'nightly report'", "SELECT * FROM platform.runtime")
	pid := count(t, tx, "SELECT pg_backend_pid()")

	res, err := migrator(t, db.DB, migrations.Config{LockTimeout: shortly}).Up(ctx)
	wantError(t, "Up", err, migrations.ErrLocked, fmt.Sprintf("process %d", pid), "nightly report", "platform.runtime")
	if len(res.Done) > 0 {
		t.Errorf("done = %+v, want nothing: a first up is one transaction", res.Done)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	up(t, db.DB, migrations.Config{LockTimeout: shortly})
}

// TestReadersWriteNothing: everything that only reads works if nothing can be written.
func TestReadersWriteNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, prepare := range map[string]func(t *testing.T, db testDB){
		"empty":            func(*testing.T, testDB) {},
		"legacy":           func(t *testing.T, db testDB) { legacy(t, db.DB, "platform") },
		"unified":          func(t *testing.T, db testDB) { up(t, db.DB, migrations.Config{}) },
		"unified by other": unifiedByOthers,
		"legacy by down": func(t *testing.T, db testDB) {
			up(t, db.DB, migrations.Config{})
			downTo(t, db.DB, migrations.UnifyRuntimes, migrations.Config{})
		},
		"one migration short": func(t *testing.T, db testDB) {
			up(t, db.DB, migrations.Config{})
			down(t, db.DB, migrations.Config{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := testdb.EmptyPostgres(t)
			prepare(t, db)
			run(t, db, "ALTER DATABASE "+strs(t, db, "SELECT current_database()")[0]+" SET default_transaction_read_only = on")
			fixed := open(t, db.URL)
			before := objects(t, db)
			m := migrator(t, fixed, migrations.Config{})
			st, err := m.Status(ctx)
			if err != nil {
				t.Errorf("Status: %v", err)
			}
			plan, err := m.Plan(ctx)
			if err != nil {
				t.Fatalf("Plan: %v", err)
			}
			pending := 0
			for _, s := range st.Migrations {
				if s.State == migrations.Pending {
					pending++
				}
			}
			if len(plan.Pending) != pending || plan.State != st.State || plan.Schema != st.Schema {
				t.Errorf("the plan %+v and the status %+v differ", plan, st)
			}
			if want := pending > 1 && st.State != migrations.StateEmpty && !plan.Guest; (plan.Unify != nil) != want {
				t.Errorf("the plan of unifying is %v, want one: %v", plan.Unify, want)
			}
			if _, err := m.PlanDown(ctx); err != nil && !errors.Is(err, migrations.ErrNothingApplied) {
				t.Errorf("PlanDown: %v", err)
			}
			if _, err := m.Check(ctx); (err == nil) != (pending == 0) {
				t.Errorf("Check with %d pending: %v", pending, err)
			}
			if _, err := migrations.Drift(ctx, fixed, ""); err != nil {
				t.Errorf("Drift: %v", err)
			}
			_, err = m.Up(ctx)
			wantError(t, "Up", err, migrations.ErrReadOnly, "default_transaction_read_only")
			if diff := cmp.Diff(before, objects(t, db)); diff != "" {
				t.Errorf("the catalog changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestReadOnlySQLite(t *testing.T) {
	t.Parallel()
	db := testdb.EmptySQLite(t)
	up(t, db.DB, migrations.Config{})
	down(t, db.DB, migrations.Config{})
	pool, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(db.URL, "sqlite:")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	m := migrator(t, bun.NewDB(pool, sqlitedialect.New()), migrations.Config{})
	if p, err := m.Plan(context.Background()); err != nil || len(p.Pending) != 1 {
		t.Errorf("Plan = %+v, %v; want one pending", p, err)
	}
	_, err = m.Up(context.Background())
	wantError(t, "Up", err, migrations.ErrReadOnly, "permissions of the file")
}

// asRole returns a connection to db that acts as a new role without privileges of its own.
func asRole(t *testing.T, db testDB) (*bun.DB, string) {
	t.Helper()
	role := "attune_test_" + strings.ToLower(rand.Text()[:12])
	run(t, db, "CREATE ROLE "+role)
	t.Cleanup(func() { run(t, db, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	other := open(t, db.URL)
	other.SetMaxOpenConns(1)
	run(t, other, "SET ROLE "+role)
	return other, role
}

func TestMissingPrivileges(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	t.Run("to create a schema", func(t *testing.T) {
		db := testdb.EmptyPostgres(t)
		other, _ := asRole(t, db)
		before := objects(t, db)
		_, err := migrator(t, other, migrations.Config{Schema: "attune"}).Up(ctx)
		wantError(t, "Up", err, migrations.ErrPrivilege, "create the schema", "permission denied for database")
		if diff := cmp.Diff(before, objects(t, db)); diff != "" {
			t.Errorf("the catalog changed (-before +after):\n%s", diff)
		}
	})
	t.Run("to look into the schema", func(t *testing.T) {
		db := testdb.EmptyPostgres(t)
		legacy(t, db.DB, "platform")
		other, role := asRole(t, db)
		_, err := migrator(t, other, migrations.Config{}).Check(ctx)
		wantError(t, "Check", err, migrations.ErrPrivilege, `GRANT USAGE ON SCHEMA "platform"`)
		run(t, db, "GRANT USAGE ON SCHEMA platform TO "+role)
		_, err = migrator(t, other, migrations.Config{}).Check(ctx)
		wantError(t, "Check", err, migrations.ErrNotMigrated)
	})
	t.Run("a schema that is closed to the role is not its installation", func(t *testing.T) {
		db := testdb.EmptyPostgres(t)
		legacy(t, db.DB, "theirs")
		legacy(t, db.DB, "ours")
		other, role := asRole(t, db)
		run(t, db, "GRANT USAGE ON SCHEMA ours TO "+role)
		if schema, err := migrations.FindSchema(ctx, other); err != nil || schema != "ours" {
			t.Errorf("FindSchema = %q, %v; want ours", schema, err)
		}
	})
	t.Run("to read the records", func(t *testing.T) {
		db := testdb.Postgres(t)
		other, _ := asRole(t, db)
		_, err := migrator(t, other, migrations.Config{}).Check(ctx)
		wantError(t, "Check", err, migrations.ErrPrivilege, `GRANT SELECT ON "public"."attune_migrations"`)
	})
}

// TestServicesOfThePlatformMayCheck: a role that reads the runtimes of an adopted database can check it,
// and its owner can migrate it.
func TestServicesOfThePlatformMayCheck(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := testdb.EmptyPostgres(t)
	legacy(t, db.DB, "platform")
	service, reader := asRole(t, db)
	owned, owner := asRole(t, db)
	run(t, db, "GRANT CREATE, USAGE ON SCHEMA platform TO "+owner, "GRANT USAGE ON SCHEMA platform TO "+reader)
	for _, table := range []string{"pack", "runtime", "action", "sensor", "worker"} {
		run(t, db, "ALTER TABLE platform."+table+" OWNER TO "+owner, "GRANT SELECT ON platform."+table+" TO "+reader)
	}
	for _, enum := range []string{"runtime_type_enum", "worker_type_enum", "worker_status_enum", "worker_role_enum"} {
		run(t, db, "ALTER TYPE platform."+enum+" OWNER TO "+owner)
	}
	up(t, db.DB, migrations.Config{}) // as the superuser
	if _, err := migrator(t, service, migrations.Config{}).Check(ctx); err != nil {
		t.Errorf("Check as a reader of runtime: %v", err)
	}
	downTo(t, owned, migrations.Baseline, migrations.Config{})
}

// cutHook ends the migrating session from outside before a statement.
type cutHook struct {
	before string
	cut    func()
}

func (h *cutHook) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if strings.Contains(e.Query, h.before) {
		h.cut()
	}
	return ctx
}

func (h *cutHook) AfterQuery(context.Context, *bun.QueryEvent) {}

func TestConnectionLostHalfWay(t *testing.T) {
	t.Parallel()
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			db := testdb.EmptyPostgres(t)
			if id != migrations.Baseline {
				up(t, db.DB, migrations.Config{})
				downTo(t, db.DB, id, migrations.Config{})
			}
			before := objects(t, db)
			cut := func() {
				run(t, db, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "+thisDatabase)
			}
			lost := open(t, db.URL).WithQueryHook(&cutHook{"VALUES ('" + id, cut})
			_, err := migrator(t, lost, migrations.Config{}).Up(context.Background())
			if err == nil || !strings.Contains(err.Error(), "record "+id) {
				t.Fatalf("Up: %v, want the lost connection with the step", err)
			}
			waitForNoSessions(t, db)
			if diff := cmp.Diff(before, objects(t, db)); diff != "" {
				t.Fatalf("the lost connection left things (-before +after):\n%s", diff)
			}
			up(t, db.DB, migrations.Config{})
		})
	}
}

func TestCancelledHalfWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db testDB) {
		before := objects(t, db)
		ctx, cancel := context.WithCancel(context.Background())
		hooked := open(t, db.URL).WithQueryHook(&cutHook{"VALUES ('" + migrations.Baseline, cancel})
		_, err := migrator(t, hooked, migrations.Config{}).Up(ctx)
		wantError(t, "Up", err, context.Canceled)
		waitForNoSessions(t, db)
		if diff := cmp.Diff(before, objects(t, db)); diff != "" {
			t.Fatalf("the cancelled migration left things (-before +after):\n%s", diff)
		}
		up(t, db.DB, migrations.Config{})
	})
}

// TestNamesOfGuards checks that a platform's own trigger or function with the name of a guard is refused instead of replaced.
func TestNamesOfGuards(t *testing.T) {
	t.Parallel()
	for want, statement := range map[string]string{
		"trigger attune_guard_distributions of table runtime": `CREATE TRIGGER attune_guard_distributions BEFORE INSERT ON platform.runtime
			FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
		"function attune_guard_runtime_name": `CREATE FUNCTION platform.attune_guard_runtime_name() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
	} {
		t.Run(want, func(t *testing.T) {
			db := testdb.EmptyPostgres(t)
			legacy(t, db.DB, "platform")
			run(t, db, statement)
			before := objects(t, db)
			m := migrator(t, db.DB, migrations.Config{})
			_, err := m.Plan(t.Context())
			wantError(t, "Plan", err, migrations.ErrMixed, "the name of the "+want+" is taken")
			_, err = m.Up(t.Context())
			wantError(t, "Up", err, migrations.ErrMixed, "the name of the "+want+" is taken")
			if diff := cmp.Diff(before, objects(t, db)); diff != "" {
				t.Errorf("the catalog changed (-before +after):\n%s", diff)
			}
		})
	}
}
