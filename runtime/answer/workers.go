package answer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// Sort is the order of a list of workers.
type Sort string

// The orders. Workers that are equal in one of them stand by name, role and id.
const (
	// SortName is the order of Natural. It is the default.
	SortName Sort = "name"
	// SortStatus begins with what needs somebody: stale, error, busy, active, inactive.
	SortStatus Sort = "status"
	// SortHeartbeat begins with those that have been silent for longest; those that
	// never beat come last.
	SortHeartbeat Sort = "heartbeat"
	// SortVersion begins with the oldest version of the first runtime that the
	// selection asks for. Those without one, or of unknown version, come first.
	SortVersion Sort = "version"
	// SortID is the order in which they registered first.
	SortID Sort = "id"
)

// Sorts are all orders.
var Sorts = []Sort{SortName, SortStatus, SortHeartbeat, SortVersion, SortID}

// WorkersQuery asks for workers.
type WorkersQuery struct {
	// Selection says which. Its Limit is not heeded; see Limit.
	Selection store.Selection
	// Sort is the order. Empty is SortName.
	Sort Sort
	// Limit is the most workers that are returned. Zero is all.
	Limit int
}

// Workers are workers of a selection.
type Workers struct {
	Items []store.Selected `json:"-"`
	// Counts are of all that fit, also beyond the limit.
	Counts Counts `json:"counts"`
	// LeftOut is how many more would fit if a pre-release satisfied constraints like
	// a release.
	LeftOut int `json:"left_out"`
}

// Counts is how many workers there are, each counted once: as stale, else by status.
type Counts struct {
	All      int `json:"all"`
	Active   int `json:"active"`
	Busy     int `json:"busy"`
	Error    int `json:"error"`
	Stale    int `json:"stale"`
	Inactive int `json:"inactive"`
	// None have no status: rows that others wrote.
	None int `json:"none"`
}

// add counts a worker.
func (c *Counts) add(w *store.Standing) {
	c.All++
	*c.of(w)++
}

func (c *Counts) of(w *store.Standing) *int {
	switch {
	case w.Stale:
		return &c.Stale
	case w.Status == nil:
		return &c.None
	}
	switch *w.Status {
	case schema.WorkerActive:
		return &c.Active
	case schema.WorkerBusy:
		return &c.Busy
	case schema.WorkerError:
		return &c.Error
	}
	return &c.Inactive
}

// FindWorkers returns the workers that a query asks for.
func FindWorkers(ctx context.Context, st *store.Store, q WorkersQuery) (*Workers, error) {
	all, err := st.Workers.Standing(ctx, q.Selection)
	if err != nil {
		return nil, err
	}
	found := &Workers{Items: []store.Selected{}}
	for i := range all {
		found.Counts.add(&all[i])
	}
	if found.LeftOut, err = leftOut(ctx, st, q.Selection, len(all)); err != nil {
		return nil, err
	}
	if err := q.sort(ctx, st, all); err != nil {
		return nil, err
	}
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	found.Items, err = whole(ctx, st, all)
	return found, err
}

// leftOut is how many more workers fit a selection that counts pre-releases.
func leftOut(ctx context.Context, st *store.Store, s store.Selection, without int) (int, error) {
	s.Has = slices.Clone(s.Has)
	widened := false
	for i := range s.Has {
		if s.Has[i].Constraint != nil && !s.Has[i].Prereleases {
			s.Has[i].Prereleases, widened = true, true
		}
	}
	if !widened {
		return 0, nil
	}
	with, err := st.Workers.Standing(ctx, s)
	return max(0, len(with)-without), err
}

// batch is how many workers one statement reads whole.
const batch = 1000

// whole reads workers in the order in which they stand; one that is gone is left out.
func whole(ctx context.Context, st *store.Store, all []store.Standing) ([]store.Selected, error) {
	byID := map[int64]*store.Selected{}
	for part := range slices.Chunk(all, batch) {
		var ids []int64
		for i := range part {
			ids = append(ids, part[i].ID)
		}
		rows, err := st.Workers.Select(ctx, store.Selection{IDs: ids})
		if err != nil {
			return nil, err
		}
		for i := range rows {
			byID[rows[i].ID] = &rows[i]
		}
	}
	items := make([]store.Selected, 0, len(byID))
	for i := range all {
		if w := byID[all[i].ID]; w != nil {
			items = append(items, *w)
		}
	}
	return items, nil
}

func (q *WorkersQuery) sort(ctx context.Context, st *store.Store, all []store.Standing) error {
	by := func(a, b *store.Standing) int { return 0 }
	switch q.Sort {
	case "", SortName:
	case SortStatus:
		by = func(a, b *store.Standing) int { return cmp.Compare(urgency(a), urgency(b)) }
	case SortHeartbeat:
		by = bySilence
	case SortID:
		by = func(a, b *store.Standing) int { return cmp.Compare(a.ID, b.ID) }
	case SortVersion:
		asked := slices.Concat(q.Selection.Has, q.Selection.Lacks)
		if len(asked) == 0 {
			return fmt.Errorf("sort by %s: the selection asks for no runtime", q.Sort)
		}
		newest, err := st.WorkerRuntimes.Newest(ctx, asked[0].Ref, asked[0].Name)
		if err != nil {
			return err
		}
		by = func(a, b *store.Standing) int { return cmp.Compare(newest[a.ID], newest[b.ID]) }
	default:
		return fmt.Errorf("there is no order %q", q.Sort)
	}
	slices.SortFunc(all, func(a, b store.Standing) int {
		return cmp.Or(by(&a, &b), Natural(a.Name, b.Name), cmp.Compare(RoleName(b.WorkerRole), RoleName(a.WorkerRole)), cmp.Compare(a.ID, b.ID))
	})
	return nil
}

// urgency is how far up a worker stands by its status.
func urgency(w *store.Standing) int {
	var c Counts
	order := []*int{&c.Stale, &c.Error, &c.Busy, &c.Active, &c.Inactive, &c.None}
	return slices.Index(order, c.of(w))
}

func bySilence(a, b *store.Standing) int {
	switch {
	case a.Silent == nil && b.Silent == nil:
		return 0
	case a.Silent == nil:
		return 1
	case b.Silent == nil:
		return -1
	}
	return cmp.Compare(*b.Silent, *a.Silent)
}
