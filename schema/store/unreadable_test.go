package store_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestUnreadableRows: a row with a time that no program reads is left out of lists and
// named, and the others are there.
func TestUnreadableRows(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for _, name := range []string{"bad", "good"} {
			if _, _, err := e.Workers.Register(t.Context(), store.Registration{Name: name, Role: metadata.Worker}); err != nil {
				t.Fatal(err)
			}
		}
		if e.postgres {
			e.exec(t, `ALTER TABLE {schema}.worker DISABLE TRIGGER worker_bound_values`)
		}
		for _, at := range []string{"infinity", "-infinity", "10000-01-01 00:00:00+00"} {
			e.exec(t, `UPDATE {schema}.worker SET last_heartbeat = '`+at+`' WHERE name = 'bad'`)
			var log bytes.Buffer
			st := store.New(e.DB, store.Config{Schema: e.schema, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			selected, err := st.Workers.Select(t.Context(), store.Selection{})
			if err != nil || len(selected) != 1 || selected[0].Name != "good" {
				t.Errorf("%s: select: %+v, %v", at, selected, err)
			}
			if n := strings.Count(log.String(), "table=worker id=1 name=bad"); n != 1 {
				t.Errorf("%s: it is named %d times, want once:\n%s", at, n, log.String())
			}
			if _, err := st.Workers.Get(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "get worker 1") {
				t.Errorf("%s: get: %v", at, err)
			}
		}
		if !e.postgres {
			return
		}
		// A sweep writes such a row, although nobody could write its time now.
		e.exec(t, `UPDATE {schema}.worker SET last_heartbeat = '-infinity', heartbeat_interval = 10, status = 'active' WHERE name = 'bad'`)
		e.exec(t, `ALTER TABLE {schema}.worker ENABLE TRIGGER worker_bound_values`)
		if swept, err := e.Workers.Sweep(t.Context(), 0, store.HeartbeatSpan{}); err != nil || len(swept) != 1 || swept[0].Name != "bad" {
			t.Errorf("sweep: %+v, %v", swept, err)
		}
	})
}
