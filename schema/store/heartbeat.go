package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// Missed is how many of its own heartbeat intervals a worker may miss: with the
// last one it is stale.
const Missed = 3

// Beat is the answer to a heartbeat.
type Beat struct {
	// At is when it arrived, by the database's time.
	At time.Time
	// RefreshRequested is when somebody last asked the worker to verify
	// everything anew; nil: nobody has. A time other than the one before is a
	// new request.
	RefreshRequested *time.Time
	// Revived: the row had been made inactive, by a sweep or by somebody, and is
	// active again.
	Revived bool
}

// Heartbeat says that an instance of a worker is alive: one narrow UPDATE, by
// the database's time, of the row's id. It leaves updated as it is. A row that
// is inactive becomes active again, by a second statement.
//
// Errors: ErrNotFound when the row is gone, ErrSuperseded when it is another
// instance's, or none's since Deactivate; in both cases the instance has to end
// or to register anew.
func (w *Workers) Heartbeat(ctx context.Context, id int64, instance string) (Beat, error) {
	var beat Beat
	var asked bun.NullTime
	beats := w.beatSQLite
	if w.postgres {
		beats = w.beatPostgres
	}
	err := beats(ctx, id, instance, &beat, &asked)
	if errors.Is(err, sql.ErrNoRows) {
		beat.Revived = true
		// On Postgres a trigger writes the time where the instance is written.
		beats := w.pick("instance = instance", "last_heartbeat = "+string(w.clock()))
		err = w.db.QueryRowContext(ctx, `UPDATE ? SET ?, status = 'active' ?
			WHERE id = ? AND instance = ? AND (? = 'inactive' OR status IS NULL) RETURNING refresh_requested, last_heartbeat`,
			w.of("worker"), bun.Safe(beats), w.touched(), id, instance, w.text("status")).Scan(&asked, &beat.At)
	}
	if err != nil {
		return Beat{}, w.fail("beat for", id, w.lost(ctx, id, err))
	}
	beat.At = beat.At.UTC()
	if !asked.IsZero() {
		at := asked.UTC()
		beat.RefreshRequested = &at
	}
	return beat, nil
}

// beatPostgres has a function make the UPDATE: its plan is kept, also where
// connections pass through a pooler. Without a query builder: this is what a fleet
// does all day. The time is that of a transaction of this statement alone, and needs
// no function to be looked up.
func (w *Workers) beatPostgres(ctx context.Context, id int64, instance string, beat *Beat, asked *bun.NullTime) error {
	err := w.db.QueryRowContext(ctx, "SELECT ?(CAST(? AS pg_catalog.int8), CAST(? AS pg_catalog.text)), ?", w.of("worker_heartbeat"), id, instance, w.now()).Scan(asked, &beat.At)
	switch {
	case err == nil && asked.IsZero(): // NULL
		return sql.ErrNoRows
	case err == nil && asked.Unix() == 0:
		*asked = bun.NullTime{}
	}
	return err
}

func (w *Workers) beatSQLite(ctx context.Context, id int64, instance string, beat *Beat, asked *bun.NullTime) error {
	return w.db.QueryRowContext(ctx, "UPDATE ? SET last_heartbeat = ? WHERE id = ? AND instance = ? AND status <> 'inactive' RETURNING refresh_requested, last_heartbeat",
		w.of("worker"), w.clock(), id, instance).Scan(asked, &beat.At)
}

// Deactivate is the last word of an instance that ends: the row is inactive at
// once, and the next process need not wait for it to become stale. A heartbeat
// of the same instance that is still on its way finds that it is superseded.
// Errors: ErrNotFound, ErrSuperseded.
func (w *Workers) Deactivate(ctx context.Context, id int64, instance string) error {
	var ended int64
	err := w.db.NewRaw("UPDATE ? AS worker SET status = 'inactive', instance = NULL ? WHERE id = ? AND instance = ? RETURNING id",
		w.of("worker"), w.touched(), id, instance).Scan(ctx, &ended)
	if err != nil {
		err = w.lost(ctx, id, err)
	}
	return w.fail("deactivate", id, err)
}

// RequestRefresh asks workers to verify everything anew; each learns of it with
// its next heartbeat. It returns how many of the ids there are.
func (w *Workers) RequestRefresh(ctx context.Context, ids ...int64) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	result, err := w.db.NewRaw("UPDATE ? SET refresh_requested = ? WHERE id IN (?)", w.of("worker"), w.clock(), bun.List(ids)).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask workers to verify anew: %w", w.classify("refresh", err))
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// fresh tells a worker, a row of the alias, that has beaten within its own
// intervals. A row that never said its interval is not fresh.
func (d dialect) fresh(alias string) bun.Safe {
	return bun.Safe(alias + ".last_heartbeat > " + d.pick(
		fmt.Sprintf("pg_catalog.statement_timestamp() - pg_catalog.make_interval(secs => '%d' * CAST(%s.heartbeat_interval AS pg_catalog.float8))", Missed, alias),
		fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', 'now', (-%d * %s.heartbeat_interval) || ' seconds')", Missed, alias)))
}

// live tells a worker that some instance keeps alive.
func (d dialect) live(alias string) bun.Safe {
	return bun.Safe("(" + alias + ".instance IS NOT NULL AND " + string(d.text(alias+".status")) + " <> 'inactive' AND " + string(d.fresh(alias)) + ")")
}

// LiveError says which instance runs under the name of a registration that was
// refused. It unwraps to ErrLive.
type LiveError struct {
	Identity string
	// Instance is the one that runs, and Host how the platform reaches it.
	Instance, Host string
	// Age is how long ago it last beat, by the database's time, and Interval how
	// often it does: it is stale after Missed intervals without a beat.
	Age, Interval time.Duration
}

func (e *LiveError) Unwrap() error { return ErrLive }

func (e *LiveError) Error() string {
	at := ""
	if e.Host != "" {
		at = " on " + e.Host
	}
	return fmt.Sprintf("%v: instance %s%s last beat %s ago and does so every %s; stop it, register under another name, or take its row over",
		ErrLive, e.Instance, at, e.Age.Round(time.Millisecond), e.Interval)
}

// whoLives explains a registration that found a live row; nil when it is live no
// more.
func (w *Workers) whoLives(ctx context.Context, identity string) error {
	var found []struct {
		schema.Worker
		Now time.Time
	}
	err := w.db.NewRaw("SELECT ?, ? AS now FROM ? AS worker WHERE worker.identity = ? AND ?",
		w.columns(), w.clock(), w.of("worker"), identity, w.live("worker")).Scan(ctx, &found)
	if err != nil || len(found) == 0 {
		return err
	}
	row := found[0]
	return &LiveError{
		Identity: identity, Instance: textOf(row.Instance), Host: textOf(row.Host),
		Age: row.Now.Sub(*row.LastHeartbeat), Interval: time.Duration(*row.HeartbeatInterval) * time.Second,
	}
}
