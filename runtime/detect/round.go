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

// round is one detection on one host.
type round struct {
	cfg     Config
	turns   *turns
	info    host.Info
	memo    *host.Memo
	lookups *lookups
	looksOf func(*way) int
	// all: every command is tried, not only up to the first success.
	all bool
}

func (d *Detector) newRound(all bool) *round {
	cfg := d.cfg
	if local, is := cfg.Host.(*host.LocalHost); is {
		cfg.Host = local.Round()
	}
	d.mu.Lock()
	t := newTurns(cfg.Host, cfg.Parallelism, d.pace, d.slow)
	d.mu.Unlock()
	return &round{
		cfg:     cfg,
		turns:   t,
		info:    cfg.Host.Info(),
		memo:    host.NewMemo(t),
		looksOf: d.looksOf,
		lookups: &lookups{host: cfg.Host, done: map[string]func() []host.Candidate{}},
		all:     all,
	}
}

// stopGrace is how long commands may take to end once the detection's time is
// over, before they are given up.
const stopGrace = 2 * time.Second

// SoFar is when a detection that is not over tells of what it has found so far,
// and how long it then takes at most to tell of more.
const SoFar = 5 * time.Second

// verifyAll verifies definitions, all at once as far as it is concerned: turns
// bound what runs. What is not finished when the time is over ends as Timeout;
// that includes a look-up in a folder whose server does not answer. Unless it is
// nil, tell gets the findings so far, and the refs of those that are open.
func (r *round) verifyAll(ctx context.Context, defs []*definition, tell func([]finding, []string)) ([]finding, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, errDeadline)
	defer cancel()
	type result struct {
		at int
		finding
	}
	results := make(chan result, len(defs))
	found := make([]*finding, len(defs))
	progress := progress{tell: r.cfg.Progress, total: len(defs)}
	for i, d := range defs {
		go func() {
			progress.begin(d)
			results <- result{i, r.verify(bounded, d)}
		}()
	}
	soFar := time.NewTicker(r.turns.pace.soFar)
	defer soFar.Stop()
	over := bounded.Done()
	var giveUp <-chan time.Time
	untold := true
	for left := len(defs); left > 0; {
		select {
		case res := <-results:
			found[res.at] = &res.finding
			progress.end(defs[res.at], res.outcome())
			left--
			untold = true
		case <-soFar.C:
			if tell != nil && untold {
				tell(withOpen(defs, found, fmt.Sprintf("it was not finished after %v", r.turns.pace.soFar)))
			}
			untold = false
		case <-over:
			over, giveUp = nil, time.After(stopGrace)
		case <-giveUp:
			left = 0
		}
	}
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), ErrEnough) {
		return nil, fmt.Errorf("detect runtimes: %w", context.Cause(ctx))
	}
	findings, _ := withOpen(defs, found, unfinished(cmp.Or(context.Cause(bounded), errDeadline)))
	return findings, nil
}

// withOpen are findings in which what is open ends as Timeout, and the refs of that.
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

// progress tells of runtimes one at a time.
type progress struct {
	tell            func(Progress)
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
	p.tell(Progress{Ref: d.Ref, Name: d.name, Outcome: o, Finished: p.finished, Total: p.total})
}
