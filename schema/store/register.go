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

// Registration is what a worker or sensor says of itself. A nil leaves what the
// row has.
type Registration struct {
	// Name and Role are the identity; both are required.
	Name string
	Role metadata.Role
	// Type is where it runs. Empty is local.
	Type schema.WorkerType
	// Status the row gets. Empty is active for an instance, and without one
	// inactive: registered, but nobody runs.
	Status schema.WorkerStatus
	Host   *string
	Port   *int
	// Capabilities is what the host has.
	Capabilities *Capabilities
	Meta         json.RawMessage
	// Instance is a process that runs under the identity from now on and beats;
	// it tells one process from the next.
	Instance *string
	// HeartbeatInterval is in seconds; an instance must say it.
	HeartbeatInterval *int
	// Takeover: the row is taken from an instance that is alive, whose next
	// heartbeat tells it so. Default false: the registration is refused.
	Takeover bool
}

// Identity is what tells workers apart: the role as SQL has it, and the name.
func Identity(role metadata.Role, name string) string {
	return string(roleOf(role)) + "/" + name
}

// Register writes the row of an identity in one statement and returns it; in the
// same transaction it writes what the host has, and returns what that changes,
// as Report does. Any number of processes may register one identity at once:
// there is one row.
//
// Where no row has the identity, the newest row of that name and role from
// before there were identities takes it and keeps its id. A hybrid row is left
// alone: whoever made it may serve both roles. The registration of an instance
// is its first heartbeat; without one, the last heartbeat is untouched.
//
// While another instance is alive, the row is its own: the error is ErrLive, and
// nothing is written. It is alive until it misses its heartbeat interval three
// times, or says by Deactivate that it ends. Errors: ErrLive, ErrInvalid.
func (w *Workers) Register(ctx context.Context, r Registration) (*schema.Worker, []schema.CapabilityChange, error) {
	identity := Identity(r.Role, r.Name)
	row, columns, err := w.registered(r)
	if err == nil {
		err = w.check(row, columns)
	}
	if err != nil {
		return nil, nil, w.fail("register", identity, err)
	}
	var changes []schema.CapabilityChange
	for attempt := 1; attempt <= 3; attempt++ {
		err = w.reporting(ctx, func(ctx context.Context, w *Workers) error {
			if err := w.upsertIdentity(ctx, row, columns, r.Takeover); err != nil || r.Capabilities == nil {
				return err
			}
			changes, err = w.writeRuntimes(ctx, row, *r.Capabilities)
			return err
		})
		err = w.classify("register", err)
		if errors.Is(err, ErrNotFound) {
			// Another instance is alive, unless it has ended since.
			if live := w.whoLives(ctx, identity); live != nil {
				err = live
				break
			}
			err = fmt.Errorf("%w until a moment ago; try again", ErrLive)
		} else if !errors.Is(err, ErrDuplicate) {
			break
		}
	}
	if err != nil {
		return nil, nil, w.fail("register", identity, err)
	}
	utc(row)
	return row, changes, nil
}

// registered is the row that a registration asks for, and the columns that it
// says something of.
func (w *Workers) registered(r Registration) (*schema.Worker, []string, error) {
	if wrong := wrongName(r.Name); wrong != "" {
		return nil, nil, fmt.Errorf("%w name: %s", ErrInvalid, wrong)
	}
	if r.Role != metadata.Worker && r.Role != metadata.Sensor {
		return nil, nil, fmt.Errorf("%w role %q: it is %s or %s", ErrInvalid, r.Role, metadata.Worker, metadata.Sensor)
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
		if r.HeartbeatInterval == nil || *r.HeartbeatInterval < 1 {
			return nil, nil, fmt.Errorf("%w heartbeat_interval: an instance beats every so many seconds, at least 1", ErrInvalid)
		}
		if !w.postgres { // there a trigger writes it, with the instance
			row.LastHeartbeat = new(time.Time) // setting makes it the database's
		}
	}
	if r.Capabilities != nil {
		if err := r.Capabilities.check(); err != nil {
			return nil, nil, err
		}
		row.Capabilities = r.Capabilities.Document
	}
	return row, w.written(row), nil
}

// maxName is the longest name of a worker, in bytes.
const maxName = 255

// wrongName says why a worker cannot have a name: it is a part of its identity,
// and stands in every table and log line that tells of it.
func wrongName(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case len(name) > maxName:
		return fmt.Sprintf("it has %d bytes, and may have %d", len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Sprintf("%q is not valid UTF-8", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Sprintf("%q holds a control character", name)
	}
	return ""
}

// upsertIdentity writes the row of an identity unless another instance is alive,
// and reads it back. sql.ErrNoRows: one is.
func (w *Workers) upsertIdentity(ctx context.Context, row *schema.Worker, columns []string, takeover bool) error {
	mayTake := bun.SafeQuery("true")
	if !takeover {
		mayTake = bun.SafeQuery("(worker.instance = ? OR ? IS NOT TRUE)", row.Instance, w.live("worker"))
	}
	if w.postgres {
		return w.registerPostgres(ctx, row, columns, mayTake)
	}
	return w.registerSQLite(ctx, row, columns, mayTake)
}

// legacy is the id of the row that the identity of a role and name would adopt.
func (w *Workers) legacy(name string, role schema.WorkerRole) any {
	return bun.SafeQuery(`(SELECT legacy.id FROM ? AS legacy
		WHERE legacy.identity IS NULL AND legacy.name = ? AND ? = ?
		ORDER BY legacy.created DESC, legacy.id DESC LIMIT 1)`, w.of("worker"), name, w.text("legacy.worker_role"), role)
}

// registerPostgres adopts or else upserts. A row from before there were
// identities has no instance that is alive.
//
// A process that finds its legacy row adopted meanwhile has waited for that row;
// it sees then that the identity is no longer null, adopts nothing, and its
// INSERT meets the row. Only when a legacy row comes into being between the
// snapshots of two first registrations may both make a row of the identity; the
// unique constraint refuses the second, and Register tries again.
func (w *Workers) registerPostgres(ctx context.Context, row *schema.Worker, columns []string, mayTake any) error {
	return w.db.NewRaw(`WITH adopted AS (
			UPDATE ?0 AS worker SET ?1 WHERE worker.id = ?2 AND worker.identity IS NULL
			AND NOT EXISTS (SELECT 1 FROM ?0 AS other WHERE other.identity = ?3)
			RETURNING ?4
		), registered AS (
			INSERT INTO ?0 AS worker (?5) SELECT ?6 WHERE NOT EXISTS (SELECT 1 FROM adopted)
			ON CONFLICT (identity) DO UPDATE SET ?1 WHERE ?7
			RETURNING ?4
		) SELECT * FROM adopted UNION ALL SELECT * FROM registered`,
		w.of("worker"), w.assignments(row, columns), w.legacy(row.Name, row.WorkerRole), *row.Identity, w.columns(),
		names(columns), w.values(row, columns), mayTake).Scan(ctx, row)
}

// registerSQLite says by the id of the new row which row it is, or which one to
// adopt: that id is then in conflict. Without an id one would be drawn, and be
// lost, by every registration.
func (w *Workers) registerSQLite(ctx context.Context, row *schema.Worker, columns []string, mayTake any) error {
	return w.db.NewRaw(`INSERT INTO ?0 AS worker (id, ?1)
		VALUES (coalesce((SELECT other.id FROM ?0 AS other WHERE other.identity = ?2), ?3), ?4)
		ON CONFLICT (identity) DO UPDATE SET ?5 WHERE ?7
		ON CONFLICT (id) DO UPDATE SET ?5 WHERE ?7
		RETURNING ?6`,
		w.of("worker"), names(columns), *row.Identity, w.legacy(row.Name, row.WorkerRole), w.values(row, columns),
		w.assignments(row, columns), w.columns(), mayTake).Scan(ctx, row)
}

// values are the columns' values, separated by commas.
func (w *Workers) values(row *schema.Worker, columns []string) any {
	var query []string
	var args []any
	for _, column := range columns {
		query, args = append(query, "?"), append(args, w.setting(row, column))
	}
	return bun.SafeQuery(strings.Join(query, ", "), args...)
}

// assignments set the columns to their values, and updated to the time.
func (w *Workers) assignments(row *schema.Worker, columns []string) any {
	var query []string
	var args []any
	for _, column := range columns {
		query, args = append(query, "? = ?"), append(args, bun.Name(column), w.setting(row, column))
	}
	return bun.SafeQuery("? ?", bun.SafeQuery(strings.Join(query, ", "), args...), w.touched())
}

// setting is a column's value; of a heartbeat it is the database's time.
func (w *Workers) setting(row *schema.Worker, column string) any {
	if column == "last_heartbeat" {
		return w.clock()
	}
	return w.value(row, column)
}
