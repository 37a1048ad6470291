package api

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

const (
	// standingEvery is the least time between two looks at the statuses of workers, while a stream shows them. A page
	// that follows the stream shows a status within a second.
	standingEvery = 600 * time.Millisecond
	// standingWithin bounds a look, because changes wait for it.
	standingWithin = 5 * time.Second
)

// A StatusChange is a change of a worker's status or of its cordon, for streams.
type StatusChange struct {
	Worker int64  `json:"worker"`
	Name   string `json:"name"`
	Role   string `json:"role"`
	// Status is active, busy, error, inactive, stale, or deleted. It is empty if the row has none.
	Status string `json:"status"`
	// Cordoned reports whether an operator keeps new work off the worker.
	Cordoned bool `json:"cordoned"`
}

// standings follows the statuses of workers for all streams that show them.
type standings struct {
	workers *store.Workers

	// looking is held during a look.
	looking sync.Mutex

	mu sync.Mutex
	// watchers is the number of streams.
	watchers int
	// known has the status of each worker, by ID. It is nil until the first look for a stream.
	known map[int64]StatusChange
	// recent has the newest changes, and first is the number of the first of them.
	recent []StatusChange
	first  int
}

// watch counts a stream until done is called. It returns the number of the next change. Changes with
// lower numbers happened before the call.
func (s *standings) watch(ctx context.Context) (next int, done func(), err error) {
	s.mu.Lock()
	s.watchers++
	begun := s.known != nil
	s.mu.Unlock()
	done = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watchers--
	}
	if !begun {
		if _, _, err := s.look(ctx); err != nil {
			done()
			return 0, nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first + len(s.recent), done, nil
}

// after returns the changes with the numbers from next up to, but not including, upTo. complete is false if some
// of them are gone.
func (s *standings) after(next int) (changes []StatusChange, upTo int, complete bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	upTo = s.first + len(s.recent)
	if next < s.first {
		return nil, upTo, false
	}
	return s.recent[next-s.first:], upTo, true
}

// look reads the statuses, and reports whether some have changed. newest is the ID of the newest change, or nil if it was not
// read. Without a stream it forgets the statuses.
func (s *standings) look(ctx context.Context) (changed bool, newest *int64, err error) {
	s.looking.Lock()
	defer s.looking.Unlock()
	s.mu.Lock()
	if s.watchers == 0 {
		s.known = nil
		s.mu.Unlock()
		return false, nil, nil
	}
	before := s.known // this goroutine alone changes it
	s.mu.Unlock()
	if before == nil {
		rows, err := s.workers.Standing(ctx, store.Selection{})
		if err != nil {
			return false, nil, err
		}
		before = make(map[int64]StatusChange, len(rows))
		for i := range rows {
			before[rows[i].ID] = statusOf(&rows[i])
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.known = before
		return false, nil, nil
	}
	changes, last, err := s.differences(ctx, before)
	if err != nil {
		return false, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range changes {
		if before[one.Worker] = one; one.Status == deleted {
			delete(before, one.Worker)
		}
	}
	s.recent = append(s.recent, changes...)
	if surplus := len(s.recent) - max(kept, len(before)); surplus > 0 {
		s.recent, s.first = slices.Clone(s.recent[surplus:]), s.first+surplus
	}
	return len(changes) > 0, &last, nil
}

// deleted is the status of a worker whose row is gone.
const deleted = "deleted"

// mostRead is the number of workers that one statement reads by their IDs.
const mostRead = 1000

// differences returns what differs from known. It reads the states of all workers, and the rows of those whose state
// differs. It also returns the ID of the newest change.
func (s *standings) differences(
	ctx context.Context, known map[int64]StatusChange,
) (changes []StatusChange, newest int64, err error) {
	states, newest, err := s.workers.States(ctx)
	if err != nil {
		return nil, 0, err
	}
	var ids []int64
	for id, state := range states {
		if before, exists := known[id]; !exists || before.Status != state.Status || before.Cordoned != state.Cordoned {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for part := range slices.Chunk(ids, mostRead) {
		rows, err := s.workers.Standing(ctx, store.Selection{IDs: part})
		if err != nil {
			return nil, 0, err
		}
		for i := range rows {
			if one := statusOf(&rows[i]); known[one.Worker] != one { // it may have changed back meanwhile
				changes = append(changes, one)
			}
		}
	}
	for id, one := range known {
		if _, exists := states[id]; !exists {
			one.Status = deleted
			changes = append(changes, one)
		}
	}
	return changes, newest, nil
}

func statusOf(w *store.Standing) StatusChange {
	one := StatusChange{Worker: w.ID, Name: w.Name, Role: answer.RoleName(w.WorkerRole), Cordoned: w.Cordoned}
	switch {
	case w.Stale:
		one.Status = store.StaleStatus
	case w.Status != nil:
		one.Status = string(*w.Status)
	}
	return one
}

// isSelected reports whether a stream with a filter shows a change. Runtimes do not matter.
func (c *StatusChange) isSelected(filter store.ChangeFilter) bool {
	role := schema.WorkerRole(c.Role)
	if c.Role == string(metadata.Worker) {
		role = schema.RoleAction
	}
	filter.Ref, filter.Name = "", ""
	return answer.IsSelected(&schema.CapabilityChange{Worker: &c.Worker, WorkerName: c.Name, WorkerRole: role}, filter)
}
