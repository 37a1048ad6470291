package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// waiting is for another instance of the name to end.
type waiting struct {
	// next attempt, and the last one.
	next, until time.Time
}

// slack is added to the time after which a row is stale, so that it is.
const slack = time.Second

// register writes the whole row when what the host has is known: at the
// beginning, and whenever the row is not ours any more.
func (s *Service) register(ctx context.Context) error {
	if s.row != nil || s.caps == nil || !s.reachable() || (s.waiting != nil && !s.due(s.waiting.next)) {
		return nil
	}
	found, err := Found(s.caps, s.cfg.Now())
	if err != nil {
		return fmt.Errorf("register %s %q: %w", s.id.Role, s.id.Name, err)
	}
	seconds := int(s.cfg.HeartbeatInterval / time.Second)
	r := s.id.registration(found)
	r.Instance, r.HeartbeatInterval, r.Takeover = &s.cfg.Instance, &seconds, s.cfg.Takeover && !s.ever
	var row *schema.Worker
	var changes []schema.CapabilityChange
	s.tried = true
	ok, err := s.ask(ctx, "register", func(ctx context.Context) (err error) {
		row, changes, err = s.db.Rows.Register(ctx, r)
		return err
	})
	if errors.Is(err, store.ErrLive) {
		return s.wait(err)
	}
	if err != nil || !ok {
		return err
	}
	s.row, s.waiting, s.unsaid = row, nil, false
	now := s.cfg.Now()
	if !s.ever {
		// A fleet that starts at once must not beat at once for ever.
		s.beatAt = now.Add(time.Duration(float64(s.cfg.HeartbeatInterval) * s.cfg.Random()))
		s.pruneAt = now.Add(time.Duration(float64(pruneInterval) * s.cfg.Random()))
	} else {
		s.beatAt = now.Add(s.jittered(s.cfg.HeartbeatInterval)) // this was one
	}
	s.arrived(*row.LastHeartbeat)
	s.requested(row.RefreshRequested)
	s.log.Info("registered and active", "row", row.ID, "instance", s.cfg.Instance, "runtimes", s.caps.Runtimes, "again", s.ever)
	s.ever = true
	s.noteBeat(now, 0)
	s.noteRegistered(true)
	s.tell(changes)
	return nil
}

// wait decides whether to go on waiting for another instance to end.
func (s *Service) wait(err error) error {
	now := s.cfg.Now()
	interval := s.cfg.HeartbeatInterval
	var live *store.LiveError
	if errors.As(err, &live) {
		interval = live.Interval
	}
	if s.ever {
		return fmt.Errorf("%s %q: another process has taken the name: %w", s.id.Role, s.id.Name, err)
	}
	if s.waiting == nil {
		s.waiting = &waiting{until: now.Add(store.Missed*interval + slack)}
		s.log.Warn("another instance has this name; waiting for it to end", "until", s.waiting.until.Format(time.RFC3339), "reason", err)
	} else if s.due(s.waiting.until) {
		return fmt.Errorf("%s %q: another process runs under this name, and is still alive after %d of its heartbeat intervals: %w",
			s.id.Role, s.id.Name, store.Missed, err)
	}
	next := now.Add(s.jittered(interval / 2))
	if next.After(s.waiting.until) {
		next = s.waiting.until
	}
	s.waiting.next = next
	return nil
}

// report writes what the host has now into the row.
func (s *Service) report(ctx context.Context) error {
	if s.row == nil || !s.unsaid || !s.reachable() {
		return nil
	}
	found, err := Found(s.caps, s.cfg.Now())
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var changes []schema.CapabilityChange
	ok, err := s.ask(ctx, "report", func(ctx context.Context) (err error) {
		changes, err = s.db.Rows.Report(ctx, s.row.ID, s.cfg.Instance, *found)
		return err
	})
	if errors.Is(err, store.ErrInvalid) {
		// The same document would be refused again; the next round makes another.
		s.unsaid = false
		s.log.Error("the database refused what this host has", "error", err)
		return nil
	}
	if err != nil {
		return s.lost(ctx, err)
	}
	if ok {
		s.unsaid = false
		s.tell(changes)
	}
	return nil
}

// lost registers again after the row was deleted, or is another's.
func (s *Service) lost(ctx context.Context, err error) error {
	what := "the row is gone; registering again"
	if errors.Is(err, store.ErrSuperseded) {
		what = "another process has taken the row; ending, unless that one has ended"
	}
	s.log.Warn(what, "reason", err)
	s.row = nil
	s.noteRegistered(false)
	return s.register(ctx)
}

// beat says that this instance is alive, and where the database was away asks
// whether it is back: nothing else may be due for long.
func (s *Service) beat(ctx context.Context) error {
	if s.row == nil || (!s.due(s.beatAt) && s.away.since == nil) || !s.reachable() {
		return nil
	}
	now := s.cfg.Now()
	var beat store.Beat
	ok, err := s.ask(ctx, "heartbeat", func(ctx context.Context) (err error) {
		beat, err = s.db.Rows.Heartbeat(ctx, s.row.ID, s.cfg.Instance)
		return err
	})
	if err != nil {
		return s.lost(ctx, err)
	}
	if !ok {
		return nil // at the next attempt to reach the database
	}
	s.cfg.Metrics.heartbeats.Inc()
	lag := s.cfg.Now().Sub(s.beatAt)
	s.beatAt = now.Add(s.jittered(s.cfg.HeartbeatInterval))
	s.noteBeat(s.cfg.Now(), lag)
	s.arrived(beat.At)
	if beat.Revived {
		s.log.Info("the row had been made inactive, and is active again", "row", s.row.ID)
	}
	s.requested(beat.RefreshRequested)
	return nil
}

// requested verifies in full where the row holds a request that is new.
func (s *Service) requested(at *time.Time) {
	if at == nil || (s.refresh != nil && at.Equal(*s.refresh)) {
		return
	}
	s.refresh = at
	s.log.Info("verifying in full, as the database asks for", "requested", *at)
	s.Refresh()
}

// streak is heartbeats of this process that arrived one after another, and none was
// missed: the first, the last but one and the last, by the database's time.
type streak struct {
	first, before, last time.Time
	// toSweep is how many more there are before this process looks for others that
	// beat no more.
	toSweep int
}

// arrived notes a heartbeat. Where the one before is longer ago than any jitter makes
// it, or is yet to come, the database was away, or this process asleep, or somebody
// set a clock.
func (s *Service) arrived(at time.Time) {
	k := &s.streak
	if gap := at.Sub(k.last); gap < 0 || gap > s.cfg.HeartbeatInterval*3/2 {
		n := s.sweepBeats()
		*k = streak{first: at, before: at, last: at, toSweep: n + int(float64(n)*s.cfg.Random())}
		return
	}
	k.before, k.last = k.last, at
	k.toSweep--
}

// leastSweep is the least time between two sweeps of one process. A sweep reads all
// workers.
const leastSweep = 10 * time.Second

// sweepBeats: with each of so many heartbeats comes a sweep, by the same connection.
func (s *Service) sweepBeats() int {
	interval := s.cfg.HeartbeatInterval
	return max(store.Missed, int((leastSweep+interval-1)/interval))
}

// sweep makes workers inactive that beat no more. Every process calls; the store
// lets one of them do it. The watch ends with the last heartbeat but one: whoever was
// silent then, and beats more often than this process, has had the time to come back.
func (s *Service) sweep(ctx context.Context) error {
	if s.row == nil || s.streak.toSweep > 0 || !s.reachable() {
		return nil
	}
	s.streak.toSweep = s.sweepBeats()
	apart := time.Duration(s.sweepBeats()) * s.cfg.HeartbeatInterval / 2
	watch := store.HeartbeatSpan{Since: s.streak.first, Until: s.streak.before}
	var swept []store.Swept
	_, err := s.ask(ctx, "sweep", func(ctx context.Context) (err error) {
		swept, err = s.db.Rows.Sweep(ctx, apart, watch)
		return err
	})
	for _, w := range swept {
		s.log.Warn("marked stale worker inactive", "worker", w.Name, "worker_role", roleOf(w.WorkerRole), "row", w.ID, "last_heartbeat", w.LastHeartbeat)
	}
	if err != nil {
		s.log.Error("look for workers that beat no more", "error", err)
	}
	return nil
}

// roleOf is a stored role in the words of the command line.
func roleOf(r schema.WorkerRole) string {
	if r == schema.RoleAction {
		return string(metadata.Worker)
	}
	return string(r)
}

// pruneInterval is how often one process looks for changes that are too old, and
// pruneApart how far apart two do.
const (
	pruneInterval = time.Hour
	pruneApart    = time.Minute
)

// prune deletes changes that are too old. Every process calls; the store lets one
// of them do it.
func (s *Service) prune(ctx context.Context) error {
	if s.row == nil || !s.due(s.pruneAt) || !s.reachable() {
		return nil
	}
	s.pruneAt = s.cfg.Now().Add(s.jittered(pruneInterval))
	if s.cfg.KeepHistory < 0 {
		return nil
	}
	n := 0
	_, err := s.ask(ctx, "prune", func(ctx context.Context) (err error) {
		n, err = s.db.Rows.Prune(ctx, pruneApart, s.cfg.KeepHistory)
		return err
	})
	if err != nil {
		s.log.Error("delete changes that are too old", "error", err)
	}
	if n > 0 {
		s.log.Info("changes that are too old are deleted", "changes", n, "kept_for", s.cfg.KeepHistory)
	}
	return nil
}

// tell logs what changed.
func (s *Service) tell(changes []schema.CapabilityChange) {
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
		s.cfg.Metrics.changes.WithLabelValues(string(c.Kind)).Inc()
		s.log.Info("capability "+string(c.Kind), attrs...)
	}
}

// before is what the row said when this process began, nil where there is none
// or it cannot be read: what cannot be told at the first verification was there
// perhaps.
func (s *Service) before(ctx context.Context) (caps *capability.Document, ok bool) {
	var row *schema.Worker
	ok, err := s.ask(ctx, "read the row", func(ctx context.Context) (err error) {
		row, err = s.db.Rows.ByIdentity(ctx, s.id.Role, s.id.Name)
		return err
	})
	if err != nil {
		return nil, true // there is no row
	}
	if !ok {
		return nil, false
	}
	// The round that begins now answers what was asked for until now.
	s.refresh = row.RefreshRequested
	caps = new(capability.Document)
	if len(row.Capabilities) == 0 || json.Unmarshal(row.Capabilities, caps) != nil {
		return nil, true
	}
	return caps, true
}
