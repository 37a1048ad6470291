package unify_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// BenchmarkUnify unifies ATTUNE_BENCH_RUNTIMES (20,000) legacy runtimes with ATTUNE_BENCH_ROWS
// (1,000,000) actions and sensors, and a fifth as many rows of a table whose key has no index. It
// compares the time with plain UPDATE statements that re-point the same rows of an equal
// database.
func BenchmarkUnify(b *testing.B) {
	runtimes, size := number("ATTUNE_BENCH_RUNTIMES", 20_000), number("ATTUNE_BENCH_ROWS", 1_000_000)
	var bare, whole time.Duration
	for b.Loop() {
		bare += timeOf(b, runtimes, size, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.ExecContext(ctx, `
UPDATE action t SET runtime = m.new FROM map m WHERE m.old = t.runtime AND m.new <> m.old;
UPDATE sensor t SET runtime = m.new, runtime_ref = m.ref FROM map m WHERE m.old = t.runtime;
UPDATE job t SET runtime = m.new FROM map m WHERE m.old = t.runtime AND m.new <> m.old`)
			return err
		})
		whole += timeOf(b, runtimes, size, func(ctx context.Context, tx bun.Tx) error {
			report, err := unify.Up(ctx, tx, "public", unify.Options{})
			if err == nil && report.After != int64(runtimes/2) {
				err = fmt.Errorf("got %d runtimes, want %d", report.After, runtimes/2)
			}
			return err
		})
	}
	b.ReportMetric(bare.Seconds()/float64(b.N), "bare-s/op")
	b.ReportMetric(whole.Seconds()/float64(b.N), "unify-s/op")
	b.ReportMetric(whole.Seconds()/bare.Seconds(), "ratio")
	b.Logf("%d runtimes, %d rows: bare updates %v, unify %v, ratio %.2f (at most 2.50)",
		runtimes, size, (bare / time.Duration(b.N)).Round(time.Millisecond), (whole / time.Duration(b.N)).Round(time.Millisecond), whole.Seconds()/bare.Seconds())
}

// timeOf returns the duration of fn in a transaction on a database of its own, including the commit.
func timeOf(b *testing.B, runtimes, size int, fn func(ctx context.Context, tx bun.Tx) error) time.Duration {
	b.Helper()
	b.StopTimer()
	db, _ := legacyDB(b, "public")
	must(b, db, fmt.Sprintf(benchRows, runtimes/2, size/2))
	must(b, db, "VACUUM ANALYZE")
	must(b, db, "CHECKPOINT")
	b.StartTimer()
	begin := time.Now()
	if err := db.RunInTx(context.Background(), nil, fn); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

// Every runtime has two sides, and actions and sensors use both. So half of the actions and half of
// the sensors get another runtime, and all sensors another ref.
const benchRows = `
INSERT INTO pack (id, ref, label, version) SELECT i, 'pack' || i, 'P', '1' FROM generate_series(1, 100) i;
INSERT INTO runtime (ref, pack, pack_ref, runtime_type, name, distributions)
  SELECT 'pack' || (1 + i %% 100) || '.' || side || '.r' || i, 1 + i %% 100, 'pack' || (1 + i %% 100), side::runtime_type_enum, 'R' || i,
    jsonb_build_object('verification', jsonb_build_object('commands', jsonb_build_array(
      jsonb_build_object('binary', 'r' || i, 'args', '["--version"]'::jsonb, 'priority', 1),
      jsonb_build_object('binary', side || i, 'args', '["--version"]'::jsonb, 'priority', 2))), 'min_version', '1.' || i)
  FROM generate_series(1, %[1]d) i CROSS JOIN (VALUES ('action'), ('sensor')) s (side);
CREATE TEMP TABLE r AS SELECT row_number() OVER (ORDER BY md5(ref)) - 1 AS n, id, ref FROM runtime;
CREATE INDEX ON r (n);
INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime)
  SELECT 'a' || i, 1, 'pack1', 'A', 'run.sh', r.id FROM generate_series(1, %[2]d) i JOIN r ON r.n = i %% (2 * %[1]d);
INSERT INTO sensor (ref, pack, pack_ref, label, entrypoint, runtime, runtime_ref)
  SELECT 's' || i, 1, 'pack1', 'S', 'run.sh', r.id, r.ref FROM generate_series(1, %[2]d) i JOIN r ON r.n = (i * 7) %% (2 * %[1]d);
CREATE TABLE job (id bigserial PRIMARY KEY, runtime bigint REFERENCES runtime (id), note text) WITH (fillfactor = 80);
INSERT INTO job (runtime, note) SELECT r.id, 'n' || i FROM generate_series(1, %[2]d * 2 / 5) i JOIN r ON r.n = (i * 11) %% (2 * %[1]d);
DROP TABLE r;
CREATE TABLE map AS SELECT s.id AS old, min(s.id) OVER w AS new, split_part(ref, '.', 1) || '.' || split_part(ref, '.', 3) AS ref
  FROM runtime s WINDOW w AS (PARTITION BY split_part(ref, '.', 1), split_part(ref, '.', 3));
ALTER TABLE map ADD PRIMARY KEY (old)`

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}
