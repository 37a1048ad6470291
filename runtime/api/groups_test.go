package api_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// groupCounts counts the counts by group that a database was asked for.
type groupCounts struct{ atomic.Int64 }

func (*groupCounts) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

func (c *groupCounts) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if strings.HasPrefix(e.Query, "SELECT g.name") {
		c.Add(1)
	}
}

// workersOf returns the number of workers in all groups.
func workersOf(t *testing.T, got *response) (n int) {
	t.Helper()
	if got.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	var groups answer.MatrixGroups
	got.into(t, &groups)
	for _, g := range groups.Items {
		n += g.Workers
	}
	return n
}

// TestGroupsRemembered checks that counts by group are read once, ahead, and again after a change; and that a request which
// takes old ones does not wait for new ones, here for a table that another program has locked.
func TestGroupsRemembered(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	counts := new(groupCounts)
	db.DB = db.WithQueryHook(counts)
	s := start(t, db, api.Config{})
	until(t, "groups are counted ahead", func() bool { return counts.Load() == 2 })
	before := workersOf(t, s.request(http.MethodGet, "/v1/matrix/groups?by=label:zone", ""))
	workersOf(t, s.request(http.MethodGet, "/v1/matrix/groups?by=role", ""))
	if n := counts.Load(); n != 2 {
		t.Errorf("the database counted %d times, want 2", n)
	}

	var list struct{ Last int64 }
	s.get("/v1/changes?wait=10ms", &list)
	seen := make(chan *response, 1)
	go func() { seen <- s.request(http.MethodGet, "/v1/changes?wait=30s&from="+itoa(list.Last), "") }()
	reports.Register(t, db, metadata.Worker, "late", &capability.Document{Detected: []capability.Installation{reports.Python("3.12.1", "/usr/bin/python3")}})
	<-seen
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("LOCK TABLE worker_runtime IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	old := s.request(http.MethodGet, "/v1/matrix/groups?by=role", "", "Cache-Control", "max-stale")
	if n := workersOf(t, old); n != before || old.Header.Get("Age") == "" {
		t.Errorf("a request that takes old counts gets %d workers of the age %q, want %d", n, old.Header.Get("Age"), before)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := workersOf(t, s.request(http.MethodGet, "/v1/matrix/groups?by=role", "")); n != before+1 {
		t.Errorf("after a change there are %d workers, want %d", n, before+1)
	}
	if n := counts.Load(); n != 3 {
		t.Errorf("the database counted %d times, want 3", n)
	}
}

// TestGroupsRememberedAsGuest checks that counts are remembered in a platform's database too, whose definitions are read anew
// for every request.
func TestGroupsRememberedAsGuest(t *testing.T) {
	t.Parallel()
	db := platform.New(t, platform.A)
	m, err := migrations.New(db.DB, migrations.Config{})
	if err == nil {
		_, err = m.Up(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	counts := new(groupCounts)
	db.DB = db.WithQueryHook(counts)
	st, err := store.Open(t.Context(), db.DB, store.Config{Schema: platform.Schema})
	if err != nil {
		t.Fatal(err)
	}
	s := startOn(t, db, st, api.Config{})
	until(t, "groups are counted ahead", func() bool { return counts.Load() > 0 })
	for range 3 {
		workersOf(t, s.request(http.MethodGet, "/v1/matrix/groups?by=role", ""))
	}
	if n := counts.Load(); n != 1 {
		t.Errorf("the database counted %d times, want once", n)
	}
}
