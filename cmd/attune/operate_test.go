package main

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/placement"
)

// TestWorkersCordon: an operator keeps work off workers and lets it come again, by every kind of selector.
func TestWorkersCordon(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		want(t, run(t, "workers", "cordon"), 2, "say which workers")
		want(t, run(t, "workers", "cordon", "web-3"), 1, "did you mean web-")
		want(t, run(t, "workers", "cordon", "web-1", "web-3"), 1, `nothing was changed: no worker "web-3", did you mean web-`)
		want(t, run(t, "workers", "cordon", "id:999999"), 1, "has this id")
		want(t, run(t, "workers", "cordon", "a'; DROP TABLE worker; --"), 1, `no worker "a'; DROP TABLE worker; --"`)
		want(t, run(t, "workers", "cordon", `label:it's 100%="x`), 0, "no workers that fit\n")
		want(t, run(t, "workers", "cordon", "web-*", "role:sensor"), 0, "no workers that fit\n")
		want(t, run(t, "workers", "cordon", "web-1", "--reason", "two\nlines"), 2, "--reason must not contain control characters")
		want(t, run(t, "workers", "cordon", "web-1", "--reason", strings.Repeat("x", 10_000)), 2, "--reason must have at most 1024 characters, got 10000")
		want(t, run(t, "workers", "cordon", "web-*", "--reason", "disk", "--dry-run"), 0, "web-1", "would be cordoned", "2 workers would be cordoned; nothing was changed (--dry-run)")
		if got := run(t, "workers", "list"); strings.Contains(got.out, "cordoned") {
			t.Errorf("a dry run cordoned something:\n%s", got.out)
		}
		want(t, run(t, "workers", "cordon", "web-1", "--reason", `it's 100% full; DROP TABLE worker`), 0, "web-1  worker  active  cordoned", "1 worker cordoned\n")
		got := run(t, "workers", "cordon", "--name", "web-*", "--json")
		want(t, got, 0)
		var report answer.OperationReport
		if err := json.Unmarshal([]byte(got.out), &report); err != nil || report.Kind != answer.OperationCordon || report.DryRun || len(report.Workers) != 2 ||
			report.Workers[0].Name != "web-1" || report.Workers[0].Changed || !report.Workers[1].Changed || report.Workers[1].Role != "worker" {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
		want(t, run(t, "workers", "cordon", "host:h-web-1", "label:zone=a"), 0, "already cordoned", "0 workers cordoned\n")
		want(t, run(t, "workers", "list", "web-*"), 0, "active, cordoned")
		want(t, run(t, "workers", "list", "web-1", "--json"), 0, `"cordon": {`, `"reason": "it's 100% full; DROP TABLE worker"`, `"at": "20`)
		want(t, run(t, "workers", "show", "web-1"), 0, "cordoned     since 20", ": it's 100% full; DROP TABLE worker\n")
		want(t, run(t, "workers", "show", "web-1", "--json"), 0, `"cordon": {`, `"reason": "it's 100% full; DROP TABLE worker"`)
		st := stored(db)
		placed, err := answer.Place(t.Context(), st, &placement.Requirement{Role: "worker"}, 0)
		if err != nil || len(placed.Placed) != 1 || placed.Placed[0].Name != "declared" {
			t.Errorf("placed %+v, %v", placed.Placed, err)
		}
		want(t, run(t, "workers", "uncordon", "*", "--dry-run"), 0, "2 workers would be uncordoned", "was not cordoned")
		want(t, run(t, "workers", "uncordon", "*"), 0, "2 workers uncordoned\n")
		if got := run(t, "workers", "list"); strings.Contains(got.out, "cordoned") {
			t.Errorf("somebody is still cordoned:\n%s", got.out)
		}
	})
}

func TestWorkersTaint(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		want(t, run(t, "workers", "taint"), 2, "say which workers and, last, which taint")
		want(t, run(t, "workers", "taint", "gpu"), 2, "say which workers, before the taint gpu")
		want(t, run(t, "workers", "untaint", "gpu"), 2, "say which workers, before the taint gpu")
		want(t, run(t, "workers", "taint", "web-1", ":no_schedule"), 2, "must name the key of a taint")
		want(t, run(t, "workers", "taint", "web-1", "attune/report-only"), 2, "every requirement tolerates attune/report-only; cordon them, or use another key")
		want(t, run(t, "workers", "taint", "web-1", "gpu:NoSchedule"), 2, "must end in :no_schedule to have this effect")
		want(t, run(t, "workers", "taint", "web-1", strings.Repeat("k", 10_000)), 2, "must have at most 900 bytes in key and value, got 10000")
		want(t, run(t, "workers", "untaint", "web-1", "gpu=a100"), 2, "must be KEY or KEY:EFFECT to be removed, such as gpu")
		want(t, run(t, "workers", "taint", "web-1", "web-3", "gpu"), 1, `nothing was changed: no worker "web-3"`)
		want(t, run(t, "workers", "taint", "web-3", "gpu"), 1, "did you mean web-")
		want(t, run(t, "workers", "taint", "web-*", "db=it's 100% \"odd\":prefer_no_schedule", "--dry-run"), 0, "2 workers would be tainted; nothing was changed")
		want(t, run(t, "workers", "taint", "web-*", "db=it's 100% \"odd\":prefer_no_schedule"), 0, "2 workers tainted: db=it's 100% \"odd\":prefer_no_schedule\n")
		want(t, run(t, "workers", "taint", "--label", "zone=a", "gpu"), 0, "1 worker tainted: gpu:no_schedule\n")
		got := run(t, "workers", "taint", "web-1", "gpu", "--json")
		var report answer.OperationReport
		if err := json.Unmarshal([]byte(got.out), &report); err != nil || report.Kind != answer.OperationTaint || report.Workers[0].Changed ||
			*report.Taint != (answer.Taint{Key: "gpu", Effect: "no_schedule"}) {
			t.Errorf("--json: %v in\n%s", err, got.out)
		}
		want(t, run(t, "workers", "list", "web-*"), 0, "active, tainted")
		want(t, run(t, "workers", "list", "web-1", "--json"), 0, `"operator_taints": [`, `"key": "db"`)
		want(t, run(t, "workers", "show", "web-1"), 0, "tainted      db=it's 100% \"odd\":prefer_no_schedule gpu:no_schedule\n", "taints       gpu=a100:no_schedule spot:prefer_no_schedule\n")
		want(t, run(t, "workers", "show", "web-1", "--json"), 0, `"operator_taints": [`)
		want(t, run(t, "workers", "untaint", "web-*", "spot"), 0, "did not have the taint", "0 workers untainted: spot\n")
		want(t, run(t, "workers", "untaint", "web-*", "db:no_schedule"), 0, "0 workers untainted: db:no_schedule\n")
		want(t, run(t, "workers", "untaint", "web-*", "db"), 0, "2 workers untainted: db\n")
		want(t, run(t, "workers", "untaint", "web-1", "gpu:no_schedule"), 0, "1 worker untainted: gpu:no_schedule\n")
		if got := run(t, "workers", "list"); strings.Contains(got.out, "tainted") {
			t.Errorf("somebody is still tainted:\n%s", got.out)
		}
	})
}

// TestOperatorsAlone: of the roles in docs/roles.sql only the operator's cordons and taints, and a host cannot lift
// what keeps work off it.
func TestOperatorsAlone(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	text, err := os.ReadFile(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	roles := testdb.MakeRoles(t, db, string(text))
	login := func(role, name string) string {
		t.Helper()
		setenv(t, "ATTUNE_DATABASE_URL", roles.Login(t, name, role))
		return name
	}
	name := func() string { return "as_" + strings.ToLower(rand.Text()[:10]) }
	operator := login("attune_operator", name())
	want(t, run(t, "workers", "cordon", "web-*", "--reason", "disk"), 0, "2 workers cordoned")
	want(t, run(t, "workers", "cordon", "web-1", "--reason", "disk full"), 0, "1 worker cordoned")
	want(t, run(t, "workers", "taint", "web-*", "gpu"), 0, "2 workers tainted")
	want(t, run(t, "workers", "taint", "web-*", "gpu=x"), 0, "2 workers tainted")
	want(t, run(t, "workers", "show", "web-1"), 0, "by "+operator+": disk full")
	want(t, run(t, "workers", "uncordon", "web-2"), 0, "1 worker uncordoned")
	want(t, run(t, "workers", "untaint", "web-2", "gpu"), 0, "1 worker untainted")
	commands := [][]string{
		{"cordon", "web-2"}, {"uncordon", "web-1"}, {"taint", "web-2", "a"}, {"untaint", "web-1", "gpu"}, {"uncordon", "web-1", "--dry-run"},
	}
	for _, role := range []string{"attune_reader", "attune_fleet"} {
		login(role, name())
		for _, args := range commands {
			want(t, run(t, append([]string{"workers"}, args...)...), 1, "permission denied", "members of the role attune_operator may do it")
		}
		want(t, run(t, "workers", "show", "web-1"), 0, "by "+operator+": disk full", "tainted      gpu=x:no_schedule")
	}
	host := name()
	exec(t, db, "UPDATE worker SET name = ?0, identity = 'action/' || ?0 WHERE name = 'web-1'", host)
	login("attune_worker", host)
	for _, args := range commands {
		args[1] = host
		want(t, run(t, append([]string{"workers"}, args...)...), 1, "permission denied", "members of the role attune_operator may do it")
	}
	want(t, run(t, "workers", "show", host), 0, "by "+operator+": disk full", "tainted      gpu=x:no_schedule")
}

// A database that was not migrated can be looked at. An operation says what to run.
func TestOperateBeforeMigration(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		for undone := ""; !strings.Contains(undone, migrations.Placement); {
			got := run(t, "migrate", "down")
			want(t, got, 0)
			undone = got.out
		}
		for _, args := range [][]string{{"cordon", "web-1"}, {"uncordon", "web-1"}, {"taint", "web-1", "gpu"}, {"untaint", "web-1", "gpu"}} {
			want(t, run(t, append([]string{"workers"}, args...)...), 1, migrations.Placement, "attune migrate up")
		}
		if strings.HasPrefix(db.URL, "postgres") {
			want(t, run(t, "workers", "list"), 0, "web-1")
			want(t, run(t, "workers", "show", "web-1"), 0, "web-1")
		}
		want(t, run(t, "migrate", "up"), 0, migrations.Placement)
		want(t, run(t, "workers", "cordon", "web-1"), 0, "1 worker cordoned")
	})
}
