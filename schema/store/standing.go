package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// A Standing is the state of a worker without its document. Lists are counted, sorted and
// limited by it.
type Standing struct {
	ID         int64
	Name       string
	WorkerRole schema.WorkerRole
	Host       *string
	Status     *schema.WorkerStatus
	// Identity is nil if no process of attune registered the row.
	Identity *string
	// Stale reports whether Selection.Stale selects the worker.
	Stale bool
	// Live reports whether an instance runs and sends heartbeats.
	Live bool
	// Cordoned reports whether an operator keeps new work off the worker.
	Cordoned bool
	// Silent is the age of the last heartbeat, by the database's clock; nil without one.
	Silent *time.Duration
}

// Standing returns the state of the workers of a selection, in no order. It ignores Limit.
func (w *Workers) Standing(ctx context.Context, s Selection) ([]Standing, error) {
	found := []Standing{}
	if !s.storable() {
		return found, nil
	}
	var rows []struct {
		Standing
		LastHeartbeat *time.Time
		Now           time.Time
	}
	q := w.db.NewSelect().TableExpr("? AS worker", w.rows("worker")).
		ColumnExpr("worker.id, worker.name, worker.worker_role, worker.host, worker.status, worker.identity, worker.last_heartbeat").
		ColumnExpr("? AS stale, coalesce(?, false) AS live, ? AS now", w.isStale(), w.isLive("worker"), w.clock()).
		ColumnExpr("worker.id IN (SELECT cordon.worker FROM ? AS cordon) AS cordoned", w.rows("worker_cordon"))
	for _, c := range w.conditions(&s) {
		q = q.Where("?", c)
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("find workers: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		r.Silent = silence(r.LastHeartbeat, r.Now)
		found = append(found, r.Standing)
	}
	return found, nil
}

// StaleStatus is the status of stale workers in States.
const StaleStatus = "stale"

// A State is what a worker does now.
type State struct {
	// Status is StaleStatus if the worker is stale. It is empty if the row has none.
	Status string
	// Cordoned reports whether an operator keeps new work off the worker.
	Cordoned bool
}

// States returns the states of all workers by ID, and the ID of the newest change, or 0 without one. It is for callers that
// look at a whole fleet often, because it reads no other columns and a few rows only.
func (w *Workers) States(ctx context.Context) (states map[int64]State, newest int64, err error) {
	var rows []struct {
		Newest   int64
		Status   *string
		Cordoned *bool
		IDs      *string `bun:"ids"`
	}
	list := bun.Safe(w.pick("pg_catalog.string_agg(CAST(worker.id AS pg_catalog.text), ',')", "group_concat(worker.id)"))
	err = w.db.NewRaw(`SELECT newest.id AS newest, state.status, state.cordoned, state.ids
		FROM (SELECT coalesce((SELECT c.id FROM ? AS c ORDER BY c.id DESC LIMIT 1), 0) AS id) AS newest LEFT JOIN (
			SELECT worker.status, worker.cordoned, ? AS ids FROM (
				SELECT worker.id, CASE WHEN ? THEN ? ELSE coalesce(?, '') END AS status,
					worker.id IN (SELECT cordon.worker FROM ? AS cordon) AS cordoned
				FROM ? AS worker) AS worker
			GROUP BY worker.status, worker.cordoned) AS state ON true`,
		w.of("capability_change"),
		list, w.isStale(), StaleStatus, w.text("worker.status"), w.rows("worker_cordon"), w.rows("worker")).Scan(ctx, &rows)
	if err != nil {
		return nil, 0, fmt.Errorf("read states of workers: %w", w.classify("find", err))
	}
	states = map[int64]State{}
	for _, row := range rows {
		newest = row.Newest
		if row.IDs == nil {
			continue // there are no workers
		}
		for text := range strings.SplitSeq(*row.IDs, ",") {
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return nil, 0, fmt.Errorf("read states of workers: %w", err)
			}
			states[id] = State{*row.Status, *row.Cordoned}
		}
	}
	return states, newest, nil
}

// silence returns the age of a heartbeat, or nil without one.
func silence(last *time.Time, now time.Time) *time.Duration {
	if last == nil {
		return nil
	}
	silent := now.Sub(*last)
	return &silent
}

// Lock locks the rows of workers until the end of w's transaction and returns their state.
// It leaves out workers that do not exist. Errors: ErrForeign.
func (w *Workers) Lock(ctx context.Context, ids ...int64) ([]Standing, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if w.layout.Guest() {
		if err := w.lockStates(ctx, ids); err != nil {
			return nil, fmt.Errorf("lock workers: %w", w.classify("lock", err))
		}
	}
	if w.postgres { // in SQLite there is one writer at a time
		_, err := w.db.NewRaw("SELECT 1 FROM ? AS worker WHERE id IN (?) ORDER BY id FOR UPDATE", w.of("worker"), bun.List(ids)).Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("lock workers: %w", w.classify("lock", err))
		}
	}
	return w.Standing(ctx, Selection{IDs: ids})
}

// References returns the rows of other tables that refer to workers. It leaves out attune's
// own records of them.
func (w *Workers) References(ctx context.Context, ids ...int64) ([]Reference, error) {
	if len(ids) == 0 {
		return []Reference{}, nil
	}
	refs := references{dialect: w.dialect}
	return refs.find(ctx, w.name, bun.SafeQuery("SELECT worker.* FROM ? AS worker WHERE worker.id IN (?)", w.of(w.name), bun.List(ids)))
}

// Delete removes a worker and its reported runtimes. Its history stays. A process that still
// runs registers again. Errors: ErrNotFound; ErrReferenced, which errors.As finds as a
// *ReferencedError, if rows of other tables refer to it and the database would refuse the
// deletion or delete them too.
func (w *Workers) Delete(ctx context.Context, id int64) error {
	n, err := w.deleteAll(ctx, []int64{id})
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return w.fail("delete", id, err)
}

// MayDelete returns the error with which the database refuses any deletion of workers to this
// login or, on SQLite, to this user. It deletes nothing.
func (w *Workers) MayDelete(ctx context.Context) error {
	err := w.table.MayDelete(ctx)
	if err == nil && w.layout.Guest() {
		err = w.explain(ctx, w.givingBack([]int64{0}))
	}
	return err
}

// DeleteAll removes workers as Delete does, either all or none, and returns their number.
func (w *Workers) DeleteAll(ctx context.Context, ids ...int64) (int, error) {
	n, err := w.deleteAll(ctx, ids)
	if err != nil {
		return 0, fmt.Errorf("delete workers: %w", w.classify("delete", err))
	}
	return n, nil
}

func (w *Workers) deleteAll(ctx context.Context, ids []int64) (int, error) {
	var n int64
	if len(ids) == 0 {
		return 0, nil
	}
	err := w.inTx(ctx, func(ctx context.Context, w *Workers) error {
		if _, err := w.Lock(ctx, ids...); err != nil {
			return err
		}
		refs, err := w.References(ctx, ids...)
		if err != nil {
			return err
		}
		if err := hindrance(refs); err != nil {
			return err
		}
		n, err = w.deleteRows(ctx, ids)
		return err
	})
	return int(n), err
}

// deleteRows deletes the rows of workers and returns their number. In a guest the platform
// gets back what was taken over.
func (w *Workers) deleteRows(ctx context.Context, ids []int64) (n int64, err error) {
	table, key := w.of(w.name), bun.Safe("id")
	where := bun.SafeQuery("? IN (?)", key, bun.List(ids))
	if w.layout.Guest() {
		if n, err = w.giveBack(ctx, ids); err != nil {
			return 0, err
		}
		state, _ := w.state()
		where = bun.SafeQuery("? AND id IN (SELECT s.worker FROM ? AS s)", where, state)
	}
	result, err := w.db.NewRaw("DELETE FROM ? WHERE ?", table, where).Exec(ctx)
	if err != nil {
		return 0, err
	}
	more, err := result.RowsAffected()
	return n + more, err
}
