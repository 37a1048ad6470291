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
	// patience is for how long a command keeps another from its turn.
	patience = time.Second
	// OwnTime is what a command gets of its timeout at any rate, however many
	// others wait. It is not below the default timeout.
	OwnTime = 10 * time.Second
	// crowd times Parallelism is how many commands run at most.
	crowd = 5
)

// What ends a command before its timeout, or before it began.
var (
	errDeadline   = errors.New("the time of the whole detection was over")
	errCrowd      = errors.New("others waited for it to end")
	errNotReached = errors.New("other commands took all the time there was")
)

// ErrEnough is the cause by which a detection's context ends it early and not in
// vain: what is not finished by then ends as Timeout.
var ErrEnough = errors.New("the host was to be verified anew")

// turns decides which command runs when, so that none that hangs, and no
// definition whatever it asks for, keeps another one from being verified. Limit of
// them run at a time. One that outlasts patience runs on beside them; when there
// are crowd times as many, those that have had OwnTime are ended for those who
// wait. Of these, what a trusted pack asks for comes first, and then what the
// definition asks for that has taken the least time.
type turns struct {
	host  Host
	limit int
	pace  pace
	// before is what definitions took in the detection before, by ref: what hung
	// then is asked last.
	before map[string]time.Duration

	mu       sync.Mutex
	requests map[string]*request
	spent    map[string]time.Duration // by ref
	waiting  []*turn                  // in the order of their arrival
	running  []*turn                  // in the order of their beginning
	young    int                      // how many of them are within patience
}

// request is a command that definitions have asked for.
type request struct {
	refs    []string
	trusted bool
	// reached: it had its turn, and not only a moment at the end.
	reached bool
}

// turn is one run of a request.
type turn struct {
	*request
	begin  chan struct{}
	end    context.CancelCauseFunc
	asked  time.Time
	began  time.Time
	timer  *time.Timer
	old    bool // it has outlasted patience
	ending bool
	// charged are those who pay for it, and charge is how much so far.
	charged []string
	charge  time.Duration
}

// pace is how long what is told above takes; tests have others.
type pace struct{ patience, ownTime, soFar time.Duration }

var usual = pace{patience, OwnTime, SoFar}

func newTurns(h Host, limit int, p pace, before map[string]time.Duration) *turns {
	return &turns{host: h, limit: limit, pace: p, before: before, requests: map[string]*request{}, spent: map[string]time.Duration{}}
}

// ask notes that a definition is about to run inv.
func (t *turns) ask(ref string, trusted bool, inv host.Invocation) *request {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.request(inv)
	if !slices.Contains(r.refs, ref) {
		r.refs = append(r.refs, ref)
	}
	r.trusted = r.trusted || trusted
	return r
}

func (t *turns) request(inv host.Invocation) *request {
	key := inv.Key()
	r := t.requests[key]
	if r == nil {
		r = &request{}
		t.requests[key] = r
	}
	return r
}

// hadTurn reports whether a request was reached.
func (t *turns) hadTurn(r *request) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return r.reached
}

// Run waits for its turn and runs inv; its timeout begins then.
func (t *turns) Run(ctx context.Context, inv host.Invocation) (res host.Result) {
	own, end := context.WithCancelCause(ctx)
	defer end(nil)
	me := &turn{begin: make(chan struct{}), end: end, asked: time.Now()}
	t.queue(me, inv)
	select {
	case <-me.begin:
	case <-ctx.Done():
		if t.withdraw(me) {
			return host.Result{ExitCode: -1, Err: fmt.Errorf("run %s: %w", inv.Path, context.Cause(ctx))}
		}
	}
	defer func() { t.over(me, res.Err != nil && ctx.Err() != nil) }()
	return t.host.Run(own, inv)
}

func (t *turns) queue(me *turn, inv host.Invocation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	me.request = t.request(inv)
	me.reached = false // a run that was too short for it does not count
	t.waiting = append(t.waiting, me)
	t.dispatch()
}

// withdraw gives up a turn that has not begun.
func (t *turns) withdraw(me *turn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.waiting, me)
	if i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	return i >= 0
}

// dispatch begins as many turns as may run.
func (t *turns) dispatch() {
	for len(t.waiting) > 0 && t.young < t.limit {
		if len(t.running) >= crowd*t.limit {
			t.makeRoom(min(len(t.waiting), t.limit-t.young))
			return
		}
		first := 0
		for i := range t.waiting {
			if t.compare(t.waiting[i], t.waiting[first]) < 0 {
				first = i
			}
		}
		me := t.waiting[first]
		t.waiting = slices.Delete(t.waiting, first, first+1)
		t.running = append(t.running, me)
		t.young++
		me.began, me.reached, me.charged = time.Now(), true, slices.Clone(me.refs)
		t.pay(me, t.pace.patience)
		me.timer = time.AfterFunc(t.pace.patience, func() { t.outlasts(me) })
		close(me.begin)
	}
}

// compare says who of two comes first.
func (t *turns) compare(a, b *turn) int {
	switch {
	case a.trusted && !b.trusted:
		return -1
	case b.trusted && !a.trusted:
		return 1
	}
	return cmp.Compare(t.taken(a), t.taken(b))
}

// taken is the time that the most modest of those who ask for a command has taken.
func (t *turns) taken(me *turn) time.Duration {
	var least time.Duration
	for i, ref := range me.refs {
		if d := t.before[ref] + t.spent[ref]; i == 0 || d < least {
			least = d
		}
	}
	return least
}

// pay charges those who asked for a turn with what it takes.
func (t *turns) pay(me *turn, d time.Duration) {
	for _, ref := range me.charged {
		t.spent[ref] += d - me.charge
	}
	me.charge = d
}

// outlasts lets the next one begin beside a turn that takes long.
func (t *turns) outlasts(me *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.Contains(t.running, me) {
		return
	}
	me.old = true
	t.young--
	t.pay(me, t.pace.ownTime)
	me.timer = time.AfterFunc(t.pace.ownTime-t.pace.patience, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.dispatch()
	})
	t.dispatch()
}

// makeRoom ends so many of those that have had their time, those first that are of
// the definitions that have taken the most.
func (t *turns) makeRoom(n int) {
	var had []*turn
	for _, r := range t.running {
		if r.ending {
			n--
		} else if r.old && time.Since(r.began) >= t.pace.ownTime {
			had = append(had, r)
		}
	}
	slices.SortStableFunc(had, func(a, b *turn) int { return cmp.Compare(t.taken(b), t.taken(a)) })
	for _, r := range had[:max(0, min(n, len(had)))] {
		r.ending = true
		r.end(errCrowd)
	}
}

// over ends a turn. One that was cut by the end of the detection, before it had its
// time and as it had waited for longer, was none.
func (t *turns) over(me *turn, cut bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	me.timer.Stop()
	t.running = slices.DeleteFunc(t.running, func(r *turn) bool { return r == me })
	if !me.old {
		t.young--
	}
	ran, waited := time.Since(me.began), me.began.Sub(me.asked)
	me.reached = !cut || ran >= t.pace.ownTime || ran > waited
	t.pay(me, ran)
	t.dispatch()
}

// slow is what the definitions have taken that kept others waiting.
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
