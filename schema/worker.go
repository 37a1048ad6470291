package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"
)

// Worker is one registered worker or sensor process of a host.
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

// WorkerLabel is one label of a worker. The database copies it from the capability document.
type WorkerLabel struct {
	bun.BaseModel `bun:"table:worker_label,alias:worker_label"`

	Worker int64  `bun:"worker,pk"`
	Key    string `bun:"key,pk"`
	Value  string `bun:"value,notnull"`
}

// WorkerTaint is one taint of a worker's host. The database copies it from the capability
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
