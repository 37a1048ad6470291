package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/attune-go/attune/runtime/detect"
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
	mark     string // empty: read them to know whether they have changed
	sum      [sha256.Size]byte
	watch    watch
}

// roundResult is how a round of verification ended.
type roundResult struct {
	// caps is what was found; nil where nothing had changed, or on error.
	caps *detect.Capabilities
	seen fingerprint
	// kept are the executables of the document before, as they are now.
	kept map[string]error
	// regular: it was a full one because its turn had come.
	regular bool
	// asked is the last request to verify that was seen when it began.
	asked *time.Time
	took  time.Duration
	err   error
}

// startRound begins to verify the host when its time has come; it does so
// beside everything else, since a probe may hang.
func (s *Service) startRound(ctx context.Context) error {
	s.takeAsked()
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
	ctx, s.running = context.WithCancel(ctx)
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
	mark := ""
	ok, err := s.ask(ctx, "read definitions", func(ctx context.Context) (err error) {
		if m, is := s.db.Definitions.(Marked); is {
			// Before they are read: what changes meanwhile shows next time.
			if mark, err = m.DefinitionsMark(ctx); err != nil || s.marked(mark) {
				return err
			}
		}
		defs, err = s.db.Definitions.Definitions(ctx)
		return err
	})
	if err != nil || !ok || s.marked(mark) {
		return err
	}
	sum, err := sumOf(defs)
	if err != nil {
		return err
	}
	if s.known.detector != nil && sum == s.known.sum {
		s.known.mark = mark
		return nil
	}
	detector, err := s.cfg.Detector(defs)
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
	s.known = known{detector: detector, defs: defs, mark: mark, sum: sum, watch: watchOf(defs)}
	return nil
}

// marked reports whether the definitions of a mark are those that are known.
func (s *Service) marked(mark string) bool { return mark != "" && mark == s.known.mark }

// sumOf tells definitions from others. Malformed ones count as they are.
func sumOf(defs []metadata.Definition) ([sha256.Size]byte, error) {
	text, err := json.Marshal(defs)
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
	before        *detect.Capabilities
	files         []string
	asked         *time.Time
	regular, full bool
}

func (r *round) run(ctx context.Context) roundResult {
	start := time.Now()
	out := roundResult{regular: r.regular, asked: r.asked}
	// Looked at before anything runs: what changes meanwhile shows next time.
	now := fingerprint{places: r.watch.look(r.host), files: look(r.host, r.files)}
	if !r.full && now.equal(r.seen) {
		out.took = time.Since(start)
		return out
	}
	out.caps, out.err = r.detector.Detect(ctx)
	if out.err == nil {
		out.seen.places = now.places
		out.kept = lookFor(r.before)
		out.seen.files = look(r.host, filesOf(out.caps))
	}
	out.took = time.Since(start)
	return out
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
		return nil
	}
	s.running()
	s.running = nil
	now := s.cfg.Now()
	s.verifyAt = now.Add(s.jittered(s.cfg.VerifyInterval))
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

// found takes over what a round found.
func (s *Service) found(r roundResult, now time.Time) {
	before, first := s.caps, s.caps == nil
	if first {
		before = s.was
	}
	caps := confirm(before, r.caps, confirmation{at: now, keep: s.cfg.UnconfirmedFor, files: r.kept})
	if r.asked != nil {
		caps.Refreshed = *r.asked
	}
	s.doubt.note(caps)
	if first || r.regular || !sameDocument(before, caps) {
		s.unsaid = true
	}
	s.logNews(s.caps, caps)
	s.logDoubt(before, caps)
	s.caps, s.seen, s.was = caps, r.seen, nil
	s.cfg.Metrics.runtimes.Set(float64(len(caps.Runtimes)))
	s.rounds++
	if r.regular {
		s.rounds = 0
	}
}

// sameDocument reports whether two documents say the same, but for when it was
// found out and how long that took.
func sameDocument(a, b *detect.Capabilities) bool {
	return reflect.DeepEqual(timeless(a), timeless(b))
}

func timeless(c *detect.Capabilities) detect.Capabilities {
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
