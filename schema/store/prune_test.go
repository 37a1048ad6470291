package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// happened writes changes of a worker so many days ago; 0 is one that is deleted.
func happened(t *testing.T, e env, worker int64, days int, runtimes string) {
	t.Helper()
	then, id := fmt.Sprintf("strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', 'now', '-%d days')", days), "NULL"
	if e.postgres {
		then = fmt.Sprintf("CURRENT_TIMESTAMP - interval '%d days'", days)
	}
	if worker > 0 {
		id = fmt.Sprint(worker)
	}
	e.exec(t, `INSERT INTO {schema}.capability_change (worker, worker_name, worker_role, runtime_ref, name, kind, created)
		SELECT `+id+`, 'w', 'action', 'core.' || name, name, 'gained', `+then+` FROM (`+runtimes+`) AS r`)
}

func one(name string) string { return "SELECT '" + name + "' AS name" }

func kept(t *testing.T, e env) (list []string) {
	t.Helper()
	changes, err := e.Changes.After(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		worker := "nobody"
		if c.Worker != nil {
			worker = fmt.Sprint(*c.Worker)
		}
		list = append(list, fmt.Sprintf("%s %s %dd", worker, c.Name, int(time.Since(c.Created).Hours()/24)))
	}
	return list
}

func TestPrune(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	each(t, func(t *testing.T, e env) {
		prune := func(every, keep time.Duration, want int) {
			t.Helper()
			if n, err := e.Workers.Prune(t.Context(), every, keep); err != nil || n != want {
				t.Errorf("%d were deleted, %v; want %d", n, err, want)
			}
		}
		prune(0, day, 0)
		a, b := running(t, e, "a").ID, running(t, e, "b").ID
		happened(t, e, a, 200, one("old"))
		happened(t, e, a, 150, one("old"))
		happened(t, e, b, 140, one("old"))
		happened(t, e, 0, 130, one("gone"))
		happened(t, e, a, 120, one("new"))
		happened(t, e, 0, 80, one("gone"))
		happened(t, e, a, 2, one("new"))
		happened(t, e, a, 0, one("newer"))
		all := kept(t, e)

		prune(0, 1000*day, 0)
		if diff := cmp.Diff(all, kept(t, e)); diff != "" {
			t.Errorf("what is not old yet (-want +got):\n%s", diff)
		}
		prune(time.Minute, 90*day, 0) // that was a moment ago
		e.exec(t, "UPDATE {schema}.worker_sweep SET pruned = '2999-01-01 00:00:00.000+00:00'")
		prune(time.Minute, 90*day, 3)
		want := []string{
			fmt.Sprint(a, " old 150d"), fmt.Sprint(b, " old 140d"),
			"nobody gone 80d", fmt.Sprint(a, " new 2d"), fmt.Sprint(a, " newer 0d"),
		}
		if diff := cmp.Diff(want, kept(t, e)); diff != "" {
			t.Errorf("after 90 days (-want +got):\n%s", diff)
		}
		happened(t, e, a, 0, one("new"))
		prune(0, time.Nanosecond, 2) // a day it is, and the newest are from today
		if n := count(t, e, "capability_change WHERE name = 'newer' OR name = 'old' OR name = 'new'"); n != 4 {
			t.Errorf("%d are left, want 4", n)
		}
	})
}

// TestPruneInParts: those that stay do not keep it from those behind them.
func TestPruneInParts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		if testing.Short() && !e.postgres {
			t.Skip("-short: a minute of SQLite under the race detector, for one statement after the other")
		}
		numbers := "SELECT 'r' || n AS name FROM generate_series(1, 2500) AS n"
		if !e.postgres {
			numbers = "WITH RECURSIVE up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 2500) SELECT 'r' || n AS name FROM up"
		}
		w := running(t, e, "w").ID
		happened(t, e, w, 300, numbers)
		happened(t, e, 0, 200, one("behind"))
		happened(t, e, 0, 1, one("recent"))
		prune := func(want int) {
			t.Helper()
			if n, err := e.Workers.Prune(t.Context(), 0, 90*24*time.Hour); err != nil || n != want {
				t.Errorf("%d were deleted, %v; want %d", n, err, want)
			}
		}
		prune(0)
		prune(1) // the one behind; and all were looked at
		happened(t, e, w, 0, one("r1"))
		prune(1)
	})
}

// TestPruneWaitsForNobody who prunes or sweeps at the moment.
func TestPruneWaitsForNobody(t *testing.T) {
	t.Parallel()
	e := postgres(t, "attune")
	happened(t, e, 0, 100, one("old"))
	other, err := e.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	if _, err := other.ExecContext(t.Context(), "SELECT * FROM attune.worker_sweep FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	e.exec(t, "SET lock_timeout = '10s'")
	if n, err := e.Workers.Prune(t.Context(), 0, time.Hour); err != nil || n != 0 {
		t.Errorf("%d, %v; want nothing", n, err)
	}
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n, err := e.Workers.Prune(t.Context(), 0, time.Hour); err != nil || n != 1 {
		t.Errorf("%d, %v; want 1", n, err)
	}
}
