package unify

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// A session is one run in the caller's transaction.
type session struct {
	db     bun.IDB
	schema string
	opts   Options
	log    *slog.Logger
	// version is the version of the server, as 150004.
	version int64
	// before holds the caller's settings.
	before []setting
	catalog
}

type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// settings lists settings that change the text of values, because a key that was recorded in one
// session must equal the same key in another. It also lists row security, which would hide rows
// instead of failing.
var settings = []setting{
	{"TimeZone", "UTC"},
	{"DateStyle", "ISO, YMD"},
	{"IntervalStyle", "postgres"},
	{"extra_float_digits", "1"},
	{"bytea_output", "hex"},
	{"lc_monetary", "C"},
	{"row_security", "off"},
	{"jit", "off"},
	{"search_path", ""},
}

func open(ctx context.Context, db bun.IDB, schema string, opts Options) (*session, error) {
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &session{db: db, schema: schema, opts: opts, log: log.With("schema", schema)}
	names := []string{"lock_timeout"}
	for _, set := range settings {
		names = append(names, set.Name)
	}
	err := s.load(ctx, "read the session's settings",
		"SELECT name, pg_catalog.current_setting(name) AS value FROM pg_catalog.unnest("+array(names)+") name", &s.before)
	if err != nil {
		return nil, err
	}
	s.version, err = s.count(ctx, "read the server's version", "SELECT pg_catalog.current_setting('server_version_num')::bigint")
	if err != nil {
		return nil, err
	}
	return s, s.set(ctx, settings)
}

// with runs fn in a session and restores the caller's settings, also after an error that leaves the
// transaction usable.
func with(ctx context.Context, db bun.IDB, schema string, opts Options, fn func(s *session) error) error {
	s, err := open(ctx, db, schema, opts)
	if err != nil {
		return err
	}
	if err := s.inspect(ctx); err != nil {
		_ = s.set(ctx, s.before)
		return err
	}
	if err := fn(s); err != nil {
		_ = s.set(ctx, s.before)
		return err
	}
	return s.set(ctx, s.before)
}

func (s *session) set(ctx context.Context, to []setting) error {
	_, err := s.exec(ctx, "change the session's settings", "SELECT "+list(to, ", ", func(set setting) string {
		return fmt.Sprintf("pg_catalog.set_config(%s, %s, true)", literal(set.Name), literal(set.Value))
	}))
	return err
}

// onCallersPath runs fn with the caller's search_path while rows of others are written, because the
// functions in their checks and generated columns may need it. Everything else runs with an empty
// path, with which Postgres writes every name in full.
func (s *session) onCallersPath(ctx context.Context, fn func() error) error {
	for _, set := range s.before {
		if set.Name == "search_path" {
			if err := s.set(ctx, []setting{set}); err != nil {
				return err
			}
		}
	}
	if err := fn(); err != nil {
		return err
	}
	return s.set(ctx, []setting{{"search_path", ""}})
}

// A holder is another session that holds a table.
type holder struct {
	PID         int64  `json:"pid"`
	Table       string `json:"relation"`
	Role        string `json:"role"`
	Application string `json:"application"`
	State       string `json:"state"`
	Query       string `json:"query"`
}

// A LockError names who held a table for longer than the lock timeout. It unwraps to ErrLocked.
type LockError struct {
	// Table is the table that was waited for.
	Table   string
	Options Options

	holders []holder
}

func (e *LockError) Unwrap() error { return ErrLocked }

func (e *LockError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "lock table %s: %v: not granted within %v; ", e.Table, ErrLocked, e.Options.LockTimeout)
	if len(e.holders) == 0 {
		b.WriteString("its holder is gone; try again")
		return b.String()
	}
	b.WriteString(list(e.holders, "; ", func(h holder) string {
		return fmt.Sprintf("process %d (role %q, application %q, %s) holds %s, its query: %s",
			h.PID, h.Role, h.Application, h.State, h.Table, h.Query)
	}))
	b.WriteString("; stop it, or end it with SELECT pg_terminate_backend(PID)")
	return b.String()
}

// lock locks runtime first, so that nobody adds a reference to a row that is about to be deleted, and
// then everything else that is written to. Each lock has the strongest mode that the run will need,
// because strengthening a lock later can deadlock.
func (s *session) lock(ctx context.Context) error {
	if s.opts.LockTimeout > 0 {
		timeout := fmt.Sprintf("%dms", max(s.opts.LockTimeout.Milliseconds(), 1))
		if err := s.set(ctx, []setting{{"lock_timeout", timeout}}); err != nil {
			return err
		}
	}
	if err := s.lockTable(ctx, s.runtime.sql(), "ACCESS EXCLUSIVE"); err != nil {
		return err
	}
	// What was read before the lock was granted may have changed meanwhile.
	if err := s.inspect(ctx); err != nil {
		return err
	}
	for _, t := range s.tables {
		if t.OID == s.runtime.OID || !t.CanUpdate {
			continue
		}
		mode := "SHARE ROW EXCLUSIVE"
		if t.isOwn(s.schema) || slices.ContainsFunc(s.references, func(r *reference) bool { return r.table == t && len(r.Unindexed) > 0 }) {
			mode = "ACCESS EXCLUSIVE"
		}
		if err := s.lockTable(ctx, t.sql(), mode); err != nil {
			return err
		}
	}
	// An ALTER TABLE fails while checks of its rows are outstanding.
	if _, err := s.exec(ctx, "check deferred constraints", "SET CONSTRAINTS ALL IMMEDIATE"); err != nil {
		return err
	}
	return s.inspect(ctx)
}

func (s *session) lockTable(ctx context.Context, table, mode string) error {
	if _, err := s.exec(ctx, "set a savepoint", "SAVEPOINT attune_lock"); err != nil {
		return err
	}
	_, err := s.exec(ctx, "lock table "+table, "LOCK TABLE "+table+" IN "+mode+" MODE")
	if err == nil {
		_, err = s.exec(ctx, "release a savepoint", "RELEASE SAVEPOINT attune_lock")
		return err
	}
	if sqlState(err) != lockNotAvailable {
		return err
	}
	if _, err := s.exec(ctx, "go back to a savepoint", "ROLLBACK TO SAVEPOINT attune_lock"); err != nil {
		return err
	}
	locked := &LockError{Table: table, Options: s.opts}
	err = s.load(ctx, "find the holders of "+table, `
SELECT a.pid, l.relation::regclass::text AS relation, coalesce(a.usename::text, '') AS role, a.application_name AS application,
       coalesce(a.state, '') AS state, left(regexp_replace(a.query, '[[:space:]]+', ' ', 'g'), 120) AS query
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.relation = `+literal(table)+`::regclass AND a.datname = current_database() AND a.pid <> pg_backend_pid()
ORDER BY a.pid LIMIT 5`, &locked.holders)
	if err != nil {
		return err
	}
	return locked
}
