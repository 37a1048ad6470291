package store_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/store"
)

// env is a fresh database with our tables, and a store over it.
type env struct {
	*bun.DB
	*store.Store
	schema   string
	postgres bool
}

// sql is a statement in which {schema} stands for the schema, and which finds
// Postgres's own count and text whatever the search path is.
func (e env) sql(query string) string {
	query = strings.ReplaceAll(query, "{schema}", e.schema)
	if e.postgres {
		query = strings.ReplaceAll(query, "count(*)", "pg_catalog.count(*)")
		query = strings.ReplaceAll(query, "AS text", "AS pg_catalog.text")
	}
	return query
}

// exec runs a statement.
func (e env) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := e.NewRaw(e.sql(query), args...).Exec(t.Context()); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// value reads one value.
func value[T any](t *testing.T, e env, query string, args ...any) T {
	t.Helper()
	var v T
	if err := e.NewRaw(e.sql(query), args...).Scan(t.Context(), &v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

// each runs a test on both databases, and on Postgres in a schema beside
// somebody else's tables too.
func each(t *testing.T, test func(t *testing.T, e env)) {
	t.Helper()
	for name, fresh := range map[string]func(t *testing.T) env{
		"sqlite":          sqlite,
		"postgres":        func(t *testing.T) env { return postgres(t, "public") },
		"beside embedder": besideEmbedder,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t))
		})
	}
}

func open(t testing.TB, url string) *bun.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func sqlite(t *testing.T) env {
	t.Helper()
	db := testdb.SQLite(t)
	return env{db.DB, store.New(db, store.Config{}), "main", false}
}

func postgres(t *testing.T, schema string) env {
	t.Helper()
	db := testdb.Postgres(t, testdb.Schema(schema))
	return env{db.DB, store.New(db, store.Config{Schema: schema}), schema, true}
}

// theirs are an embedder's own tables, of our names and with other columns, and
// what he has put before pg_catalog.
const theirs = `
CREATE TABLE public.worker (id uuid PRIMARY KEY, identity text, payroll numeric);
CREATE TABLE public.runtime (ref text, minutes integer);
CREATE TABLE public.pack (wolves integer);
CREATE TABLE public.runtime_version (x integer);
CREATE TABLE public.action (x integer);
CREATE TABLE public.sensor (x integer);
CREATE TABLE public.bun_migrations (id integer PRIMARY KEY, film text);
INSERT INTO public.worker VALUES ('00000000-0000-0000-0000-000000000001', 'action/host-1', 12.5);
INSERT INTO public.runtime VALUES ('core.python', 104);
INSERT INTO public.bun_migrations VALUES (1, 'Nosferatu');
CREATE TYPE public.worker_status_enum AS ENUM ('asleep');
CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'hostile'::text $$;
CREATE FUNCTION public.length(text) RETURNS integer LANGUAGE sql AS $$ SELECT 0 $$;
CREATE FUNCTION public.substr(text, integer) RETURNS text LANGUAGE sql AS $$ SELECT ''::text $$;
CREATE FUNCTION public.regexp_replace(text, text, text) RETURNS text LANGUAGE sql AS $$ SELECT ''::text $$;
CREATE AGGREGATE public.count(*) (sfunc = int4inc, stype = integer, initcond = '40');
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'epoch'::timestamptz $$;
CREATE COLLATION public."C" (provider = icu, locale = 'und', deterministic = false);
CREATE DOMAIN public.text AS integer;
CREATE DOMAIN public.jsonb AS integer;
`

// besideEmbedder is our tables in the schema attune of a database whose search
// path leads to somebody else's.
func besideEmbedder(t *testing.T) env {
	t.Helper()
	db := testdb.Postgres(t, testdb.Schema("attune"))
	name := value[string](t, env{DB: db.DB}, "SELECT current_database()")
	if _, err := db.DB.DB.Exec(theirs + `ALTER DATABASE "` + name + `" SET search_path = public, pg_catalog`); err != nil {
		t.Fatal(err)
	}
	// Connections that are there already keep the path they began with.
	again := open(t, db.URL)
	return env{again, store.New(again, store.Config{Schema: "attune"}), "attune", true}
}

func ptr[T any](v T) *T { return &v }

type bunTx = bun.Tx

// listen gives a function that waits for the next notification on a channel.
func listen(t *testing.T, e env, channel string) func(ctx context.Context) string {
	t.Helper()
	conn, err := e.DB.DB.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.ExecContext(t.Context(), "LISTEN "+channel); err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context) (payload string) {
		err := conn.Raw(func(c any) error {
			n, err := c.(interface{ Conn() *pgx.Conn }).Conn().WaitForNotification(ctx)
			if err == nil {
				payload = n.Payload
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return payload
	}
}
