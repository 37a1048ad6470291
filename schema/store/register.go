package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// Registration is what a worker or sensor says of itself. A nil leaves what the
// row has.
type Registration struct {
	// Name and Role are the identity; both are required.
	Name string
	Role metadata.Role
	// Type is where it runs. Empty is local.
	Type schema.WorkerType
	// Status the row gets. Empty is inactive: registered, but nobody runs.
	Status schema.WorkerStatus
	Host   *string
	Port   *int
	// Capabilities is the capability document.
	Capabilities json.RawMessage
	Meta         json.RawMessage
	// Instance tells one process of the identity from the next.
	Instance *string
	// HeartbeatInterval is in seconds.
	HeartbeatInterval *int
}

// Identity is what tells workers apart: the role as SQL has it, and the name.
func Identity(role metadata.Role, name string) string {
	return string(roleOf(role)) + "/" + name
}

// Register writes the row of an identity in one statement and returns it. Any
// number of processes may register one identity at once: there is one row.
//
// Where no row has the identity, the newest row of that name and role from
// before there were identities takes it and keeps its id. A hybrid row is left
// alone: whoever made it may serve both roles. The last heartbeat is untouched.
// Errors: ErrInvalid.
func (w *Workers) Register(ctx context.Context, r Registration) (*schema.Worker, error) {
	identity := Identity(r.Role, r.Name)
	row, columns, err := w.registered(r)
	if err != nil {
		return nil, w.fail("register", identity, err)
	}
	err = w.check(row, columns)
	if err == nil && w.postgres {
		err = w.registerPostgres(ctx, row, columns)
	} else if err == nil {
		err = w.registerSQLite(ctx, row, columns)
	}
	if err != nil {
		return nil, w.fail("register", identity, err)
	}
	utc(row)
	return row, nil
}

// registered is the row that a registration asks for, and the columns that it
// says something of.
func (w *Workers) registered(r Registration) (*schema.Worker, []string, error) {
	if r.Name == "" {
		return nil, nil, fmt.Errorf("%w name: it is empty", ErrInvalid)
	}
	if r.Role != metadata.Worker && r.Role != metadata.Sensor {
		return nil, nil, fmt.Errorf("%w role %q: it is %s or %s", ErrInvalid, r.Role, metadata.Worker, metadata.Sensor)
	}
	if r.Type == "" {
		r.Type = schema.WorkerLocal
	}
	if r.Status == "" {
		r.Status = schema.WorkerInactive
	}
	identity := Identity(r.Role, r.Name)
	row := &schema.Worker{
		Name: r.Name, WorkerType: r.Type, WorkerRole: roleOf(r.Role), Status: &r.Status, Host: r.Host,
		Port: r.Port, Capabilities: r.Capabilities, Meta: r.Meta, Identity: &identity,
		Instance: r.Instance, HeartbeatInterval: r.HeartbeatInterval,
	}
	return row, w.written(row), nil
}

// legacy is the id of the row that the identity of a role and name would adopt.
func (w *Workers) legacy(name string, role schema.WorkerRole) any {
	return bun.SafeQuery(`(SELECT legacy.id FROM ? AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = ? AND ? = ?
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1)`, w.of("worker"), name, w.text("legacy.worker_role"), role)
}

// registerPostgres adopts or else upserts.
//
// A process that finds its legacy row adopted meanwhile has waited for that row;
// it sees then that the identity is no longer null, adopts nothing, and its
// INSERT meets the row. Only when a legacy row comes into being between the
// snapshots of two first registrations may both make a row of the identity; the
// unique constraint refuses the second, which tries again.
func (w *Workers) registerPostgres(ctx context.Context, row *schema.Worker, columns []string) error {
	set := w.assignments(row, columns)
	for attempt := 1; ; attempt++ {
		err := w.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			return tx.NewRaw(`WITH adopted AS (
				UPDATE ?0 AS worker SET ?1 WHERE worker.id = ?2 AND worker.identity IS NULL
				AND NOT EXISTS (SELECT 1 FROM ?0 AS other WHERE other.identity = ?3)
				RETURNING ?4
			), registered AS (
				INSERT INTO ?0 AS worker (?5) SELECT ?6 WHERE NOT EXISTS (SELECT 1 FROM adopted)
				ON CONFLICT (identity) DO UPDATE SET ?1
				RETURNING ?4
			) SELECT * FROM adopted UNION ALL SELECT * FROM registered`,
				w.of("worker"), set, w.legacy(row.Name, row.WorkerRole), *row.Identity, w.columns(),
				names(columns), w.values(row, columns)).Scan(ctx, row)
		})
		if attempt == 3 || !errors.Is(w.classify("register", err), ErrDuplicate) {
			return err
		}
	}
}

// registerSQLite says by the id of the new row which row to adopt: that id is
// then in conflict.
func (w *Workers) registerSQLite(ctx context.Context, row *schema.Worker, columns []string) error {
	set := w.assignments(row, columns)
	return w.db.NewRaw(`INSERT INTO ?0 AS worker (id, ?1)
		VALUES (CASE WHEN NOT EXISTS (SELECT 1 FROM ?0 AS other WHERE other.identity = ?2) THEN ?3 END, ?4)
		ON CONFLICT (identity) DO UPDATE SET ?5
		ON CONFLICT (id) DO UPDATE SET ?5
		RETURNING ?6`,
		w.of("worker"), names(columns), *row.Identity, w.legacy(row.Name, row.WorkerRole), w.values(row, columns),
		set, w.columns()).Scan(ctx, row)
}

// values are the columns' values, separated by commas.
func (w *Workers) values(row *schema.Worker, columns []string) any {
	var query []string
	var args []any
	for _, column := range columns {
		query, args = append(query, "?"), append(args, w.value(row, column))
	}
	return bun.SafeQuery(strings.Join(query, ", "), args...)
}

// assignments set the columns to their values, and updated to the time.
func (w *Workers) assignments(row *schema.Worker, columns []string) any {
	query, args := []string{"updated = ?"}, []any{w.now()}
	for _, column := range columns {
		query, args = append(query, "? = ?"), append(args, bun.Name(column), w.value(row, column))
	}
	return bun.SafeQuery(strings.Join(query, ", "), args...)
}
