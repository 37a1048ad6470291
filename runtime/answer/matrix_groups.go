package answer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
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

// GroupCounts counts the workers that have each runtime, by group.
type GroupCounts struct {
	by     string
	groups []store.GroupCount
}

// GroupingOf reads what to group workers by: role, status or label:KEY. Errors: *TermError.
func GroupingOf(by string) (store.Grouping, error) {
	key, label, _ := strings.Cut(by, ":")
	grouping := store.Grouping{By: store.GroupKey(key), Label: label}
	switch {
	case grouping.By == store.GroupLabel && label != "":
	case (grouping.By == store.GroupRole || grouping.By == store.GroupStatus) && by == key:
	default:
		return grouping, &TermError{Term: by, Key: "by", Err: fmt.Errorf("must be role, status or label:KEY, got %q", by)}
	}
	return grouping, nil
}

// CountGroups counts the workers and the runtimes that they have, by role, status or label:KEY. Errors: *TermError.
func CountGroups(ctx context.Context, st *store.Store, by string) (*GroupCounts, error) {
	grouping, err := GroupingOf(by)
	if err != nil {
		return nil, err
	}
	groups, err := st.Workers.CountGroups(ctx, grouping)
	return &GroupCounts{by, groups}, err
}

// Matrix returns the counts of the runtimes of definitions, with the groups in natural order. Workers without the label or
// the status come last.
func (c *GroupCounts) Matrix(defs []metadata.Definition) *MatrixGroups {
	m := &MatrixGroups{By: c.by, Runtimes: []Column{}, Items: []MatrixGroup{}}
	at := map[string]int{}
	for i := range defs {
		at[defs[i].Ref] = i
		m.Runtimes = append(m.Runtimes, Column{defs[i].Ref, defs[i].CapabilityName()})
	}
	for _, counted := range c.groups {
		g := MatrixGroup{Group: counted.Group, Workers: counted.Workers, Available: make([]int, len(defs))}
		if counted.Group != nil && c.by == string(store.GroupRole) {
			g.Group = new(RoleName(schema.WorkerRole(*counted.Group)))
		}
		for ref, n := range counted.Available {
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
	return m
}

// A Label is the key of a label with the number of its values.
type Label struct {
	Key    string
	Values int
}

// LabelsOf returns the labels of workers by key.
func LabelsOf(workers []WorkerItem) (found []Label) {
	values := map[string]map[string]bool{}
	for i := range workers {
		for key, value := range workers[i].Labels {
			if values[key] == nil {
				values[key] = map[string]bool{}
			}
			values[key][value] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		found = append(found, Label{key, len(values[key])})
	}
	return found
}

// FewGroups is the largest number of groups that can be read at a glance.
const FewGroups = 12

// GroupBy returns what to group workers by unless a reader chooses it: the first label that makes a few groups, else the role.
func GroupBy(labels []Label) string {
	for _, l := range labels {
		if l.Values > 1 && l.Values <= FewGroups {
			return string(store.GroupLabel) + ":" + l.Key
		}
	}
	return string(store.GroupRole)
}
