package store_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestHeartbeatsTouchNoIndex checks that Postgres counts each heartbeat as an update within
// its page, which touches no index and no document.
func TestHeartbeatsTouchNoIndex(t *testing.T) {
	t.Parallel()
	const workers = 400
	db := testdb.Postgres(t, testdb.Schema("attune"))
	setup := store.New(db, store.Config{Schema: db.Schema}).Workers
	ids := make([]int64, workers)
	for n := range ids {
		var rows []schema.WorkerRuntime
		for r := range 5 {
			rows = append(rows, row(fmt.Sprint("core.r", r), fmt.Sprint("r", r), "3.12.1", "/usr/bin/"+strings.Repeat("x", 50)))
		}
		caps := found(t, rows...)
		document := map[string]any{}
		if err := json.Unmarshal(caps.Document, &document); err != nil {
			t.Fatal(err)
		}
		document["detected"] = rows
		var err error
		if caps.Document, err = json.Marshal(document); err != nil {
			t.Fatal(err)
		}
		w, _, err := setup.Register(t.Context(), store.Registration{
			Name: fmt.Sprint("host-", n), Role: metadata.Worker, Instance: ptr("i1"), HeartbeatInterval: ptr(30), Capabilities: caps,
		})
		if err != nil {
			t.Fatal(err)
		}
		ids[n] = w.ID
	}
	// Sessions hand in what they counted when they end.
	_ = db.Close()
	observer := env{DB: open(t, db.URL)}
	for others := 1; others > 0; {
		others = value[int](t, observer, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
	}
	observer.exec(t, "SELECT pg_stat_reset_single_table_counters('attune.worker'::regclass)")

	pool := open(t, db.URL)
	beating := store.New(pool, store.Config{Schema: db.Schema}).Workers
	// Each worker sends one heartbeat: dead rows cannot be pruned while a snapshot, such as
	// the one of an ANALYZE, needs them.
	for _, id := range ids {
		if _, err := beating.Heartbeat(t.Context(), id, "i1"); err != nil {
			t.Fatal(err)
		}
	}
	_ = pool.Close()
	var counted struct{ Updates, Hot int }
	for end := time.Now().Add(time.Minute); counted.Updates < workers && time.Now().Before(end); {
		err := observer.NewRaw("SELECT n_tup_upd AS updates, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relname = 'worker'").Scan(t.Context(), &counted)
		if err != nil {
			t.Fatal(err)
		}
	}
	if counted.Updates != workers || counted.Hot != counted.Updates {
		t.Errorf("%d heartbeats are %d updates, %d of them within the page", workers, counted.Updates, counted.Hot)
	}
}
