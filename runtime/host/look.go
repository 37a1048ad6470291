package host

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A look at a file system whose server is away blocks in the kernel, and
// nothing ends it. So every look is made by a goroutine of its own, which notes
// each place before it looks there. When one place takes longer than patience,
// the goroutine is given up and the look is made again without the place.
//
// A given-up goroutine keeps a thread. Until it returns nobody looks at that
// place again, so their number is bounded: by atOnce for each place, and by
// hangsPerMount places for each file system.
const (
	// patience is how long one place may take to answer, to a quarter.
	patience = 2 * time.Second
	// atOnce is how many looks are made at the same time.
	atOnce = 16
	// hangsPerMount is how many places of a file system may hang before the
	// whole of it counts as hanging.
	hangsPerMount = 4
)

// ErrHangs is wrapped by every error that says that a place does not answer.
var ErrHangs = errors.New("does not answer")

// Hang is a file or folder of this host that does not answer. It is left out of
// every look until it does, or until another file system is mounted there.
type Hang struct {
	// Place is its real path. Everything below it is left out too.
	Place string
	// Mount describes its file system: "nfs4 filer:/tools on /mnt/tools".
	Mount string
	// Since is when it was looked at in vain for the first time.
	Since time.Time
}

// Error names the place and its file system.
func (h Hang) Error() string { return fmt.Sprintf("%s %v (%s)", h.Place, ErrHangs, h.Mount) }

// Is reports whether target is ErrHangs.
func (h Hang) Is(target error) bool { return target == ErrHangs }

// looks makes looks, and knows what hangs.
type looks struct {
	slots chan struct{}
	// locating bounds the long ones, so that the others find a slot.
	locating chan struct{}
	patience time.Duration
	// before is called before each look at a place, as a stand-in for a file
	// system that hangs. Only tests set it.
	before func(place string)

	some  atomic.Bool // hangs is not empty
	mu    sync.Mutex
	hangs map[string]*hang
}

// hang is a Hang, and the goroutines that wait there.
type hang struct {
	Hang
	mount   mount
	waiting int
	// checked is when the mount was last seen to be the same.
	checked time.Time
}

func newLooks() *looks {
	return &looks{slots: make(chan struct{}, atOnce), locating: make(chan struct{}, atOnce/4), patience: patience, hangs: map[string]*hang{}}
}

// ofProcess are the looks of all hosts of this process: the threads are its own.
var ofProcess = newLooks()

// hostless makes looks that are for no host.
var hostless = &LocalHost{looks: ofProcess}

// look is one goroutine that looks.
type look struct {
	of *looks
	// seen is what it, and others of the same round, have found.
	seen *seen
	// path are the folders of PATH, where it is a Glance.
	path []pathFolder

	mu    sync.Mutex
	place string
	steps int
	ended bool
	hang  *hang // where it was given up
}

var errGivenUp = errors.New("the look was given up")

// enter notes that place is looked at next. It is an error if the place hangs.
func (l *look) enter(place string) error {
	if err := l.of.blocked(place); err != nil {
		return err
	}
	l.mu.Lock()
	givenUp := l.hang != nil
	l.place = place
	l.steps++
	l.mu.Unlock()
	if givenUp {
		return errGivenUp
	}
	if l.of.before != nil {
		l.of.before(place)
	}
	return nil
}

// try makes a look, again and again until nothing hangs that it does not know of.
// f must call enter before everything that may block.
func try[T any](h *LocalHost, f func(*look) T) T {
	if h.within != nil {
		return f(h.within)
	}
	s := h.looks
	for {
		l, done := &look{of: s, seen: h.round}, make(chan T, 1)
		if l.seen == nil {
			l.seen = &seen{}
		}
		s.slots <- struct{}{}
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

// wait returns what a look found; ok is false if it was given up.
func wait[T any](l *look, done <-chan T) (v T, ok bool) {
	const parts = 4
	tick := time.NewTimer(l.of.patience / parts)
	defer tick.Stop()
	for steps, same := 0, 0; ; {
		select {
		case v = <-done:
			return v, true
		case <-tick.C:
		}
		l.mu.Lock()
		if l.steps != steps {
			steps, same = l.steps, 0
		} else {
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

// ended notes that a look has returned. Where it was the last that waited at a
// place, the place answers again.
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

// mark notes that a look hangs at place.
func (s *looks) mark(place string) *hang {
	m := mountOf(place)
	s.mu.Lock()
	defer s.mu.Unlock()
	sameMount := func(h *hang) bool { return h.mount.id == m.id }
	if others := slices.DeleteFunc(slices.Collect(maps.Values(s.hangs)), func(h *hang) bool { return !sameMount(h) || h.Place == place }); len(others)+1 >= hangsPerMount {
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

// forget lets a place be looked at again.
func (s *looks) forget(h *hang) {
	if s.hangs[h.Place] == h {
		delete(s.hangs, h.Place)
		s.some.Store(len(s.hangs) > 0)
	}
}

// blocked returns the Hang of a place that is at or below one that hangs.
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

// replaced reports whether the file system of a hang is not mounted there any
// more. A look into it may never return then (umount --lazy). It asks once a
// second.
func (s *looks) replaced(h *hang) bool {
	now := time.Now()
	if now.Sub(h.checked) < time.Second {
		return false
	}
	h.checked = now
	return mountOf(h.Place).id != h.mount.id
}

// below reports whether a path is a folder or lies in it.
func below(path, folder string) bool {
	return path == folder || folder == "/" || strings.HasPrefix(path, folder) && path[len(folder)] == '/'
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

// Within returns what read returns, or after limit an error that wraps ErrHangs:
// then what path names does not answer. read goes on in the background, and must
// not write to anything that the caller reads.
func Within[T any](limit time.Duration, path string, read func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		v, err := read()
		done <- answer{v, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case a := <-done:
		return a.value, a.err
	case <-timer.C:
		var none T
		return none, fmt.Errorf("%s %w within %v", path, ErrHangs, limit)
	}
}
