package migrations_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// TestFunctionDrift: every change of the functions is named.
func TestFunctionDrift(t *testing.T) {
	t.Parallel()
	db := testdb.EmptyPostgres(t)
	up(t, db.DB, migrations.Config{Schema: `pla't."form`})
	run(t, db, `SET search_path = "pla't.""form"`)
	db.SetMaxOpenConns(1)
	for sql, want := range map[string]string{
		``: ``,
		`GRANT EXECUTE ON FUNCTION worker_runtime_delete() TO PUBLIC`:                                                                                                            "function worker_runtime_delete: executable by PUBLIC, should be executable by its owner and named roles",
		`DROP FUNCTION prune_changes(interval, interval, integer)`:                                                                                                               "function prune_changes: missing, should be a function",
		`ALTER FUNCTION sweep_workers(interval, integer, timestamptz, timestamptz) SET search_path = public`:                                                                     `function sweep_workers: with the settings "search_path=public", should be`,
		`ALTER FUNCTION worker_copy_labels(bigint, jsonb) RESET enable_seqscan`:                                                                                                  `function worker_copy_labels: with the settings "search_path=pg_catalog, pg_temp", should be with "search_path=pg_catalog, pg_temp; enable_seqscan=off"`,
		`ALTER FUNCTION sweep_workers(interval, integer, timestamptz, timestamptz) SECURITY INVOKER`:                                                                             "function sweep_workers: with its caller's rights, should be with its owner's rights",
		`ALTER FUNCTION worker_heartbeat(bigint, text) SECURITY DEFINER`:                                                                                                         "function worker_heartbeat: with its owner's rights, should be",
		`CREATE FUNCTION worker_heartbeat(integer, text) RETURNS int LANGUAGE sql AS 'SELECT 1'`:                                                                                 "function worker_heartbeat: 2 functions with different parameters",
		`CREATE OR REPLACE FUNCTION worker_runtime_delete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN RETURN NULL; END'`: "function worker_runtime_delete: a different text",
		`DROP TRIGGER worker_stamp_heartbeat ON worker`:                                                                                                                          "worker: no trigger worker_stamp_heartbeat that fires",
		`DROP TRIGGER worker_runtime_delete ON worker_runtime`:                                                                                                                   "worker_runtime: no trigger worker_runtime_delete that fires",
	} {
		run(t, db, sql)
		st, err := migrator(t, db.DB, migrations.Config{}).Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range st.Drift {
			got = append(got, d.String())
		}
		if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], want)) {
			t.Errorf("%s: status names %q, want %q", sql, got, want)
		}
		// Undoing and applying the migration again restores everything.
		run(t, db, `DROP FUNCTION IF EXISTS worker_heartbeat(integer, text)`)
		run(t, db, `DROP TRIGGER IF EXISTS worker_stamp_heartbeat ON worker`,
			`CREATE TRIGGER worker_stamp_heartbeat BEFORE INSERT OR UPDATE OF instance ON worker FOR EACH ROW EXECUTE FUNCTION worker_stamp_heartbeat()`,
			`DROP TRIGGER IF EXISTS worker_runtime_delete ON worker_runtime`,
			`CREATE TRIGGER worker_runtime_delete AFTER UPDATE OF outcome ON worker_runtime FOR EACH ROW WHEN (NEW.outcome = '') EXECUTE FUNCTION worker_runtime_delete()`,
			`ALTER FUNCTION worker_heartbeat(bigint, text) SECURITY INVOKER`)
		downTo(t, db.DB, migrations.SafeFunctions, migrations.Config{})
		up(t, db.DB, migrations.Config{})
	}
}

// TestWarnings: whatever makes the tables less safe is a warning, and not drift.
func TestWarnings(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	_, role := asRole(t, db)
	run(t, db, `GRANT CREATE ON SCHEMA public TO PUBLIC`,
		`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
		`CREATE FUNCTION own() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS 'BEGIN RETURN NULL; END'`,
		`CREATE TRIGGER note AFTER UPDATE ON worker FOR EACH ROW EXECUTE FUNCTION note()`,
		`CREATE TRIGGER own AFTER UPDATE ON worker FOR EACH ROW EXECUTE FUNCTION own()`,
		`CREATE TRIGGER inserts AFTER INSERT ON worker FOR EACH ROW EXECUTE FUNCTION note()`,
		`CREATE FUNCTION times(integer, interval) RETURNS interval LANGUAGE sql AS 'SELECT $2'`,
		`CREATE OPERATOR * (leftarg = integer, rightarg = interval, function = times)`,
		`ALTER OPERATOR * (integer, interval) OWNER TO `+role)
	st, err := migrator(t, db.DB, migrations.Config{}).Status(t.Context())
	if err != nil || !st.AsExpected() {
		t.Fatalf("%+v, %v", st, err)
	}
	want := []string{
		"everybody may create in schema public, and so have attune's owner run what is put there: REVOKE CREATE ON SCHEMA public FROM PUBLIC",
		"operator public.*(integer,interval) belongs to the role " + role + ", and may be meant to run with the rights of others",
		"trigger note on worker calls public.note(), which has no search_path of its own: sweeps run it with pg_catalog alone; " +
			"if it uses names without their schema: ALTER FUNCTION public.note() SET search_path = …",
	}
	if diff := cmp.Diff(want, st.Warnings); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWarningsOfAGuest: in a platform's database attune's tables and functions are in the
// platform's schema, so that is the schema in which nobody else may create.
func TestWarningsOfAGuest(t *testing.T) {
	db := platform.New(t, platform.C)
	up(t, db.DB, migrations.Config{})
	_, role := asRole(t, db)
	warnings := func() []string {
		t.Helper()
		st, err := migrator(t, db.DB, migrations.Config{}).Status(t.Context())
		if err != nil || !st.AsExpected() {
			t.Fatalf("%+v, %v", st, err)
		}
		return st.Warnings
	}
	if got := warnings(); len(got) > 0 {
		t.Errorf("warnings: %q, want none", got)
	}
	// What is put into another schema of the platform's search_path is not found by attune's functions.
	run(t, db, `GRANT CREATE ON SCHEMA public TO PUBLIC`)
	if got := warnings(); len(got) > 0 {
		t.Errorf("with a public schema that is open: %q, want none", got)
	}
	run(t, db, `GRANT CREATE ON SCHEMA attune TO PUBLIC`,
		`CREATE FUNCTION attune.times(integer, interval) RETURNS interval LANGUAGE sql AS 'SELECT $2'`,
		`ALTER FUNCTION attune.times OWNER TO `+role)
	want := []string{
		"everybody may create in schema attune, and so have attune's owner run what is put there: REVOKE CREATE ON SCHEMA attune FROM PUBLIC",
		"function attune.times(integer,interval) belongs to the role " + role + ", and may be meant to run with the rights of others",
	}
	if diff := cmp.Diff(want, warnings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRowsFromBefore: up repairs rows that no program can read.
func TestRowsFromBefore(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	downTo(t, db.DB, migrations.SafeFunctions, migrations.Config{})
	run(t, db, somePython, someWorker, someRow, someChange,
		`UPDATE worker SET last_heartbeat = 'infinity', updated = '-infinity', created = '0044-03-15 00:00:00+00 BC'`,
		`UPDATE worker SET capabilities = jsonb_build_object('x', repeat('x', 80000000)), meta = jsonb_build_object('x', repeat(E'\x01', 3000000))`,
		`UPDATE worker_runtime SET verified_at = '-infinity', created = 'infinity', evidence = jsonb_build_array(repeat('x', 17000000))`,
		`INSERT INTO worker (name, worker_type, capabilities) SELECT 'other', 'local', jsonb_build_object('x', repeat('x', 16000000))`, `UPDATE capability_change SET created = 'infinity'`)
	up(t, db.DB, migrations.Config{})
	if n := count(t, db, `SELECT count(*) FROM worker w, worker_runtime r, capability_change c
		WHERE w.last_heartbeat IS NULL AND r.verified_at IS NULL AND w.updated <= now() AND w.created <= now() AND isfinite(r.created) AND isfinite(c.created) AND w.id = r.worker`); n != 1 {
		t.Error("the rows are not mended")
	}
	if n := count(t, db, `SELECT count(*) FROM worker w LEFT JOIN worker_runtime r ON r.worker = w.id
		WHERE (w.name = 'other') = (w.capabilities IS NOT NULL) AND w.meta IS NULL AND r.evidence IS NULL`); n != 2 {
		t.Errorf("%d of 2 rows have the documents that they should", n)
	}
	run(t, db, `UPDATE worker SET status = 'inactive'`)
}

// TestSweepRights: a role of the platform's that may write worker can still sweep.
func TestSweepRights(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	downTo(t, db.DB, migrations.SafeFunctions, migrations.Config{})
	writer, name := asRole(t, db)
	reader, other := asRole(t, db)
	run(t, db, `GRANT SELECT, UPDATE ON worker TO `+name, `GRANT SELECT ON worker TO `+other)
	up(t, db.DB, migrations.Config{})
	run(t, writer, `SELECT * FROM public.sweep_workers('0', 10)`, `SELECT public.prune_changes('0', '1 day', 10)`)
	if _, err := reader.Exec(`SELECT * FROM public.sweep_workers('0', 10)`); err == nil || !strings.Contains(err.Error(), "42501") {
		t.Errorf("a role that only reads sweeps: %v", err)
	}
}
