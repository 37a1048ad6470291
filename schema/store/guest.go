package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// This file writes workers in a guest: to the platform's table, and to the table of states
// beside it. The row of state is locked first, as heartbeats do.

// A TakenError describes the row that has the name of a refused registration. It unwraps to
// ErrTaken.
type TakenError struct {
	Name string
	// ID and Role are those of the row. Identity is empty if it is the platform's.
	ID       int64
	Role     schema.WorkerRole
	Identity string
}

func (e *TakenError) Unwrap() error { return ErrTaken }

func (e *TakenError) Error() string {
	owner := "the platform's"
	if e.Identity != "" {
		owner = e.Identity + " of attune"
	}
	return fmt.Sprintf("%v: row %d of worker with the name %q and the role %s is %s", ErrTaken, e.ID, e.Name, e.Role, owner)
}

// isReportOnly reports whether workers must not be given executions of the platform.
func (d dialect) isReportOnly(cfg Config) bool {
	if cfg.ReportOnly != nil {
		return *cfg.ReportOnly
	}
	return d.layout.Executions
}

// isMirrored reports whether the platform may see the status and the heartbeats of attune's
// workers. A scheduler that knows no taints would choose an active worker.
func (w *Workers) isMirrored() bool { return !w.reportOnly || w.layout.Taints }

// reportOnlyTaint keeps a platform that knows taints from choosing a worker.
const reportOnlyTaint = `{"key": "attune/report-only", "effect": "no_schedule"}`

// tainted returns a capability document, with a taint if the worker only reports.
func (w *Workers) tainted(document json.RawMessage) (json.RawMessage, error) {
	if !w.reportOnly || len(document) == 0 {
		return document, nil
	}
	members := map[string]json.RawMessage{}
	if err := json.Unmarshal(document, &members); err != nil {
		return nil, fmt.Errorf("%w capabilities: must be an object", ErrInvalid)
	}
	var taints []json.RawMessage
	if text := members["taints"]; text != nil {
		if err := json.Unmarshal(text, &taints); err != nil {
			return nil, fmt.Errorf("%w capabilities: taints must be a list", ErrInvalid)
		}
	}
	var err error
	if members["taints"], err = json.Marshal(append(taints, json.RawMessage(reportOnlyTaint))); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// registerGuest writes the row of an identity and reads it back. It returns sql.ErrNoRows if
// another instance runs, and ErrDuplicate if another registration came first.
func (w *Workers) registerGuest(ctx context.Context, row *schema.Worker, columns []string, mayTake any, takeover bool) error {
	state, _ := w.state()
	var found []struct {
		ID  int64
		May bool
	}
	err := w.db.NewRaw("SELECT worker.worker AS id, ? AS may FROM ? AS worker WHERE ? = ? FOR UPDATE",
		mayTake, state, w.text("worker.identity"), *row.Identity).Scan(ctx, &found)
	var id int64
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		if id, err = w.enter(ctx, row, takeover); err != nil {
			return err
		}
	case !found[0].May:
		return sql.ErrNoRows
	default:
		id = found[0].ID
	}
	platform, beside := parts(w.layout.Split(w.name), columns)
	platform = slices.DeleteFunc(platform, func(c string) bool { return c == "name" || c == "worker_role" })
	set := w.assignments(row, platform)
	if !w.isMirrored() {
		set = bun.SafeQuery("?, status = 'inactive'", set)
	}
	if err := w.writePlatform(ctx, id, set); err != nil {
		return err
	}
	// Triggers set the heartbeat, and carry it and the status to the platform's row.
	_, err = w.db.NewRaw("UPDATE ? SET ?, mirrored = ? WHERE worker = ?", state, w.assignments(row, beside), w.isMirrored(), id).Exec(ctx)
	if err != nil {
		return err
	}
	return w.readBack(ctx, row, id)
}

// createGuest adds the row of an identity. Rows without one are the platform's.
func (w *Workers) createGuest(ctx context.Context, row *schema.Worker) error {
	columns := w.insertColumns(row)
	if err := w.check(row, columns); err != nil {
		return err
	}
	if row.Identity == nil {
		return fmt.Errorf("%w identity: rows without one are the platform's", ErrInvalid)
	}
	return w.inTx(ctx, func(ctx context.Context, w *Workers) error {
		err := w.registerGuest(ctx, row, columns, bun.Safe("false"), false)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("%w identity", ErrDuplicate)
		}
		return err
	})
}

// enter makes a new identity, and its row in the platform's table. A row of the platform's
// that is taken over is kept beside, so that it can be given back. Errors: ErrTaken,
// ErrDuplicate.
func (w *Workers) enter(ctx context.Context, row *schema.Worker, takeover bool) (id int64, err error) {
	taken, err := w.nameHolder(ctx, row)
	if err != nil {
		return 0, err
	}
	state, _ := w.state()
	switch {
	case taken != nil && taken.Identity == *row.Identity:
		err = sql.ErrNoRows // another registration came first
	case taken == nil:
		err = w.db.NewRaw(`INSERT INTO ? (name, worker_type, worker_role, status) VALUES (?, ?, ?, 'inactive') ON CONFLICT DO NOTHING RETURNING id`,
			w.of(w.name), row.Name, row.WorkerType, row.WorkerRole).Scan(ctx, &id)
		if err == nil {
			err = w.db.NewRaw("INSERT INTO ? (worker, identity) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING worker",
				state, id, *row.Identity).Scan(ctx, &id)
		}
	case takeover && taken.Identity == "":
		err = w.db.NewRaw("INSERT INTO ? (worker, identity, former) SELECT t.id, ?, pg_catalog.to_jsonb(t) FROM ? AS t "+
			"WHERE t.id = ? ON CONFLICT DO NOTHING RETURNING worker",
			state, *row.Identity, w.of(w.name), taken.ID).Scan(ctx, &id)
	default:
		return 0, taken
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("%w identity", ErrDuplicate)
	}
	return id, err
}

// nameHolder returns what keeps a new worker from having its name: any row of that name where
// names are unique, else a row of the platform's with the same role. It returns nil if
// nothing does.
func (w *Workers) nameHolder(ctx context.Context, row *schema.Worker) (*TakenError, error) {
	var found []struct {
		schema.Worker
	}
	err := w.db.NewRaw(`SELECT worker.id, worker.name, worker.worker_role, worker.identity FROM ? AS worker
		WHERE ? = ? AND (? OR ? = ? AND worker.identity IS NULL) ORDER BY worker.id DESC LIMIT 1`,
		w.rows(w.name), w.text("worker.name"), row.Name, w.layout.UniqueNames, w.text("worker.worker_role"), row.WorkerRole).Scan(ctx, &found)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	f := &found[0]
	return &TakenError{Name: f.Name, ID: f.ID, Role: f.WorkerRole, Identity: textOf(f.Identity)}, nil
}

// reportGuest writes the document of a running worker and reads the row back. It returns
// sql.ErrNoRows if the row does not belong to the instance.
func (w *Workers) reportGuest(ctx context.Context, row *schema.Worker, id int64, instance string, document json.RawMessage) error {
	state, _ := w.state()
	var locked int64
	err := w.db.NewRaw("SELECT worker FROM ? WHERE worker = ? AND ? = ? FOR UPDATE", state, id, w.text("instance"), instance).
		Scan(ctx, &locked)
	if err != nil {
		return err
	}
	if err := w.writePlatform(ctx, id, bun.SafeQuery("capabilities = ?", string(document))); err != nil {
		return err
	}
	return w.readBack(ctx, row, id)
}

// writePlatform writes columns of attune's own worker to the platform's table. It returns ErrHidden if the row
// cannot be written: the database reports that as a success.
func (w *Workers) writePlatform(ctx context.Context, id int64, set any) error {
	result, err := w.db.NewRaw("UPDATE ? SET ? WHERE id = ?", w.of(w.name), set, id).Exec(ctx)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		err = fmt.Errorf("%w: row %d of worker", ErrHidden, id)
	}
	return err
}

// lockStates locks the states of workers before the platform's rows. It returns ErrForeign
// if one of the workers is the platform's.
func (w *Workers) lockStates(ctx context.Context, ids []int64) error {
	state, _ := w.state()
	var foreign []string
	err := w.db.NewRaw(`WITH locked AS MATERIALIZED (SELECT s.worker FROM ?0 AS s WHERE s.worker IN (?1) ORDER BY s.worker FOR UPDATE)
		SELECT t.name FROM ?2 AS t WHERE t.id IN (?1) AND NOT EXISTS (SELECT FROM locked WHERE locked.worker = t.id) ORDER BY t.id LIMIT 5`,
		state, bun.List(ids), w.of(w.name)).Scan(ctx, &foreign)
	if err == nil && len(foreign) > 0 {
		err = fmt.Errorf("%w: %q", ErrForeign, foreign)
	}
	return err
}

// takenColumns are those of the platform's row that taking it over changes.
var takenColumns = []string{"worker_type", "worker_role", "runtime", "host", "port", "status", "capabilities", "meta", "last_heartbeat"}

// giveBack restores rows that were taken over and returns their number.
func (w *Workers) giveBack(ctx context.Context, ids []int64) (int64, error) {
	result, err := w.db.NewRaw("?", w.givingBack(ids)).Exec(ctx)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// givingBack returns the statement of giveBack.
func (w *Workers) givingBack(ids []int64) any {
	state, _ := w.state()
	columns := slices.DeleteFunc(slices.Clone(takenColumns), func(c string) bool { return !w.layout.Has(w.name, c) })
	return bun.SafeQuery(`WITH given AS (
			UPDATE ?0 AS w SET (?3) = (SELECT ?3
				   FROM pg_catalog.jsonb_populate_record(CAST(NULL AS ?0), s.former) AS f)
			FROM ?1 AS s WHERE s.worker = w.id AND s.former IS NOT NULL AND w.id IN (?2) RETURNING w.id)
		DELETE FROM ?1 AS s USING given WHERE s.worker = given.id`, w.of(w.name), state, bun.List(ids), names(columns))
}
