package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// Labels returns the labels of workers, by worker and key. The database copies them from the
// workers' documents.
func (w *Workers) Labels(ctx context.Context, ids []int64) ([]schema.WorkerLabel, error) {
	rows := []schema.WorkerLabel{}
	if len(ids) == 0 {
		return rows, nil
	}
	err := w.db.NewRaw("SELECT label.worker, label.key, label.value FROM ? AS label WHERE label.worker IN (?) ORDER BY label.worker, ?",
		w.rows("worker_label"), bun.List(ids), w.bytewise("label.key")).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read labels of workers: %w", err)
	}
	return rows, nil
}

// Taints returns the taints of the hosts of workers, by worker and in the order of their
// documents, from which the database copies them.
func (w *Workers) Taints(ctx context.Context, ids []int64) ([]schema.WorkerTaint, error) {
	rows := []schema.WorkerTaint{}
	if len(ids) == 0 {
		return rows, nil
	}
	err := w.db.NewRaw(`SELECT taint.id, taint.worker, taint.key, taint.value, taint.effect FROM ? AS taint
		WHERE taint.worker IN (?) ORDER BY taint.worker, taint.id`, w.rows("worker_taint"), bun.List(ids)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read taints of workers: %w", err)
	}
	return rows, nil
}
