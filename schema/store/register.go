package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// A Registration describes a worker or sensor. Nil fields keep the row's values.
type Registration struct {
	// Name and Role form the identity. Both are required.
	Name string
	Role metadata.Role
	// Type is where it runs. Defaults to local.
	Type schema.WorkerType
	// Status is the status of the row. Defaults to active with an Instance, and to inactive
	// without one.
	Status schema.WorkerStatus
	Host   *string
	Port   *int
	// Capabilities is what the host has.
	Capabilities *Capabilities
	Meta         json.RawMessage
	// Instance identifies the process that runs under the identity from now on and sends
	// heartbeats.
	Instance *string
	// HeartbeatInterval is in seconds. It is required with an Instance.
	HeartbeatInterval *int
	// Takeover takes the row from an instance that runs; its next heartbeat returns
	// ErrSuperseded. By default the registration is refused with ErrLive. In a guest it also
	// takes a row of the platform's with that name; by default that is refused with ErrTaken.
	Takeover bool
}

// Identity returns the unique identity of a worker: its role in SQL and its name, as
// action/build-7.
func Identity(role metadata.Role, name string) string {
	return string(roleOf(role)) + "/" + name
}

// Register writes the row of an identity in one statement and returns it. In the same
// transaction it writes the capabilities and returns the changes, as Report does. Any
// number of processes may register one identity concurrently; there is one row.
//
// If no row has the identity, Register adopts the newest row with that name and role that
// has no identity, and keeps its id. It does not adopt a hybrid row, whose owner may serve
// both roles, and in a guest it adopts none. The registration of an instance counts as its first heartbeat. Without an
// instance, the last heartbeat stays.
//
// If another instance runs, Register returns ErrLive and writes nothing. An instance runs
// until it has missed three of its heartbeat intervals or has called Deactivate. Errors:
// ErrLive, ErrTaken, ErrInvalid, *OwnRowsError.
func (w *Workers) Register(ctx context.Context, r Registration) (*schema.Worker, []schema.CapabilityChange, error) {
	identity := Identity(r.Role, r.Name)
	row, columns, err := w.registrationRow(r)
	if err == nil {
		err = w.check(row, columns)
	}
	if err != nil {
		return nil, nil, w.fail("register", identity, err)
	}
	var changes []schema.CapabilityChange
	for attempt := 1; attempt <= 3; attempt++ {
		err = w.inReportTx(ctx, func(ctx context.Context, w *Workers) error {
			if err := w.upsertIdentity(ctx, row, columns, r.Takeover); err != nil || r.Capabilities == nil {
				return err
			}
			changes, err = w.writeRuntimes(ctx, row, *r.Capabilities)
			return err
		})
		err = w.classify("register", err)
		if errors.Is(err, ErrNotFound) {
			// Another instance runs, unless it has ended since.
			if live := w.liveError(ctx, identity); live != nil {
				err = live
				break
			}
			err = fmt.Errorf("%w until a moment ago", ErrLive)
		} else if !errors.Is(err, ErrDuplicate) {
			break
		}
	}
	if err != nil {
		return nil, nil, w.fail("register", identity, w.explainRefusal(ctx, r.Name, err))
	}
	utc(row)
	return row, changes, nil
}

// registrationRow returns the row of a registration and the columns that it sets.
func (w *Workers) registrationRow(r Registration) (*schema.Worker, []string, error) {
	if err := checkName(r.Name); err != nil {
		return nil, nil, fmt.Errorf("%w name: %w", ErrInvalid, err)
	}
	if r.Role != metadata.Worker && r.Role != metadata.Sensor {
		return nil, nil, fmt.Errorf("%w role: must be %s or %s, got %q", ErrInvalid, metadata.Worker, metadata.Sensor, r.Role)
	}
	if r.Type == "" {
		r.Type = schema.WorkerLocal
	}
	if r.Status == "" {
		r.Status = schema.WorkerInactive
		if r.Instance != nil {
			r.Status = schema.WorkerActive
		}
	}
	identity := Identity(r.Role, r.Name)
	row := &schema.Worker{
		Name: r.Name, WorkerType: r.Type, WorkerRole: roleOf(r.Role), Status: &r.Status, Host: r.Host,
		Port: r.Port, Meta: r.Meta, Identity: &identity, Instance: r.Instance, HeartbeatInterval: r.HeartbeatInterval,
	}
	if r.Instance != nil {
		if r.HeartbeatInterval == nil {
			return nil, nil, fmt.Errorf("%w heartbeat_interval: is required for an instance", ErrInvalid)
		}
		if *r.HeartbeatInterval < 1 {
			return nil, nil, fmt.Errorf("%w heartbeat_interval: must be at least 1 second, got %d", ErrInvalid, *r.HeartbeatInterval)
		}
		if !w.postgres { // on Postgres a trigger sets it with the instance
			row.LastHeartbeat = new(time.Time) // setting replaces it by the database's time
		}
	}
	if r.Capabilities != nil {
		if err := r.Capabilities.check(); err != nil {
			return nil, nil, err
		}
		var err error
		if row.Capabilities, err = w.tainted(r.Capabilities.Document); err != nil {
			return nil, nil, err
		}
	}
	return row, w.insertColumns(row), nil
}

// maxName is the maximum length of a worker's name, in bytes.
const maxName = 255

// checkName returns why a worker cannot have a name. Names are part of identities, tables
// and log lines.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("must not be empty")
	case len(name) > maxName:
		return fmt.Errorf("must have at most %d bytes, got %d", maxName, len(name))
	case !utf8.ValidString(name):
		return fmt.Errorf("must be UTF-8, got %q", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("must not contain control characters, got %q", name)
	}
	return nil
}

// upsertIdentity writes the row of an identity and reads it back. It returns sql.ErrNoRows
// if another instance runs.
func (w *Workers) upsertIdentity(ctx context.Context, row *schema.Worker, columns []string, takeover bool) error {
	mayTake := bun.SafeQuery("true")
	if !takeover {
		mayTake = bun.SafeQuery("(? = ? OR ? IS NOT TRUE)", w.text("worker.instance"), row.Instance, w.isLive("worker"))
	}
	switch {
	case w.layout.Guest():
		return w.registerGuest(ctx, row, columns, mayTake, takeover)
	case w.postgres:
		return w.registerPostgres(ctx, row, columns, mayTake)
	}
	return w.registerSQLite(ctx, row, columns, mayTake)
}

// legacy returns the id of the row that a registration would adopt. A guest has no such row.
func (w *Workers) legacy(name string, role schema.WorkerRole) any {
	if w.layout.Guest() {
		return bun.Safe("NULL")
	}
	return bun.SafeQuery(`(SELECT legacy.id FROM ? AS legacy
		WHERE legacy.identity IS NULL AND ? = ? AND ? = ?
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1)`, w.of("worker"), w.text("legacy.name"), name, w.text("legacy.worker_role"), role)
}

// registerPostgres adopts a row or else upserts one. A row without an identity has no
// running instance.
//
// A process whose legacy row another one adopts waits for that row. It then sees the
// identity, adopts nothing, and its INSERT conflicts with the row. If a legacy row is
// created between the snapshots of two first registrations, both can create a row; the
// unique constraint refuses the second, and Register tries again.
func (w *Workers) registerPostgres(ctx context.Context, row *schema.Worker, columns []string, mayTake any) error {
	return w.db.NewRaw(`WITH adopted AS (
			UPDATE ?0 AS worker SET ?1 WHERE worker.id = ?2 AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM ?0 AS other WHERE ?8 = ?3)
			RETURNING ?4
		), registered AS (
			INSERT INTO ?0 AS worker (?5) SELECT ?6 WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET ?1 WHERE ?7
			RETURNING ?4
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered`,
		w.of("worker"), w.assignments(row, columns), w.legacy(row.Name, row.WorkerRole), *row.Identity, w.columns(),
		names(columns), w.values(row, columns), mayTake, w.text("other.identity")).Scan(ctx, row)
}

// registerSQLite inserts with the id of the existing or adopted row, so that the conflict
// selects the row. Without an id every registration would use up a new one.
func (w *Workers) registerSQLite(ctx context.Context, row *schema.Worker, columns []string, mayTake any) error {
	return w.db.NewRaw(`INSERT INTO ?0 AS worker (id, ?1)
		VALUES (coalesce((SELECT other.id FROM ?0 AS other WHERE other.identity = ?2), ?3), ?4)
		ON CONFLICT (identity) DO UPDATE SET ?5 WHERE ?7
		ON CONFLICT (id) DO UPDATE SET ?5 WHERE ?7
		RETURNING ?6`,
		w.of("worker"), names(columns), *row.Identity, w.legacy(row.Name, row.WorkerRole), w.values(row, columns),
		w.assignments(row, columns), w.columns(), mayTake).Scan(ctx, row)
}

// values returns the values of columns, separated by commas.
func (w *Workers) values(row *schema.Worker, columns []string) any {
	var query []string
	var args []any
	for _, column := range columns {
		query, args = append(query, "?"), append(args, w.setting(row, column))
	}
	return bun.SafeQuery(strings.Join(query, ", "), args...)
}

// assignments returns the assignments of the columns' values, and of the time to updated.
func (w *Workers) assignments(row *schema.Worker, columns []string) any {
	var query []string
	var args []any
	for _, column := range columns {
		query, args = append(query, "? = ?"), append(args, bun.Name(column), w.setting(row, column))
	}
	return bun.SafeQuery("? ?", bun.SafeQuery(strings.Join(query, ", "), args...), w.setUpdated())
}

// setting returns the value of a column. The heartbeat is the database's time.
func (w *Workers) setting(row *schema.Worker, column string) any {
	if column == "last_heartbeat" {
		return w.clock()
	}
	return w.value(row, column)
}
