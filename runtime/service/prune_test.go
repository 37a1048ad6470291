package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
)

// TestHistoryIsPruned checks that a running service deletes old changes under the login of a
// worker, and nothing if it keeps the history forever.
func TestHistoryIsPruned(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		for _, then := range []string{"2020-01-01", time.Now().UTC().AddDate(0, 0, -80).Format(time.DateOnly)} {
			_, err := b.db.NewRaw(`INSERT INTO capability_change (worker_name, worker_role, runtime_ref, name, kind, created)
				VALUES ('ended', 'action', 't.alpha', 'alpha', 'lost', ?)`, then+" 00:00:00.000+00:00").Exec(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		cfg := b.config()
		cfg.KeepHistory = -1
		svc := b.start(cfg)
		b.pass(svc, 2*time.Hour)
		b.history("lost alpha", "lost alpha", "gained alpha", "gained beta")
		svc.Leave(t.Context())

		svc = b.start(b.config())
		b.pass(svc, 2*time.Hour)
		b.history("lost alpha", "gained alpha", "gained beta")
		if log := b.log.String(); strings.Count(log, "deleted old changes") != 1 || !strings.Contains(log, "kept_for=2160h0m0s") {
			t.Errorf("the log does not say so once:\n%s", log)
		}
	})
}
