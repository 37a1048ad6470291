package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/store"
)

// TestResolveDeclared: after every change of the platform's definitions, what a worker declares is found under
// the runtime that its names mean now. Only rows of workers whose names mean another one are written.
func TestResolveDeclared(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, shape platform.Shape) {
		st := openGuest(t, db, store.Config{})
		do := func(statement string) {
			t.Helper()
			err := db.RunInTx(t.Context(), nil, func(_ context.Context, tx bun.Tx) error {
				_, err := tx.Exec("SET LOCAL search_path TO attune, public; " + statement)
				return err
			})
			if err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		resolve := func() {
			t.Helper()
			if err := st.Workers.ResolveDeclared(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		declared := func() []string {
			return strings.Fields(text(t, db, `SELECT coalesce(string_agg(concat_ws('|', nullif(runtime_ref, ''), name, nullif(version, '')) || CASE WHEN runtime IS NULL THEN '?' ELSE '' END, ' '
				ORDER BY runtime_ref, name, version), '') FROM attune.attune_worker_runtime WHERE worker = 1`))
		}
		others := `SELECT string_agg(concat_ws(' ', id, xmin), ',' ORDER BY id) FROM attune.attune_worker_runtime WHERE worker <> 1`
		do(`UPDATE worker SET capabilities = '{"runtimes": ["COBOL", "gnucobol", "python"], "runtime_versions": {"cobol": "3.2"}}' WHERE id = 1;
			UPDATE worker SET capabilities = '{"runtimes": ["python", "snobol"]}' WHERE id = 3`)
		resolve() // the first one
		kept := text(t, db, others)
		type change struct {
			statement string
			want      []string
		}
		before, after := []string{"cobol|3.2.0?", "gnucobol?", "core.python|python"}, []string{"core.python|python", "etl.cobol|cobol|3.2.0"}
		ruby := []string{"cobol|3.2.0?", "core.python|python", "etl.ruby|ruby"}
		changes := []change{
			{`INSERT INTO runtime (ref, name, distributions) VALUES ('etl.cobol', 'Cobol', '{}')`, append([]string{"gnucobol?"}, after...)},
			{`UPDATE runtime SET name = 'GnuCobol' WHERE ref = 'etl.cobol'`, after},
			{`UPDATE runtime SET description = 'of the sixties' WHERE ref = 'etl.cobol'`, after},
			{`DELETE FROM runtime WHERE ref = 'etl.cobol'`, before},
		}
		switch alias := `UPDATE runtime SET aliases = aliases || ARRAY['mf', 'gnucobol'] WHERE ref = 'etl.ruby'`; {
		case shape.Has(platform.C): // where it is retired
			const retired = `SET LOCAL platform.catalog_writer = 'on'; UPDATE runtime SET retired_at = %s WHERE ref = 'etl.ruby'`
			changes = append(changes, change{alias, before}, change{fmt.Sprintf(retired, "NULL"), ruby}, change{fmt.Sprintf(retired, "now()"), before})
		case shape.Has(platform.A):
			changes = append(changes, change{alias, ruby})
		}
		for _, c := range changes {
			do(c.statement)
			resolve()
			if diff := cmp.Diff(c.want, declared()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.statement, diff)
			}
			if now := text(t, db, others); now != kept {
				t.Errorf("%s: rows of other workers were written: %s, then %s", c.statement, kept, now)
			}
		}
	})
}

// TestResolveDeclaredInBatches: more workers than one transaction writes are resolved by as many batches of a
// sweep, and rows of many definitions and workers are found again whatever was being written meanwhile.
func TestResolveDeclaredInBatches(t *testing.T) {
	t.Parallel()
	db := guestOf(t, platform.C)
	st := openGuest(t, db, store.Config{})
	run := func(db bun.IDB, statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	run(db, `SET search_path TO attune, public`)
	run(db, `INSERT INTO attune.worker (name, worker_type, worker_role, status, capabilities)
		SELECT 'p' || n, 'local', 'action', 'active', '{"runtimes": ["cobol"], "runtime_versions": {"cobol": "3.2"}}' FROM generate_series(1, 1150) n`)
	if err := st.Workers.ResolveDeclared(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := `SELECT count(*) FROM attune.attune_worker_runtime WHERE runtime_ref = 'etl.cobol' AND version = '3.2.0'`

	// One worker is being written by the platform, whose trigger has read the definitions before.
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	run(tx, `SET LOCAL search_path TO attune, public; UPDATE attune.worker SET capabilities = '{"runtimes": ["cobol", "python"], "runtime_versions": {"cobol": "3.2"}}' WHERE name = 'p7'`)
	run(db, `INSERT INTO attune.runtime (ref, name, distributions, execution_config) VALUES ('etl.cobol', 'Cobol', '{}', '{}')`)
	batches := 0
	for more := true; more && batches < 100; batches++ {
		if _, more, err = st.Workers.SweepBatch(t.Context(), 0, store.HeartbeatSpan{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := text(t, db, found); n != "1149" || batches < 12 {
		t.Errorf("%s workers have the runtime after %d batches, want 1149 after at least 12", n, batches)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	// The next round is due after a minute.
	run(db, `UPDATE attune.attune_declaration_round SET due = due - interval '1 minute'`)
	if err := st.Workers.ResolveDeclared(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := text(t, db, found); n != "1150" {
		t.Errorf("%s workers have the runtime after the second round, want 1150", n)
	}
	if due := text(t, db, `SELECT CAST(due > now() + interval '50 minutes' AS text) FROM attune.attune_declaration_round`); due != "true" {
		t.Error("a round without a change is repeated within the hour")
	}

	// While the platform locks a runtime that a row is to refer to, nothing waits for it.
	tx, err = db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	run(db, `UPDATE attune.runtime SET name = 'GnuCobol' WHERE ref = 'etl.cobol'`)
	run(db, `UPDATE attune.attune_worker_runtime SET name = 'other' WHERE worker = 1 AND runtime_ref = 'core.python'`)
	run(tx, `SET LOCAL search_path TO attune, public; SELECT FROM attune.runtime WHERE ref = 'core.python' FOR UPDATE`)
	const other = `SELECT count(*) FROM attune.attune_worker_runtime WHERE worker = 1 AND name = 'other'`
	if err := st.Workers.ResolveDeclared(t.Context()); err != nil || text(t, db, other) != "2" {
		t.Errorf("with a lock of the platform's: %v, %s rows are as before, want 2", err, text(t, db, other))
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := st.Workers.ResolveDeclared(t.Context()); err != nil || text(t, db, other) != "0" {
		t.Errorf("without the lock: %v, %s rows are as before, want none", err, text(t, db, other))
	}
}

// TestDeclaredIsReadOnce: without a change of the definitions a sweep writes nothing.
func TestDeclaredIsReadOnce(t *testing.T) {
	t.Parallel()
	db := guestOf(t, platform.A)
	st := openGuest(t, db, store.Config{})
	if err := st.Workers.ResolveDeclared(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := text(t, db, `SELECT xmin FROM attune.attune_declaration_round`)
	if err := st.Workers.ResolveDeclared(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := text(t, db, `SELECT xmin FROM attune.attune_declaration_round`); after != before {
		t.Error("without a change the row of the round is written")
	}
}

// BenchmarkResolveDeclared measures what it costs that definitions changed: without a change, a round in which
// no name of a worker means another runtime, and one in which every worker's does.
func BenchmarkResolveDeclared(b *testing.B) {
	const workers, definitions = 2000, 2000
	db := testdb.EmptyPostgres(b)
	platform.Make(b, db, platform.A)
	run := func(statement string) {
		b.Helper()
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	m, err := migrations.New(db.DB, migrations.Config{})
	if err == nil {
		_, err = m.Up(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	run(fmt.Sprintf(`INSERT INTO attune.runtime (ref, name, distributions, execution_config, aliases)
		SELECT 'many.r' || n, 'R' || n, '{"verification": {"commands": [{"binary": "r"}]}}', '{}', ARRAY['r' || n, 'rr' || n] FROM generate_series(1, %d) n`, definitions))
	run(fmt.Sprintf(`BEGIN; SET LOCAL session_replication_role = replica; -- the rounds write the rows
		INSERT INTO attune.worker (name, worker_type, worker_role, status, capabilities)
		SELECT 'p' || n, 'local', 'action', 'active', '{"runtimes": ["cobol", "python", "node", "shell", "r7"], "runtime_versions": {"cobol": "3.2", "python": ["3.12.1", "3.9"], "node": "20"}}'
		FROM generate_series(1, %d) n; COMMIT`, workers))
	run("VACUUM ANALYZE")
	st, err := store.Open(b.Context(), db.DB, store.Config{Schema: platform.Schema})
	if err != nil {
		b.Fatal(err)
	}
	resolve := func() time.Duration {
		b.Helper()
		begin := time.Now()
		if err := st.Workers.ResolveDeclared(b.Context()); err != nil {
			b.Fatal(err)
		}
		return time.Since(begin)
	}
	resolve()
	var idle, seen, written time.Duration
	for b.Loop() {
		idle += resolve()
		run(`INSERT INTO attune.runtime (ref, name, distributions, execution_config) VALUES ('many.unused', 'Unused', '{}', '{}')`)
		seen += resolve()
		run(`INSERT INTO attune.runtime (ref, name, distributions, execution_config) VALUES ('etl.cobol', 'Cobol', '{}', '{}')`)
		written += resolve()
		run(`DELETE FROM attune.runtime WHERE ref IN ('many.unused', 'etl.cobol')`)
		resolve()
	}
	per := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(b.N) }
	b.ReportMetric(per(idle), "idle-ms")
	b.ReportMetric(per(seen)*1000/workers, "seen-ms/1000")
	b.ReportMetric(per(written)*1000/workers, "written-ms/1000")
}
