package answer

import (
	"context"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// A Change is one gain, loss or version change of a capability.
type Change struct {
	ID int64     `json:"id"`
	At time.Time `json:"at"`
	// Worker is the worker's ID. It is null once the worker is deleted.
	Worker *int64 `json:"worker"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	// Ref is empty for a declared name without a definition.
	Ref     string            `json:"ref"`
	Runtime string            `json:"runtime"`
	Kind    schema.ChangeKind `json:"kind"`
	// OldVersion and NewVersion are null if there is no version or it is unknown.
	OldVersion *string `json:"old_version"`
	NewVersion *string `json:"new_version"`
	// Detail is the path of a gained runtime, or the reason for a loss.
	Detail *string `json:"detail"`
}

// ChangeOf converts a row of the history.
func ChangeOf(c *schema.CapabilityChange) Change {
	return Change{
		c.ID, c.Created, c.Worker, c.WorkerName, RoleName(c.WorkerRole), c.RuntimeRef, c.Name, c.Kind, c.OldVersion, c.NewVersion, c.Detail,
	}
}

// History returns the changes that match filter, newest first. The list is never nil.
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

// EachChange calls fn with the changes that match filter, newest first and a few hundred at a
// time, so that a history of any length is read within constant memory.
func EachChange(ctx context.Context, st *store.Store, filter store.ChangeFilter, fn func([]Change) error) error {
	for left, bounded := filter.Limit, filter.Limit > 0; !bounded || left > 0; left -= filter.Limit {
		filter.Limit = batch
		if bounded {
			filter.Limit = min(batch, left)
		}
		changes, err := History(ctx, st, filter)
		if err != nil || len(changes) == 0 {
			return err
		}
		if err := fn(changes); err != nil || len(changes) < filter.Limit {
			return err
		}
		filter.Before = changes[len(changes)-1].ID
	}
	return nil
}
