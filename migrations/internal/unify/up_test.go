package unify_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// The result of unifying the rich database.
func TestUp(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, _ := installation(t, "public")
	counts := func() []string {
		var got []string
		for _, table := range []string{"action", "sensor", "worker", "pack", "elsewhere.bare", "elsewhere.late", "elsewhere.junction",
			"elsewhere.part", "elsewhere.part_b", "elsewhere.base", "elsewhere.heir", "elsewhere.fussy", "noise"} {
			var n int
			if err := db.NewRaw("SELECT count(*) FROM "+table).Scan(ctx, &n); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(table, " ", n))
		}
		return got
	}
	// An enabled trigger would have changed updated, and notified noise.
	updated := func() (got []string) {
		if err := db.NewRaw(`SELECT 'a' || id || updated FROM action UNION ALL SELECT 's' || id || updated FROM sensor
UNION ALL SELECT 'w' || id || updated FROM worker UNION ALL SELECT 'p' || id || updated FROM elsewhere.part UNION ALL SELECT 'k' || id || updated FROM pack
UNION ALL SELECT 'r' || id || updated FROM runtime WHERE id IN (10, 14, 16, 17, 18, 20, 22, 23, 24) ORDER BY 1`).Scan(ctx, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	triggers := func() (got []string) {
		if err := db.NewRaw(`SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`).Scan(ctx, &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	countsBefore, updatedBefore, triggersBefore := counts(), updated(), triggers()

	report := up(t, db, "public")
	if report.Before != 14 || report.After != 9 {
		t.Errorf("got %d runtimes of %d, want 9 of 14", report.After, report.Before)
	}
	for what, diff := range map[string]string{
		"rows of other tables": cmp.Diff(countsBefore, counts()),
		"updated":              cmp.Diff(updatedBefore, updated()),
		"triggers":             cmp.Diff(triggersBefore, triggers()),
	} {
		if diff != "" {
			t.Errorf("%s changed:\n%s", what, diff)
		}
	}
	equal(t, db, "rows", `SELECT string_agg(id || ' ' || ref, ', ' ORDER BY ref) FROM runtime`,
		"23 acme.alone, 24 acme.node, 22 acme.only, 20 acme.ruby, 18 core.native, 14 core.nodejs, 10 core.python, 16 core.sensor.builtin, 17 core.shell")
	equal(t, db, "python", `SELECT distributions::text FROM runtime WHERE id = 10`,
		`{"big": 12345678901234567890.1230, "unknown": {"deep": [null, 1.50]}, "min_version": "3.8", "verification": {"env": ["A"], "commands": [`+
			`{"args": ["--version"], "binary": "python3", "timeout": "10s", "priority": 1, "exit_code": 0}, `+
			`{"args": ["--version"], "binary": "pypy3", "priority": 2}, `+
			`{"args": ["--version"], "binary": "python"}, {"args": ["--version"], "binary": "python3.11"}], "locations": ["/opt/*"]}, "recommended_version": "3.12"}`)
	equal(t, db, "python's columns", `SELECT concat_ws('; ', name, description, installation, labels, notes, extra, weight, slot, aliases, label) FROM runtime WHERE id = 10`,
		`Python; the sensor's Python; {"apt": "python3", "brew": "python"}; {a,"b c",NULL}; {"b":1,  "a":2}; null; 1.5000; [1,5); ["python", "python3"]; runtime Python`)
	equal(t, db, "node", `SELECT concat_ws('; ', name, description, distributions->>'legacy', distributions->'verification'->'commands'->0->>'binary') FROM runtime WHERE id = 14`,
		"Node.js; node; node; node")
	equal(t, db, "bash", `SELECT distributions::text || aliases FROM runtime WHERE id = 17`,
		`{"legacy": [7, {"x": 1}, "two words"], "verification": {"commands": [{"args": ["--version"], "binary": "bash"}]}}["shell", "bash", "sh"]`)
	equal(t, db, "ruby", `SELECT distributions::text || aliases FROM runtime WHERE id = 20`,
		`{"x": 1, "y": null, "verification": {"commands": "odd", "check_required": false}}[]`)
	equal(t, db, "scalars", `SELECT string_agg(distributions::text, ' ' ORDER BY id) FROM runtime WHERE id IN (22, 23, 24)`, `{"legacy": null} {"legacy": 17} {}`)
	equal(t, db, "native", `SELECT distributions::text || aliases FROM runtime WHERE id = 18`,
		`{"roles": ["worker"], "verification": {"always_available": true}}["native", "binary"]`)
	equal(t, db, "builtin", `SELECT distributions::text || aliases FROM runtime WHERE id = 16`,
		`{"roles": ["sensor"], "verification": {"always_available": true}}["builtin"]`)
	equal(t, db, "refs beside keys that are not their runtime's", `
SELECT count(*)::text FROM (SELECT runtime, runtime_ref FROM sensor UNION ALL SELECT runtime_id, runtime_ref FROM elsewhere.bare
  UNION ALL SELECT fallback, fallback_ref FROM elsewhere.late UNION ALL SELECT runtime, runtime_ref FROM elsewhere.fussy) t
JOIN runtime r ON r.id = t.runtime WHERE t.runtime_ref <> r.ref`, "0")
	equal(t, db, "loose refs", `SELECT string_agg(runtime_ref, ' ' ORDER BY runtime_ref) FROM elsewhere.bare WHERE runtime_id IS NULL`, "core.nodejs core.nodejs core.python")
	equal(t, db, "rows that inherit, and have no key", `SELECT runtime::text FROM elsewhere.heir`, "11")
	equal(t, db, "dependencies", `SELECT runtime_deps::text FROM pack WHERE id = 2`,
		"{core.python,core.nodejs,acme.ruby,core.sensor.builtin,elsewhere.thing}")
	equal(t, db, "the record", `SELECT count(*) || ' ' || count(*) FILTER (WHERE became <> id) || ' ' || min(legacy->>'name') FROM runtime_unification`, "14 5 Alone")
	equal(t, db, "enums", `SELECT count(*)::text FROM pg_type WHERE typname = 'runtime_type_enum'`, "0")
	equal(t, db, "indexes", `SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'runtime'`,
		"idx_runtime_created idx_runtime_name idx_runtime_pack idx_runtime_ref idx_runtime_verification runtime_pkey runtime_ref_key")
	must(t, db, `INSERT INTO runtime (ref, name, distributions) VALUES ('a.b', 'B', '{}'); INSERT INTO runtime (ref, name) VALUES ('a.c', 'C')`)
	for _, ref := range []string{"core.action.python", "a", "A.b", "core.sensor.other"} {
		if _, err := db.ExecContext(ctx, `INSERT INTO runtime (ref, name) VALUES (?, 'X')`, ref); err == nil {
			t.Errorf("the ref %q was taken", ref)
		}
	}
}

// The plan counts what up then does, and works in a read-only transaction.
func TestPlan(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, url := installation(t, "public")
	must(t, db, "CREATE TABLE elsewhere.loose (runtime_ref text); UPDATE runtime SET runtime_type = 'sensor' WHERE id = 24")
	before := dump(t, db, url)
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := unify.Examine(ctx, tx, "public")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, tx, "the caller's settings", `SELECT current_setting('search_path') || current_setting('row_security')`, `"$user", publicon`)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
		t.Errorf("the plan changed the database:\n%s", diff)
	}
	text := plan.String()
	for _, want := range []string{
		"core.python (row 10)\n      <-  core.action.python   row 10\n      <-  core.sensor.python   row 11\n      <-  core.sensor.python3  row 12",
		`! distributions.min_version: "3.8" of core.action.python wins over "3.9" of core.sensor.python`,
		`! distributions.verification: {"commands": "odd", "check_required": false} of acme.sensor.ruby wins over "odd" of acme.action.ruby`,
		`+   verification        from the core definition`,
		"elsewhere.part.runtime      38",
		"- type public.runtime_type_enum",
		"elsewhere.loose.runtime_ref has no key to runtime beside it",
		"acme.action.node (row 24) has runtime_type sensor: its ref decides",
		"14 runtimes become 9",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan lacks %q:\n%s", want, text)
		}
	}
	if diff := cmp.Diff(plan.Tables, up(t, db, "public").Tables); diff != "" {
		t.Errorf("re-pointed (-plan +up):\n%s", diff)
	}
}

func TestUpWaitsForTheLockAndSaysWhoHasIt(t *testing.T) {
	t.Parallel()
	for _, held := range []string{"LOCK TABLE runtime IN ROW SHARE MODE", "UPDATE sensor SET enabled = false WHERE id = 1"} {
		t.Run(held, func(t *testing.T) {
			ctx := context.Background()
			db, url := installation(t, "public")
			before := dump(t, db, url)
			holder, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			must(t, holder, "SET LOCAL application_name = 'nightly report'; "+held)
			err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := unify.Up(ctx, tx, "public", unify.Options{LockTimeout: 20 * time.Millisecond})
				return err
			})
			if !errors.Is(err, unify.ErrLocked) || !strings.Contains(err.Error(), "nightly report") || !strings.Contains(err.Error(), "pg_terminate_backend") {
				t.Errorf("got %v, want ErrLocked with the holder's name", err)
			}
			if err := holder.Rollback(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
				t.Errorf("the database changed:\n%s", diff)
			}
			up(t, db, "public")
		})
	}
}

// Nobody can add a reference to a row that is about to be deleted. The INSERT waits, and then finds that
// the row is gone.
func TestNobodyRefersToARowThatGoes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, _ := installation(t, "public")
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
		t.Fatal(err)
	}
	inserted := make(chan error)
	go func() {
		_, err := db.ExecContext(ctx, `INSERT INTO worker (name, worker_type, runtime) VALUES ('late', 'local', 11)`)
		inserted <- err
	}()
	// Wait until the database reports that the insert waits.
	for waiting := 0; waiting == 0; {
		if err := db.NewRaw(`SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(ctx, &waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-inserted; err == nil || !strings.Contains(err.Error(), "worker_runtime_fkey") {
		t.Errorf("the insert gave %v, want a refusal by its key", err)
	}
}

// Deleting many rows reads a table whose key has no index only once. Its keys, indexes and rows stay the
// same.
func TestNoScanForEachDeletedRow(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, setup string
		// recent changes a row while somebody else may still see its old version.
		recent string
	}{
		{name: "plain", setup: `CREATE TABLE bare (runtime bigint REFERENCES runtime (id) ON DELETE CASCADE, partial bigint REFERENCES runtime (id));
CREATE INDEX ON bare (partial) WHERE partial > 5; INSERT INTO bare SELECT id, id FROM runtime`},
		{name: "room on the page", setup: `CREATE TABLE bare (runtime bigint REFERENCES runtime (id) ON DELETE CASCADE, note int) WITH (fillfactor = 50);
INSERT INTO bare SELECT id FROM runtime`},
		{name: "rows in change", setup: `CREATE TABLE bare (id serial PRIMARY KEY, runtime bigint, twice integer, note int) WITH (fillfactor = 50);
INSERT INTO bare (runtime, twice) SELECT id, id FROM runtime;
ALTER TABLE bare ADD CONSTRAINT "one ""key" FOREIGN KEY (runtime) REFERENCES runtime (id) ON DELETE CASCADE ON UPDATE SET NULL NOT VALID,
  ADD CONSTRAINT late FOREIGN KEY (twice) REFERENCES runtime (id) DEFERRABLE INITIALLY DEFERRED, ADD FOREIGN KEY (twice) REFERENCES runtime (id);
COMMENT ON CONSTRAINT late ON bare IS 'it''s late'`, recent: "UPDATE bare SET note = 1 WHERE id = 1"},
		{name: "partitions with rows in change", setup: `CREATE TABLE bare (id int, runtime bigint REFERENCES runtime (id), note int) PARTITION BY RANGE (id);
CREATE TABLE bare_1 PARTITION OF bare FOR VALUES FROM (0) TO (300) WITH (fillfactor = 50); CREATE TABLE bare_2 PARTITION OF bare FOR VALUES FROM (300) TO (10000);
CREATE INDEX own ON bare_2 (runtime); INSERT INTO bare SELECT row_number() OVER (), id FROM runtime`, recent: "UPDATE bare SET note = 1 WHERE id = 1"},
		{name: "an index over rows in change", setup: `CREATE TABLE bare (id serial PRIMARY KEY, runtime bigint REFERENCES runtime (id), note int) WITH (fillfactor = 50);
INSERT INTO bare (runtime) SELECT id FROM runtime`, recent: "UPDATE bare SET note = 1 WHERE id = 1; CREATE INDEX ON bare (runtime)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			db, url := legacyDB(t, "public")
			must(t, db, `
INSERT INTO runtime (ref, runtime_type, name, distributions)
  SELECT 'p.' || s || '.r' || i, s::runtime_type_enum, 'R', '{}' FROM generate_series(1, 300) i CROSS JOIN (VALUES ('action'), ('sensor')) v (s)`)
			must(t, db, c.setup)
			if c.recent != "" {
				changeUnderASnapshot(t, db, c.recent)
			}
			before := dump(t, db, url)
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
				t.Fatal(err)
			}
			var scans int
			if err := tx.NewRaw(`SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname LIKE 'bare%'`).Scan(ctx, &scans); err != nil {
				t.Fatal(err)
			}
			if scans > 60 {
				t.Errorf("the table was read %d times for 300 deleted rows", scans)
			}
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			down(t, db, "public", unify.Options{})
			if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
				t.Errorf("after up and down (-before +after):\n%s", diff)
			}
		})
	}
}

// changeUnderASnapshot runs a statement while an older transaction, which ends with the test, sees the
// previous state.
func changeUnderASnapshot(t *testing.T, db *bun.DB, change string) {
	t.Helper()
	ctx := context.Background()
	reader, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Rollback() })
	must(t, reader, "SELECT pg_current_snapshot(), pg_current_xact_id()")
	must(t, db, change)
}

// A key that its rows violate already cannot be restored. So it stays, and the delete takes longer.
func TestKeysThatCannotBePutBackStay(t *testing.T) {
	t.Parallel()
	db, url := legacyDB(t, "public")
	must(t, db, `
INSERT INTO runtime (id, ref, runtime_type, name, distributions) VALUES (1, 'p.action.r', 'action', 'R', '{}'), (2, 'p.sensor.r', 'sensor', 'R', '{}');
CREATE TABLE bare (id serial PRIMARY KEY, runtime bigint REFERENCES runtime (id) ON DELETE CASCADE, note int) WITH (fillfactor = 50);
INSERT INTO bare (runtime) VALUES (1), (2);
SET session_replication_role = replica; INSERT INTO bare (runtime) VALUES (99); RESET session_replication_role`)
	changeUnderASnapshot(t, db, "UPDATE bare SET note = 1 WHERE id = 1")
	before := dump(t, db, url)
	up(t, db, "public")
	equal(t, db, "rows", `SELECT string_agg(runtime::text, ' ' ORDER BY id) FROM bare`, "1 1 99")
	equal(t, db, "the key", `SELECT convalidated::text FROM pg_constraint WHERE conname = 'bare_runtime_fkey'`, "true")
	down(t, db, "public", unify.Options{})
	if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
		t.Errorf("after up and down (-before +after):\n%s", diff)
	}
}

// A role that owns only the tables can do everything. A role that lacks something is told what.
func TestPrivileges(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, url := installation(t, "public")
	// Roles belong to the whole server, so their names must be unique.
	owner := fmt.Sprintf("unify_owner_%d", time.Now().UnixNano())
	app := owner + "_app"
	must(t, db, fmt.Sprintf(`CREATE ROLE %[1]s; CREATE ROLE %[2]s; GRANT SELECT, INSERT ON runtime TO %[2]s;
GRANT USAGE ON SCHEMA public TO %[2]s; GRANT CREATE, USAGE ON SCHEMA public TO %[1]s`, owner, app))
	t.Cleanup(func() {
		must(t, db, fmt.Sprintf("DROP OWNED BY %[1]s, %[2]s CASCADE; DROP ROLE %[1]s, %[2]s", owner, app))
	})
	for _, table := range []string{"pack", "runtime", "action", "sensor", "worker"} {
		must(t, db, fmt.Sprintf("ALTER TABLE %s OWNER TO %s", table, owner))
	}

	as := func(fn func(ctx context.Context, tx bun.Tx)) {
		t.Helper()
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		must(t, tx, "SET LOCAL ROLE "+owner)
		fn(ctx, tx)
	}
	as(func(ctx context.Context, tx bun.Tx) {
		plan, err := unify.Examine(ctx, tx, "public")
		if err != nil {
			t.Fatal(err)
		}
		wantObjects(t, plan.Obstacles, []string{"table elsewhere.bare", "table elsewhere.base", "table elsewhere.fussy",
			"table elsewhere.junction", "table elsewhere.late", "table elsewhere.part", "schema elsewhere", "type public.runtime_type_enum"})
	})
	must(t, db, fmt.Sprintf(`ALTER TYPE runtime_type_enum OWNER TO %[1]s; GRANT CREATE, USAGE ON SCHEMA elsewhere TO %[1]s`, owner))
	for _, table := range []string{"bare", "base", "fussy", "junction", "late", "part", "part_a", "part_b"} {
		must(t, db, fmt.Sprintf("ALTER TABLE elsewhere.%s OWNER TO %s", table, owner))
	}
	before := dump(t, db, url)
	as(func(ctx context.Context, tx bun.Tx) {
		if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
			t.Fatal(err)
		}
	})

	// After a migration by a superuser, new objects belong to the owner too, and roles that may use
	// runtime may use them.
	up(t, db, "public")
	equal(t, db, "owners", `SELECT string_agg(DISTINCT tableowner, ' ') FROM pg_tables WHERE tablename LIKE 'runtime%'`, owner)
	equal(t, db, "privileges", fmt.Sprintf(`SELECT concat_ws(' ', has_table_privilege('%[1]s', 'runtime_version', 'SELECT, INSERT'),
has_table_privilege('%[1]s', 'runtime_version', 'DELETE'), has_sequence_privilege('%[1]s', 'runtime_version_id_seq', 'USAGE'))`, app), "t f t")
	down(t, db, "public", unify.Options{})
	if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
		t.Errorf("after up and down (-before +after):\n%s", diff)
	}

	must(t, db, "ALTER TABLE sensor ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY none ON sensor USING (false)")
	as(func(ctx context.Context, tx bun.Tx) {
		plan, err := unify.Examine(ctx, tx, "public")
		if err != nil {
			t.Fatal(err)
		}
		wantObjects(t, plan.Obstacles, []string{"table public.sensor"})
		for _, o := range plan.Obstacles {
			must(t, tx, o.SQL)
		}
		if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
			t.Fatal(err)
		}
	})
}

// Outstanding checks of constraints in the caller's transaction, and the caller's settings, prevent
// nothing.
func TestUpInATransactionThatDidSomethingBefore(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, _ := installation(t, "public")
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	must(t, tx, `SET LOCAL search_path = elsewhere; SET LOCAL TimeZone = 'Asia/Kathmandu'; SET LOCAL extra_float_digits = 0;
UPDATE late SET runtime = 12 WHERE runtime = 11`)
	if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
		t.Fatal(err)
	}
	equal(t, tx, "the caller's settings", `SELECT concat_ws(' ', current_setting('search_path'), current_setting('TimeZone'), current_setting('extra_float_digits'))`,
		"elsewhere Asia/Kathmandu 0")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	must(t, db, "SET TimeZone = 'America/Caracas'")
	down(t, db, "public", unify.Options{})
	equal(t, db, "rows of the junction that refer to each runtime",
		`SELECT string_agg(n::text, ' ' ORDER BY runtime) FROM (SELECT runtime, count(*) AS n FROM elsewhere.junction GROUP BY 1) q`, "5 5 5 5")
}

func TestFreshDatabase(t *testing.T) {
	t.Parallel()
	db, url := legacyDB(t, "attune")
	before := dump(t, db, url)
	up(t, db, "attune")
	if _, err := unify.ExamineDown(context.Background(), db, "attune"); err != nil {
		t.Fatal(err)
	}
	down(t, db, "attune", unify.Options{})
	if after := dump(t, db, url); !slices.Equal(before, after) {
		t.Errorf("after up and down (-before +after):\n%s", cmp.Diff(before, after))
	}
}
