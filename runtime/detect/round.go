package detect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// A round is one detection on one host.
type round struct {
	cfg      Config
	turns    *turns
	matching *matching
	info     host.Info
	lookups  *lookups
	looksOf  func(*way) int
	// strangers holds a place for each look for an untrusted definition, so that trusted packs
	// need not wait for many slow ones.
	strangers chan struct{}
	// over is closed when the round ends, and with it the looks of what it did not wait for.
	over  chan struct{}
	began time.Time
	// all means that every command is tried, even after the first success.
	all bool
}

func (d *Detector) newRound(all bool) *round {
	cfg, over := d.cfg, make(chan struct{})
	if local, is := cfg.Host.(*host.LocalHost); is {
		cfg.Host = local.Round(over)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return &round{
		cfg:      cfg,
		turns:    newTurns(cfg.Host, cfg.Parallelism, d.pace, d.slow),
		matching: newMatching(len(d.defs)),
		info:     cfg.Host.Info(),
		looksOf:  d.looksOf,

		strangers: make(chan struct{}, strangersAtOnce),
		over:      over,
		began:     time.Now(),
		lookups:   &lookups{host: cfg.Host, done: map[string]func() []host.Candidate{}},
		all:       all,
	}
}

// errDeadline ends a detection at Config.Timeout.
var errDeadline = errors.New("the detection's time was up")

// ErrSuperseded is the cause with which a caller ends the context of a detection early
// without losing its results. Unfinished runtimes end as Timeout.
var ErrSuperseded = errors.New("a new verification was requested")

// stopGrace is the time that commands get to end after the detection's deadline.
const stopGrace = 2 * time.Second

// PartialInterval is the time between the partial reports of a detection.
const PartialInterval = 5 * time.Second

// verifyAll verifies definitions concurrently; turns bound the commands that run. At the
// deadline unfinished definitions end as Timeout, even if a look-up hangs. report, which
// may be nil, gets partial findings and the refs of unfinished definitions.
func (r *round) verifyAll(ctx context.Context, defs []*definition, report func([]finding, []string)) ([]finding, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, errDeadline)
	defer cancel()
	defer close(r.over)
	type result struct {
		at int
		finding
	}
	results := make(chan result, len(defs))
	found := make([]*finding, len(defs))
	progress := progress{report: r.cfg.Progress, total: len(defs)}
	for i, d := range defs {
		go func() {
			progress.begin(d)
			results <- result{i, r.verify(bounded, d)}
		}()
	}
	partial := time.NewTicker(r.turns.pace.partialInterval)
	defer partial.Stop()
	over := bounded.Done()
	var giveUp <-chan time.Time
	news := true
	for left := len(defs); left > 0; {
		select {
		case res := <-results:
			found[res.at] = &res.finding
			progress.end(defs[res.at], res.outcome())
			left--
			news = true
		case <-partial.C:
			if report != nil && news {
				report(withOpen(defs, found, fmt.Sprintf("it was not finished after %v", r.turns.pace.partialInterval)))
			}
			news = false
		case <-over:
			over, giveUp = nil, time.After(stopGrace)
		case <-giveUp:
			left = 0
		}
	}
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), ErrSuperseded) {
		return nil, fmt.Errorf("detect runtimes: %w", context.Cause(ctx))
	}
	if r.cfg.Memory != nil {
		if err := r.cfg.Memory.save(r.cfg.Now()); err != nil {
			r.cfg.Logger.DebugContext(ctx, "could not save what was verified", "error", err)
		}
	}
	findings, _ := withOpen(defs, found, unfinished(cmp.Or(context.Cause(bounded), errDeadline)))
	return findings, nil
}

// withOpen replaces unfinished findings by Timeout and returns their refs.
func withOpen(defs []*definition, found []*finding, why string) (findings []finding, open []string) {
	for i, f := range found {
		if f == nil {
			open = append(open, defs[i].Ref)
			absent := defs[i].absent(capability.Timeout, why, hintDeadline)
			f = &absent
		}
		findings = append(findings, *f)
	}
	return findings, open
}

// A progress reports the beginning and end of each runtime, one at a time.
type progress struct {
	report          func(Progress)
	mu              sync.Mutex
	finished, total int
}

func (p *progress) begin(d *definition) { p.send(d, "") }

func (p *progress) end(d *definition, o capability.Outcome) { p.send(d, o) }

func (p *progress) send(d *definition, o capability.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o != "" {
		p.finished++
	}
	p.report(Progress{Ref: d.Ref, Name: d.name, Outcome: o, Finished: p.finished, Total: p.total})
}
