package api

import (
	"sync"

	"golang.org/x/time/rate"
)

// maxPrincipals is the number of remembered principals above which those without recent requests
// and open streams are forgotten.
const maxPrincipals = 10_000

// A limiter bounds the requests and the streams of each principal.
type limiter struct {
	limits Limits

	mu         sync.Mutex
	principals map[string]*usage
}

type usage struct {
	requests *rate.Limiter
	streams  int
}

func newLimiter(limits Limits) *limiter {
	return &limiter{limits: limits, principals: map[string]*usage{}}
}

// of returns the usage of a principal. The caller holds the lock.
func (l *limiter) of(name string) *usage {
	u := l.principals[name]
	if u != nil {
		return u
	}
	if len(l.principals) >= maxPrincipals {
		for other, u := range l.principals {
			if u.streams == 0 && u.requests.Tokens() >= float64(l.limits.Burst) {
				delete(l.principals, other)
			}
		}
	}
	u = &usage{requests: rate.NewLimiter(rate.Limit(l.limits.Rate), l.limits.Burst)}
	l.principals[name] = u
	return u
}

// allow reports whether a principal may send a request now.
func (l *limiter) allow(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.of(name).requests.Allow()
}

// open opens a stream of a principal until done is called. It returns nil if the principal has
// too many.
func (l *limiter) open(name string) (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.of(name)
	if u.streams >= l.limits.Streams {
		return nil
	}
	u.streams++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		u.streams--
	}
}

// streams returns the number of open streams.
func (l *limiter) streams() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.principals {
		n += u.streams
	}
	return n
}
