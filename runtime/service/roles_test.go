package service_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/store"
)

// as gives a connection under a role that docs/roles.sql makes. Roles belong to the whole server, so this test's have names of their
// own.
func as(t *testing.T, db *testdb.DB, member string) *bun.DB {
	t.Helper()
	text, err := os.ReadFile("../../docs/roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	suffix := "_" + strings.ToLower(rand.Text()[:10])
	var pairs []string
	for _, role := range []string{"attune_reader", "attune_worker", "attune_operator"} {
		pairs = append(pairs, role, role+suffix)
	}
	pairs = append(pairs, `"public"`, `"`+db.Schema+`"`)
	script := strings.NewReplacer(pairs...).Replace(string(text))
	exec := func(ctx context.Context, statement string) {
		t.Helper()
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
	for range 2 {
		exec(t.Context(), script)
	}
	login, password := "attune_test"+suffix, rand.Text()
	exec(t.Context(), "CREATE ROLE "+login+" LOGIN PASSWORD '"+password+"' IN ROLE "+member+suffix)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		for _, role := range []string{login, "attune_reader" + suffix, "attune_worker" + suffix, "attune_operator" + suffix} {
			exec(ctx, "DROP OWNED BY "+role)
			exec(ctx, "DROP ROLE "+role)
		}
	})
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(login, password)
	conn, err := database.Open(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestLeastPrivilege: a service lives a whole life under the worker role, and
// can do nothing else.
func TestLeastPrivilege(t *testing.T) {
	for _, name := range []string{"public", "attune"} {
		t.Run(name, func(t *testing.T) {
			db := testdb.Postgres(t, testdb.Schema(name))
			conn := as(t, db, "attune_worker")
			m, err := migrations.New(conn, migrations.Config{Schema: name})
			if err != nil {
				t.Fatal(err)
			}
			if found, err := m.Check(t.Context()); err != nil || found != name {
				t.Fatalf("check: schema %q, %v", found, err)
			}

			b := newBench(t, db)
			st := store.New(conn, store.Config{Schema: name})
			cfg := b.config()
			cfg.Open = func(context.Context) (*service.Database, error) {
				return &service.Database{Definitions: st, Rows: st.Workers}, nil
			}
			cfg.Hopeless = func(error) bool { return true }
			svc := b.start(cfg)
			b.step(svc)
			b.has("alpha@1.0.0", "beta@2.0.0")
			b.remove("alpha")
			b.install("beta", "echo beta 2.1.0")
			b.pass(svc, 2*round)
			b.has("beta@2.1.0")
			b.status(schema.WorkerActive)
			if svc.Away() || strings.Contains(b.log.String(), "denied") {
				t.Errorf("something was denied:\n%s", b.log)
			}
			svc.Leave(t.Context())
			b.status(schema.WorkerInactive)

			for _, statement := range []string{
				`UPDATE %s.runtime SET distributions = '{}'`,
				`INSERT INTO %s.runtime (ref, name) VALUES ('core.evil', 'Evil')`,
				`DELETE FROM %s.runtime`,
				`UPDATE %s.runtime_version SET version = '1'`,
				`UPDATE %s.pack SET label = 'x'`,
				`DELETE FROM %s.worker`,
				`UPDATE %s.worker SET refresh_requested = now()`,
				`UPDATE %s.capability_change SET kind = 'gained'`,
				`DELETE FROM %s.capability_change`,
				`SELECT * FROM %s.action`,
				`UPDATE %s.attune_migrations SET program = 'x'`,
				`CREATE TABLE %s.mine (id int)`,
			} {
				statement = strings.ReplaceAll(statement, "%s", name)
				if _, err := conn.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "42501") {
					t.Errorf("%s: %v; want it to be denied", statement, err)
				}
			}
		})
	}
}

// TestOperatorRole loads packs and asks workers to verify anew.
func TestOperatorRole(t *testing.T) {
	db := testdb.Postgres(t)
	conn := as(t, db, "attune_operator")
	cfg := store.Config{Schema: db.Schema}
	if _, err := install.Load(t.Context(), conn, cfg, packs.Core(), install.Options{}); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, db)
	b.step(b.start(b.config()))
	st := store.New(conn, cfg)
	if n, err := st.Workers.RequestRefresh(t.Context(), b.row().ID); err != nil || n != 1 {
		t.Errorf("refresh: %d, %v", n, err)
	}
	if _, err := conn.NewRaw("UPDATE worker SET capabilities = '{}'").Exec(t.Context()); err == nil {
		t.Error("an operator can write what a worker has")
	}
}
