package service_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/service"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// clock is a clock that a test advances.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A harness is a host with scripts as runtimes, a database with their definitions, and a clock.
type harness struct {
	*testing.T
	*store.Store
	db    *bun.DB
	roles *testdb.Roles // nil on SQLite
	// name is the name of the worker. On Postgres it is also the name of its login, which
	// url and own use; the harness itself works as the owner.
	name string
	url  string
	own  *store.Store

	bin   string
	clock *clock
	log   *lines
}

// lines holds the log.
type lines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

// newHarness returns a harness with the runtimes t.alpha 1.0.0 and t.beta 2.0.0.
func newHarness(t *testing.T, db *testdb.DB) *harness {
	t.Helper()
	b := &harness{
		T: t, Store: store.New(db.DB, store.Config{Schema: db.Schema}), db: db.DB,
		name: "w", bin: t.TempDir(), clock: newClock(), log: &lines{},
	}
	b.own = b.Store
	if db.Dialect().Name() == dialect.PG {
		b.name += "-" + strings.ToLower(rand.Text()[:10])
		b.roles = testdb.MakeRoles(t, db, rolesScript(t))
		b.url = b.roles.Login(t, b.name, "attune_worker")
		b.own = store.New(opened(t, b.url), store.Config{Schema: db.Schema})
	}
	for name, version := range map[string]string{"alpha": "1.0.0", "beta": "2.0.0"} {
		b.define(name, fmt.Sprintf(`{"verification": {"commands": [{"binary": %q, "args": ["--version"], "timeout": "10s"}]}}`, name))
		b.install(name, "echo "+name+" "+version)
	}
	return b
}

// rolesScript returns docs/roles.sql.
func rolesScript(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func opened(t *testing.T, url string) *bun.DB {
	t.Helper()
	conn, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// define writes a definition.
func (b *harness) define(name, distributions string) {
	b.Helper()
	def := metadata.Definition{Ref: "t." + name, Name: name}
	if err := json.Unmarshal([]byte(distributions), &def.Distributions); err != nil {
		b.Fatal(err)
	}
	if _, err := b.Runtimes.UpsertDefinition(b.Context(), &def, nil); err != nil {
		b.Fatal(err)
	}
}

// install makes a program in the one folder of PATH. It is another file than the
// one before.
func (b *harness) install(name, script string) {
	b.Helper()
	path := filepath.Join(b.bin, name)
	b.remove(name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		b.Fatal(err)
	}
}

func (b *harness) remove(name string) {
	b.Helper()
	if err := os.RemoveAll(filepath.Join(b.bin, name)); err != nil {
		b.Fatal(err)
	}
}

// config returns the configuration of a service on this harness.
func (b *harness) config() service.Config {
	local := host.Local(host.LocalConfig{Environ: []string{"PATH=" + b.bin, "HOME=" + strings.TrimSuffix(b.bin, "/shims")}})
	policy, err := host.NewPolicy(host.PolicyConfig{Mode: host.ModeOpen})
	if err != nil {
		b.Fatal(err)
	}
	return service.Config{
		Open: func(context.Context) (*service.Database, error) {
			return &service.Database{Definitions: b.own, Rows: b.own.Workers}, nil
		},
		Detector: func(defs []metadata.Definition, warnings []string) (service.Detector, error) {
			return detect.New(defs, detect.Config{
				Host: local, Policy: policy, Explain: true, Now: b.clock.Now, Getenv: func(string) string { return "" }, Warnings: warnings,
			})
		},
		Host: local, Now: b.clock.Now, Random: func() float64 { return 0.5 },
		Logger: slog.New(slog.NewTextHandler(b.log, nil)),
	}
}

// start makes a service with the harness's name.
func (b *harness) start(cfg service.Config) *service.Service {
	b.Helper()
	svc, err := service.New(service.Identity{Name: b.name, Role: metadata.Worker}, cfg)
	if err != nil {
		b.Fatal(err)
	}
	return svc
}

// step performs everything that is due and fails the test if the service ends.
func (b *harness) step(svc *service.Service) (next time.Time) {
	b.Helper()
	next, err := svc.Settle(b.Context())
	if err != nil {
		b.Fatalf("the service ended: %v\n%s", err, b.log)
	}
	return next
}

// pass advances the clock and steps the service whenever something is due.
func (b *harness) pass(svc *service.Service, d time.Duration) {
	b.Helper()
	end := b.clock.Now().Add(d)
	for {
		next := b.step(svc)
		if left := end.Sub(b.clock.Now()); left <= 0 {
			return
		} else if due := next.Sub(b.clock.Now()); due < left {
			b.clock.advance(max(due, time.Millisecond))
		} else {
			b.clock.advance(left)
		}
	}
}

func (b *harness) row() *schema.Worker {
	b.Helper()
	row, err := b.Workers.ByIdentity(context.WithoutCancel(b.Context()), metadata.Worker, b.name)
	if err != nil {
		b.Fatal(err)
	}
	return row
}

// has checks the runtimes in the document and the rows of the worker, each as name or
// name@version, with a ? after an unconfirmed one.
func (b *harness) has(want ...string) {
	b.Helper()
	row := b.row()
	caps := new(capability.Document)
	if err := json.Unmarshal(row.Capabilities, caps); err != nil {
		b.Fatal(err)
	}
	var document, rows []string
	for _, d := range caps.Detected {
		document = append(document, written(d.Name, d.Version, !d.UnconfirmedSince.IsZero()))
	}
	list, err := b.WorkerRuntimes.ByWorker(b.Context(), row.ID)
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range list {
		if r.Outcome == schema.OutcomeAvailable {
			rows = append(rows, written(r.Name, r.Version, r.UnconfirmedSince != nil))
		}
	}
	if got, all := strings.Join(document, " "), strings.Join(want, " "); got != all || strings.Join(rows, " ") != all {
		b.Fatalf("document: %s; rows: %s; want %s\n%s", got, strings.Join(rows, " "), all, b.log)
	}
}

func written(name, version string, unconfirmed bool) string {
	if version != "" {
		name += "@" + version
	}
	if unconfirmed {
		name += "?"
	}
	return name
}

// status checks the row's status.
func (b *harness) status(want schema.WorkerStatus) {
	b.Helper()
	if row := b.row(); row.Status == nil || *row.Status != want {
		b.Fatalf("status is %v, want %s\n%s", *row.Status, want, b.log)
	}
}

// history checks the changes so far, oldest first, as "gained alpha".
func (b *harness) history(want ...string) {
	b.Helper()
	changes, err := b.Changes.After(b.Context(), 0, 0)
	if err != nil {
		b.Fatal(err)
	}
	var got []string
	for _, c := range changes {
		got = append(got, string(c.Kind)+" "+c.Name)
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		b.Fatalf("history: %s; want %s\n%s", strings.Join(got, ", "), strings.Join(want, ", "), b.log)
	}
}
