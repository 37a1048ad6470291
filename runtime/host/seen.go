//go:build unix

package host

import (
	"sync"
	"sync/atomic"
)

// Limits of a round's cache.
const (
	keptPlaces = 20_000 // of each kind
	keptNames  = 50_000 // in folders
)

// A roundCache caches the looks of one round, so that most places are looked at once. It does not
// cache places that hang.
type roundCache struct {
	reals cache[string, realPlace]
	// folders holds listings by path.
	folders cache[string, *listing]
	names   atomic.Int64
	// versioned holds the versioned names in folders of PATH, by folder and stem.
	versioned cache[string, map[string][]string]
	// closed holds files, folders and links that others cannot change. Others cannot make
	// that untrue later.
	closed cache[string, step]
	// served holds the results of servedByOther by device.
	served cache[uint64, string]
	// programs holds the fully known programs by path.
	programs cache[string, Program]
}

// A cache holds values by key.
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

// listed caches a listing.
func (s *roundCache) listed(dir string, l *listing) {
	if s.names.Add(int64(len(l.names))) <= keptNames {
		s.folders.put(dir, l)
	}
}

// Round returns a copy of the host that caches looks. It is for one detection. Once over is
// closed, it looks at nothing more, and what it returns says so; nil is never closed.
func (h *LocalHost) Round(over <-chan struct{}) *LocalHost {
	round := *h
	round.round, round.over = &roundCache{}, over
	return &round
}

// hung returns the last error of a Glance about a place that hangs.
func (h *LocalHost) hung() *error { return &h.within.hung }

// Glance makes many looks as one. f makes them on the host that it gets, which it must not
// keep, and must not run commands. When a place hangs, another goroutine calls f again while
// the first call still waits, so f must not write to anything that others read.
func Glance[T any](h *LocalHost, f func(*LocalHost) T) T {
	if h.within != nil {
		return f(h)
	}
	if h.round == nil {
		h = h.Round(nil)
	}
	folders := h.folders()
	return try(h, func(l *look) T {
		l.path = folders
		one := *h
		one.within = l
		return f(&one)
	})
}
