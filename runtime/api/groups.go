package api

import (
	"context"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/answer"
)

// groupsFor is how long counts by group are remembered, because they read the whole fleet. Changes of
// capabilities are seen at once; changes of labels, and of workers without runtimes, later.
const groupsFor = 10 * time.Second

// maxGroups bounds the remembered answers. There is one for each label.
const maxGroups = 100

// A groupsCache remembers counts by group. One request counts, and others wait for it.
type groupsCache struct {
	mu   sync.Mutex
	held map[string]heldGroups
}

type heldGroups struct {
	groups *answer.MatrixGroups
	// change is the change that the hub had reached, and definitions those that gave the columns.
	change      int64
	definitions *definitions
	until       time.Time
}

// groupMatrix returns the counts by group. Errors: those of answer.GroupMatrix.
func (a *API) groupMatrix(ctx context.Context, by string) (*answer.MatrixGroups, error) {
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	a.groups.mu.Lock()
	defer a.groups.mu.Unlock()
	v, err := a.hub.after(0)
	following := err == nil
	if held, ok := a.groups.held[by]; ok && following && held.change == v.last && held.definitions == defs && time.Now().Before(held.until) {
		return held.groups, nil
	}
	columns, err := answer.ColumnsOf(ctx, a.store, defs.list)
	if err != nil {
		return nil, err
	}
	groups, err := answer.GroupMatrix(ctx, a.store, by, columns)
	if err != nil {
		return nil, err
	}
	if a.groups.held == nil || len(a.groups.held) >= maxGroups {
		a.groups.held = map[string]heldGroups{}
	}
	a.groups.held[by] = heldGroups{groups, v.last, defs, time.Now().Add(groupsFor)}
	return groups, nil
}
