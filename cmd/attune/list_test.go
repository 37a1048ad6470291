package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
)

// TestWorkersListGoesOn follows the cursor in the note to the end of the list.
func TestWorkersListGoesOn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		all := listed(t)
		for _, order := range []string{"name", "status", "heartbeat", "id"} {
			want, got := listed(t, "--sort", order), []string{}
			args := []string{"workers", "list", "--json", "--sort", order, "--limit", "3"}
			for cursor := []string{}; ; {
				page := run(t, append(args, cursor...)...)
				var docs []answer.WorkerItem
				if err := json.Unmarshal([]byte(page.out), &docs); err != nil || page.status != 0 || len(docs) > 3 {
					t.Fatalf("%v, status %d, %d workers\n%s", err, page.status, len(docs), page.errOut)
				}
				for i := range docs {
					got = append(got, docs[i].Name)
				}
				next := regexp.MustCompile(`--after (\S+) goes on`).FindStringSubmatch(page.errOut)
				if next == nil {
					break
				}
				cursor = []string{"--after", next[1]}
			}
			if diff := gocmp.Diff(want, got); diff != "" || len(want) != len(all) {
				t.Errorf("by %s (-want +got):\n%s", order, diff)
			}
		}
		want(t, run(t, "workers", "list", "--limit", "3"), 0, "; 3 shown\n", "more workers follow; --limit 0 shows all, and --after ")
		want(t, run(t, "workers", "list", "--after", "rubbish"), 2, "--after: must be the cursor of a list in the same order")
		want(t, run(t, "workers", "list", "--limit=-1"), 2, "--limit must be at least 0, got -1")
		want(t, run(t, "workers", "list", "--include", "document"), 2, "--include goes with --json")

		narrow, wide := run(t, "workers", "list", "web-1", "--json"), run(t, "workers", "list", "web-1", "--json", "--include", "versions,labels,document")
		want(t, wide, 0, `"labels": {`, `"zone": "a"`, `"capabilities": {`, `"runtime_versions": {`, `"3.12.1",`, `"identity": "action/web-1"`)
		if strings.Contains(narrow.out, "capabilities") || strings.Contains(narrow.out, "3.12.1") || len(narrow.out) > 600 {
			t.Errorf("%d bytes without documents:\n%s", len(narrow.out), narrow.out)
		}
	})
}

// TestTerminalShowsAPage: without --limit a table on a terminal ends after a hundred workers.
func TestTerminalShowsAPage(t *testing.T) {
	t.Parallel()
	env := &cli.Env{Globals: &cli.Globals{}, Out: &cli.Terminal{Person: true}}
	for args, want := range map[string]int{"": pageLimit, "json": 0, "limit": 7} {
		c := workersListCmd{}
		env.JSON = args == "json"
		if args == "limit" {
			c.Limit = new(7)
		}
		if got := c.limit(env); got != want {
			t.Errorf("%s: a limit of %d, want %d", args, got, want)
		}
	}
	env.Out.Person = false
	if got := (&workersListCmd{}).limit(env); got != 0 {
		t.Errorf("a pipe gets %d workers, want all", got)
	}
}

// TestListsAcrossBatches prints one table and one JSON list from many reads.
func TestListsAcrossBatches(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	isolated(t)
	uses(t, db)
	exec(t, db, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
		INSERT INTO worker (name, worker_type, status) SELECT 'w-' || i, 'local', 'inactive' FROM n`)
	if got := listed(t); len(got) != 1234 || got[1] != "w-2" || got[1233] != "w-1234" {
		t.Errorf("%d names, from %v", len(got), got[:min(3, len(got))])
	}
	got := run(t, "workers", "list")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if len(lines) != 1236 || strings.Count(got.out, "HEARTBEAT") != 1 || lines[1235] != "1234 workers: 1234 inactive" {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
	if want := fmt.Sprintf("%d  w-%d", 1234, 1234); !strings.HasPrefix(lines[1234], want) {
		t.Errorf("got %q, want %q at the beginning", lines[1234], want)
	}

	exec(t, db, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
		INSERT INTO capability_change (worker_name, worker_role, runtime_ref, name, kind) SELECT 'w-' || i, 'action', 'core.go', 'go', 'gained' FROM n`)
	var changes []answer.Change
	if err := json.Unmarshal([]byte(run(t, "workers", "history", "--limit", "0", "--json").out), &changes); err != nil || len(changes) != 1500 || changes[0].ID != 1500 || changes[1499].ID != 1 {
		t.Errorf("%d changes, %v", len(changes), err)
	}
	got = run(t, "workers", "history", "--limit", "0")
	if strings.Count(got.out, "\n") != 1502 || !strings.HasSuffix(got.out, "\n1500 changes: 1500 gained\n") {
		t.Errorf("a history of %d lines", strings.Count(got.out, "\n"))
	}
}

// TestCutListsSayHowToGoOn cuts each list that has a limit, in each format. Something says so, and the last page does not.
func TestCutListsSayHowToGoOn(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	for command, words := range map[string]string{
		"workers list": " goes on", "workers history": "--before ", "runtimes list": "--after core.", "place python --tolerate gpu": " more",
	} {
		for _, format := range []string{"table", "json", "ndjson", "csv"} {
			args := append(strings.Fields(command), "--output", format, "--limit")
			cut, whole := run(t, append(args, "1")...), run(t, append(args, "0")...)
			said := cut.errOut
			if strings.HasPrefix(command, "place ") {
				switch format {
				case "table":
					said = cut.out
				case "json": // its fit is more than it has placed
					want(t, cut, 0, `"fit": 3,`)
					continue
				}
			}
			if !strings.Contains(said, words) || !strings.Contains(said, "--limit 0 shows all") {
				t.Errorf("%s as %s does not say that it is cut:\n%s%s", command, format, cut.out, cut.errOut)
			}
			if strings.Contains(whole.errOut+whole.out, "--limit 0") {
				t.Errorf("%s as %s is whole, and says that it is cut:\n%s", command, format, whole.errOut)
			}
		}
	}
	for after, cut := range map[string]bool{"core.ruby": true, "core.rust": false} { // three follow, or two
		got := run(t, "runtimes", "list", "--after", after, "--limit", "2", "--output", "csv")
		if (got.errOut != "") != cut {
			t.Errorf("after %s: %s%s", after, got.out, got.errOut)
		}
	}
}
