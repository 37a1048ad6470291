package store_test

import (
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/store"
)

// BenchmarkDefinitionsMark reads the mark of few definitions and of many in turns, beside a hash over the
// id and the writing transaction of every row, which is what the mark of a platform's tables is.
func BenchmarkDefinitionsMark(b *testing.B) {
	const hash = `SELECT sum(hashtextextended(concat(id, ' ', xmin), 0)) FROM {schema}.runtime
		UNION ALL SELECT sum(hashtextextended(concat(id, ' ', xmin), 0)) FROM {schema}.runtime_version`
	type size struct{ definitions, versions int }
	sizes := []size{{20, 100}, {2_000, 10_000}}
	took := make([][]time.Duration, len(sizes))
	var hashed []time.Duration
	envs := make([]env, len(sizes))
	for i, s := range sizes {
		db := testdb.Postgres(b)
		e := env{db.DB, store.New(db.DB, store.Config{Schema: db.Schema}), db.Schema, true}
		testdb.Unguard(b, e.DB, e.schema)
		for _, query := range []string{
			`INSERT INTO {schema}.runtime (ref, name) SELECT 'a.r' || n, 'R' FROM generate_series(1, ?0) AS n`,
			`INSERT INTO {schema}.runtime_version (runtime, version, sort_key) SELECT 1 + n % ?0, '1.' || n || '.0', 'A1' || n FROM generate_series(1, ?1) AS n`,
			`ANALYZE`,
		} {
			if _, err := e.NewRaw(e.sql(query), s.definitions, s.versions).Exec(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		envs[i] = e
	}
	for b.Loop() {
		for range 200 {
			for i, e := range envs {
				begin := time.Now()
				if _, err := e.DefinitionsMark(b.Context()); err != nil {
					b.Fatal(err)
				}
				took[i] = append(took[i], time.Since(begin))
			}
			begin := time.Now()
			if _, err := envs[1].DB.DB.Exec(envs[1].sql(hash)); err != nil {
				b.Fatal(err)
			}
			hashed = append(hashed, time.Since(begin))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(quantile(took[0], 0.5)), "few-p50-ms")
	b.ReportMetric(ms(quantile(took[1], 0.5)), "many-p50-ms")
	b.ReportMetric(ms(quantile(took[1], 0.5))/ms(quantile(took[0], 0.5)), "x-few")
	b.ReportMetric(ms(quantile(hashed, 0.5)), "hash-p50-ms")
}

// BenchmarkDefinitionsMarkOfAGuest is the same beside a platform: with a runtime_version from before attune moved in, and
// with one that the platform created later, before and after the next up.
func BenchmarkDefinitionsMarkOfAGuest(b *testing.B) {
	for _, s := range []struct {
		name        string
		definitions int
		later, up   bool // runtime_version, and the next up
	}{{"few", 20, false, false}, {"many", 2_000, false, false}, {"later", 2_000, true, false}, {"later-up", 2_000, true, true}} {
		b.Run(s.name, func(b *testing.B) {
			db := testdb.EmptyPostgres(b)
			shape := platform.V
			if s.later {
				shape = platform.F
			}
			platform.Make(b, db, shape)
			m, err := migrations.New(db.DB, migrations.Config{Guards: migrations.GuardingOff})
			if err != nil {
				b.Fatal(err)
			}
			up := func() {
				b.Helper()
				if _, err := m.Up(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			up()
			if s.later {
				platform.Advance(b, db, platform.F, platform.V)
			}
			for _, query := range []string{
				`INSERT INTO attune.runtime (ref, name, distributions, execution_config) SELECT 'a.r' || n, 'R', '{}', '{}' FROM generate_series(1, ?) n`,
				`INSERT INTO attune.runtime_version (runtime, runtime_ref, version, version_major, execution_config, distributions, is_default, available, meta)
					SELECT r.id, r.ref, '1.' || n, 1, '{}', '{}', false, true, '{}' FROM attune.runtime r, generate_series(1, 5) n WHERE r.ref LIKE 'a.r%' AND ? > 0`,
				`ANALYZE`,
			} {
				if _, err := db.NewRaw(query, s.definitions).Exec(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			if s.up {
				up()
			}
			st, err := store.Open(b.Context(), db.DB, store.Config{Schema: platform.Schema})
			if err != nil {
				b.Fatal(err)
			}
			var took []time.Duration
			for b.Loop() {
				for range 200 {
					begin := time.Now()
					if _, err := st.DefinitionsMark(b.Context()); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(begin))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ms(quantile(took, 0.5)), "p50-ms")
		})
	}
}
