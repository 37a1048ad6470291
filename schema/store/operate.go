package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/requirement"
)

// Operators keep work off workers by cordons and taints. Registration, reports and heartbeats
// touch neither, and both are deleted with the worker. In a guest they may be put on the
// platform's workers too: a cordon is written to the platform's columns if it has them, and a
// taint always to a table of attune's, which the platform's scheduler does not know.

// MaxReason is the maximum length of the reason for a cordon, in characters.
const MaxReason = 1024

// Cordon keeps new work off workers until Uncordon, and returns the IDs whose cordon changed,
// ascending. A worker that is cordoned keeps its reason if the given one is empty or the same.
// IDs of no worker are ignored. Errors: ErrInvalid.
//
// On Postgres one notification on ChangeChannel follows each change by an operator.
func (w *Workers) Cordon(ctx context.Context, reason string, ids ...int64) ([]int64, error) {
	if err := CheckReason(reason); err != nil {
		return nil, fmt.Errorf("cordon workers: %w reason: %w", ErrInvalid, err)
	}
	return w.operate(ctx, "cordon", ids, func(ctx context.Context, w *Workers) ([]int64, error) {
		if w.layout.HasCordons() {
			return w.cordonPlatform(ctx, reason, ids)
		}
		if reason != "" { // the database sets the user and the time of an inserted row
			_, err := w.db.NewRaw("DELETE FROM ? WHERE worker IN (?) AND coalesce(reason, '') <> ?",
				w.of("worker_cordon"), bun.List(ids), reason).Exec(ctx)
			if err != nil {
				return nil, err
			}
		}
		return w.queryIDs(ctx, `INSERT INTO ? (worker, reason) SELECT worker.id, ? FROM ? AS worker WHERE worker.id IN (?)
			ORDER BY worker.id ON CONFLICT (worker) DO NOTHING RETURNING worker`, w.of("worker_cordon"), orNull(reason), w.of("worker"), bun.List(ids))
	})
}

// Uncordon lifts the cordons of workers, and returns the IDs of cordoned workers, ascending.
func (w *Workers) Uncordon(ctx context.Context, ids ...int64) ([]int64, error) {
	return w.operate(ctx, "uncordon", ids, func(ctx context.Context, w *Workers) ([]int64, error) {
		lifted, err := w.queryIDs(ctx, "DELETE FROM ? WHERE worker IN (?) RETURNING worker", w.of("worker_cordon"), bun.List(ids))
		if err != nil || !w.layout.HasCordons() {
			return lifted, err
		}
		more, err := w.queryIDs(ctx, `WITH ?3 UPDATE ?0 AS t SET cordoned = false ?1 FROM locked WHERE t.id = locked.id AND t.cordoned RETURNING t.id`,
			w.of("worker"), w.cordonColumns(bun.Safe("NULL"), bun.Safe("NULL")), bun.List(ids), w.orderedLock(ids))
		return append(lifted, more...), err
	})
}

// Taint puts a taint on workers, and returns the IDs whose taints changed, ascending. A worker
// has one value for a key and an effect. IDs of no worker are ignored. Errors: ErrInvalid, also for
// requirement.ReportOnly, which would keep nothing off them.
func (w *Workers) Taint(ctx context.Context, taint requirement.Taint, ids ...int64) ([]int64, error) {
	if err := taint.Validate(); err != nil {
		return nil, fmt.Errorf("taint workers: %w taint: %w", ErrInvalid, err)
	}
	if taint.Key == requirement.ReportOnly {
		return nil, fmt.Errorf("taint workers: %w taint: every requirement tolerates %s; cordon them, or use another key", ErrInvalid, taint.Key)
	}
	return w.operate(ctx, "taint", ids, func(ctx context.Context, w *Workers) ([]int64, error) {
		_, err := w.db.NewRaw("DELETE FROM ? WHERE worker IN (?) AND key = ? AND effect = ? AND value <> ?",
			w.of("worker_operator_taint"), bun.List(ids), taint.Key, taint.Effect, taint.Value).Exec(ctx)
		if err != nil {
			return nil, err
		}
		return w.queryIDs(ctx, `INSERT INTO ? (worker, key, value, effect) SELECT worker.id, ?, ?, ? FROM ? AS worker WHERE worker.id IN (?)
			ORDER BY worker.id ON CONFLICT (worker, key, effect) DO NOTHING RETURNING worker`,
			w.of("worker_operator_taint"), taint.Key, taint.Value, taint.Effect, w.of("worker"), bun.List(ids))
	})
}

// Untaint removes operators' taints with a key and an effect from workers, and returns the IDs of
// those that had one, ascending. An empty effect removes both. Taints of hosts stay.
func (w *Workers) Untaint(ctx context.Context, key string, effect requirement.Effect, ids ...int64) ([]int64, error) {
	if !storable(key, string(effect)) {
		return []int64{}, nil
	}
	ofEffect := bun.SafeQuery("1 = 1")
	if effect != "" {
		ofEffect = bun.SafeQuery("effect = ?", effect)
	}
	return w.operate(ctx, "untaint", ids, func(ctx context.Context, w *Workers) ([]int64, error) {
		return w.queryIDs(ctx, "DELETE FROM ? WHERE worker IN (?) AND key = ? AND ? RETURNING worker",
			w.of("worker_operator_taint"), bun.List(ids), key, ofEffect)
	})
}

// Cordons returns the cordons of workers, by worker.
func (w *Workers) Cordons(ctx context.Context, ids []int64) ([]schema.WorkerCordon, error) {
	rows := []schema.WorkerCordon{}
	if len(ids) == 0 {
		return rows, nil
	}
	err := w.readByID(ctx, ids, func(ids any) any {
		return bun.SafeQuery(`SELECT cordon.worker, cordon.reason, cordon.created_by, cordon.created FROM ? AS cordon
			WHERE cordon.worker IN (?) ORDER BY cordon.worker`, w.rows("worker_cordon"), ids)
	}, &rows)
	if err != nil {
		return nil, fmt.Errorf("read cordons of workers: %w", err)
	}
	for i := range rows {
		utc(&rows[i])
	}
	return rows, nil
}

// OperatorTaints returns operators' taints of workers, by worker and key.
func (w *Workers) OperatorTaints(ctx context.Context, ids []int64) ([]schema.WorkerOperatorTaint, error) {
	rows := []schema.WorkerOperatorTaint{}
	if len(ids) == 0 {
		return rows, nil
	}
	err := w.readByID(ctx, ids, func(ids any) any {
		return bun.SafeQuery(`SELECT taint.worker, taint.key, taint.value, taint.effect, taint.created_by, taint.created FROM ? AS taint
			WHERE taint.worker IN (?) ORDER BY taint.worker, ?, taint.effect`,
			w.rows("worker_operator_taint"), ids, w.bytewise("taint.key"))
	}, &rows)
	if err != nil {
		return nil, fmt.Errorf("read operators' taints of workers: %w", err)
	}
	for i := range rows {
		utc(&rows[i])
	}
	return rows, nil
}

// operate runs an operation on workers in a transaction, and notifies listeners of what changed.
func (w *Workers) operate(
	ctx context.Context, verb string, ids []int64, fn func(ctx context.Context, w *Workers) ([]int64, error),
) ([]int64, error) {
	if len(ids) == 0 {
		return []int64{}, nil
	}
	var changed []int64
	err := w.inTx(ctx, func(ctx context.Context, w *Workers) (err error) {
		if changed, err = fn(ctx, w); err != nil || len(changed) == 0 {
			return err
		}
		slices.Sort(changed)
		changed = slices.Compact(changed)
		notice := ChangeNotice{Schema: w.schema}
		if len(changed) == 1 {
			notice.Worker = changed[0]
		}
		return w.changes.notify(ctx, notice)
	})
	if err != nil {
		return nil, fmt.Errorf("%s workers: %w", verb, w.classify(verb, err))
	}
	return changed, nil
}

// queryIDs runs a statement that returns IDs.
func (w *Workers) queryIDs(ctx context.Context, query string, args ...any) ([]int64, error) {
	ids := []int64{}
	err := w.db.NewRaw(query, args...).Scan(ctx, &ids)
	return ids, err
}

// cordonPlatform cordons workers in the platform's columns. Cordons from before it had them move
// there.
func (w *Workers) cordonPlatform(ctx context.Context, reason string, ids []int64) ([]int64, error) {
	if _, err := w.db.NewRaw("DELETE FROM ? WHERE worker IN (?)", w.of("worker_cordon"), bun.List(ids)).Exec(ctx); err != nil {
		return nil, err
	}
	other := bun.SafeQuery("1 = 0")
	if reason != "" && w.layout.Has(w.name, "cordon_reason") {
		other = bun.SafeQuery("coalesce(?, '') <> ?", w.text("t.cordon_reason"), reason)
	}
	return w.queryIDs(ctx, `WITH ?3 UPDATE ?0 AS t SET cordoned = true ?1 FROM locked WHERE t.id = locked.id AND (t.cordoned IS NOT TRUE OR ?2) RETURNING t.id`,
		w.of("worker"), w.cordonColumns(orNull(reason), w.clock()), other, w.orderedLock(ids))
}

// cordonColumns returns the assignments of the columns beside cordoned that the platform has. The
// platform's own identity is not known.
func (w *Workers) cordonColumns(reason, at any) any {
	var query []string
	var args []any
	for _, c := range []struct {
		name  string
		value any
	}{{"cordon_reason", reason}, {"cordoned_at", at}, {"cordoned_by", bun.Safe("NULL")}} {
		if w.layout.Has(w.name, c.name) {
			query, args = append(query, ", ? = ?"), append(args, bun.Name(c.name), c.value)
		}
	}
	return bun.SafeQuery(strings.Join(query, ""), args...)
}

// orderedLock returns a part of a statement that locks the platform's rows by ascending ID.
func (w *Workers) orderedLock(ids []int64) any {
	return bun.SafeQuery("locked AS MATERIALIZED (SELECT l.id FROM ? AS l WHERE l.id IN (?) ORDER BY l.id FOR UPDATE)",
		w.of("worker"), bun.List(ids))
}

// CheckReason returns an error for a text that cannot be the reason for a cordon.
func CheckReason(reason string) error {
	switch {
	case !utf8.ValidString(reason):
		return errUTF8
	case strings.ContainsFunc(reason, unicode.IsControl):
		return errors.New("must not contain control characters")
	}
	if n := utf8.RuneCountInString(reason); n > MaxReason {
		return fmt.Errorf("must have at most %d characters, got %d", MaxReason, n)
	}
	return nil
}
