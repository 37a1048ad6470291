package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// Revision returns a text that changes whenever a worker changes: its row, its report, its cordon, its
// taints, or whether it is stale. Heartbeats do not change it. It reads neither documents nor reported
// runtimes, because a trigger moves the row's time with each report. It returns "" on SQLite and in a guest,
// where the caller must compare the answers themselves. Errors: ErrNotFound.
func (w *Workers) Revision(ctx context.Context, id int64) (string, error) {
	if !w.postgres || w.layout.Guest() {
		return "", nil
	}
	var found []string
	err := w.readByID(ctx, []int64{id}, func(id any) any {
		return bun.SafeQuery(`
SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(CAST(pg_catalog.jsonb_build_array(worker.updated, worker.created, worker.name, worker.worker_type, worker.worker_role, worker.host, worker.port,
        worker.status, worker.meta, worker.identity, worker.instance, worker.heartbeat_interval, worker.refresh_requested, ?,
        (SELECT pg_catalog.jsonb_build_array(cordon.reason, cordon.created_by, cordon.created) FROM ? AS cordon WHERE cordon.worker = worker.id),
        (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(taint.key, taint.value, taint.effect, taint.created) ORDER BY taint.key, taint.effect)
         FROM ? AS taint WHERE taint.worker = worker.id)) AS pg_catalog.text), 'UTF8')), 'hex')
FROM ? AS worker WHERE worker.id IN (?)`,
			w.isStale(), w.of("worker_cordon"), w.of("worker_operator_taint"), w.of("worker"), id)
	}, &found)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read revision of worker %d: %w", id, w.classify("find", err))
	}
	return found[0], nil
}
