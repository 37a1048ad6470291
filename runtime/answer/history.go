package answer

import (
	"context"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// Change is one gain, loss or change of version.
type Change struct {
	ID int64     `json:"id"`
	At time.Time `json:"at"`
	// Worker is null once the worker is deleted; its name and role stay.
	Worker *int64 `json:"worker"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	// Ref is empty for a declared name without a definition.
	Ref     string            `json:"ref"`
	Runtime string            `json:"runtime"`
	Kind    schema.ChangeKind `json:"kind"`
	// OldVersion and NewVersion are null where there was none, or none was known.
	OldVersion *string `json:"old_version"`
	NewVersion *string `json:"new_version"`
	// Detail is the path of what came, or why it went.
	Detail *string `json:"detail"`
}

// ChangeOf returns a row of the history as an answer.
func ChangeOf(c *schema.CapabilityChange) Change {
	return Change{
		c.ID, c.Created, c.Worker, c.WorkerName, RoleName(c.WorkerRole), c.RuntimeRef, c.Name, c.Kind, c.OldVersion, c.NewVersion, c.Detail,
	}
}

// History returns the changes that fit a filter, newest first. It is never nil.
func History(ctx context.Context, st *store.Store, filter store.ChangeFilter) ([]Change, error) {
	rows, err := st.Changes.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	changes := make([]Change, 0, len(rows))
	for i := range rows {
		changes = append(changes, ChangeOf(&rows[i]))
	}
	return changes, nil
}
