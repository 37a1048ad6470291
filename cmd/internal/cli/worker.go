package cli

import (
	"encoding/json"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
)

// RoleName returns a stored role in the words of the command line.
func RoleName(r schema.WorkerRole) string { return answer.RoleName(r) }

// StatusName returns a worker's status, or - if the row has none.
func StatusName(w *schema.Worker) string {
	if w.Status == nil {
		return "-"
	}
	return string(*w.Status)
}

// WorkerDoc is a worker as JSON.
type WorkerDoc struct {
	ID                int64           `json:"id"`
	Name              string          `json:"name"`
	Role              string          `json:"role"`
	Type              string          `json:"type"`
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

// WorkerDocOf returns the JSON document of a row.
func WorkerDocOf(w *schema.Worker) WorkerDoc {
	caps := w.Capabilities
	if len(caps) == 0 {
		caps = json.RawMessage("null")
	}
	return WorkerDoc{
		ID: w.ID, Name: w.Name, Role: RoleName(w.WorkerRole), Type: string(w.WorkerType), Status: StatusName(w),
		Host: w.Host, Port: w.Port, LastHeartbeat: w.LastHeartbeat, HeartbeatInterval: w.HeartbeatInterval,
		Identity: w.Identity, Instance: w.Instance, Capabilities: caps, Meta: w.Meta, Created: w.Created, Updated: w.Updated,
	}
}
