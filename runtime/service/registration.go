package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A registration keeps the row of the service: it registers, reports and sends heartbeats,
// and takes its turn in sweeping and pruning.
type registration struct {
	*base
	connection   *connection
	verification *verification

	row     *schema.Worker // nil while the service is not registered
	count   int            // successful registrations
	maybe   bool           // the database may have a row of this instance
	waiting *waiting       // for another instance with the name; nil without one

	nextBeat, nextPrune time.Time
	streak              streak
}

// A waiting is the wait for another instance of the name to end.
type waiting struct {
	next, until time.Time // the next and the last attempt
}

// slack is added to the time after which a row is stale, so that it is stale by then.
const slack = time.Second

// register writes the whole row once the capabilities are known, and again when the row no
// longer belongs to this instance.
func (r *registration) register(ctx context.Context) error {
	caps := r.verification.caps
	if r.row != nil || caps == nil || !r.connection.reachable() || (r.waiting != nil && !r.due(r.waiting.next)) {
		return nil
	}
	found, err := CapabilitiesOf(caps, r.cfg.Now())
	if err != nil {
		return fmt.Errorf("register %s %q: %w", r.id.Role, r.id.Name, err)
	}
	seconds := int(r.cfg.HeartbeatInterval / time.Second)
	id := r.id.Resolve(r.connection.db.Guest)
	request := id.registration(found)
	request.Instance, request.HeartbeatInterval, request.Takeover = &r.cfg.Instance, &seconds, r.cfg.Takeover && r.count == 0
	var row *schema.Worker
	var changes []schema.CapabilityChange
	r.maybe = true
	ok, err := r.connection.ask(ctx, "register", func(ctx context.Context) (err error) {
		row, changes, err = r.connection.db.Rows.Register(ctx, request)
		return err
	})
	if errors.Is(err, store.ErrLive) {
		return r.wait(err)
	}
	if err != nil || !ok {
		return err
	}
	r.row, r.waiting = row, nil
	r.verification.unreported = false
	now := r.cfg.Now()
	if r.count == 0 {
		// A fleet that starts at once must not send its heartbeats at once forever.
		r.nextBeat = now.Add(time.Duration(float64(r.cfg.HeartbeatInterval) * r.cfg.Random()))
		r.nextPrune = now.Add(time.Duration(float64(pruneInterval) * r.cfg.Random()))
	} else {
		r.nextBeat = now.Add(r.jittered(r.cfg.HeartbeatInterval)) // the registration was a heartbeat
	}
	r.noteArrival(*row.LastHeartbeat)
	r.verification.request(row.RefreshRequested)
	r.log.Info("registered and active", "row", row.ID, "as", row.Name, "instance", r.cfg.Instance,
		"runtimes", caps.Runtimes, "again", r.count > 0)
	r.count++
	r.connection.required = false
	r.noteBeat(now, 0, r.nextBeat)
	r.noteRegistered(true)
	r.logChanges(changes)
	return nil
}

// wait decides whether to go on waiting for another instance to end.
func (r *registration) wait(err error) error {
	now := r.cfg.Now()
	interval := r.cfg.HeartbeatInterval
	var live *store.LiveError
	if errors.As(err, &live) {
		interval = live.Interval
	}
	if r.count > 0 {
		return fmt.Errorf("%s %q: another process has taken the name: %w", r.id.Role, r.id.Name, err)
	}
	if r.waiting == nil {
		r.waiting = &waiting{until: now.Add(store.Missed*interval + slack)}
		r.log.Warn("another instance has this name; waiting for it to end", "until", r.waiting.until.Format(time.RFC3339), "reason", err)
	} else if r.due(r.waiting.until) {
		return fmt.Errorf("%s %q: another process still runs under this name after %d of its heartbeat intervals: %w",
			r.id.Role, r.id.Name, store.Missed, err)
	}
	next := now.Add(r.jittered(interval / 2))
	if next.After(r.waiting.until) {
		next = r.waiting.until
	}
	r.waiting.next = next
	return nil
}

// report writes capabilities that changed to the row.
func (r *registration) report(ctx context.Context) error {
	v := r.verification
	if r.row == nil || !v.unreported || !r.connection.reachable() {
		return nil
	}
	found, err := CapabilitiesOf(v.caps, r.cfg.Now())
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var changes []schema.CapabilityChange
	ok, err := r.connection.ask(ctx, "report", func(ctx context.Context) (err error) {
		changes, err = r.connection.db.Rows.Report(ctx, r.row.ID, r.cfg.Instance, *found)
		return err
	})
	if errors.Is(err, store.ErrInvalid) {
		// The database would refuse the same document again. The next round makes another.
		v.unreported = false
		r.log.Error("the database refused the capabilities of this host", "error", err)
		return nil
	}
	if err != nil {
		return r.registerAgain(ctx, err)
	}
	if ok {
		v.unreported = false
		r.logChanges(changes)
	}
	return nil
}

// registerAgain registers after the row was deleted or taken by another instance.
func (r *registration) registerAgain(ctx context.Context, err error) error {
	message := "the row was deleted; registering again"
	if errors.Is(err, store.ErrSuperseded) {
		message = "another process took the row; ending, unless it has ended"
	}
	r.log.Warn(message, "reason", err)
	r.row = nil
	r.noteRegistered(false)
	return r.register(ctx)
}

// beat sends a heartbeat. During an outage it also finds out whether the database is back,
// because nothing else may be due for long.
func (r *registration) beat(ctx context.Context) error {
	if r.row == nil || (!r.due(r.nextBeat) && r.connection.outage.since == nil) || !r.connection.reachable() {
		return nil
	}
	now := r.cfg.Now()
	var beat store.Beat
	ok, err := r.connection.ask(ctx, "heartbeat", func(ctx context.Context) (err error) {
		beat, err = r.connection.db.Rows.Heartbeat(ctx, r.row.ID, r.cfg.Instance)
		return err
	})
	if err != nil {
		return r.registerAgain(ctx, err)
	}
	if !ok {
		return nil // the next attempt comes with the end of the outage
	}
	r.cfg.Metrics.CountHeartbeat()
	lag := r.cfg.Now().Sub(r.nextBeat)
	r.nextBeat = now.Add(r.jittered(r.cfg.HeartbeatInterval))
	r.noteBeat(r.cfg.Now(), lag, r.nextBeat)
	r.noteArrival(beat.At)
	if beat.Revived {
		r.log.Info("made the inactive row active again", "row", r.row.ID)
	}
	r.verification.request(beat.RefreshRequested)
	return nil
}

// deactivate marks the row of this instance inactive, when the service ends.
func (r *registration) deactivate(ctx context.Context) {
	r.noteRegistered(false)
	if !r.maybe {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.StatementTimeout)
	defer cancel()
	id, err := r.ownRow(ctx)
	if err == nil && id != 0 {
		err = r.connection.db.Rows.Deactivate(ctx, id, r.cfg.Instance)
	}
	r.row, r.maybe = nil, false
	switch {
	case err == nil && id == 0:
	case err == nil:
		r.log.Info("marked the row inactive", "row", id)
	case errors.Is(err, store.ErrSuperseded), errors.Is(err, store.ErrNotFound):
		r.log.Info("the row belongs to another process", "reason", err)
	default:
		r.log.Error("could not mark the row inactive; a sweep will", "error", err)
	}
}

// ownRow returns the id of this instance's row, or 0. A registration without an answer may
// have made one.
func (r *registration) ownRow(ctx context.Context) (int64, error) {
	if r.row != nil {
		return r.row.ID, nil
	}
	row, err := r.connection.db.Rows.ByIdentity(ctx, r.id.Role, r.id.Resolve(r.connection.db.Guest).Name)
	if err != nil {
		return 0, err
	}
	if row.Instance == nil || *row.Instance != r.cfg.Instance {
		return 0, nil
	}
	return row.ID, nil
}

// logChanges logs and counts capability changes.
func (r *registration) logChanges(changes []schema.CapabilityChange) {
	for _, c := range changes {
		attrs := []any{"runtime", c.Name, "ref", c.RuntimeRef}
		for _, more := range []struct {
			key   string
			value *string
		}{{"old_version", c.OldVersion}, {"new_version", c.NewVersion}, {"detail", c.Detail}} {
			if more.value != nil {
				attrs = append(attrs, more.key, *more.value)
			}
		}
		r.cfg.Metrics.CountChange(c.Kind)
		r.log.Info("capability "+string(c.Kind), attrs...)
	}
}

// roleOf converts a role in SQL to its name on the command line.
func roleOf(r schema.WorkerRole) string {
	if r == schema.RoleAction {
		return string(metadata.Worker)
	}
	return string(r)
}
