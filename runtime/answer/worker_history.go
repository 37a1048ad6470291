package answer

import (
	"cmp"
	"context"
	"slices"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// WorkerHistory returns the changes of a worker that match filter, newest first. It looks for
// the name in the history, which keeps the names of deleted workers, and then for workers as
// LookUpWorkers does. It sets the filter's Names. Errors: those of LookUpWorkers.
func WorkerHistory(ctx context.Context, st *store.Store, name string, filter store.ChangeFilter) ([]Change, error) {
	history := func(ctx context.Context, filter store.ChangeFilter) ([]Change, error) {
		return History(ctx, st, filter)
	}
	return HistoryOf(ctx, In(st), history, name, filter)
}

// HistoryOf works like WorkerHistory, wherever the workers and the history are.
func HistoryOf(
	ctx context.Context, in Finder, history func(context.Context, store.ChangeFilter) ([]Change, error),
	name string, filter store.ChangeFilter,
) ([]Change, error) {
	filter.Names = []string{name}
	changes, err := history(ctx, filter)
	if err != nil || len(changes) > 0 {
		return changes, err
	}
	// Any change tells a deleted worker without matching changes from an unknown one.
	some, err := history(ctx, store.ChangeFilter{Names: filter.Names, Roles: filter.Roles, Limit: 1})
	if err != nil || len(some) > 0 {
		return changes, err
	}
	workers, err := LookUpWorkers(ctx, in, name, filter.Roles...)
	if err != nil {
		return nil, err
	}
	for i := range workers {
		if workers[i].Name == name {
			continue // it has no changes
		}
		own := filter
		own.Names = []string{workers[i].Name}
		if role := workers[i].WorkerRole; role != schema.RoleHybrid {
			own.Roles = []metadata.Role{metadata.Role(RoleName(role))}
		}
		part, err := history(ctx, own)
		if err != nil {
			return nil, err
		}
		changes = append(changes, part...)
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(b.ID, a.ID) })
	return slices.CompactFunc(changes, func(a, b Change) bool { return a.ID == b.ID }), nil
}

// IsSelected reports whether History returns a change for the Worker, Names, Roles, Ref and Name
// of filter. It ignores the other fields, so that changes can be followed as they happen.
func IsSelected(c *schema.CapabilityChange, filter store.ChangeFilter) bool {
	if filter.Worker != 0 && (c.Worker == nil || *c.Worker != filter.Worker) {
		return false
	}
	if len(filter.Names) > 0 && !slices.ContainsFunc(filter.Names, func(name string) bool { return isNamed(name, c.WorkerName) }) {
		return false
	}
	plays := func(role metadata.Role) bool {
		return c.WorkerRole == schema.RoleHybrid || RoleName(c.WorkerRole) == string(role)
	}
	if len(filter.Roles) > 0 && !slices.ContainsFunc(filter.Roles, plays) {
		return false
	}
	switch {
	case filter.Ref != "":
		return c.RuntimeRef == filter.Ref
	case filter.Name != "":
		return c.RuntimeRef == "" && c.Name == filter.Name
	}
	return true
}
