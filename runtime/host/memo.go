package host

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// runner is a host, as far as Memo needs one.
type runner interface {
	Run(context.Context, Invocation) Result
}

// Memo runs each command once, however many ask for it. It is for the length of
// one detection: its answers do not age. It bounds nothing: how many commands
// run at once is for the caller to say.
type Memo struct {
	host runner

	mu   sync.Mutex
	runs map[string]*memoRun
}

// memoRun is one run, which has ended when done is closed.
type memoRun struct {
	done chan struct{}
	// cut is closed when the context of who runs it ends.
	cut    <-chan struct{}
	inv    Invocation
	result Result
	// again: the result says nothing to another context.
	again bool
}

// NewMemo remembers what h answers.
func NewMemo(h runner) *Memo {
	return &Memo{host: h, runs: map[string]*memoRun{}}
}

// Run is the host's answer to the same path, arguments and environment; those
// who ask meanwhile wait for it. A run that timed out says nothing to who has
// more time, nor one that its context ended to who has another: they run it
// again, unless theirs has ended too: then it is the result of all. The result is
// shared and must not be changed.
func (m *Memo) Run(ctx context.Context, inv Invocation) Result {
	key := inv.Key()
	for {
		m.mu.Lock()
		r := m.runs[key]
		if r == nil {
			r = &memoRun{done: make(chan struct{}), cut: ctx.Done(), inv: inv}
			m.runs[key] = r
			m.mu.Unlock()
			return m.run(ctx, r)
		}
		m.mu.Unlock()
		ended := r.wait(ctx)
		switch {
		case ended && !r.again && !r.tooShort(inv), ended && ctx.Err() != nil && r.again && r.result.Err != nil:
			return r.result
		case ctx.Err() != nil:
			return Result{ExitCode: -1, Err: fmt.Errorf("run %s: %w", inv.Path, context.Cause(ctx))}
		}
		m.forget(key, r)
	}
}

// wait reports whether the run has ended: false where only ctx has. A run that is
// cut at the same time is waited for: it ends at once.
func (r *memoRun) wait(ctx context.Context) bool {
	select {
	case <-r.done:
		return true
	case <-ctx.Done():
	}
	select {
	case <-r.cut:
		<-r.done
	case <-r.done:
	default:
		return false
	}
	return true
}

func (m *Memo) run(ctx context.Context, r *memoRun) Result {
	// Should the host panic, the others try for themselves.
	r.again = true
	defer close(r.done)
	r.result = m.host.Run(ctx, r.inv)
	r.again = r.result.Err != nil && ctx.Err() != nil
	return r.result
}

// forget lets the next one run it again, unless somebody does already.
func (m *Memo) forget(key string, r *memoRun) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.runs[key] == r {
		delete(m.runs, key)
	}
}

// tooShort says whether the run timed out where inv would have waited on.
func (r *memoRun) tooShort(inv Invocation) bool {
	return r.result.TimedOut && r.inv.Timeout > 0 && (inv.Timeout == 0 || inv.Timeout > r.inv.Timeout)
}

// Key is the same for invocations that are one command to Memo.
func (inv Invocation) Key() string {
	env := slices.Clone(inv.Env)
	slices.Sort(env)
	return fmt.Sprintf("%q %q %q", inv.Path, inv.Args, slices.Compact(env))
}
