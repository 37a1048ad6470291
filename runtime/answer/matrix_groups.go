package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/store"
)

// MatrixGroups counts the workers that have each runtime, by group.
type MatrixGroups struct {
	// By is role, status, or label: and the key of a label.
	By       string        `json:"by"`
	Runtimes []Column      `json:"runtimes"`
	Items    []MatrixGroup `json:"items"`
}

// A MatrixGroup is the workers with one role, status or value of a label.
type MatrixGroup struct {
	// Group is nil for workers without the label or the status.
	Group   *string `json:"group"`
	Workers int     `json:"workers"`
	// Available has the number of workers that have each column's runtime, by their last report.
	Available []int `json:"available"`
}

// GroupMatrix counts the workers that have the runtimes of columns, by role, status or
// label:KEY, in natural order. Workers without the label or status come last. Errors: *TermError.
func GroupMatrix(ctx context.Context, st *store.Store, by string, columns []RuntimeTerm) (*MatrixGroups, error) {
	key, label, _ := strings.Cut(by, ":")
	grouping := store.Grouping{By: store.GroupKey(key), Label: label}
	switch {
	case grouping.By == store.GroupLabel && label != "":
	case (grouping.By == store.GroupRole || grouping.By == store.GroupStatus) && by == key:
	default:
		return nil, &TermError{Term: by, Key: "by", Err: fmt.Errorf("must be role, status or label:KEY, got %q", by)}
	}
	counts, err := st.Workers.CountGroups(ctx, grouping)
	if err != nil {
		return nil, err
	}
	m := &MatrixGroups{By: by, Runtimes: []Column{}, Items: []MatrixGroup{}}
	at := map[string]int{}
	for i := range columns {
		at[columns[i].Ref] = i
		m.Runtimes = append(m.Runtimes, Column{columns[i].Ref, columns[i].Name})
	}
	for _, c := range counts {
		g := MatrixGroup{Group: c.Group, Workers: c.Workers, Available: make([]int, len(columns))}
		if c.Group != nil && grouping.By == store.GroupRole {
			g.Group = new(RoleName(schema.WorkerRole(*c.Group)))
		}
		for ref, n := range c.Available {
			if i, ok := at[ref]; ok {
				g.Available[i] = n
			}
		}
		m.Items = append(m.Items, g)
	}
	slices.SortFunc(m.Items, func(a, b MatrixGroup) int {
		switch {
		case a.Group == nil && b.Group == nil:
			return 0
		case a.Group == nil:
			return 1
		case b.Group == nil:
			return -1
		}
		return Natural(*a.Group, *b.Group)
	})
	return m, nil
}
