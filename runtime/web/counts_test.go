package web_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// A gate lets the database count groups, or keeps it from that.
type gate struct {
	counted atomic.Int64
	// shut is closed to let counts pass. It is nil if they pass.
	shut atomic.Pointer[chan struct{}]
	// waits counts the counts that came to the shut gate.
	waits atomic.Int64
}

func (g *gate) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	if shut := g.shut.Load(); shut != nil && strings.HasPrefix(e.Query, "SELECT g.name") {
		g.waits.Add(1)
		<-*shut
	}
	return ctx
}

func (g *gate) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	if strings.HasPrefix(e.Query, "SELECT g.name") {
		g.counted.Add(1)
	}
}

// TestCountsDoNotWait checks that a page has the counts that were read ahead, without waiting for new ones, and that the script of an
// open page gets new ones.
func TestCountsDoNotWait(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	g := new(gate)
	db.DB = db.WithQueryHook(g)
	s := start(t, db)
	for began := time.Now(); g.counted.Load() < 2; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatal("nothing is counted ahead")
		}
	}
	shut := make(chan struct{})
	g.shut.Store(&shut)
	reports.Register(t, db, metadata.Worker, "late", &capability.Document{
		Detected: []capability.Installation{reports.Python("3.12.1", "/usr/bin/python3")}, Extra: labels("zone", "late"),
	})
	for began := time.Now(); g.waits.Load() == 0; time.Sleep(10 * time.Millisecond) { // until the server knows of the change
		if page := s.get(""); byID(page.doc, "g-late") != nil || byID(page.doc, "g-a") == nil {
			t.Fatalf("the page waited for new counts, or has none:\n%s", page.text)
		}
		s.get("runtimes").has(t, "2 of 3")
		if time.Since(began) > 30*time.Second {
			t.Fatal("nothing is counted after a change")
		}
	}
	close(shut)
	g.shut.Store(nil)
	if page := s.do(http.MethodGet, "", nil, "Cache-Control", "no-cache"); byID(page.doc, "g-late") == nil {
		t.Errorf("the script of a page gets old counts:\n%s", page.text)
	}
}
