package service

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/metadata"
)

// known is the definitions that are detected.
type known struct {
	detector Detector // nil: none were read yet
	sum      [sha256.Size]byte
	watch    watch
}

// roundResult is how a round of verification ended.
type roundResult struct {
	// caps is what was found; nil where nothing had changed, or on error.
	caps *detect.Capabilities
	seen fingerprint
	// before are the files of the last detection as they were at the beginning.
	before map[string]string
	// regular: it was a full one because its turn had come.
	regular bool
	took    time.Duration
	err     error
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
	r := round{known: s.known, host: s.cfg.Host, seen: s.seen, regular: regular, full: regular || s.doubt.full(s.rounds+1)}
	if s.caps != nil {
		r.files = filesOf(s.caps)
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
	ok, err := s.ask(ctx, "read definitions", func(ctx context.Context) (err error) {
		defs, err = s.db.Definitions.Definitions(ctx)
		return err
	})
	if err != nil || !ok {
		return err
	}
	sum, err := sumOf(defs)
	if err != nil {
		return err
	}
	if s.known.detector != nil && sum == s.known.sum {
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
	s.known = known{detector: detector, sum: sum, watch: watchOf(defs)}
	return nil
}

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
	host          Host
	seen          fingerprint
	files         []string
	regular, full bool
}

func (r *round) run(ctx context.Context) roundResult {
	start := time.Now()
	out := roundResult{regular: r.regular}
	// Looked at before anything runs: what changes meanwhile shows next time.
	now := fingerprint{places: r.watch.look(r.host), files: look(r.host, r.files)}
	if !r.full && now.equal(r.seen) {
		out.took = time.Since(start)
		return out
	}
	out.caps, out.err = r.detector.Detect(ctx)
	if out.err == nil {
		out.before, out.seen.places = now.files, now.places
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
		if s.caps == nil && (errors.Is(r.err, detect.ErrConfig) || errors.Is(r.err, detect.ErrUnknownName)) {
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
	}
	return nil //nolint:nilerr // a round that failed was logged: the next one tries again, and what was known stays
}

// found takes over what a round found.
func (s *Service) found(r roundResult, now time.Time) {
	before, first := s.caps, s.caps == nil
	if first {
		before = s.was
	}
	caps := confirm(before, r.caps, confirmation{
		at: now, keep: s.cfg.UnconfirmedFor,
		untouched: func(path string) bool {
			return !first && s.sameDefs == s.known.sum && r.before[path] == s.seen.files[path]
		},
	})
	s.doubt.note(caps)
	if first || r.regular || !sameDocument(before, caps) {
		s.unsaid = true
	}
	s.logNews(s.caps, caps)
	s.logDoubt(before, caps)
	s.caps, s.seen, s.sameDefs, s.was = caps, r.seen, s.known.sum, nil
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
	out.Detected, out.Undetected = slices.Clone(c.Detected), slices.Clone(c.Undetected)
	for i := range out.Detected {
		d := &out.Detected[i]
		d.VerifiedAt, d.DurationMS, d.Attempts = time.Time{}, 0, nil
	}
	for i := range out.Undetected {
		out.Undetected[i].Attempts = nil
	}
	return out
}
