package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/uptrace/bun"
)

// lockKey is the advisory lock that all migrators of a database take. It is the same for all
// schemas, because only then can a migrator promise not to create a schema beside another.
// Postgres separates advisory locks by database.
var lockKey = func() int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(recordTable))
	return int64(h.Sum64()) //nolint:gosec // any 64 bits do
}()

// write runs fn in a transaction that holds the migrators' lock. fn reads after the lock was
// granted, so it sees what the previous holder wrote.
func (m *Migrator) write(ctx context.Context, fn func(ctx context.Context, tx bun.IDB) error) error {
	if m.postgres() {
		return m.writePostgres(ctx, fn)
	}
	return m.writeSQLite(ctx, fn)
}

func (m *Migrator) writePostgres(ctx context.Context, fn func(ctx context.Context, tx bun.IDB) error) error {
	// The isolation is explicit, because with a default of repeatable read the snapshot would be
	// taken before the lock is granted.
	tx, err := m.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return fmt.Errorf("begin: %w", explain(err))
	}
	committed := false
	defer func() {
		if !committed { // a released savepoint must not be named again
			_ = tx.Rollback()
		}
	}()

	restore, err := m.keepSettings(ctx, tx)
	if err != nil {
		return err
	}
	if err := leaveSearchPath(ctx, tx); err != nil {
		return fmt.Errorf("set the search_path: %w", explain(err))
	}
	if err := m.lock(ctx, tx); err != nil {
		_ = tx.Rollback()
		return m.blame(ctx, err)
	}
	if err := fn(ctx, tx); err != nil {
		_ = tx.Rollback()
		return m.blame(ctx, explain(err))
	}
	if err := restore(); err != nil {
		return fmt.Errorf("restore the transaction's settings: %w", explain(err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w; it may or may not have taken effect, check the status", explain(err))
	}
	committed = true
	return nil
}

// lock bounds every wait of the transaction, lifts the limit on its duration, and takes the
// migrators' lock.
func (m *Migrator) lock(ctx context.Context, tx bun.IDB) error {
	if err := m.checkWritable(ctx, tx); err != nil {
		return err
	}
	if err := m.checkIsolation(ctx, tx); err != nil {
		return err
	}
	if err := m.limitLocks(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
SELECT pg_catalog.set_config('statement_timeout', '0', true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true)`); err != nil {
		return fmt.Errorf("lift the timeouts: %w", err)
	}
	if _, err := tx.NewRaw(`SELECT pg_catalog.pg_advisory_xact_lock(?)`, lockKey).Exec(ctx); err != nil {
		return fmt.Errorf("wait for other migrations: %w", err)
	}
	return nil
}

// checkWritable returns an error if transactions of this role in this database cannot write, or
// if the caller's cannot.
func (m *Migrator) checkWritable(ctx context.Context, tx bun.IDB) error {
	setting := "default_transaction_read_only"
	if m.inside() {
		setting = "transaction_read_only"
	}
	var readOnly, standby bool
	err := tx.NewRaw(`SELECT pg_catalog.current_setting(?)::pg_catalog.bool, pg_catalog.pg_is_in_recovery()`, setting).
		Scan(ctx, &readOnly, &standby)
	switch {
	case err != nil:
		return fmt.Errorf("check that the database accepts writes: %w", err)
	case standby:
		return fmt.Errorf("%w: this server is a standby; migrate on the primary", ErrReadOnly)
	case readOnly && m.inside():
		return fmt.Errorf("%w: %w: it is read-only; begin it for writing", ErrTransaction, ErrReadOnly)
	case readOnly:
		return fmt.Errorf("%w: default_transaction_read_only is on for this role or database; "+
			"migrate with a role for which it is off", ErrReadOnly)
	}
	return nil
}

// checkIsolation returns an error if the caller's transaction has a snapshot from before the lock,
// which would hide what another migrator did.
func (m *Migrator) checkIsolation(ctx context.Context, tx bun.IDB) error {
	if !m.inside() {
		return nil
	}
	var isolation string
	err := tx.NewRaw(`SELECT pg_catalog.current_setting('transaction_isolation')`).Scan(ctx, &isolation)
	if err != nil {
		return fmt.Errorf("check the transaction's isolation: %w", err)
	}
	if isolation != "read committed" {
		return fmt.Errorf("%w: its isolation must be read committed, got %s; a snapshot from before the lock would hide "+
			"what another migrator did", ErrTransaction, isolation)
	}
	return nil
}

// inside reports whether the migrator works in a transaction of its caller.
func (m *Migrator) inside() bool {
	_, ok := m.db.(bun.Tx)
	return ok
}

// keepSettings returns a function that undoes what leaveSearchPath and lock set, if the
// transaction goes on after the migration. If it is rolled back, so are the settings.
func (m *Migrator) keepSettings(ctx context.Context, tx bun.IDB) (restore func() error, err error) {
	if !m.inside() {
		return func() error { return nil }, nil
	}
	var path, lock, statement, idle string
	err = tx.NewRaw(`
SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('lock_timeout'),
       pg_catalog.current_setting('statement_timeout'), pg_catalog.current_setting('idle_in_transaction_session_timeout')`).
		Scan(ctx, &path, &lock, &statement, &idle)
	if err != nil {
		return nil, fmt.Errorf("read the transaction's settings: %w", explain(err))
	}
	return func() error {
		_, err := tx.NewRaw(`
SELECT pg_catalog.set_config('search_path', ?, true), pg_catalog.set_config('lock_timeout', ?, true),
       pg_catalog.set_config('statement_timeout', ?, true),
       pg_catalog.set_config('idle_in_transaction_session_timeout', ?, true)`, path, lock, statement, idle).Exec(ctx)
		return err
	}, nil
}

// writeSQLite begins the transaction with a statement, because database/sql does not support
// BEGIN IMMEDIATE. It uses one connection, because the transaction belongs to it.
func (m *Migrator) writeSQLite(ctx context.Context, fn func(ctx context.Context, tx bun.IDB) error) (err error) {
	conn, closeConn, err := m.conn(ctx)
	if err != nil {
		return err
	}
	defer closeConn()

	var timeout int64
	if err := conn.NewRaw("PRAGMA busy_timeout").Scan(ctx, &timeout); err != nil {
		return fmt.Errorf("open the file: %w", explain(err))
	}
	background := context.WithoutCancel(ctx)
	if err := busyTimeout(ctx, conn, m.cfg.LockTimeout.Milliseconds()); err != nil {
		return err
	}
	defer func() { _ = busyTimeout(background, conn, timeout) }()

	begin, commit, rollback := "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"
	if m.inside() {
		begin, commit, rollback = "SAVEPOINT attune", "RELEASE attune", "ROLLBACK TO attune"
	}
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return fmt.Errorf("begin: %w", explain(err))
	}
	if err := fn(ctx, conn); err != nil {
		_, _ = conn.ExecContext(background, rollback)
		return explain(err)
	}
	if _, err := conn.ExecContext(ctx, commit); err != nil {
		_, _ = conn.ExecContext(background, rollback)
		return fmt.Errorf("commit: %w", explain(err))
	}
	return nil
}

// conn returns a connection, or the transaction of the caller.
func (m *Migrator) conn(ctx context.Context) (conn bun.IDB, closeConn func(), err error) {
	pool, ok := m.db.(interface {
		Conn(ctx context.Context) (bun.Conn, error)
	})
	if !ok {
		return m.db, func() {}, nil
	}
	own, err := pool.Conn(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", explain(err))
	}
	return own, func() { _ = own.Close() }, nil
}

func busyTimeout(ctx context.Context, conn bun.IDB, ms int64) error {
	_, err := conn.ExecContext(ctx, "PRAGMA busy_timeout = "+strconv.FormatInt(ms, 10))
	return err
}

// read runs fn in a read-only transaction, in which all statements see the same snapshot.
func (m *Migrator) read(ctx context.Context, fn func(ctx context.Context, tx bun.IDB) error) error {
	if !m.postgres() {
		return m.readSQLite(ctx, fn)
	}
	tx, err := m.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin: %w", explain(err))
	}
	defer func() { _ = tx.Rollback() }()
	if err := leaveSearchPath(ctx, tx); err != nil {
		return fmt.Errorf("set the search_path: %w", explain(err))
	}
	return fn(ctx, tx)
}

// leaveSearchPath makes the transaction find names in pg_catalog alone. The migrating role may
// do everything, and others may be able to create operators and functions in a schema of its
// search_path. Postgres would prefer those to its own for some types. A setting of the
// transaction keeps the schemas that were left. It also makes the catalog spell names as elsewhere,
// because guards are compared by their text.
func leaveSearchPath(ctx context.Context, tx bun.IDB) error {
	_, err := tx.ExecContext(ctx, `
SELECT pg_catalog.set_config('attune.callers_path', CAST(pg_catalog.current_schemas(false) AS pg_catalog.text), true);
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('quote_all_identifiers', 'off', true)`)
	return err
}

// onCallersPath runs fn with the search_path that leaveSearchPath left, because unifying writes
// rows of others, whose checks may call functions that need it. It excludes schemas in which
// everybody may create objects, and schemas with objects of other roles than the owner and
// superusers.
func onCallersPath(ctx context.Context, tx bun.IDB, fn func() error) error {
	_, err := tx.ExecContext(ctx, `
SELECT pg_catalog.set_config('search_path', coalesce((
    SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n.nspname), ', ' ORDER BY s.position)
    FROM pg_catalog.unnest(CAST(pg_catalog.current_setting('attune.callers_path') AS pg_catalog.name[])) WITH ORDINALITY s (name, position)
    JOIN pg_catalog.pg_namespace n ON n.nspname = s.name
    WHERE NOT EXISTS (
            SELECT FROM pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) x
            WHERE x.grantee = 0 AND x.privilege_type = 'CREATE')
      AND NOT EXISTS (
            SELECT FROM (SELECT p.pronamespace, p.proowner FROM pg_catalog.pg_proc p
                         UNION ALL SELECT o.oprnamespace, o.oprowner FROM pg_catalog.pg_operator o) made (space, owner)
            JOIN pg_catalog.pg_roles r ON r.oid = made.owner
            WHERE made.space = n.oid AND made.owner <> n.nspowner AND r.rolname <> current_user AND NOT r.rolsuper)), 'pg_catalog'), true)`)
	if err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err // the error ends the transaction
	}
	_, err = tx.ExecContext(ctx, `SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)`)
	return err
}

// readSQLite also begins with a statement, because a DSN may make every transaction begin as a
// writer.
func (m *Migrator) readSQLite(ctx context.Context, fn func(ctx context.Context, tx bun.IDB) error) error {
	if m.inside() {
		return fn(ctx, m.db)
	}
	conn, closeConn, err := m.conn(ctx)
	if err != nil {
		return err
	}
	defer closeConn()
	if _, err := conn.ExecContext(ctx, "BEGIN DEFERRED"); err != nil {
		return fmt.Errorf("begin: %w", explain(err))
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	return fn(ctx, conn)
}

// blame adds to a timeout which process holds what was waited for: the migrators' lock, or one of
// the tables. It looks in a new transaction, because the failed one cannot run queries.
func (m *Migrator) blame(ctx context.Context, err error) error {
	if sqlState(err) != codeLockTimeout {
		return err
	}
	var holders []struct {
		PID                     int64
		App, Role, State, Query string
		Does                    string
	}
	query := m.db.NewRaw(`
WITH held AS (
    SELECT l.pid, l.locktype, min(coalesce(l.relation::pg_catalog.regclass::pg_catalog.text, '')) AS relation
    FROM pg_catalog.pg_locks l
    LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
    WHERE l.granted AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      AND (l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid::pg_catalog.int8 = ?0 AND l.objid::pg_catalog.int8 = ?1
        OR l.locktype = 'relation' AND c.relname IN (?2))
    GROUP BY l.pid, l.locktype
)
SELECT a.pid, a.application_name AS app, coalesce(a.usename::pg_catalog.text, '') AS role, coalesce(a.state, '') AS state,
       pg_catalog.left(pg_catalog.regexp_replace(a.query, '[[:space:]]+', ' ', 'g'), 120) AS query,
       CASE h.locktype WHEN 'advisory' THEN 'is migrating this database' ELSE 'holds ' || h.relation END AS does
FROM held h
JOIN pg_catalog.pg_stat_activity a ON a.pid = h.pid
WHERE a.pid <> pg_catalog.pg_backend_pid()
  AND h.locktype = (SELECT min(locktype) FROM held)
ORDER BY a.pid LIMIT 5`, int64(uint64(lockKey)>>32), int64(uint32(lockKey)), bun.List(relationNames())). //nolint:gosec // how pg_locks shows a 64-bit key
		Scan(ctx, &holders)
	if query != nil || len(holders) == 0 {
		return fmt.Errorf("%w: %w; its holder is gone; try again", ErrLocked, err)
	}
	var names []string
	for _, h := range holders {
		names = append(names, fmt.Sprintf("process %d (application %q, role %q, %s) %s, its query: %s",
			h.PID, h.App, h.Role, h.State, h.Does, h.Query))
	}
	return fmt.Errorf("%w: %w; %s; wait for it, or end it with SELECT pg_terminate_backend(PID)",
		ErrLocked, err, strings.Join(names, "; "))
}
