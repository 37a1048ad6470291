package answer

import (
	"context"

	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// Place answers which workers of a database satisfy a requirement, and why the others do not.
// The runtimes must be resolved to refs. At most limit workers are placed; zero places all that
// fit. Use store.Workers.Place for the workers alone.
//
// The nearest miss of each group says whether the worker had a missing runtime before.
func Place(ctx context.Context, st *store.Store, r *placement.Requirement, limit int) (*placement.Answer, error) {
	query := store.FactsFor(r)
	query.OneSlot = r.SlotsOrDefault() == 1 && limit > 0 // slots are read afterwards, of the placed workers only
	fleet, err := st.Workers.Facts(ctx, query)
	if err != nil {
		return nil, err
	}
	a := placement.Place(r, fleet, limit)
	if query.OneSlot {
		if err := readFree(ctx, st, a.Placed); err != nil {
			return nil, err
		}
	}
	nearest := map[int64]int{}
	for i, g := range a.Groups {
		for _, reason := range g.Reasons {
			if reason.Kind == requirement.RuntimeAbsent {
				nearest[g.Nearest.Worker] = i
				query.Workers = append(query.Workers, g.Nearest.Worker)
				break
			}
		}
	}
	if len(nearest) == 0 {
		return &a, nil
	}
	query.Lost = true
	again, err := st.Workers.Facts(ctx, query)
	if err != nil {
		return nil, err
	}
	for i := range again {
		// A worker that changed in between keeps the reasons that its group has.
		group := &a.Groups[nearest[again[i].Worker]]
		if v := placement.Evaluate(r, &again[i]); sameReasons(v.Reasons, group.Reasons) {
			group.Nearest.Reasons = v.Reasons
		}
	}
	return &a, nil
}

// readFree reads how many slots of workers are free.
func readFree(ctx context.Context, st *store.Store, placed []placement.PlacedWorker) error {
	query, at := store.FactsQuery{Workers: []int64{}}, map[int64]int{}
	for i, p := range placed {
		query.Workers = append(query.Workers, p.Worker)
		at[p.Worker] = i
	}
	if len(placed) == 0 {
		return nil
	}
	fleet, err := st.Workers.Facts(ctx, query)
	if err != nil {
		return err
	}
	for i := range fleet {
		if free := placement.Evaluate(&placement.Requirement{}, &fleet[i]).Free; free > 0 { // a worker may have become busy
			placed[at[fleet[i].Worker]].Free = free
		}
	}
	return nil
}

// PlaceHosts answers as Place does, with the verdict of each worker. It reads the history of every
// worker, which takes longer.
func PlaceHosts(ctx context.Context, st *store.Store, r *placement.Requirement, limit int) (*placement.Answer, error) {
	query := store.FactsFor(r)
	query.Lost = true
	fleet, err := st.Workers.Facts(ctx, query)
	if err != nil {
		return nil, err
	}
	a := placement.Place(r, fleet, limit)
	a.Hosts = placement.Hosts(r, fleet)
	return &a, nil
}

func sameReasons(reasons, shared []placement.Reason) bool {
	if len(reasons) != len(shared) {
		return false
	}
	for i, r := range reasons {
		if r.Shared() != shared[i] {
			return false
		}
	}
	return true
}

// UnknownIn returns the workers of changes that are not among the names of workers, or nil.
func UnknownIn(changes []placement.Change, known []string) (unknown UnknownWorkers) {
	for _, name := range placement.UnknownWorkers(changes, known) {
		unknown = append(unknown, unknownName(name, known))
	}
	return unknown
}

// WhatIf answers how many workers of a database satisfy each requirement before and after
// changes. Requirements and changes must be resolved. Errors: UnknownWorkers for changes to workers
// that do not exist.
func WhatIf(ctx context.Context, st *store.Store, subjects []placement.Subject, changes []placement.Change) ([]placement.Effect, error) {
	fleet, err := factsFor(ctx, st, subjects)
	if err != nil {
		return nil, err
	}
	known := make([]string, len(fleet))
	for i := range fleet {
		known[i] = fleet[i].Name
	}
	if unknown := UnknownIn(changes, known); unknown != nil {
		return nil, unknown
	}
	return placement.WhatIf(subjects, fleet, changes), nil
}
