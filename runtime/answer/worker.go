package answer

import (
	"encoding/json"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// A WorkerRow is the row of a worker.
type WorkerRow struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	// Role is worker, sensor or hybrid.
	Role string `json:"role"`
	Type string `json:"type"`
	// Status is - if the row has none.
	Status            string          `json:"status"`
	Host              *string         `json:"host,omitempty"`
	Port              *int            `json:"port,omitempty"`
	LastHeartbeat     *time.Time      `json:"last_heartbeat"`
	HeartbeatInterval *int            `json:"heartbeat_interval,omitempty"`
	Identity          *string         `json:"identity"`
	Instance          *string         `json:"instance,omitempty"`
	Capabilities      json.RawMessage `json:"capabilities"`
	Meta              json.RawMessage `json:"meta,omitempty"`
	Created           time.Time       `json:"created"`
	Updated           time.Time       `json:"updated"`
}

// WorkerRowOf converts a row of worker.
func WorkerRowOf(w *schema.Worker) WorkerRow {
	caps := w.Capabilities
	if len(caps) == 0 {
		caps = json.RawMessage("null")
	}
	return WorkerRow{
		ID: w.ID, Name: w.Name, Role: RoleName(w.WorkerRole), Type: string(w.WorkerType), Status: StatusName(w),
		Host: w.Host, Port: w.Port, LastHeartbeat: w.LastHeartbeat, HeartbeatInterval: w.HeartbeatInterval,
		Identity: w.Identity, Instance: w.Instance, Capabilities: caps, Meta: w.Meta, Created: w.Created, Updated: w.Updated,
	}
}

// StatusName returns a worker's status, or - if the row has none.
func StatusName(w *schema.Worker) string {
	if w.Status == nil {
		return "-"
	}
	return string(*w.Status)
}

// A WorkerView is a worker as show commands return it, with its state by the database's clock.
type WorkerView struct {
	WorkerRow
	Stale bool `json:"stale"`
	// SilentSeconds is the time since the last heartbeat. It is null without one.
	SilentSeconds    *float64   `json:"silent_seconds"`
	RefreshRequested *time.Time `json:"refresh_requested,omitempty"`
	// Operations is what operators did to the worker. ShowWorker leaves it empty; OperationsOn
	// returns it.
	Operations
}

// ShowWorker converts a worker that a query found.
func ShowWorker(w *store.WorkerSnapshot) WorkerView {
	one := WorkerView{WorkerRow: WorkerRowOf(&w.Worker), Stale: w.Stale, RefreshRequested: w.RefreshRequested}
	if w.Silent != nil {
		one.SilentSeconds = new(w.Silent.Seconds())
	}
	return one
}
