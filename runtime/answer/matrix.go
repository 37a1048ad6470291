package answer

import (
	"context"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A MatrixQuery selects a part of the matrix of workers and runtimes.
type MatrixQuery struct {
	// Workers selects and orders the workers.
	Workers ListQuery
	// Runtimes holds the columns, which must be resolved.
	Runtimes []RuntimeTerm
}

// A Matrix shows workers against runtimes.
type Matrix struct {
	Runtimes []Column    `json:"runtimes"`
	Items    []MatrixRow `json:"items"`
	// Next is the cursor of the next page. It is empty at the end.
	Next string `json:"next,omitempty"`
}

// A Column is a runtime of a matrix.
type Column struct {
	// Ref is empty for a declared name without a definition.
	Ref  string `json:"ref"`
	Name string `json:"name"`
}

// A MatrixRow is a worker of a matrix.
type MatrixRow struct {
	Subject
	// Operations is what operators did to the worker.
	Operations
	// Cells has an entry for each column.
	Cells []Cell `json:"cells"`
}

// A CellState says whether a worker has a runtime.
type CellState string

// The states.
const (
	CellAvailable CellState = "available"
	// CellDiscounted means that an executable was found that does not count.
	CellDiscounted CellState = "discounted"
	CellAbsent     CellState = "absent"
	// CellUnknown means that it could not be determined.
	CellUnknown CellState = "unknown"
	// CellUnasked means that the worker did not look for the runtime, or reported nothing.
	CellUnasked CellState = "unasked"
)

// A Cell is what a worker last reported about a runtime.
type Cell struct {
	State CellState `json:"state"`
	// Version is the newest installed version. It is empty if it is not known.
	Version string `json:"version,omitempty"`
	// Others counts the further installations.
	Others int `json:"others,omitempty"`
	// Outcome is why the runtime is not available.
	Outcome capability.Outcome `json:"outcome,omitempty"`
	// Unconfirmed reports whether the newest installation could not be determined since.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
}

// ColumnsOf returns the definitions as columns, in their order. It reads the times of their rows.
func ColumnsOf(ctx context.Context, st *store.Store, defs []metadata.Definition) ([]RuntimeTerm, error) {
	created, err := st.Runtimes.CreatedTimes(ctx)
	if err != nil {
		return nil, err
	}
	columns := make([]RuntimeTerm, len(defs))
	for i := range defs {
		d := &defs[i]
		columns[i] = RuntimeTerm{
			RuntimeFilter: store.RuntimeFilter{Ref: d.Ref, Name: d.CapabilityName()}, Written: d.Ref, Definition: d, Created: created[d.Ref],
		}
	}
	return columns, nil
}

// MatrixOf returns a page of a matrix. Errors: ErrCursor.
func MatrixOf(ctx context.Context, st *store.Store, q MatrixQuery) (*Matrix, error) {
	m := &Matrix{Runtimes: []Column{}, Items: []MatrixRow{}}
	list := q.Workers
	list.Outcomes = true
	for i := range q.Runtimes {
		m.Runtimes = append(m.Runtimes, Column{q.Runtimes[i].Ref, q.Runtimes[i].Name})
		list.Runtimes = append(list.Runtimes, q.Runtimes[i].RuntimeFilter)
	}
	var err error
	m.Next, err = ListWorkers(ctx, st, list, func(workers []WorkerItem) error {
		for i := range workers {
			w := &workers[i]
			row := MatrixRow{
				Subject: Subject{w.ID, w.Name, w.Role, w.Status, w.Stale}, Operations: w.Operations, Cells: make([]Cell, len(q.Runtimes)),
			}
			for j := range q.Runtimes {
				row.Cells[j] = cellOf(w, &q.Runtimes[j])
			}
			m.Items = append(m.Items, row)
		}
		return nil
	})
	return m, err
}

// cellOf returns the cell of a worker. The worker's rows come newest first, the installations
// before the others.
func cellOf(w *WorkerItem, of *RuntimeTerm) Cell {
	cell := Cell{State: CellUnasked}
	for i := range w.Reported {
		row := &w.Reported[i]
		switch {
		case row.RuntimeRef != of.Ref, of.Ref == "" && row.Name != of.Name:
		case row.Outcome == capability.Available && cell.State == CellAvailable:
			cell.Others++
		case row.Outcome == capability.Available:
			cell = Cell{State: CellAvailable, Version: row.Version, Unconfirmed: row.UnconfirmedSince != nil}
		case cell.State == CellAvailable:
		case row.Outcome.CouldNotTell():
			cell = Cell{State: CellUnknown, Outcome: row.Outcome}
		case cell.State == CellUnknown:
		case row.Found:
			cell = Cell{State: CellDiscounted, Outcome: row.Outcome}
		case cell.State == CellUnasked:
			cell = Cell{State: CellAbsent, Outcome: row.Outcome}
		}
	}
	if cell.State == CellUnasked && w.Document.NotFound(of.Definition, definitionRole(w.WorkerRole), of.Created) != nil {
		cell = Cell{State: CellAbsent, Outcome: capability.NotFound}
	}
	return cell
}
