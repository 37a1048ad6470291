package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"
)

// A Worker is one registered worker or sensor process of a host.
type Worker struct {
	bun.BaseModel `bun:"table:worker,alias:worker"`

	ID int64 `bun:"id,pk,autoincrement"`
	// Name is not unique: databases exist with several rows of one name.
	Name         string          `bun:"name,notnull"`
	WorkerType   WorkerType      `bun:"worker_type,notnull"`
	WorkerRole   WorkerRole      `bun:"worker_role,notnull,nullzero,default:'action'"`
	Runtime      *int64          `bun:"runtime"`
	Host         *string         `bun:"host"`
	Port         *int            `bun:"port"`
	Status       *WorkerStatus   `bun:"status,default:'inactive'"`
	Capabilities json.RawMessage `bun:"capabilities,type:jsonb,nullzero"`
	Meta         json.RawMessage `bun:"meta,type:jsonb,nullzero"`
	// LastHeartbeat is the database's time, never a host's.
	LastHeartbeat *time.Time `bun:"last_heartbeat"`
	// Identity is role/name; nil on rows that predate it.
	Identity *string `bun:"identity,unique"`
	// Instance tells one process of an identity from the next.
	Instance *string `bun:"instance"`
	// HeartbeatInterval is in seconds; nil before a process ran.
	HeartbeatInterval *int `bun:"heartbeat_interval"`
	// RefreshRequested is the time of the last request to verify everything anew, by the
	// database's clock; nil if there was none.
	RefreshRequested *time.Time `bun:"refresh_requested"`
	Created          time.Time  `bun:"created,notnull,nullzero,default:current_timestamp"`
	Updated          time.Time  `bun:"updated,notnull,nullzero,default:current_timestamp"`
}

// A WorkerLabel is one label of a worker. The database copies it from the capability document.
type WorkerLabel struct {
	bun.BaseModel `bun:"table:worker_label,alias:worker_label"`

	Worker int64  `bun:"worker,pk"`
	Key    string `bun:"key,pk"`
	Value  string `bun:"value,notnull"`
}

// A WorkerTaint is one taint of a worker's host. The database copies it from the capability
// document.
type WorkerTaint struct {
	bun.BaseModel `bun:"table:worker_taint,alias:worker_taint"`

	ID     int64   `bun:"id,pk,autoincrement"`
	Worker int64   `bun:"worker,notnull"`
	Key    string  `bun:"key,notnull"`
	Value  *string `bun:"value"`
	// Effect is no_schedule or prefer_no_schedule.
	Effect string `bun:"effect,notnull"`
}

// A WorkerCordon keeps new work off a worker. Operators write it, and registration does not touch it.
type WorkerCordon struct {
	bun.BaseModel `bun:"table:worker_cordon,alias:worker_cordon"`

	Worker int64 `bun:"worker,pk"`
	// Reason is the operator's text. It is nil without one.
	Reason *string `bun:"reason"`
	// CreatedBy is the database's user. It is nil on SQLite, which has none. In a platform's own
	// column it is the identity that the platform stored.
	CreatedBy *string   `bun:"created_by"`
	Created   time.Time `bun:"created,notnull,nullzero,default:current_timestamp"`
}

// A WorkerOperatorTaint is a taint that operators put on a worker. Registration does not touch it.
type WorkerOperatorTaint struct {
	bun.BaseModel `bun:"table:worker_operator_taint,alias:worker_operator_taint"`

	Worker int64  `bun:"worker,pk"`
	Key    string `bun:"key,pk"`
	// Value is empty if the taint has none.
	Value string `bun:"value,notnull,default:''"`
	// Effect is no_schedule or prefer_no_schedule.
	Effect string `bun:"effect,pk"`
	// CreatedBy is the database's user. It is nil on SQLite, which has none.
	CreatedBy *string   `bun:"created_by"`
	Created   time.Time `bun:"created,notnull,nullzero,default:current_timestamp"`
}
