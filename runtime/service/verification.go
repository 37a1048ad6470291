package service

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
)

// A verification keeps the capabilities of the host current. It runs rounds beside everything
// else, because a probe may hang.
type verification struct {
	*base
	connection *connection

	definitions definitionSet        // the definitions to detect
	caps        *capability.Document // nil until the first round has found something
	former      *capability.Document // the row's document from before this process; nil after the first round
	unreported  bool                 // the database does not have caps yet
	seen        fingerprint
	doubt       doubt

	nextRound time.Time
	rounds    int  // since the last regular full one
	force     bool // the next round is a full one
	running   *running
	results   chan roundResult
	// answered is the last request for a refresh that this process has seen.
	answered *time.Time
	// fallback holds the settings of the last verification while newer ones are unverified;
	// nil means that the current ones are verified.
	fallback *settings

	refreshAsked bool         // guarded by mu: refresh was called
	partial      *roundResult // guarded by mu: what the running round has found so far
}

// A running is a round that runs.
type running struct {
	end   context.CancelCauseFunc
	began time.Time
	hurry *time.Timer
	// partial reports whether a partial result has been taken over.
	partial bool
}

// hurryUp ends a round for a requested one as soon as each command has had its time. A
// command that runs longer hangs.
func (r *running) hurryUp() {
	if r.hurry == nil {
		r.hurry = time.AfterFunc(max(0, detect.OwnTime-time.Since(r.began)), func() { r.end(detect.ErrSuperseded) })
	}
}

// refresh makes the next round a full one, and due now. It may be called at any time.
func (v *verification) refresh() {
	v.mu.Lock()
	v.refreshAsked = true
	v.mu.Unlock()
	v.stir()
}

// request verifies in full if the row holds a new request.
func (v *verification) request(at *time.Time) {
	if at == nil || (v.answered != nil && at.Equal(*v.answered)) {
		return
	}
	v.answered = at
	v.log.Info("verifying in full, as requested in the database", "requested", *at)
	v.refresh()
}

// start begins a round if it is due.
func (v *verification) start(ctx context.Context) error {
	v.takeRefresh()
	if v.running != nil && v.force {
		v.running.hurryUp()
	}
	if v.running != nil || v.connection.db == nil || !v.due(v.nextRound) || !v.canStart() {
		return nil
	}
	if v.connection.reachable() {
		if err := v.readDefinitions(ctx); err != nil {
			return err
		}
	}
	if v.definitions.detector == nil {
		return nil
	}
	if v.caps == nil && v.former == nil {
		former, ok := v.readFormer(ctx)
		if !ok {
			return nil
		}
		v.former = recall(former, v.cfg.Now(), v.cfg.UnconfirmedFor)
	}
	v.run(ctx)
	return nil
}

// run starts a round in a goroutine of its own.
func (v *verification) run(ctx context.Context) {
	regular := v.caps == nil || v.force || v.rounds+1 >= v.cfg.FullEvery
	r := round{
		definitionSet: v.definitions, host: v.cfg.Host, seen: v.seen, requested: v.answered,
		regular: regular, full: regular || v.doubt.full(v.rounds+1), fresh: regular && (v.caps != nil || v.force),
	}
	if v.caps != nil {
		r.before, r.files = v.caps, filesOf(v.caps)
	} else {
		r.before = v.former
	}
	v.force = false
	ctx, end := context.WithCancelCause(ctx)
	current := &running{end: end, began: time.Now()}
	v.running = current
	r.report = func(part roundResult) {
		part.of = current
		v.mu.Lock()
		v.partial = &part
		v.mu.Unlock()
		v.stir()
	}
	go func() { v.results <- r.run(ctx) }()
}

// canStart reports whether a round could start: with known definitions, or with those of a
// database that answers.
func (v *verification) canStart() bool {
	return v.definitions.detector != nil && v.caps != nil || v.connection.reachable()
}

// takeRefresh makes the next round a full one, and due now, if refresh was called.
func (v *verification) takeRefresh() {
	v.mu.Lock()
	refresh := v.refreshAsked
	v.refreshAsked = false
	v.mu.Unlock()
	if refresh {
		v.force, v.nextRound = true, v.cfg.Now()
	}
}

// readFormer returns the document that the row had before this process, or nil without a
// readable one. ok is false if the database did not answer.
func (v *verification) readFormer(ctx context.Context) (caps *capability.Document, ok bool) {
	var row *schema.Worker
	ok, err := v.connection.ask(ctx, "read the row", func(ctx context.Context) (err error) {
		row, err = v.connection.db.Rows.ByIdentity(ctx, v.id.Role, v.id.Name)
		return err
	})
	if err != nil {
		return nil, true // there is no row
	}
	if !ok {
		return nil, false
	}
	// The round that begins now answers all requests until now.
	v.answered = row.RefreshRequested
	caps = new(capability.Document)
	if len(row.Capabilities) == 0 || json.Unmarshal(row.Capabilities, caps) != nil {
		caps = nil
	}
	if at := row.RefreshRequested; at != nil && (caps == nil || !caps.Refreshed.Equal(*at)) {
		v.force = true
	}
	return caps, true
}

// collect takes the result of a round that has ended, or what a running one has found. It
// returns an error only if the round failed because of the configuration.
func (v *verification) collect(ctx context.Context) error {
	if v.running == nil {
		return nil
	}
	var r roundResult
	select {
	case r = <-v.results:
	default:
		v.collectPartial()
		return nil
	}
	last := v.running
	last.end(nil)
	v.running = nil
	now := v.cfg.Now()
	if !last.partial {
		v.nextRound = now.Add(v.jittered(v.cfg.VerifyInterval))
	}
	if v.force {
		v.nextRound = now // requested while this round ran
	}
	m := v.cfg.Metrics
	switch {
	case ctx.Err() != nil:
	case r.err != nil:
		m.CountRound(RoundFailed)
		if isConfigError(r.err) {
			return r.err
		}
		v.logFailure(r.err)
	case r.caps == nil:
		m.CountRound(RoundUnchanged)
		v.rounds++
	default:
		m.CountRound(RoundFull)
		m.ObserveDetection(r.took)
		countProbes(m, r.caps)
		v.finish(r, now)
	}
	return nil //nolint:nilerr // a failed round was logged, and the next one tries again
}

// isConfigError reports whether a detection failed because of its configuration.
func isConfigError(err error) bool {
	return errors.Is(err, detect.ErrConfig) || errors.Is(err, detect.ErrUnknownName)
}

func (v *verification) logFailure(err error) {
	v.log.Error("could not verify this host; the known capabilities stay", "error", err)
}

// collectPartial takes what the running round has found so far. A command that hangs delays
// neither other results nor the next round.
func (v *verification) collectPartial() {
	v.mu.Lock()
	r := v.partial
	v.partial = nil
	v.mu.Unlock()
	if r == nil || r.of != v.running {
		return
	}
	now := v.cfg.Now()
	if !v.running.partial {
		v.running.partial = true
		v.nextRound = now.Add(v.jittered(v.cfg.VerifyInterval))
	}
	v.take(*r, now)
}

// finish takes the result of a full round.
func (v *verification) finish(r roundResult, now time.Time) {
	v.doubt.noteReach(r.caps, now)
	v.take(r, now)
	v.doubt.note(v.caps)
	v.seen = r.seen
	v.rounds++
	if r.regular {
		v.rounds = 0
	}
	v.fallback = nil
}

// take makes a result the capabilities of the host.
func (v *verification) take(r roundResult, now time.Time) {
	before, first := v.caps, v.caps == nil
	if first {
		before = v.former
	}
	caps := confirm(before, r.caps, confirmation{
		at: now, keep: v.cfg.UnconfirmedFor, files: r.files, patient: v.doubt.patient(now, v.cfg.UnconfirmedFor),
	})
	switch {
	case r.of != nil: // a refresh is complete only with the whole round
		caps.Refreshed = before.Refreshed
	case r.requested != nil:
		caps.Refreshed = *r.requested
	}
	caps.Definitions = v.definitions.state
	if first || (r.regular && r.of == nil) || !sameDocument(before, caps) {
		v.unreported = true
	}
	v.logNews(v.caps, caps)
	v.logUnconfirmed(before, caps)
	v.caps, v.former = caps, nil
	v.cfg.Metrics.SetRuntimes(len(caps.Runtimes))
}

// stopTimeout is the time to wait for commands that were stopped, or for a folder that does
// not answer, when the service ends.
const stopTimeout = 5 * time.Second

// stop ends the running round.
func (v *verification) stop() {
	if v.running == nil {
		return
	}
	v.running.end(context.Canceled)
	select {
	case <-v.results:
	case <-time.After(stopTimeout):
		v.log.Warn("ended without waiting for a verification that hangs")
	}
	v.running = nil
}

// sameDocument reports whether two documents are equal except for times, durations and
// attempts.
func sameDocument(a, b *capability.Document) bool {
	return reflect.DeepEqual(timeless(a), timeless(b))
}

func timeless(c *capability.Document) capability.Document {
	out := *c
	if out.Definitions != nil {
		out.Definitions = &capability.Definitions{Mark: out.Definitions.Mark}
	}
	out.Detected, out.Undetected, out.Failed = slices.Clone(c.Detected), slices.Clone(c.Undetected), slices.Clone(c.Failed)
	for i := range out.Detected {
		d := &out.Detected[i]
		d.VerifiedAt, d.Remembered, d.DurationMS, d.Attempts = time.Time{}, false, 0, nil
	}
	for i := range out.Undetected {
		out.Undetected[i].Attempts = nil
	}
	for i := range out.Failed {
		out.Failed[i].VerifiedAt, out.Failed[i].Remembered, out.Failed[i].Attempts = time.Time{}, false, nil
	}
	return out
}
