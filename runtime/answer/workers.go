package answer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// A Sort is the order of a list of workers.
type Sort string

// The orders. Equal workers follow by name, role and ID.
const (
	// SortName uses Natural. It is the default.
	SortName Sort = "name"
	// SortStatus begins with workers that need attention: stale, error, busy, active,
	// inactive.
	SortStatus Sort = "status"
	// SortHeartbeat begins with the oldest heartbeat. Workers without one come last.
	SortHeartbeat Sort = "heartbeat"
	// SortVersion begins with the oldest version of the first runtime in the
	// selection's Has, or else in its Lacks. Workers without a known version come first.
	SortVersion Sort = "version"
	// SortID is the order of the first registrations.
	SortID Sort = "id"
)

// Sorts lists all orders.
var Sorts = []Sort{SortName, SortStatus, SortHeartbeat, SortVersion, SortID}

// A WorkersQuery selects and orders workers.
type WorkersQuery struct {
	// Selection selects the workers. Its Limit is ignored.
	Selection store.Selection
	// Sort defaults to SortName.
	Sort Sort
	// Limit bounds the number of workers returned. Zero means all.
	Limit int
}

// Workers is the answer to a WorkersQuery.
type Workers struct {
	Items []store.Selected `json:"-"`
	// Counts covers all workers of the selection, also those beyond the limit.
	Counts Counts `json:"counts"`
	// LeftOut counts the workers that the selection leaves out because a constraint
	// accepts no pre-release.
	LeftOut int `json:"left_out"`
	// Matches holds the best installation of the first runtime in the selection's Has, by
	// the ID of the worker. It has only workers that can run it now: active, with a fresh
	// heartbeat.
	Matches map[int64]store.Match `json:"-"`
}

// Counts counts workers by status. A stale worker counts as Stale only.
type Counts struct {
	All      int `json:"all"`
	Active   int `json:"active"`
	Busy     int `json:"busy"`
	Error    int `json:"error"`
	Stale    int `json:"stale"`
	Inactive int `json:"inactive"`
	// None counts rows without a status, which other programs wrote.
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

// FindWorkers runs a query.
func FindWorkers(ctx context.Context, st *store.Store, q WorkersQuery) (*Workers, error) {
	all, err := st.Workers.Standing(ctx, q.Selection)
	if err != nil {
		return nil, err
	}
	found := &Workers{Items: []store.Selected{}}
	for i := range all {
		found.Counts.add(&all[i])
	}
	if found.LeftOut, err = countLeftOut(ctx, st, q.Selection, len(all)); err != nil {
		return nil, err
	}
	if found.Matches, err = matches(ctx, st, q.Selection.Has); err != nil {
		return nil, err
	}
	if err := q.sort(ctx, st, all); err != nil {
		return nil, err
	}
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	found.Items, err = readAll(ctx, st, all)
	return found, err
}

// matches returns the workers that can run the first of the requirements now.
func matches(ctx context.Context, st *store.Store, has []store.Requirement) (map[int64]store.Match, error) {
	found := map[int64]store.Match{}
	if len(has) == 0 || has[0].Ref == "" {
		return found, nil
	}
	all, err := st.Workers.Having(ctx, has[0].Ref, store.HavingFilter{Constraint: has[0].Constraint, Prereleases: has[0].Prereleases})
	if errors.Is(err, store.ErrNotFound) {
		return found, nil // only a definition of the caller's has this ref
	}
	for _, m := range all {
		found[m.Worker] = m
	}
	return found, err
}

// countLeftOut returns how many more workers match if constraints accept pre-releases.
func countLeftOut(ctx context.Context, st *store.Store, s store.Selection, without int) (int, error) {
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

// batch is how many full rows one statement reads.
const batch = 1000

// readAll reads the full rows in the order of all, without those deleted meanwhile.
func readAll(ctx context.Context, st *store.Store, all []store.Standing) ([]store.Selected, error) {
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
		runtimes := slices.Concat(q.Selection.Has, q.Selection.Lacks)
		if len(runtimes) == 0 {
			return fmt.Errorf("sort by %s: the selection has no runtime", q.Sort)
		}
		newest, err := st.WorkerRuntimes.Newest(ctx, runtimes[0].Ref, runtimes[0].Name)
		if err != nil {
			return err
		}
		by = func(a, b *store.Standing) int { return cmp.Compare(newest[a.ID], newest[b.ID]) }
	default:
		return fmt.Errorf("sort by %q: unknown order", q.Sort)
	}
	slices.SortFunc(all, func(a, b store.Standing) int {
		return cmp.Or(by(&a, &b), Natural(a.Name, b.Name),
			cmp.Compare(RoleName(b.WorkerRole), RoleName(a.WorkerRole)), cmp.Compare(a.ID, b.ID))
	})
	return nil
}

// urgency returns the rank of a worker's status in SortStatus.
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
