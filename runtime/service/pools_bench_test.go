package service_test

import (
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/database/pool"
	"github.com/attune-go/attune/schema/store"
)

// BenchmarkReconnect compares heartbeats on connections that are held, on one that
// is opened for each (SCRAM, no TLS), and on one that is opened for each to a
// pooler on this machine.
func BenchmarkReconnect(b *testing.B) {
	server := testdb.Own(b)
	db := server.Postgres()
	pooled := testdb.Pooler(b, db.URL, 16)
	for _, way := range []struct {
		name, url string
		rest      bool
	}{
		{"held", db.URL, false},
		{"reconnected", db.URL, true},
		{"reconnected to pgbouncer", pooled, true},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				conn, err := database.Open(b.Context(), way.url)
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				var id int64
				err = conn.NewRaw("INSERT INTO worker (name, worker_type, instance, status) VALUES ('w', 'local', 'i', 'active') RETURNING id").Scan(b.Context(), &id)
				if err != nil {
					b.Error(err)
					return
				}
				rows := store.New(conn, store.Config{}).Workers
				for pb.Next() {
					if _, err := rows.Heartbeat(b.Context(), id, "i"); err != nil {
						b.Error(err)
						return
					}
					if way.rest {
						pool.Rest(conn)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "heartbeats/s")
		})
	}
}
