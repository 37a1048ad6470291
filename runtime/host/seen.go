package host

import (
	"sync"
	"sync/atomic"
)

// Bounds of what a round keeps; what is over is looked at again.
const (
	keptPlaces = 20_000 // of each kind
	keptNames  = 50_000 // in folders
)

// seen is what looks of one round have found, so that most places are looked at
// once. What hangs is not kept.
type seen struct {
	reals cache[string, realPlace]
	// folders are those that were listed, by the path that led there.
	folders cache[string, *listing]
	names   atomic.Int64
	// closed are files, folders and links that others cannot change. Nobody else can
	// make it untrue later.
	closed cache[string, step]
	// served are the users that serve the file systems of devices; see strangersMount.
	served cache[uint64, string]
	// programs are those of which everything is known, by path.
	programs cache[string, Program]
}

// cache holds values by key.
type cache[K comparable, V any] struct {
	mu     sync.Mutex
	values map[K]V
}

func (c *cache[K, V]) get(key K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok = c.values[key]
	return v, ok
}

func (c *cache[K, V]) put(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.values == nil {
		c.values = map[K]V{}
	}
	if len(c.values) < keptPlaces {
		c.values[key] = v
	}
}

// listed keeps what a folder holds.
func (s *seen) listed(dir string, l *listing) {
	if s.names.Add(int64(len(l.names))) <= keptNames {
		s.folders.put(dir, l)
	}
}

// Round returns the host as it is during one round: what was found at a place
// counts until the end. It is for the length of one detection.
func (h *LocalHost) Round() *LocalHost {
	round := *h
	round.round = &seen{}
	return &round
}

// Glance makes many looks as one: f makes them at the host that it gets, which it
// must not keep. It is for looks that run nothing.
//
// When a place hangs, f is called again by another goroutine, while the first call
// still waits there. So f must not write to anything that others read.
func Glance[T any](h *LocalHost, f func(*LocalHost) T) T {
	if h.within != nil {
		return f(h)
	}
	if h.round == nil {
		h = h.Round()
	}
	folders := h.folders()
	return try(h, func(l *look) T {
		l.path = folders
		one := *h
		one.within = l
		return f(&one)
	})
}
