package service

import (
	"context"
	"sync"
	"time"

	"github.com/attune-go/attune/schema/capability"
)

// A round is one verification of the host. It does not touch the service.
type round struct {
	definitionSet
	host Host
	seen fingerprint
	// before is the last document. files are the files that it names; empty if the document
	// is from a process that has ended.
	before        *capability.Document
	files         []string
	requested     *time.Time
	regular, full bool
	// fresh makes the round start every command.
	fresh bool
	// report receives partial results. Nil disables them.
	report func(roundResult)
}

// A roundResult is the result of a round, or a partial result of one that runs.
type roundResult struct {
	// caps holds what was found; nil if nothing had changed, and after an error.
	caps *capability.Document
	seen fingerprint
	// files holds the executables of the previous document with the errors of looking at them.
	files map[string]error
	// regular reports whether the round was a full one because its turn had come.
	regular bool
	// of is the round of a partial result; nil for a final one. caps of a partial result
	// holds the previous entries of the unfinished runtimes.
	of *running
	// requested is the last request for a refresh from before the round began.
	requested *time.Time
	took      time.Duration
	err       error
}

func (r *round) run(ctx context.Context) roundResult {
	start := time.Now()
	out := roundResult{regular: r.regular, requested: r.requested}
	// Look before anything runs, so that a change meanwhile shows in the next round.
	now := fingerprintOf(r.host, &r.watch, r.files)
	if !r.full && now.equal(r.seen) {
		out.took = time.Since(start)
		return out
	}
	if d, ok := r.detector.(Rememberer); ok && r.fresh {
		d.Forget()
	}
	out.caps, out.err = r.detect(ctx, out)
	if out.err == nil {
		out.seen.places = now.places
		out.files = lookFor(r.host, r.before)
		out.seen.files = look(r.host, filesOf(out.caps))
	}
	out.took = time.Since(start)
	return out
}

// detect detects, and reports partial results if it takes long.
func (r *round) detect(ctx context.Context, out roundResult) (*capability.Document, error) {
	d, ok := r.detector.(PartialDetector)
	if !ok || r.report == nil {
		return r.detector.Detect(ctx)
	}
	var last latest
	return d.DetectInParts(ctx, func(part *capability.Document, open []string) {
		last.do(func() { // looking at a file may hang too
			result := out
			result.caps = part.WithRefs(open, r.before)
			result.files = lookFor(r.host, r.before)
			r.report(result)
		})
	})
}

// A latest runs one function at a time in a goroutine. While it is busy, it keeps only the
// latest of further functions.
type latest struct {
	mu   sync.Mutex
	busy bool
	next func()
}

func (l *latest) do(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = f
	if !l.busy {
		l.busy = true
		go l.work()
	}
}

func (l *latest) work() {
	for {
		l.mu.Lock()
		f := l.next
		l.next, l.busy = nil, f != nil
		l.mu.Unlock()
		if f == nil {
			return
		}
		f()
	}
}
