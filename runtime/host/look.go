//go:build unix

package host

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A look at a file system without its server blocks in the kernel and cannot be
// interrupted. So each look has a goroutine of its own, which records each place before it
// looks there. When a place takes longer than patience, the goroutine is abandoned and the
// look is repeated without the place.
//
// An abandoned goroutine keeps a thread. Until it returns the place is not looked at
// again, so there are at most atOnce of them for each place, and hangsPerMount such places
// for each file system.
const (
	// patience bounds one look at a place. It is checked four times in that time.
	patience = 2 * time.Second
	// atOnce is the number of concurrent looks.
	atOnce = 16
	// hangsPerMount is the number of places of a file system that hang before all of it
	// counts as hanging.
	hangsPerMount = 4
)

// looks makes looks and records places that hang.
type looks struct {
	slots chan struct{}
	// locating bounds the long looks, so that others find a slot.
	locating chan struct{}
	patience time.Duration
	// hook is called before each look at a place, in the place of a file system that
	// hangs. Only tests set it.
	hook func(place string)

	some  atomic.Bool // hangs is not empty
	mu    sync.Mutex
	hangs map[string]*hang
}

// A hang is a Hang and the number of goroutines that wait there.
type hang struct {
	Hang
	mount   mount
	waiting int
	// checked is the time at which the mount was last found to be the same.
	checked time.Time
}

func newLooks() *looks {
	return &looks{
		slots: make(chan struct{}, atOnce), locating: make(chan struct{}, atOnce/4),
		patience: patience, hangs: map[string]*hang{},
	}
}

// processLooks makes the looks of all hosts, since all share the process's threads.
var processLooks = newLooks()

// hostless makes looks for functions without a host.
var hostless = &LocalHost{looks: processLooks}

// A look is one goroutine that looks at places.
type look struct {
	of *looks
	// seen caches the looks of the round.
	seen *roundCache
	// over is closed when the round has ended; nil never is.
	over <-chan struct{}
	// path holds the folders of PATH in a Glance.
	path []pathFolder
	// hung is the last error of enter. Only the goroutine of the look uses it.
	hung error

	mu    sync.Mutex
	place string
	steps int
	ended bool
	hang  *hang // the place at which it was abandoned
}

var (
	errAbandoned = errors.New("the look was abandoned")
	errOver      = errors.New("the detection has ended")
)

// enter records the next place. It returns an error if the place hangs, or if the round has
// ended.
func (l *look) enter(place string) error {
	if isClosed(l.over) {
		return errOver
	}
	if err := l.of.blocked(place); err != nil {
		l.hung = err
		return err
	}
	l.mu.Lock()
	abandoned := l.hang != nil
	l.place = place
	l.steps++
	l.mu.Unlock()
	if abandoned {
		return errAbandoned
	}
	if l.of.hook != nil {
		l.of.hook(place)
	}
	return nil
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// try makes a look, and repeats it while it meets new places that hang. f must call enter
// before everything that may block. After the end of the round f looks at nothing, and waits
// for no slot.
func try[T any](h *LocalHost, f func(*look) T) T {
	if h.within != nil {
		return f(h.within)
	}
	s := h.looks
	for {
		l, done := &look{of: s, seen: h.round, over: h.over}, make(chan T, 1)
		if l.seen == nil {
			l.seen = &roundCache{}
		}
		select {
		case s.slots <- struct{}{}:
		case <-h.over:
			return f(l)
		}
		go func() {
			v := f(l)
			s.ended(l)
			done <- v
		}()
		v, ok := wait(l, done)
		<-s.slots
		if ok {
			return v
		}
	}
}

// wait returns the result of a look. ok is false if it was abandoned. Time in which this
// process got no processor does not count against a place.
func wait[T any](l *look, done <-chan T) (v T, ok bool) {
	const parts = 4
	tick := time.NewTimer(l.of.patience / parts)
	defer tick.Stop()
	last := time.Now()
	for steps, same := 0, 0; ; {
		select {
		case v = <-done:
			return v, true
		case <-tick.C:
		}
		l.mu.Lock()
		late := time.Since(last) > 2*l.of.patience/parts
		last = time.Now()
		switch {
		case l.steps != steps, l.steps == 0: // without a step it waits for a processor
			steps, same = l.steps, 0
		case !late:
			same++
		}
		hangs := same >= parts && !l.ended
		if hangs {
			l.hang = l.of.mark(l.place)
		}
		l.mu.Unlock()
		if hangs {
			return v, false
		}
		tick.Reset(l.of.patience / parts)
	}
}

// ended records the return of a look. If no other look waits at its place, the place
// answers again.
func (s *looks) ended(l *look) {
	l.mu.Lock()
	l.ended = true
	h := l.hang
	l.mu.Unlock()
	if h == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.waiting--; h.waiting == 0 {
		s.forget(h)
	}
}

// mark records that a look hangs at place.
func (s *looks) mark(place string) *hang {
	m := mountOf(place)
	s.mu.Lock()
	defer s.mu.Unlock()
	sameMount := 1
	for _, h := range s.hangs {
		if h.mount.id == m.id && h.Place != place {
			sameMount++
		}
	}
	if sameMount >= hangsPerMount {
		place = m.point
	}
	h := s.hangs[place]
	if h == nil {
		now := time.Now()
		h = &hang{Hang: Hang{Place: place, Mount: m.String(), Since: now}, mount: m, checked: now}
		s.hangs[place] = h
		s.some.Store(true)
	}
	h.waiting++
	return h
}

// forget allows looks at a place again.
func (s *looks) forget(h *hang) {
	if s.hangs[h.Place] == h {
		delete(s.hangs, h.Place)
		s.some.Store(len(s.hangs) > 0)
	}
}

// blocked returns the Hang at or above a place, or nil.
func (s *looks) blocked(place string) error {
	if !s.some.Load() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hangs {
		if !below(place, h.Place) {
			continue
		}
		if s.replaced(h) {
			s.forget(h)
			continue
		}
		return h.Hang
	}
	return nil
}

// replaced reports whether another file system is mounted at the place of a hang. After
// umount --lazy a look into it may never return. It checks once a second.
func (s *looks) replaced(h *hang) bool {
	now := time.Now()
	if now.Sub(h.checked) < time.Second {
		return false
	}
	h.checked = now
	return mountOf(h.Place).id != h.mount.id
}

// Hanging returns the places of this host that do not answer, sorted.
func (h *LocalHost) Hanging() []Hang { return h.looks.hanging() }

func (s *looks) hanging() (out []Hang) {
	if !s.some.Load() {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.hangs {
		if s.replaced(h) {
			s.forget(h)
			continue
		}
		out = append(out, h.Hang)
	}
	slices.SortFunc(out, func(a, b Hang) int { return cmp.Compare(a.Place, b.Place) })
	return out
}
