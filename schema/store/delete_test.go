package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/store"
)

// owned makes a pack and one runtime of it, pack.name, and returns their ids.
func owned(t *testing.T, e env, packRef string) (packID, runtimeID int64) {
	t.Helper()
	p := pack(packRef)
	if err := e.Packs.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	r := aRuntime(packRef + ".ruby")
	r.Pack, r.PackRef = &p.ID, &p.Ref
	if err := e.Runtimes.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return p.ID, r.ID
}

const (
	addAction = `INSERT INTO {schema}.action (ref, pack, pack_ref, label, entrypoint, runtime) VALUES (?, ?, 'p', 'l', 'e', ?)`
	addSensor = `INSERT INTO {schema}.sensor (ref, pack, label, entrypoint, runtime, runtime_ref) VALUES (?, ?, 'l', 'e', ?, 'r')`
	addWorker = `INSERT INTO {schema}.worker (name, worker_type, runtime) VALUES (?, 'local', ?)`
)

func count(t *testing.T, e env, table string) int {
	t.Helper()
	return value[int](t, e, "SELECT count(*) FROM {schema}."+table)
}

func TestDeleteRuntimeThatIsReferenced(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		packID, id := owned(t, e, "acme")
		if err := e.RuntimeVersions.Create(t.Context(), &schema.RuntimeVersion{Runtime: id, Version: "3.1"}); err != nil {
			t.Fatal(err)
		}
		steps := []struct {
			add, del, message string
			args              []any
		}{
			{addSensor, "sensor", "1 row of sensor (acme.s1)", []any{"acme.s1", nil, id}},
			{addAction, "action", "1 row of action (acme.a1)", []any{"acme.a1", packID, id}},
			{addWorker, "worker", "1 row of worker (w)", []any{"w", id}},
		}
		for _, s := range steps {
			e.exec(t, s.add, s.args...)
			wantError(t, e.Runtimes.Delete(t.Context(), "acme.ruby"), "referenced",
				`delete runtime "acme.ruby": still referenced by `+s.message)
			if n := count(t, e, s.del); n != 1 {
				t.Errorf("%d rows of %s are left, want 1", n, s.del)
			}
			e.exec(t, "DELETE FROM {schema}."+s.del)
		}
		e.exec(t, addSensor, "acme.s1", packID, id)
		e.exec(t, addSensor, "acme.s2", packID, id)
		e.exec(t, addAction, "acme.a1", packID, id)
		wantError(t, e.Runtimes.Delete(t.Context(), "acme.ruby"), "referenced",
			`delete runtime "acme.ruby": still referenced by 1 row of action (acme.a1), 2 rows of sensor (acme.s1, acme.s2)`)
		e.exec(t, "DELETE FROM {schema}.sensor")
		e.exec(t, "DELETE FROM {schema}.action")
		if err := e.Runtimes.Delete(t.Context(), "acme.ruby"); err != nil {
			t.Fatal(err)
		}
		if r, v := count(t, e, "runtime"), count(t, e, "runtime_version"); r != 0 || v != 0 {
			t.Errorf("%d runtimes and %d versions are left, want none", r, v)
		}
	})
}

// TestDeletePack checks that Delete names the rows that the database would delete with a
// pack, the pack's own rows included, and refuses until they are deleted.
func TestDeletePack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		acme, ruby := owned(t, e, "acme")
		e.exec(t, addSensor, "acme.s", acme, ruby)
		e.exec(t, addAction, "acme.a", acme, ruby)
		e.exec(t, addWorker, "w", ruby)
		target := ""
		if e.postgres {
			target = "{schema}."
		}
		e.exec(t, "CREATE TABLE {schema}.lease (pack bigint REFERENCES "+target+"pack (id) ON DELETE CASCADE, action bigint REFERENCES "+target+"action (id) ON DELETE CASCADE)")
		e.exec(t, "INSERT INTO {schema}.lease SELECT pack, id FROM {schema}.action")
		left := []string{"1 row of action (acme.a)", "1 row of lease", "1 row of runtime (acme.ruby)", "1 row of sensor (acme.s)"}
		for _, gone := range []string{"", "lease", "worker", "action", "sensor", "runtime"} {
			if gone != "" {
				e.exec(t, "DELETE FROM {schema}."+gone)
			}
			left = slices.DeleteFunc(left, func(r string) bool { return strings.HasPrefix(r, "1 row of "+gone) && gone != "" })
			if len(left) > 0 {
				wantError(t, e.Packs.Delete(t.Context(), "acme"), "referenced", `delete pack "acme": still referenced by `+strings.Join(left, ", "))
			}
		}
		if err := e.Packs.Delete(t.Context(), "acme"); err != nil {
			t.Fatal(err)
		}
		if n := count(t, e, "pack"); n != 0 {
			t.Errorf("%d packs are left", n)
		}
	})
}

// Somebody else's table forbids by its foreign key, and his transaction goes on.
func TestDeleteMeetsForeignKeyOfOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		_, id := owned(t, e, "acme")
		// SQLite takes no schema in the name that a foreign key refers to.
		target := "runtime"
		if e.postgres {
			target = "{schema}.runtime"
		}
		e.exec(t, "CREATE TABLE {schema}.license (runtime bigint REFERENCES "+target+" (id))")
		e.exec(t, "INSERT INTO {schema}.license VALUES (?)", id)
		err := e.RunInTx(t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
			st := store.New(tx, store.Config{Schema: e.schema})
			wantError(t, st.Runtimes.Delete(ctx, "acme.ruby"), "referenced", `delete runtime "acme.ruby": still referenced by 1 row of license`)
			wantError(t, st.Packs.Delete(ctx, "acme"), "referenced", `delete pack "acme": still referenced by 1 row of runtime (acme.ruby)`)
			wantError(t, st.Packs.Create(ctx, pack("acme")), "duplicate", `insert pack "acme": duplicate ref`)
			return st.Packs.Create(ctx, pack("next"))
		})
		if err != nil {
			t.Errorf("the transaction did not go on: %v", err)
		}
		if n := count(t, e, "pack"); n != 2 {
			t.Errorf("got %d packs, want 2", n)
		}
	})
}

// TestDeleteSparesTablesOfOthers checks that Delete refuses if the database would also delete
// rows of other tables, directly or through versions, but not if it would set them NULL.
func TestDeleteSparesTablesOfOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		_, id := owned(t, e, "acme")
		v := &schema.RuntimeVersion{Runtime: id, Version: "3.1"}
		if err := e.RuntimeVersions.Create(t.Context(), v); err != nil {
			t.Fatal(err)
		}
		e.exec(t, addWorker, "w", nil)
		worker := value[int64](t, e, "SELECT id FROM {schema}.worker")
		target := ""
		if e.postgres {
			target = "{schema}."
		}
		for _, sql := range []string{
			"CREATE TABLE {schema}.environment (name character varying(20), version bigint REFERENCES " + target + "runtime_version (id) ON DELETE CASCADE, " +
				"worker bigint REFERENCES " + target + "worker (id) ON DELETE SET NULL)",
			"CREATE TABLE {schema}.lease (runtime bigint REFERENCES " + target + "runtime (id) ON DELETE CASCADE, worker bigint REFERENCES " + target + "worker (id) ON DELETE CASCADE)",
		} {
			e.exec(t, sql)
		}
		e.exec(t, "INSERT INTO {schema}.environment VALUES ('venv-1', ?, ?)", v.ID, worker)
		refs, err := e.Workers.References(t.Context(), worker)
		if diff := cmp.Diff([]store.Reference{{Table: "environment", Columns: []string{"worker"}, Rows: 1, Examples: []string{"venv-1"}, OnDelete: store.OnDeleteSetNull}}, refs); err != nil || diff != "" {
			t.Errorf("references of the worker: %v (-want +got):\n%s", err, diff)
		}
		wantError(t, e.Runtimes.Delete(t.Context(), "acme.ruby"), "referenced",
			`delete runtime "acme.ruby": still referenced by 1 row of environment (venv-1)`)
		e.exec(t, "INSERT INTO {schema}.lease VALUES (?, ?)", id, worker)
		wantError(t, e.Runtimes.Delete(t.Context(), "acme.ruby"), "referenced",
			`delete runtime "acme.ruby": still referenced by 1 row of environment (venv-1), 1 row of lease`)
		err = e.Workers.Delete(t.Context(), worker)
		wantError(t, err, "referenced", fmt.Sprintf("delete worker %d: still referenced by 1 row of lease", worker))
		var referenced *store.ReferencedError
		if !errors.As(err, &referenced) || len(referenced.References) != 1 {
			t.Errorf("the error does not hold what refers: %v", err)
		}
		e.exec(t, "DELETE FROM {schema}.lease")
		if err := e.Workers.Delete(t.Context(), worker); err != nil {
			t.Fatal(err)
		}
		if n := value[int](t, e, "SELECT count(*) FROM {schema}.environment WHERE worker IS NULL"); n != 1 {
			t.Errorf("%d rows of environment are left, want 1", n)
		}
		wantError(t, e.Workers.Delete(t.Context(), worker), "not found", fmt.Sprintf("delete worker %d: not found", worker))
	})
}

// A sensor that is being written while its runtime or its pack is deleted is not lost.
func TestDeleteWaitsForSensorBeingWritten(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	_, id := owned(t, e, "acme")
	free := pack("free")
	if err := e.Packs.Create(t.Context(), free); err != nil {
		t.Fatal(err)
	}
	for name, one := range map[string]struct {
		pack   *int64
		remove func(ctx context.Context) error
	}{
		"runtime": {nil, func(ctx context.Context) error { return e.Runtimes.Delete(ctx, "acme.ruby") }},
		"pack":    {&free.ID, func(ctx context.Context) error { return e.Packs.Delete(ctx, "free") }},
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := e.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.NewRaw(`INSERT INTO attune.sensor (ref, pack, label, entrypoint, runtime, runtime_ref)
				VALUES (?, ?, 'l', 'e', ?, 'r')`, "stray."+name, one.pack, id).Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- one.remove(t.Context()) }()
			waitForLock(t, e)
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			wantError(t, <-done, "referenced", "delete "+name)
		})
	}
	if n := count(t, e, "sensor"); n != 2 {
		t.Errorf("%d sensors are left, want 2", n)
	}
}

// waitForLock returns when a connection to this database waits for a lock.
func waitForLock(t *testing.T, e env) {
	t.Helper()
	for {
		if value[int](t, e, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0 {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("nobody waits")
		case <-time.After(time.Millisecond):
		}
	}
}

// TestMayDelete: a file that cannot be written is refused before a deletion as by it, and
// asking writes nothing.
func TestMayDelete(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		owned(t, e, "acme")
		for what, may := range map[string]func(context.Context) error{"packs": e.Packs.MayDelete, "runtimes": e.Runtimes.MayDelete, "workers": e.Workers.MayDelete} {
			if err := may(t.Context()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if n := count(t, e, "runtime"); n != 1 {
			t.Errorf("%d runtimes are left", n)
		}
	})
	path := filepath.Join(t.TempDir(), "attune.db")
	db := open(t, "sqlite:"+path)
	m, err := migrations.New(db, migrations.Config{})
	if err == nil {
		_, err = m.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	file, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	st := store.New(bun.NewDB(file, sqlitedialect.New()), store.Config{})
	for what, err := range map[string]error{
		"packs": st.Packs.MayDelete(t.Context()), "runtimes": st.Runtimes.MayDelete(t.Context()), "workers": st.Workers.MayDelete(t.Context()),
	} {
		if got := database.Classify(err); !errors.Is(got, database.ErrReadOnly) {
			t.Errorf("%s of a file that cannot be written: %v, want ErrReadOnly", what, err)
		}
	}
}
