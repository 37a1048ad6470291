package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/attune-go/attune/schema/store"
)

// A connection is the service's access to its database. It keeps track of outages, and
// decides when to try again.
type connection struct {
	*base
	// db is nil until the database has been opened.
	db *Database
	// required means that an error for which Config.IsPermanent reports true ends the
	// service. It holds until the first registration.
	required bool
	// lost is the error of a database that will not come back.
	lost error

	outage outage
}

// An outage describes a database that does not answer.
type outage struct {
	since    *time.Time // nil while the database answers
	failures int
	retryAt  time.Time
}

// firstDelay is the least time between two attempts to use the database, before jitter.
const firstDelay = time.Second

// delay returns the time until the next attempt, before jitter. It is at most most.
func (o *outage) delay(most time.Duration) time.Duration {
	d := firstDelay
	for range min(o.failures-1, 16) {
		d = min(2*d, most)
	}
	return max(min(d, most), firstDelay)
}

// remindEvery is the number of failures after which a warning is logged again.
const remindEvery = 30

// reachable reports whether the database may be used: it answered the last time, or the
// next attempt is due.
func (c *connection) reachable() bool {
	return c.outage.since == nil || c.due(c.outage.retryAt)
}

// databaseUses lists the operations for which a service uses the database.
var databaseUses = []string{"open", "read definitions", "read the row", "register", "report", "heartbeat", "sweep", "prune"}

// DatabaseUses returns the operations for which a service uses the database. They are the
// arguments of Metrics.CountDatabaseError.
func DatabaseUses() []string { return slices.Clone(databaseUses) }

// ask uses the database once, within the statement timeout. It returns an error only if the
// database answered with a sentinel of the store, or if the service must end. Any other
// error starts or continues an outage. ok reports whether there was no error at all.
func (c *connection) ask(ctx context.Context, doing string, use func(context.Context) error) (ok bool, err error) {
	bounded, cancel := context.WithTimeoutCause(ctx, c.cfg.StatementTimeout,
		fmt.Errorf("no answer within %v", c.cfg.StatementTimeout))
	defer cancel()
	err = use(bounded)
	if c.db != nil && c.db.Gone != nil && !isAnswer(err) && ctx.Err() == nil {
		c.lost = c.db.Gone(err)
	}
	switch {
	case err == nil:
		c.answered()
		return true, nil
	case ctx.Err() != nil || c.lost != nil:
		return false, nil // the service ends, which may be the cause of the error
	case isAnswer(err):
		c.answered()
		return false, err
	}
	cause := context.Cause(bounded)
	if cause != nil && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	c.cfg.Metrics.CountDatabaseError(doing)
	if cause != nil && slices.Contains(chores, doing) {
		c.log.Warn("could not finish in time, trying again later", "doing", doing, "error", err)
		return false, nil
	}
	if c.required && (errors.Is(err, store.ErrNoTables) || c.cfg.IsPermanent(err)) {
		return false, err
	}
	c.failed(doing, err)
	return false, nil
}

// chores lists the operations on many rows. A busy database may be too slow for one of them and
// fast enough for the rest. If one does not finish in time, the next heartbeat shows whether the
// database is available.
var chores = []string{"sweep", "prune"}

// isAnswer reports whether an error is an answer of a database that works.
func isAnswer(err error) bool {
	for _, sentinel := range []error{
		store.ErrNotFound, store.ErrInvalid, store.ErrLive, store.ErrSuperseded, store.ErrTaken, store.ErrForeign,
	} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}

// failed notes that the database did not answer, and when to try again.
func (c *connection) failed(doing string, err error) {
	now := c.cfg.Now()
	o := &c.outage
	o.failures++
	// The jitter is wide, because a whole fleet waits for the same database.
	o.retryAt = now.Add(time.Duration(float64(o.delay(c.cfg.HeartbeatInterval)) * (0.5 + c.cfg.Random())))
	attrs := []any{"doing", doing, "error", err, "again_in", o.retryAt.Sub(now).Round(time.Millisecond)}
	if o.since == nil {
		o.since = &now
		c.log.Warn("database unavailable, retrying", attrs...)
		return
	}
	level := slog.LevelDebug
	if o.failures%remindEvery == 0 {
		level = slog.LevelWarn // the cause may have changed
	}
	c.log.Log(context.Background(), level, "database still unavailable", attrs...)
}

// answered notes that the database answered.
func (c *connection) answered() {
	if c.outage.since != nil {
		c.log.Info("database available again", "away_for", c.cfg.Now().Sub(*c.outage.since).Round(time.Millisecond))
	}
	c.outage.since, c.outage.failures = nil, 0
}

// open opens the database once. From then on its pool reconnects.
func (c *connection) open(ctx context.Context) error {
	if c.db != nil || !c.reachable() {
		return nil
	}
	var incomplete error
	_, err := c.ask(ctx, "open", func(ctx context.Context) error {
		db, err := c.cfg.Open(ctx)
		if err == nil && (db == nil || db.Definitions == nil || db.Rows == nil) {
			incomplete = &ConfigError{"Open", "must return a database with Definitions and Rows"}
			return nil
		}
		if err == nil {
			c.db = db
		}
		return err
	})
	return cmp.Or(err, incomplete)
}

// rest returns idle connections if the next use is not soon. A server has few connections,
// and a fleet needs many.
func (c *connection) rest(next time.Time) {
	if c.db != nil && c.db.Rest != nil && next.Sub(c.cfg.Now()) > c.cfg.IdleTimeout {
		c.db.Rest()
	}
}

func (c *connection) close() {
	if c.db != nil && c.db.Close != nil {
		if err := c.db.Close(); err != nil {
			c.log.Warn("could not close the database", "error", err)
		}
	}
}
