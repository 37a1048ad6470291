package detect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/host"
)

const (
	// patience is the time after which a command no longer blocks the next one.
	patience = time.Second
	// OwnTime is the part of its timeout that a command always gets. It is not below
	// the default timeout.
	OwnTime = 10 * time.Second
	// crowd times Parallelism commands run at most.
	crowd = 5
)

// Causes that end a command other than its timeout and the detection's end.
var (
	errCrowd      = errors.New("other commands were waiting")
	errNotReached = errors.New("other commands used up the detection's time")
)

// turns runs each command of a detection once and decides when, so that neither a
// command that hangs nor a definition with many commands blocks the others.
//
// At most limit commands run that have not outlasted patience, and at most crowd times
// limit in all. At that bound, commands that have had OwnTime are ended for those that
// wait. Commands of trusted packs begin first, then those of the definitions that have
// taken the least time.
type turns struct {
	host  Host
	limit int
	pace  pace
	// previous is the time by ref that slow definitions took in the last detection, so
	// that what hung then comes last.
	previous map[string]time.Duration

	mu      sync.Mutex
	jobs    map[string]*job
	waiting []*job                   // in the order of their arrival
	running []*job                   // in the order of their beginning
	spent   map[string]time.Duration // by ref
}

// A pace holds the durations of a detection; tests shorten them.
type pace struct{ patience, ownTime, partialInterval time.Duration }

var defaultPace = pace{patience, OwnTime, PartialInterval}

// A job is one run of a command.
type job struct {
	inv     host.Invocation
	refs    []string // of the definitions that share the result
	trusted bool
	queued  time.Time

	begun  time.Time // zero while it waits
	payers []string  // the refs at its beginning
	end    context.CancelCauseFunc
	ending bool // another job needs its place

	done   chan struct{} // closed once result and output are set
	result host.Result
	output output
}

func newTurns(h Host, limit int, p pace, previous map[string]time.Duration) *turns {
	return &turns{host: h, limit: limit, pace: p, previous: previous, jobs: map[string]*job{}, spent: map[string]time.Duration{}}
}

// run returns the result of inv, and the output in it. Both are shared and must not be
// changed. inv's timeout begins with its turn. ctx must be the same for all commands of
// the detection. If it ends before inv had its turn, the error wraps errNotReached.
func (t *turns) run(ctx context.Context, ref string, trusted bool, inv host.Invocation) (host.Result, output) {
	for {
		j := t.join(ctx, ref, trusted, inv)
		select {
		case <-j.done:
		case <-ctx.Done():
			if t.withdraw(j) {
				return host.Result{ExitCode: -1, Err: fmt.Errorf("run %s: %w", inv.Path, errNotReached)}, output{}
			}
			<-j.done
		}
		if !j.tooShort(inv) {
			return j.result, j.output
		}
		t.forget(j)
	}
}

// join returns the job for inv. It queues a new one if necessary.
func (t *turns) join(ctx context.Context, ref string, trusted bool, inv host.Invocation) *job {
	t.mu.Lock()
	defer t.mu.Unlock()
	j := t.jobs[jobKey(inv)]
	if j == nil {
		j = &job{inv: inv, queued: time.Now(), done: make(chan struct{})}
		t.jobs[jobKey(inv)] = j
		t.waiting = append(t.waiting, j)
	}
	if !slices.Contains(j.refs, ref) {
		j.refs = append(j.refs, ref)
	}
	j.trusted = j.trusted || trusted
	t.dispatch(ctx)
	return j
}

// jobKey returns the same key for invocations of the same path, arguments and variables.
func jobKey(inv host.Invocation) string {
	env := slices.Sorted(slices.Values(inv.Env))
	return fmt.Sprintf("%q %q %q", inv.Path, inv.Args, slices.Compact(env))
}

// tooShort reports whether the job timed out earlier than inv would have.
func (j *job) tooShort(inv host.Invocation) bool {
	return j.result.TimedOut && j.inv.Timeout > 0 && (inv.Timeout == 0 || inv.Timeout > j.inv.Timeout)
}

// forget lets the next invocation run the job's command again.
func (t *turns) forget(j *job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if key := jobKey(j.inv); t.jobs[key] == j {
		delete(t.jobs, key)
	}
}

// withdraw removes a job that has not begun, and reports whether it has not.
func (t *turns) withdraw(j *job) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(w *job) bool { return w == j })
	return j.begun.IsZero()
}

// dispatch begins as many jobs as may run. The caller holds mu.
func (t *turns) dispatch(ctx context.Context) {
	young := 0
	for _, j := range t.running {
		if time.Since(j.begun) < t.pace.patience {
			young++
		}
	}
	for ; len(t.waiting) > 0 && young < t.limit; young++ {
		if len(t.running) >= crowd*t.limit {
			t.makeRoom(min(len(t.waiting), t.limit-young))
			return
		}
		next := slices.MinFunc(t.waiting, t.compare)
		t.waiting = slices.DeleteFunc(t.waiting, func(w *job) bool { return w == next })
		t.begin(ctx, next)
	}
}

// compare orders jobs by trust, then by the time that their definitions have taken.
func (t *turns) compare(a, b *job) int {
	switch {
	case a.trusted && !b.trusted:
		return -1
	case b.trusted && !a.trusted:
		return 1
	}
	return cmp.Compare(t.leastTime(a), t.leastTime(b))
}

// leastTime returns the least time that one of the job's definitions has taken.
func (t *turns) leastTime(j *job) time.Duration {
	least := t.previous[j.refs[0]] + t.spent[j.refs[0]]
	for _, ref := range j.refs[1:] {
		least = min(least, t.previous[ref]+t.spent[ref])
	}
	return least
}

// begin starts a job. Until it ends, its definitions are charged with OwnTime.
func (t *turns) begin(ctx context.Context, j *job) {
	t.running = append(t.running, j)
	j.begun, j.payers = time.Now(), slices.Clone(j.refs)
	t.charge(j, t.pace.ownTime)
	own, end := context.WithCancelCause(ctx)
	j.end = end
	go func() {
		defer end(nil)
		for _, d := range []time.Duration{t.pace.patience, t.pace.ownTime} {
			timer := time.AfterFunc(d, func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.dispatch(ctx)
			})
			defer timer.Stop()
		}
		t.finish(ctx, j, t.host.Run(own, j.inv))
	}()
}

func (t *turns) charge(j *job, d time.Duration) {
	for _, ref := range j.payers {
		t.spent[ref] += d
	}
}

// makeRoom ends n jobs that have had their time, beginning with those of the definitions
// that have taken the most.
func (t *turns) makeRoom(n int) {
	var candidates []*job
	for _, j := range t.running {
		if j.ending {
			n--
		} else if time.Since(j.begun) >= t.pace.ownTime {
			candidates = append(candidates, j)
		}
	}
	slices.SortStableFunc(candidates, func(a, b *job) int { return cmp.Compare(t.leastTime(b), t.leastTime(a)) })
	for _, j := range candidates[:max(0, min(n, len(candidates)))] {
		j.ending = true
		j.end(errCrowd)
	}
}

// finish ends a job. A job was not reached if the detection's end cut it off before it had
// OwnTime, and before it had run for as long as it had waited.
func (t *turns) finish(ctx context.Context, j *job, res host.Result) {
	out := outputOf(res)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = slices.DeleteFunc(t.running, func(r *job) bool { return r == j })
	ran, waited := time.Since(j.begun), j.begun.Sub(j.queued)
	if res.Err != nil && ctx.Err() != nil && ran < t.pace.ownTime && ran <= waited {
		res.Err = fmt.Errorf("run %s: %w", j.inv.Path, errNotReached)
	}
	t.charge(j, ran-t.pace.ownTime)
	j.result, j.output = res, out
	j.result.Stdout, j.result.Stderr = nil, nil // output has them
	close(j.done)
	t.dispatch(ctx)
}

// slow returns the time by ref of the definitions that outlasted patience.
func (t *turns) slow() map[string]time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]time.Duration{}
	for ref, d := range t.spent {
		if d >= t.pace.patience {
			out[ref] = d
		}
	}
	return out
}
