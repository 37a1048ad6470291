package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
)

// Missed is the number of missed heartbeat intervals after which a worker is stale.
const Missed = 3

// A Beat is the answer to a heartbeat.
type Beat struct {
	// At is the time of arrival, by the database's clock.
	At time.Time
	// RefreshRequested is the time of the last request to verify everything again; nil
	// means that there was none. Another time than before means a new request.
	RefreshRequested *time.Time
	// Revived reports whether the heartbeat made an inactive row active again.
	Revived bool
}

// Heartbeat records that an instance of a worker is alive, in one narrow UPDATE by id and
// with the database's time. It leaves updated unchanged. A second statement makes an
// inactive row active again. On Postgres bun's query hooks do not see the UPDATE.
//
// Errors: ErrNotFound if the row is gone; ErrSuperseded if it belongs to another instance,
// or to none since Deactivate. In both cases the instance must end or register again.
func (w *Workers) Heartbeat(ctx context.Context, id int64, instance string) (Beat, error) {
	var beat Beat
	var requested bun.NullTime
	write := w.beatSQLite
	if w.postgres {
		write = w.beatPostgres
	}
	err := write(ctx, id, instance, &beat, &requested)
	if errors.Is(err, sql.ErrNoRows) {
		beat.Revived = true
		// On Postgres a trigger sets the time when the instance is written.
		assignment := w.pick("instance = instance", "last_heartbeat = "+string(w.clock()))
		state, key := w.state()
		err = w.db.QueryRowContext(ctx, `UPDATE ? SET ?, status = 'active' ?
			WHERE ? = ? AND ? = ? AND (? = 'inactive' OR status IS NULL) RETURNING refresh_requested, last_heartbeat`,
			state, bun.Safe(assignment), w.setUpdated(), key, id, w.text("instance"), instance, w.text("status")).Scan(&requested, &beat.At)
	}
	if err != nil {
		return Beat{}, w.fail("beat for", id, w.explainMissing(ctx, id, err))
	}
	beat.At = beat.At.UTC()
	if !requested.IsZero() {
		at := requested.UTC()
		beat.RefreshRequested = &at
	}
	return beat, nil
}

// beatPostgres calls a function that runs the UPDATE, because the server keeps its plan even
// behind a pooler. It avoids the query builder, because heartbeats are most of a fleet's
// load. The transaction consists of this statement, so its start is the current time and
// needs no function call.
func (w *Workers) beatPostgres(ctx context.Context, id int64, instance string, beat *Beat, requested *bun.NullTime) error {
	const query = "SELECT ?(CAST(? AS pg_catalog.int8), CAST(? AS pg_catalog.text)), ?"
	args := []any{w.function("worker_heartbeat"), id, instance, w.now()}
	var at bun.NullTime
	err := driver.ErrSkip
	if db, ok := w.db.(*bun.DB); ok {
		err = queryRow(ctx, db.DB, db.QueryGen().FormatQuery(query, args...), requested, &at)
	}
	if errors.Is(err, driver.ErrSkip) {
		err = w.db.QueryRowContext(ctx, query, args...).Scan(requested, &at)
	}
	beat.At = at.Time
	switch {
	case err == nil && requested.IsZero(): // NULL
		return sql.ErrNoRows
	case err == nil && requested.Unix() == 0:
		*requested = bun.NullTime{}
	}
	return err
}

// queryRow reads one row from the driver. database/sql starts a goroutine for each query
// whose context can end, which takes a quarter of a heartbeat's time on the client.
// Errors: driver.ErrSkip if the driver needs a prepared statement.
func queryRow(ctx context.Context, db *sql.DB, query string, columns ...sql.Scanner) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(c any) error {
		queryer, ok := c.(driver.QueryerContext)
		if !ok {
			return driver.ErrSkip
		}
		rows, err := queryer.QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		row := make([]driver.Value, len(columns))
		if err = rows.Next(row); errors.Is(err, io.EOF) {
			err = sql.ErrNoRows
		}
		for i, column := range columns {
			if err == nil {
				err = column.Scan(row[i])
			}
		}
		return errors.Join(err, rows.Close())
	})
}

func (w *Workers) beatSQLite(ctx context.Context, id int64, instance string, beat *Beat, requested *bun.NullTime) error {
	return w.db.QueryRowContext(ctx, `UPDATE ? SET last_heartbeat = ?
		WHERE id = ? AND instance = ? AND status <> 'inactive' RETURNING refresh_requested, last_heartbeat`,
		w.of("worker"), w.clock(), id, instance).Scan(requested, &beat.At)
}

// Deactivate makes the row of an instance that ends inactive at once, so that the next
// process need not wait for it to become stale. A late heartbeat of the instance returns
// ErrSuperseded. Errors: ErrNotFound, ErrSuperseded.
func (w *Workers) Deactivate(ctx context.Context, id int64, instance string) error {
	var ended int64
	state, key := w.state()
	err := w.db.NewRaw("UPDATE ?0 SET status = 'inactive', instance = NULL ?1 WHERE ?2 = ?3 AND ?5 = ?4 RETURNING ?2",
		state, w.setUpdated(), key, id, instance, w.text("instance")).Scan(ctx, &ended)
	if err != nil {
		err = w.explainMissing(ctx, id, err)
	}
	return w.fail("deactivate", id, err)
}

// RequestRefresh asks workers to verify everything again. Each sees the request with its
// next heartbeat. It returns how many of the ids exist. Workers of a platform do not count.
func (w *Workers) RequestRefresh(ctx context.Context, ids ...int64) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	state, key := w.state()
	result, err := w.db.NewRaw("UPDATE ? SET refresh_requested = ? WHERE ? IN (?)",
		state, w.clock(), key, bun.List(ids)).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("request refresh of workers: %w", w.classify("refresh", err))
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// Refreshed returns the time of the last refresh request that each worker's document serves, by the database's clock.
// Workers whose document serves none are left out.
func (w *Workers) Refreshed(ctx context.Context, ids ...int64) (map[int64]time.Time, error) {
	var rows []struct {
		ID        int64
		Refreshed *string
	}
	if len(ids) > 0 {
		refreshed := bun.Safe(w.pick("worker.capabilities ->> CAST('refreshed' AS pg_catalog.text)",
			"json_extract(worker.capabilities, '$.refreshed')"))
		err := w.db.NewRaw("SELECT worker.id, ? AS refreshed FROM ? AS worker WHERE worker.id IN (?)",
			refreshed, w.rows("worker"), bun.List(ids)).Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("read the last refresh of workers: %w", err)
		}
	}
	found := map[int64]time.Time{}
	for _, r := range rows {
		if r.Refreshed == nil {
			continue
		}
		if at, err := time.Parse(time.RFC3339Nano, *r.Refreshed); err == nil {
			found[r.ID] = at
		}
	}
	return found, nil
}

// An Inquiry is what a worker's document says about the definitions that the host looked for.
type Inquiry struct {
	Worker int64
	// Source is where the definitions come from, and Read the time before they were read, by the database's clock.
	Source string
	Read   time.Time
}

// Inquiries returns the inquiries of workers, in no order. Documents without a time are left out. It takes a fraction of the
// time that documents take.
func (w *Workers) Inquiries(ctx context.Context, ids ...int64) ([]Inquiry, error) {
	found := []Inquiry{}
	if len(ids) == 0 {
		return found, nil
	}
	var rows []struct {
		ID           int64
		Source, Read *string
	}
	source, read := "json_extract(worker.capabilities, '$.source')", "json_extract(worker.capabilities, '$.definitions.read')"
	if w.postgres {
		source = "worker.capabilities ->> CAST('source' AS pg_catalog.text)"
		read = "(worker.capabilities -> CAST('definitions' AS pg_catalog.text)) ->> CAST('read' AS pg_catalog.text)"
	}
	err := w.db.NewRaw("SELECT worker.id, ? AS source, ? AS read FROM ? AS worker WHERE worker.id IN (?)",
		bun.Safe(source), bun.Safe(read), w.rows("worker"), bun.List(ids)).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read which definitions workers looked for: %w", err)
	}
	for _, r := range rows {
		if r.Source == nil || r.Read == nil {
			continue
		}
		if at, err := time.Parse(time.RFC3339Nano, *r.Read); err == nil {
			found = append(found, Inquiry{r.ID, *r.Source, at})
		}
	}
	return found, nil
}

// isFresh returns the condition that the last heartbeat of a worker is recent enough for its
// own interval. A worker without an interval is not fresh.
func (d dialect) isFresh(alias string) bun.Safe {
	return bun.Safe(alias + ".last_heartbeat > " + d.pick(
		fmt.Sprintf("pg_catalog.statement_timestamp() - "+
			"pg_catalog.make_interval(secs => '%d' * CAST(%s.heartbeat_interval AS pg_catalog.float8))", Missed, alias),
		fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', 'now', (-%d * %s.heartbeat_interval) || ' seconds')", Missed, alias)))
}

// isLive returns the condition that an instance of a worker runs.
func (d dialect) isLive(alias string) bun.Safe {
	return bun.Safe("(" + alias + ".instance IS NOT NULL AND " + string(d.text(alias+".status")) + " <> 'inactive' AND " +
		string(d.isFresh(alias)) + ")")
}

// A LiveError describes the instance that runs under the identity of a refused
// registration. It unwraps to ErrLive.
type LiveError struct {
	Identity string
	// Instance is the running instance, and Host the address by which the platform reaches it.
	Instance, Host string
	// Age is the time since its last heartbeat, by the database's clock, and Interval the
	// time between heartbeats. It becomes stale after Missed intervals.
	Age, Interval time.Duration
}

func (e *LiveError) Unwrap() error { return ErrLive }

func (e *LiveError) Error() string {
	at := ""
	if e.Host != "" {
		at = " on " + e.Host
	}
	return fmt.Sprintf("%v: instance %s%s sent its last heartbeat %s ago and sends one every %s",
		ErrLive, e.Instance, at, e.Age.Round(time.Millisecond), e.Interval)
}

// liveError returns the LiveError for an identity, or nil if its instance no longer runs.
func (w *Workers) liveError(ctx context.Context, identity string) error {
	var found []struct {
		schema.Worker
		Now time.Time
	}
	err := w.db.NewRaw("SELECT ?, ? AS now FROM ? AS worker WHERE ? = ? AND ?",
		w.columns(), w.clock(), w.rows("worker"), w.text("worker.identity"), identity, w.isLive("worker")).Scan(ctx, &found)
	if err != nil || len(found) == 0 {
		return err
	}
	row := found[0]
	return &LiveError{
		Identity: identity, Instance: textOf(row.Instance), Host: textOf(row.Host),
		Age: row.Now.Sub(*row.LastHeartbeat), Interval: time.Duration(*row.HeartbeatInterval) * time.Second,
	}
}
