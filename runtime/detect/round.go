package detect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/attune-go/attune/runtime/host"
)

// round is one detection on one host.
type round struct {
	cfg     Config
	policy  func() *host.Policy
	info    host.Info
	memo    *host.Memo
	lookups *lookups
	// all: every command is tried, not only up to the first success.
	all bool
}

func (d *Detector) newRound(all bool) *round {
	return &round{
		cfg:     d.cfg,
		policy:  d.policy,
		info:    d.cfg.Host.Info(),
		memo:    host.NewMemo(&turns{host: d.cfg.Host, slots: make(chan struct{}, d.cfg.Parallelism)}),
		lookups: &lookups{host: d.cfg.Host, done: map[string]func() []host.Candidate{}},
		all:     all,
	}
}

// stopGrace is how long commands may take to end once the detection's time is
// over, before they are given up.
const stopGrace = 2 * time.Second

// verifyAll verifies definitions, all at once as far as it is concerned:
// Parallelism bounds what runs. What is not finished when the time is over ends
// as Timeout; that includes a look-up in a folder whose server does not answer.
func (r *round) verifyAll(ctx context.Context, defs []*definition) ([]finding, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, errDeadline)
	defer cancel()
	type result struct {
		at int
		finding
	}
	results := make(chan result, len(defs))
	findings := make([]finding, len(defs))
	progress := progress{tell: r.cfg.Progress, total: len(defs)}
	for i, d := range defs {
		findings[i] = d.absent(Timeout, "it was not finished when "+errDeadline.Error(), hintDeadline)
		go func() {
			progress.begin(d)
			results <- result{i, r.verify(bounded, d)}
		}()
	}
	over := bounded.Done()
	var giveUp <-chan time.Time
	for left := len(defs); left > 0; {
		select {
		case res := <-results:
			findings[res.at] = res.finding
			progress.end(defs[res.at], res.outcome())
			left--
		case <-over:
			over, giveUp = nil, time.After(stopGrace)
		case <-giveUp:
			left = 0
		}
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("detect runtimes: %w", context.Cause(ctx))
	}
	return findings, nil
}

// progress tells of runtimes one at a time.
type progress struct {
	tell            func(Progress)
	mu              sync.Mutex
	finished, total int
}

func (p *progress) begin(d *definition) { p.send(d, "") }

func (p *progress) end(d *definition, o Outcome) { p.send(d, o) }

func (p *progress) send(d *definition, o Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o != "" {
		p.finished++
	}
	p.tell(Progress{Ref: d.Ref, Name: d.name, Outcome: o, Finished: p.finished, Total: p.total})
}
