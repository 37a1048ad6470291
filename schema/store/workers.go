package store

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Workers is the repository of workers.
type Workers struct {
	table[schema.Worker]
	runtimes WorkerRuntimes
	changes  Changes
	// reportOnly means that workers must not be given executions of the platform.
	reportOnly bool
	// lookups means that conditions on a worker are look-ups, which a plan does not join.
	lookups bool
}

// WorkerChanges holds the columns that an update writes: the ones that are set. Nil writes
// NULL. Register and Report write the capabilities.
type WorkerChanges struct {
	WorkerType        metadata.Optional[schema.WorkerType]
	Runtime           metadata.Optional[*int64]
	Host              metadata.Optional[*string]
	Port              metadata.Optional[*int]
	Status            metadata.Optional[*schema.WorkerStatus]
	Meta              metadata.Optional[json.RawMessage]
	Instance          metadata.Optional[*string]
	HeartbeatInterval metadata.Optional[*int]
}

// Create adds a worker and sets the values that the database generates. A process uses
// Register instead. Errors: ErrDuplicate if the identity exists, ErrTaken, ErrInvalid.
func (w *Workers) Create(ctx context.Context, row *schema.Worker) error {
	if w.layout.Guest() {
		return w.fail("insert", row.Name, w.createGuest(ctx, row))
	}
	return w.fail("insert", row.Name, w.insert(ctx, row))
}

// Get returns the worker with an id. Errors: ErrNotFound.
func (w *Workers) Get(ctx context.Context, id int64) (*schema.Worker, error) {
	row, err := w.one(ctx, "worker.id = ?", id)
	return row, w.fail("get", id, err)
}

// ByIdentity returns the row that Register would write: the row with the identity, or the
// legacy row that it would adopt. Errors: ErrNotFound.
func (w *Workers) ByIdentity(ctx context.Context, role metadata.Role, name string) (*schema.Worker, error) {
	identity := Identity(role, name)
	rows, err := w.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("? = ? OR worker.id = ?", w.text("worker.identity"), identity, w.legacy(name, roleOf(role))).
			OrderExpr("worker.identity IS NULL").Limit(1)
	}, identity)
	if err == nil && len(rows) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return nil, w.fail("get", identity, err)
	}
	return &rows[0], nil
}

// roleOf converts a role to its value in SQL.
func roleOf(role metadata.Role) schema.WorkerRole {
	if role == metadata.Worker {
		return schema.RoleAction
	}
	return schema.WorkerRole(role)
}

// Update writes the columns that are set in changes, and updated, and returns the new row.
// Errors: ErrNotFound, ErrInvalid.
func (w *Workers) Update(ctx context.Context, id int64, changes WorkerChanges) (*schema.Worker, error) {
	row := new(schema.Worker)
	var c changeSet
	change(&c, "worker_type", changes.WorkerType, &row.WorkerType)
	change(&c, "runtime", changes.Runtime, &row.Runtime)
	change(&c, "host", changes.Host, &row.Host)
	change(&c, "port", changes.Port, &row.Port)
	change(&c, "status", changes.Status, &row.Status)
	change(&c, "meta", changes.Meta, &row.Meta)
	change(&c, "instance", changes.Instance, &row.Instance)
	change(&c, "heartbeat_interval", changes.HeartbeatInterval, &row.HeartbeatInterval)
	if err := w.update(ctx, row, c, "worker.id = ?", id); err != nil {
		return nil, w.fail("update", id, err)
	}
	return row, nil
}
