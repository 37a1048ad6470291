package service_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// Every harness on Postgres works under the role of a worker, so that the other
// tests show that nothing is missing. Those here show that nothing is too much.

// beside registers another running worker and returns its row.
func (b *harness) beside(name string) *schema.Worker {
	b.Helper()
	interval := 600
	row, _, err := b.Workers.Register(b.Context(), store.Registration{
		Name: name, Role: metadata.Worker, Instance: new("i-" + name), HeartbeatInterval: &interval,
		Capabilities: &store.Capabilities{Document: json.RawMessage(`{"runtimes": ["alpha"]}`), Runtimes: []schema.WorkerRuntime{
			{RuntimeRef: "t.alpha", Name: "alpha", Outcome: schema.OutcomeAvailable, Version: "9.0.0", Path: "/opt/alpha"},
		}},
	})
	if err != nil {
		b.Fatal(err)
	}
	return row
}

// everything returns all rows about a worker as text.
func (b *harness) everything(schemaName, name string) string {
	b.Helper()
	var text string
	err := b.db.NewRaw(`SELECT jsonb_build_array(
			(SELECT jsonb_agg(w ORDER BY w.id) FROM ?0.worker w WHERE w.name = ?1 OR w.identity LIKE '%/' || ?1),
			(SELECT jsonb_agg(r ORDER BY r.id) FROM ?0.worker_runtime r JOIN ?0.worker w ON w.id = r.worker WHERE w.name = ?1),
			(SELECT jsonb_agg(c ORDER BY c.id) FROM ?0.capability_change c JOIN ?0.worker w ON w.id = c.worker WHERE w.name = ?1 OR c.worker_name = ?1))::text`,
		bun.Name(schemaName), name).Scan(b.Context(), &text)
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// An attempt is a statement of a hostile login.
type attempt struct {
	sql string
	// unseen reports whether the statement is allowed and matches no row.
	unseen bool
}

// harmless checks that attempts change nothing. In them OTHER is the id of the other worker,
// and OWN the id of the login's own.
func (b *harness) harmless(conn bun.IDB, schemaName string, other int64, attempts []attempt) {
	b.Helper()
	for _, a := range attempts {
		sql := bun.SafeQuery(strings.NewReplacer("{schema}", `"`+schemaName+`"`, "OTHER", "?0", "OWN", "?1", "NAME", "?2").Replace(a.sql), other, b.row().ID, b.name)
		result, err := conn.NewRaw("?", sql).Exec(b.Context())
		if a.unseen {
			if err != nil {
				b.Errorf("%s: %v", a.sql, err)
			} else if n, err := result.RowsAffected(); err != nil || n != 0 {
				b.Errorf("%s: %d rows, %v; want none", a.sql, n, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "42501") {
			b.Errorf("%s: %v; want it to be denied", a.sql, err)
		}
	}
}

func inSchemas(t *testing.T, test func(t *testing.T, db *testdb.DB)) {
	for _, name := range []string{"public", "attune"} {
		t.Run(name, func(t *testing.T) { test(t, testdb.Postgres(t, testdb.Schema(name))) })
	}
}

// TestLeastPrivilege runs a service from start to end under the worker role.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	inSchemas(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		m, err := migrations.New(opened(t, b.url), migrations.Config{Schema: db.Schema})
		if err != nil {
			t.Fatal(err)
		}
		if found, err := m.Check(t.Context()); err != nil || found != db.Schema {
			t.Fatalf("check: schema %q, %v", found, err)
		}
		cfg := b.config()
		cfg.IsPermanent = func(error) bool { return true }
		svc := b.start(cfg)
		b.step(svc)
		b.has("alpha@1.0.0", "beta@2.0.0")
		b.remove("alpha")
		b.install("beta", "echo beta 2.1.0")
		b.pass(svc, 2*round)
		b.has("beta@2.1.0")
		b.status(schema.WorkerActive)
		if svc.Away() || strings.Contains(b.log.String(), "denied") {
			t.Errorf("something was denied:\n%s", b.log)
		}
		svc.Leave(t.Context())
		b.status(schema.WorkerInactive)
	})
}

// TestOwnRowsAndNoMore checks that a host's login cannot change the rows of another host, the
// definitions or the history.
func TestOwnRowsAndNoMore(t *testing.T) {
	t.Parallel()
	inSchemas(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		b.step(b.start(b.config()))
		other := b.beside("other")
		before := b.everything(db.Schema, "other")
		conn := opened(t, b.url)
		b.harmless(conn, db.Schema, other.ID, []attempt{
			{sql: `UPDATE {schema}.worker SET status = 'inactive' WHERE name = 'other'`, unseen: true},
			{sql: `UPDATE {schema}.worker SET instance = 'mine', heartbeat_interval = NULL WHERE id = OTHER`, unseen: true},
			{sql: `UPDATE {schema}.worker SET capabilities = '{}' WHERE identity = 'action/other'`, unseen: true},
			{sql: `SELECT id FROM {schema}.worker WHERE name = 'other' FOR UPDATE`, unseen: true},
			{sql: `SELECT id FROM {schema}.worker WHERE name = 'other'`, unseen: true},
			{sql: `UPDATE {schema}.worker SET refresh_requested = now() WHERE id = OTHER`},
			{sql: `UPDATE {schema}.worker SET refresh_requested = now() WHERE id = OWN`},
			{sql: `DELETE FROM {schema}.worker WHERE id = OTHER`},
			{sql: `DELETE FROM {schema}.worker WHERE id = OWN`},
			{sql: `TRUNCATE {schema}.worker CASCADE`},
			{sql: `INSERT INTO {schema}.worker (name, worker_type, identity) VALUES ('other', 'local', 'sensor/other')`},
			// The identity is what registrations go by.
			{sql: `INSERT INTO {schema}.worker (name, worker_type, identity) VALUES (NAME, 'local', 'action/third')`},
			{sql: `INSERT INTO {schema}.worker (name, worker_type) VALUES (NAME, 'local')`},
			{sql: `UPDATE {schema}.worker SET identity = 'sensor/other' WHERE id = OWN`},
			{sql: `UPDATE {schema}.worker SET name = 'other' WHERE id = OWN`},
			{sql: `INSERT INTO {schema}.worker (id, name, worker_type, identity) VALUES (100, NAME, 'local', 'sensor/' || NAME)`},

			{sql: `INSERT INTO {schema}.worker_runtime (worker, runtime_ref, name, outcome) VALUES (OTHER, 't.evil', 'evil', 'available')`},
			{sql: `UPDATE {schema}.worker_runtime SET worker = OTHER WHERE worker = OWN`},
			{sql: `UPDATE {schema}.worker_runtime SET outcome = 'not_found' WHERE worker = OTHER`, unseen: true},
			{sql: `UPDATE {schema}.worker_runtime SET outcome = '' WHERE worker = OTHER`, unseen: true},
			{sql: `DELETE FROM {schema}.worker_runtime WHERE worker = OTHER`},
			{sql: `DELETE FROM {schema}.worker_runtime WHERE worker = OWN`},
			{sql: `INSERT INTO {schema}.worker_runtime (id, worker, runtime_ref, name, outcome) VALUES (1000, OWN, 't.x', 'x', 'available')`},

			{sql: `INSERT INTO {schema}.capability_change (worker, worker_name, worker_role, runtime_ref, name, kind) VALUES (OTHER, 'other', 'action', 't.alpha', 'alpha', 'lost')`},
			{sql: `INSERT INTO {schema}.capability_change (worker_name, worker_role, runtime_ref, name, kind) VALUES ('other', 'action', 't.alpha', 'alpha', 'lost')`},
			{sql: `INSERT INTO {schema}.capability_change (worker, worker_name, worker_role, runtime_ref, name, kind) VALUES (OTHER, NAME, 'action', 't.alpha', 'alpha', 'lost')`},
			{sql: `INSERT INTO {schema}.capability_change (id, worker, worker_name, worker_role, runtime_ref, name, kind) VALUES (1000, OWN, NAME, 'action', 't.alpha', 'alpha', 'lost')`},
			{sql: `INSERT INTO {schema}.capability_change (created, worker, worker_name, worker_role, runtime_ref, name, kind) VALUES ('2020-01-01', OWN, NAME, 'action', 't.alpha', 'alpha', 'lost')`},
			{sql: `UPDATE {schema}.capability_change SET kind = 'gained' WHERE worker = OWN`},
			{sql: `DELETE FROM {schema}.capability_change WHERE worker = OWN`},

			{sql: `UPDATE {schema}.runtime SET distributions = '{}'`},
			{sql: `INSERT INTO {schema}.runtime (ref, name) VALUES ('core.evil', 'Evil')`},
			{sql: `DELETE FROM {schema}.runtime`},
			{sql: `UPDATE {schema}.runtime_version SET version = '1'`},
			{sql: `UPDATE {schema}.pack SET label = 'x'`},
			{sql: `SELECT config FROM {schema}.pack`},
			{sql: `SELECT * FROM {schema}.sensor`},
			{sql: `SELECT * FROM {schema}.action`},
			{sql: `SELECT * FROM {schema}.available_runtime`},
			{sql: `UPDATE {schema}.worker_sweep SET swept = now()`},
			{sql: `UPDATE {schema}.attune_migrations SET program = 'x'`},
			{sql: `SELECT setval('{schema}.capability_change_id_seq', 1000000)`},
			{sql: `CREATE TABLE {schema}.mine (id int)`},
			{sql: `ALTER TABLE {schema}.worker DISABLE ROW LEVEL SECURITY`},
			{sql: `DROP POLICY attune_own ON {schema}.worker`},
		})

		// The same by way of the store.
		interval := 10
		own := b.own.Workers
		for _, takeover := range []bool{false, true} {
			_, _, err := own.Register(t.Context(), store.Registration{
				Name: "other", Role: metadata.Worker, Instance: new("mine"), HeartbeatInterval: &interval, Takeover: takeover,
			})
			if err == nil || !strings.Contains(err.Error(), "42501") {
				t.Errorf("register as the other, takeover %v: %v; want it to be denied", takeover, err)
			}
		}
		if _, err := own.Heartbeat(t.Context(), other.ID, *other.Instance); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("beat for the other: %v", err)
		}
		if err := own.Deactivate(t.Context(), other.ID, *other.Instance); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("deactivate the other: %v", err)
		}
		if _, err := own.Report(t.Context(), other.ID, *other.Instance, store.Capabilities{Document: json.RawMessage(`{"runtimes": []}`)}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("report for the other: %v", err)
		}
		if swept, err := own.Sweep(t.Context(), 0, store.HeartbeatSpan{}); err != nil || len(swept) != 0 {
			t.Errorf("a worker that beats was swept: %v, %v", swept, err)
		}
		if after := b.everything(db.Schema, "other"); after != before {
			t.Errorf("the other was\n%s\nand is\n%s", before, after)
		}
		b.has("alpha@1.0.0", "beta@2.0.0")
	})
}

// TestNobodyIsLockedOut checks that a host's login cannot lock tables.
func TestNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	inSchemas(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		b.step(b.start(b.config()))
		var tables []string
		err := b.db.NewRaw(`SELECT relname FROM pg_class WHERE relnamespace = ?::regnamespace AND relkind IN ('r', 'v') ORDER BY 1`,
			`"`+db.Schema+`"`).Scan(t.Context(), &tables)
		if err != nil || !slices.Contains(tables, "worker_runtime") || !slices.Contains(tables, "pack") {
			t.Fatalf("%q, %v", tables, err)
		}
		var locks []attempt
		for _, table := range tables {
			for _, mode := range []string{"ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"} {
				locks = append(locks, attempt{sql: `DO $$ BEGIN LOCK TABLE {schema}.` + table + ` IN ` + mode + ` MODE NOWAIT; END $$`})
			}
		}
		b.harmless(opened(t, b.url), db.Schema, 0, locks)
		b.harmless(opened(t, b.roles.Login(t, b.name+"-fleet", "attune_fleet")), db.Schema, 0, locks)
	})
}

// TestHeartbeatUnderThePolicy is one look-up by id, as without it.
func TestHeartbeatUnderThePolicy(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	b.step(b.start(b.config()))
	if _, err := b.db.ExecContext(t.Context(), "INSERT INTO worker (name, worker_type) SELECT 'w' || i, 'local' FROM generate_series(1, 5000) i; ANALYZE worker"); err != nil {
		t.Fatal(err)
	}
	var plan []string
	err := opened(t, b.url).NewRaw(`EXPLAIN UPDATE worker SET instance = instance
		WHERE id = ? AND instance = 'i' AND status <> 'inactive' RETURNING refresh_requested`, b.row().ID).Scan(t.Context(), &plan)
	text := strings.Join(plan, "\n")
	if err != nil || !strings.Contains(text, "Index Scan using worker_pkey") || !strings.Contains(text, "CURRENT_USER") || strings.Contains(text, "SubPlan") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestAnotherLoginOfAWorker is called otherwise, as an operator arranges it.
func TestAnotherLoginOfAWorker(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	b.step(b.start(b.config()))
	login := "login-of-" + b.name
	url := b.roles.Login(t, login, "attune_reader")
	for _, sql := range []string{`GRANT "` + b.name + `" TO "` + login + `"`, `ALTER ROLE "` + login + `" SET role TO "` + b.name + `"`} {
		if _, err := b.db.ExecContext(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	row := b.row()
	if _, err := store.New(opened(t, url), store.Config{}).Workers.Heartbeat(t.Context(), row.ID, *row.Instance); err != nil {
		t.Error(err)
	}
}

// TestFleetRole is of one login for many hosts: any worker's rows, and no
// definition.
func TestFleetRole(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	b.step(b.start(b.config()))
	other := b.beside("other")
	conn := opened(t, b.roles.Login(t, b.name+"-fleet", "attune_fleet"))
	if err := store.New(conn, store.Config{}).Workers.Deactivate(t.Context(), other.ID, *other.Instance); err != nil {
		t.Error(err)
	}
	b.harmless(conn, "public", other.ID, []attempt{
		{sql: `DELETE FROM worker`},
		{sql: `DELETE FROM worker_runtime`},
		{sql: `SELECT config FROM pack`},
		{sql: `UPDATE worker SET refresh_requested = now()`},
		{sql: `UPDATE runtime SET name = 'x'`},
		{sql: `INSERT INTO runtime_version (runtime, version, sort_key) VALUES (1, '1', '1')`},
		{sql: `UPDATE capability_change SET kind = 'gained'`},
		{sql: `DELETE FROM capability_change`},
		{sql: `INSERT INTO capability_change (id, worker_name, worker_role, runtime_ref, name, kind) VALUES (1000, 'other', 'action', 't.alpha', 'alpha', 'lost')`},
	})
}

// TestOperatorRole loads packs and asks workers to verify anew.
func TestOperatorRole(t *testing.T) {
	t.Parallel()
	b := newHarness(t, testdb.Postgres(t))
	b.step(b.start(b.config()))
	conn := opened(t, b.roles.Login(t, b.name+"-operator", "attune_operator"))
	if _, err := install.Load(t.Context(), conn, store.Config{}, packs.Core(), install.Options{}); err != nil {
		t.Fatal(err)
	}
	st := store.New(conn, store.Config{})
	if n, err := st.Workers.RequestRefresh(t.Context(), b.row().ID); err != nil || n != 1 {
		t.Errorf("refresh: %d, %v", n, err)
	}
	b.harmless(conn, "public", 0, []attempt{{sql: `UPDATE worker SET capabilities = '{}'`}})
	if err := st.Workers.Delete(t.Context(), b.row().ID); err != nil {
		t.Error(err)
	}
}

// platform gives a role of the platform's own, with rights on worker.
func platform(t *testing.T, db *testdb.DB) *bun.DB {
	t.Helper()
	name := "platform-" + strings.ToLower(rand.Text()[:10])
	r := testdb.MakeRoles(t, db, `DO $$ BEGIN CREATE ROLE attune_reader NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$; GRANT SELECT, UPDATE ON worker TO attune_reader`)
	return opened(t, r.Login(t, name, "attune_reader"))
}

// TestOthersAreNotHindered checks that the script changes nothing for the owner and for roles
// that it does not name.
func TestOthersAreNotHindered(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	app := platform(t, db)
	b := newHarness(t, db)
	b.step(b.start(b.config()))
	b.beside("other")
	for who, conn := range map[string]bun.IDB{"the platform": app, "the owner": db} {
		result, err := conn.ExecContext(t.Context(), "UPDATE worker SET meta = '{}'")
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 2 {
			t.Errorf("%s wrote %d rows, %v; want both", who, n, err)
		}
	}
}

// TestPoliciesOfOthersStay checks that the script's policies show nobody more than the
// platform's own policies do.
func TestPoliciesOfOthersStay(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	app := platform(t, db)
	if _, err := db.ExecContext(t.Context(), `ALTER TABLE worker ENABLE ROW LEVEL SECURITY; CREATE POLICY zone ON worker USING (name = 'other')`); err != nil {
		t.Fatal(err)
	}
	b := newHarness(t, db)
	b.step(b.start(b.config()))
	b.has("alpha@1.0.0", "beta@2.0.0")
	b.beside("other")
	var names []string
	if err := app.NewRaw("SELECT name FROM worker").Scan(t.Context(), &names); err != nil || strings.Join(names, " ") != "other" {
		t.Errorf("the platform's role sees %q, %v; want what its policy shows", names, err)
	}
}

// TestRolesAreTakenBack, as the script says, and the migrations after them.
func TestRolesAreTakenBack(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	b := newHarness(t, db)
	b.step(b.start(b.config()))
	_, undo, found := strings.Cut(rolesScript(t), "-- To undo it")
	_, undo, _ = strings.Cut(undo, "\n")
	if !found {
		t.Fatal("the script does not say how it is taken back")
	}
	for line := range strings.Lines(undo) {
		sql := strings.TrimPrefix(strings.TrimSpace(line), "-- ")
		_, sql, said := strings.Cut(sql, "   ")
		if !said || strings.Contains(sql, "DROP ROLE") {
			continue // the roles end with the test
		}
		if err := b.roles.Exec(context.WithoutCancel(t.Context()), strings.TrimSpace(sql)); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	m, err := migrations.New(db.DB, migrations.Config{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := m.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLimitedLogin runs a service from start to end under the limits of the script's example.
func TestLimitedLogin(t *testing.T) {
	b := newHarness(t, testdb.Postgres(t))
	limits := regexp.MustCompile(`ALTER ROLE "build-7" SET (\w+_timeout TO '\w+');|(CONNECTION LIMIT \d+)`).FindAllStringSubmatch(rolesScript(t), -1)
	if len(limits) != 4 {
		t.Fatalf("the example has the limits %q", limits)
	}
	for _, l := range limits {
		clause := l[2]
		if l[1] != "" {
			clause = "SET " + l[1]
		}
		if _, err := b.db.ExecContext(t.Context(), `ALTER ROLE "`+b.name+`" `+clause); err != nil {
			t.Fatal(err)
		}
	}
	svc := b.start(b.config())
	b.step(svc)
	b.has("alpha@1.0.0", "beta@2.0.0")
	b.remove("alpha")
	b.pass(svc, 2*round)
	b.has("beta@2.0.0")
	if svc.Away() {
		t.Errorf("it takes the database for lost:\n%s", b.log)
	}
	svc.Leave(t.Context())
	b.status(schema.WorkerInactive)
}
