package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/requirement"
)

// Labels returns the labels of workers, by worker and key. The database copies them from the
// workers' documents.
func (w *Workers) Labels(ctx context.Context, ids []int64) ([]schema.WorkerLabel, error) {
	rows := []schema.WorkerLabel{}
	if len(ids) == 0 {
		return rows, nil
	}
	err := w.readByID(ctx, ids, func(ids any) any {
		return bun.SafeQuery("SELECT label.worker, label.key, label.value FROM ? AS label WHERE label.worker IN (?) ORDER BY label.worker, ?",
			w.rows("worker_label"), ids, w.bytewise("label.key"))
	}, &rows)
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
	err := w.readByID(ctx, ids, func(ids any) any {
		return bun.SafeQuery(`SELECT taint.id, taint.worker, taint.key, taint.value, taint.effect FROM ? AS taint
			WHERE taint.worker IN (?) ORDER BY taint.worker, taint.id`, w.rows("worker_taint"), ids)
	}, &rows)
	if err != nil {
		return nil, fmt.Errorf("read taints of workers: %w", err)
	}
	return rows, nil
}

// checkLabels returns an error for labels and taints of a document that the database would leave out
// because they are too many or too long. It leaves out values of another shape, as the database does.
func checkLabels(document json.RawMessage) error {
	var members struct{ Labels, Taints json.RawMessage }
	_ = json.Unmarshal(document, &members) // the database refuses what is not JSON
	var labels map[string]any
	if json.Unmarshal(members.Labels, &labels) == nil {
		if err := requirement.CheckCount(len(labels)); err != nil {
			return fmt.Errorf("labels: %w", err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if value, ok := labels[key].(string); ok {
			if err := requirement.CheckLabel(key, value); err != nil {
				return fmt.Errorf("label %.100q: %w", key, err)
			}
		}
	}
	var taints []json.RawMessage
	_ = json.Unmarshal(members.Taints, &taints)
	if err := requirement.CheckCount(len(taints)); err != nil {
		return fmt.Errorf("taints: %w", err)
	}
	for _, text := range taints {
		var taint struct{ Key, Value, Effect *string }
		if json.Unmarshal(text, &taint) != nil || taint.Key == nil || taint.Effect == nil {
			continue
		}
		one := requirement.Taint{Key: *taint.Key, Value: textOf(taint.Value), Effect: requirement.NoSchedule}
		if err := one.Validate(); err != nil {
			return fmt.Errorf("taint %.100q: %w", *taint.Key, err)
		}
	}
	return nil
}
