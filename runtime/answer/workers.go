package answer

import (
	"context"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// A WorkersQuery selects workers.
type WorkersQuery struct {
	// Selection selects the workers. Its Limit is ignored.
	Selection store.Selection
	// WithoutDocuments leaves Capabilities and Meta nil. By default every document is read.
	WithoutDocuments bool
}

// Workers is the answer to a WorkersQuery.
type Workers struct {
	Items []store.WorkerSnapshot `json:"-"`
	// LeftOut counts the workers that the selection leaves out because a constraint
	// accepts no pre-release.
	LeftOut int `json:"left_out"`
}

// FindWorkers returns the workers of a selection in the order of their names. It reads all of
// them into memory; ListWorkers pages through a fleet.
func FindWorkers(ctx context.Context, st *store.Store, q WorkersQuery) (*Workers, error) {
	q.Selection.Limit = 0
	ids, err := st.Workers.List(ctx, store.Listing{Selection: q.Selection})
	if err != nil {
		return nil, err
	}
	found := &Workers{Items: make([]store.WorkerSnapshot, 0, len(ids))}
	err = inBatches(ctx, st.Workers, ids, !q.WithoutDocuments, func(rows []store.WorkerSnapshot) error {
		found.Items = append(found.Items, rows...)
		return nil
	})
	if err == nil {
		found.LeftOut, err = st.Workers.ByPrerelease(ctx, q.Selection)
	}
	return found, err
}

// EachWorker calls fn with workers and their documents, in the order of workers. It keeps a few documents in memory at a
// time, and leaves out workers that do not exist any longer. Errors are those of fn.
func EachWorker(ctx context.Context, in RowReader, workers []store.WorkerSnapshot, fn func(w *store.WorkerSnapshot) error) error {
	ids := make([]int64, len(workers))
	for i := range workers {
		ids[i] = workers[i].ID
	}
	return inBatches(ctx, in, ids, true, func(rows []store.WorkerSnapshot) error {
		for i := range rows {
			if err := fn(&rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
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

// CountWorkers counts the workers of a selection. It ignores Limit.
func CountWorkers(ctx context.Context, st *store.Store, s store.Selection) (*Counts, error) {
	tallies, err := st.Workers.Tallies(ctx, s)
	if err != nil {
		return nil, err
	}
	c := new(Counts)
	for _, t := range tallies {
		c.add(t)
	}
	return c, nil
}

// Add counts a worker of a list.
func (c *Counts) Add(w *WorkerItem) {
	var status *schema.WorkerStatus
	if w.Status != "" {
		status = new(schema.WorkerStatus(w.Status))
	}
	c.add(store.Tally{Status: status, Stale: w.Stale, Count: 1})
}

func (c *Counts) add(t store.Tally) {
	c.All += t.Count
	*c.of(t) += t.Count
}

func (c *Counts) of(t store.Tally) *int {
	switch {
	case t.Stale:
		return &c.Stale
	case t.Status == nil:
		return &c.None
	}
	switch *t.Status {
	case schema.WorkerActive:
		return &c.Active
	case schema.WorkerBusy:
		return &c.Busy
	case schema.WorkerError:
		return &c.Error
	}
	return &c.Inactive
}
