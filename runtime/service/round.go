package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// Marked are Definitions that tell by less than reading them whether they have
// changed; *store.Store is.
type Marked interface {
	// DefinitionsMark is the same as long as Definitions are. Empty: it cannot be
	// told.
	DefinitionsMark(ctx context.Context) (string, error)
}

var _ Marked = (*store.Store)(nil)

// known is the definitions that are detected.
type known struct {
	detector Detector // nil: none were read yet
	defs     []metadata.Definition
	warnings []string
	mark     string // empty: read them to know whether they have changed
	sum      [sha256.Size]byte
	watch    watch
}

// roundResult is how a round of verification ended.
type roundResult struct {
	// caps is what was found; nil where nothing had changed, or on error.
	caps *capability.Document
	seen fingerprint
	// kept are the executables of the document before, as they are now.
	kept map[string]error
	// regular: it was a full one because its turn had come.
	regular bool
	// of is the round, where it has not ended yet: caps are what it has found so
	// far, and what was known of the rest.
	of *running
	// asked is the last request to verify that was seen when it began.
	asked *time.Time
	took  time.Duration
	err   error
}

// running is a round that runs.
type running struct {
	end   context.CancelCauseFunc
	began time.Time
	hurry *time.Timer
	// told: what it had found so far is taken over.
	told bool
}

// hurryUp ends a round for another one that somebody asks for, as soon as each
// command has had its time: what goes on then hangs.
func (r *running) hurryUp() {
	if r.hurry == nil {
		r.hurry = time.AfterFunc(max(0, detect.OwnTime-time.Since(r.began)), func() { r.end(detect.ErrSuperseded) })
	}
}

// startRound begins to verify the host when its time has come; it does so
// beside everything else, since a probe may hang.
func (s *Service) startRound(ctx context.Context) error {
	s.takeAsked()
	if s.running != nil && s.force {
		s.running.hurryUp()
	}
	if s.running != nil || s.db == nil || !s.due(s.verifyAt) || !s.canStart() {
		return nil
	}
	if s.reachable() {
		if err := s.readDefinitions(ctx); err != nil {
			return err
		}
	}
	if s.known.detector == nil {
		return nil
	}
	if s.caps == nil && s.was == nil {
		was, ok := s.before(ctx)
		if !ok {
			return nil
		}
		s.was = recall(was, s.cfg.Now(), s.cfg.UnconfirmedFor)
	}
	regular := s.caps == nil || s.force || s.rounds+1 >= s.cfg.FullEvery
	r := round{
		known: s.known, host: s.cfg.Host, seen: s.seen, asked: s.refresh,
		regular: regular, full: regular || s.doubt.full(s.rounds+1),
	}
	if s.caps != nil {
		r.before, r.files = s.caps, filesOf(s.caps)
	} else {
		r.before = s.was
	}
	s.force = false
	ctx, end := context.WithCancelCause(ctx)
	s.running = &running{end: end, began: time.Now()}
	of := s.running
	r.tell = func(soFar roundResult) {
		soFar.of = of
		s.mu.Lock()
		s.soFar = &soFar
		s.mu.Unlock()
		s.stir()
	}
	go func() { s.results <- r.run(ctx) }()
	return nil
}

// canStart reports whether a round could begin: with the definitions that are
// known, or with those of a database that answers.
func (s *Service) canStart() bool { return s.known.detector != nil && s.caps != nil || s.reachable() }

// takeAsked makes the next round a full one, and now, if Refresh was called.
func (s *Service) takeAsked() {
	s.mu.Lock()
	asked := s.asked
	s.asked = false
	s.mu.Unlock()
	if asked {
		s.force, s.verifyAt = true, s.cfg.Now()
	}
}

// readDefinitions makes a new detector if the definitions changed. One that the
// host cannot use leaves the one before.
func (s *Service) readDefinitions(ctx context.Context) error {
	var defs []metadata.Definition
	var leftOut store.LeftOut
	mark := ""
	ok, err := s.ask(ctx, "read definitions", func(ctx context.Context) (err error) {
		if m, is := s.db.Definitions.(Marked); is {
			// Before they are read: what changes meanwhile shows next time.
			if mark, err = m.DefinitionsMark(ctx); err != nil || s.marked(mark) {
				return err
			}
		}
		defs, leftOut, err = s.db.Definitions.BoundedDefinitions(ctx)
		return err
	})
	if err != nil || !ok || s.marked(mark) {
		return err
	}
	var warnings []string
	if text := leftOut.String(); text != "" {
		warnings = append(warnings, text)
	}
	sum, err := sumOf(defs, warnings)
	if err != nil {
		return err
	}
	if s.known.detector != nil && sum == s.known.sum {
		s.known.mark = mark
		return nil
	}
	detector, err := s.cfg.Detector(defs, warnings)
	if err != nil && s.known.detector == nil {
		return err
	}
	if err != nil {
		s.log.Error("the definitions changed, and cannot be used; those from before are", "error", err)
		return nil
	}
	if s.known.detector != nil {
		s.log.Info("the definitions changed; verifying in full", "definitions", len(defs))
		s.force = true
	}
	s.known = known{detector: detector, defs: defs, warnings: warnings, mark: mark, sum: sum, watch: watchOf(defs)}
	return nil
}

// marked reports whether the definitions of a mark are those that are known.
func (s *Service) marked(mark string) bool { return mark != "" && mark == s.known.mark }

// sumOf tells definitions and warnings from others. Malformed ones count as they
// are.
func sumOf(defs []metadata.Definition, warnings []string) ([sha256.Size]byte, error) {
	text, err := json.Marshal(struct {
		Definitions []metadata.Definition
		Warnings    []string
	}{defs, warnings})
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("compare definitions: %w", err)
	}
	return sha256.Sum256(text), nil
}

// round is one verification, apart from the service that asked for it.
type round struct {
	known
	host Host
	seen fingerprint
	// before is the last document, and files are those that it names; no files
	// where it is of a process that has ended.
	before        *capability.Document
	files         []string
	asked         *time.Time
	regular, full bool
	// tell is told of what has been found before the round ends.
	tell func(roundResult)
}

func (r *round) run(ctx context.Context) roundResult {
	start := time.Now()
	out := roundResult{regular: r.regular, asked: r.asked}
	// Looked at before anything runs: what changes meanwhile shows next time.
	now := fingerprintOf(r.host, &r.watch, r.files)
	if !r.full && now.equal(r.seen) {
		out.took = time.Since(start)
		return out
	}
	out.caps, out.err = r.detect(ctx, out)
	if out.err == nil {
		out.seen.places = now.places
		out.kept = lookFor(r.host, r.before)
		out.seen.files = look(r.host, filesOf(out.caps))
	}
	out.took = time.Since(start)
	return out
}

// detect detects, and tells what it has found where something takes long.
func (r *round) detect(ctx context.Context, out roundResult) (*capability.Document, error) {
	d, is := r.detector.(Gradual)
	if !is || r.tell == nil {
		return r.detector.Detect(ctx)
	}
	var last latest
	return d.DetectInParts(ctx, func(soFar *capability.Document, open []string) {
		last.do(func() { // a look at a file may hang too
			part := out
			part.caps = soFar.WithRefs(open, r.before)
			part.kept = lookFor(r.host, r.before)
			r.tell(part)
		})
	})
}

// latest does one thing at a time beside everything else. Of those that come while
// it is busy it does the last one.
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

// collect takes the result of a round that has ended.
func (s *Service) collect(ctx context.Context) error {
	if s.running == nil {
		return nil
	}
	var r roundResult
	select {
	case r = <-s.results:
	default:
		s.collectSoFar()
		return nil
	}
	was := s.running
	was.end(nil)
	s.running = nil
	now := s.cfg.Now()
	if !was.told {
		s.verifyAt = now.Add(s.jittered(s.cfg.VerifyInterval))
	}
	if s.force {
		s.verifyAt = now // it was asked for while this round ran
	}
	m := s.cfg.Metrics
	switch {
	case ctx.Err() != nil:
	case r.err != nil:
		m.rounds.WithLabelValues("failed").Inc()
		if s.takeBack(r.err) {
			return nil
		}
		if s.caps == nil && wrongConfig(r.err) {
			return fmt.Errorf("detect: %w", r.err)
		}
		s.log.Error("verify this host; what was known is kept", "error", r.err)
	case r.caps == nil:
		m.rounds.WithLabelValues("unchanged").Inc()
		s.rounds++
	default:
		m.rounds.WithLabelValues("full").Inc()
		m.detected(r)
		s.found(r, now)
		s.proven = nil
	}
	return nil //nolint:nilerr // a round that failed was logged: the next one tries again, and what was known stays
}

// collectSoFar takes what a round has found that has not ended: what hangs holds up
// nothing else, nor the next round.
func (s *Service) collectSoFar() {
	s.mu.Lock()
	r := s.soFar
	s.soFar = nil
	s.mu.Unlock()
	if r == nil || r.of != s.running {
		return
	}
	now := s.cfg.Now()
	if !s.running.told {
		s.running.told = true
		s.verifyAt = now.Add(s.jittered(s.cfg.VerifyInterval))
	}
	s.take(*r, now)
}

// found takes over what a round found.
func (s *Service) found(r roundResult, now time.Time) {
	s.doubt.reach(r.caps, now)
	s.take(r, now)
	s.doubt.note(s.caps)
	s.seen = r.seen
	s.rounds++
	if r.regular {
		s.rounds = 0
	}
}

// take makes what was found what the host has.
func (s *Service) take(r roundResult, now time.Time) {
	before, first := s.caps, s.caps == nil
	if first {
		before = s.was
	}
	caps := confirm(before, r.caps, confirmation{
		at: now, keep: s.cfg.UnconfirmedFor, files: r.kept, patient: s.doubt.patient(now, s.cfg.UnconfirmedFor),
	})
	switch {
	case r.of != nil: // what is asked for is all
		caps.Refreshed = before.Refreshed
	case r.asked != nil:
		caps.Refreshed = *r.asked
	}
	if first || (r.regular && r.of == nil) || !sameDocument(before, caps) {
		s.unsaid = true
	}
	s.logNews(s.caps, caps)
	s.logDoubt(before, caps)
	s.caps, s.was = caps, nil
	s.cfg.Metrics.runtimes.Set(float64(len(caps.Runtimes)))
}

// sameDocument reports whether two documents say the same, but for when it was
// found out and how long that took.
func sameDocument(a, b *capability.Document) bool {
	return reflect.DeepEqual(timeless(a), timeless(b))
}

func timeless(c *capability.Document) capability.Document {
	out := *c
	out.Detected, out.Undetected, out.Failed = slices.Clone(c.Detected), slices.Clone(c.Undetected), slices.Clone(c.Failed)
	for i := range out.Detected {
		d := &out.Detected[i]
		d.VerifiedAt, d.DurationMS, d.Attempts = time.Time{}, 0, nil
	}
	for i := range out.Undetected {
		out.Undetected[i].Attempts = nil
	}
	for i := range out.Failed {
		out.Failed[i].VerifiedAt, out.Failed[i].Attempts = time.Time{}, nil
	}
	return out
}
