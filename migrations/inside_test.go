package migrations_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// TestUpInsideUnifies unifies a legacy schema in a transaction of the platform, which has
// written to the tables before and goes on afterwards. A rollback brings everything back.
func TestUpInsideUnifies(t *testing.T) {
	db := testdb.EmptyPostgres(t)
	legacy(t, db.DB, "public")
	run(t, db, `ALTER TABLE sensor ADD CONSTRAINT later FOREIGN KEY (runtime) REFERENCES runtime (id) DEFERRABLE INITIALLY DEFERRED`,
		`INSERT INTO runtime (ref, name, runtime_type, distributions) VALUES ('core.action.python', 'Python', 'action', '{}'),
			('core.sensor.python', 'Python', 'sensor', '{}')`,
		`INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) SELECT 'acme.watch', 'Watch', 'watch.py', id, ref FROM runtime
			WHERE ref = 'core.sensor.python'`)
	before := objects(t, db)
	for _, commit := range []bool{false, true} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		run(t, tx, `INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref)
			SELECT 'acme.later', 'Later', 'later.py', runtime, runtime_ref FROM sensor`) // its key is checked later
		m, err := migrations.New(tx, migrations.Config{})
		if err != nil {
			t.Fatal(err)
		}
		res, err := m.Up(t.Context())
		if err != nil || res.Unify == nil || res.Before != migrations.StateLegacy {
			t.Fatalf("%+v, %v", res, err)
		}
		if status, err := m.Status(t.Context()); err != nil || !status.AsExpected() {
			t.Fatalf("%+v, %v", status, err)
		}
		run(t, tx, "INSERT INTO runtime (ref, name) VALUES ('acme.cobol', 'COBOL')")
		if commit {
			err = tx.Commit()
		} else {
			err = tx.Rollback()
		}
		if err != nil {
			t.Fatal(err)
		}
		if same := cmp.Equal(before, objects(t, db)); same == commit {
			t.Errorf("commit is %v and the objects are the same: %v", commit, same)
		}
	}
}

// TestUpInsideLocked checks that a lock which is held elsewhere is named, and that the
// platform's transaction goes on.
func TestUpInsideLocked(t *testing.T) {
	db := testdb.EmptyPostgres(t)
	other, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	holder, err := migrations.New(other, migrations.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	run(t, tx, "CREATE TABLE job (id int)")
	m, err := migrations.New(tx, migrations.Config{LockTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Up(t.Context()); !errors.Is(err, migrations.ErrLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
	run(t, tx, "INSERT INTO job VALUES (1)")
}

// TestUpInsideGuest moves into a platform's schema in a transaction of the platform.
func TestUpInsideGuest(t *testing.T) {
	db := platform.New(t, platform.A)
	before := platform.Snapshot(t, db)
	for _, commit := range []bool{false, true} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		run(t, tx, "ALTER TABLE attune.worker ADD COLUMN os text")
		m, err := migrations.New(tx, migrations.Config{Schema: "attune"})
		if err != nil {
			t.Fatal(err)
		}
		if res, err := m.Up(t.Context()); err != nil || len(res.Done) == 0 || res.Before != migrations.StateUnified {
			t.Fatalf("%+v, %v", res, err)
		}
		if status, err := m.Status(t.Context()); err != nil || !status.Guest || !status.AsExpected() {
			t.Fatalf("%+v, %v", status, err)
		}
		if !commit {
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, platform.Snapshot(t, db)); diff != "" {
				t.Errorf("after the rollback (-before +after):\n%s", diff)
			}
			continue
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := migrator(t, db.DB, migrations.Config{Schema: "attune"}).Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
