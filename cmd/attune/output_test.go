package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api"
)

// listIn has the keys of the rows in the documents of commands whose JSON has more than rows.
var listIn = map[string]string{
	"migrate status": "migrations", "place python --tolerate gpu": "placed", "place python --hosts": "hosts", "place --all": "subjects",
	"place --if without_web-1": "effects",
}

// TestOutput lists rows in each format: they have the same rows, and CSV has the documented columns.
func TestOutput(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	db := testdb.SQLite(t)
	subjects(t, db)
	want(t, run(t, "tokens", "create", "grafana"), 0)
	for _, name := range []string{"=1+1", "+1", "-1", "@x", "a,\"b\"\nc"} {
		fixtures.Worker(t.Context(), t, db, fixtures.WorkerOpts{Name: &name})
	}
	var spec struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(api.Spec(), &spec); err != nil {
		t.Fatal(err)
	}
	for command, schema := range map[string]string{
		"workers list": "Worker", "workers list --include labels --include versions --include document": "Worker", "workers history": "Change",
		"runtimes list": "", "packs list": "", "tokens list": "", "migrate status": "", "place python --tolerate gpu": "PlacedWorker",
		"place python --hosts": "PlacedHost", "place --all": "SubjectCount", "place --if without_web-1": "Effect",
	} {
		args := strings.Fields(command)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "_", " ")
		}
		var list, lines []map[string]any
		got := run(t, append(args, "--output", "json")...)
		document := map[string]json.RawMessage{"": json.RawMessage(got.out)}
		if key := listIn[command]; key != "" {
			if err := json.Unmarshal([]byte(got.out), &document); err != nil {
				t.Fatalf("%s: %v in\n%s%s", command, err, got.out, got.errOut)
			}
		}
		if err := json.Unmarshal(document[listIn[command]], &list); err != nil || len(list) == 0 {
			t.Fatalf("%s: %v\n%s%s", command, err, got.out, got.errOut)
		}
		for line := range strings.Lines(run(t, append(args, "--output", "ndjson")...).out) {
			var one map[string]any
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatalf("%s: %v in %q", command, err, line)
			}
			lines = append(lines, one)
		}
		rows, err := csv.NewReader(strings.NewReader(run(t, append(args, "--output", "csv")...).out)).ReadAll()
		if err != nil || len(rows) != len(list)+1 || len(lines) != len(list) {
			t.Fatalf("%s: %v; %d objects, %d lines, %d rows with the header", command, err, len(list), len(lines), len(rows))
		}
		keys := map[string]bool{}
		for _, one := range list {
			for key := range one {
				keys[key] = true
			}
		}
		for key := range keys {
			if !slices.Contains(rows[0], key) && !(key == "installation" || key == "undocumented") {
				t.Errorf("%s: the column %s is missing in %q", command, key, rows[0])
			}
		}
		for i, column := range rows[0] {
			if schema != "" && spec.Components.Schemas[schema].Properties[column] == nil {
				t.Errorf("%s: the schema %s has no %s", command, schema, column)
			}
			if !strings.Contains(string(page), "`"+column+"`") {
				t.Errorf("%s: docs/operating.md does not describe the column %s", command, column)
			}
			for j := range list {
				text, isText := list[j][column].(string)
				switch formula := isText && text != "" && strings.Contains("=+-@", text[:1]); {
				case formula && rows[j+1][i] != "'"+text, isText && !formula && rows[j+1][i] != text:
					t.Errorf("%s: the cell of %q is %q", command, text, rows[j+1][i])
				}
			}
		}
		want(t, run(t, append(args, "--json", "--output", "csv")...), 2, "two formats")
	}
	if got := run(t, "workers", "list", "nobody", "--output", "csv"); !strings.HasPrefix(got.out, "id,name,role,") || strings.Count(got.out, "\n") != 1 {
		t.Errorf("an empty list has more than its header:\n%s", got.out)
	}
	if got := run(t, "workers", "list", "nobody", "--output", "ndjson"); got.out != "" {
		t.Errorf("an empty list has lines:\n%s", got.out)
	}
	lines := following(t, "workers", "history", "--watch", "--after", "0", "--output", "csv")
	if header, first := lines(), lines(); !strings.HasPrefix(header, "id,at,") || !strings.Contains(first, ",web-1,worker,core.python,python,gained,") {
		t.Errorf("%s\n%s", header, first)
	}
}

// TestOutputOfGroups counts by group in each format: the rows have what the document has.
func TestOutputOfGroups(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	db := testdb.SQLite(t)
	fleet(t, db)
	fixtures.Worker(t.Context(), t, db, fixtures.WorkerOpts{Name: new("idle")})
	if _, err := db.ExecContext(t.Context(), "UPDATE worker SET status = 'error' WHERE name = 'idle'"); err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{"label:zone", "status", "role"} {
		args := []string{"workers", "groups", "--by", by, "--output"}
		var m answer.MatrixGroups
		if err := json.Unmarshal([]byte(run(t, append(args, "json")...).out), &m); err != nil || len(m.Items) == 0 {
			t.Fatal(err)
		}
		var want []string
		for _, g := range m.Items {
			has := false
			for i, n := range g.Available {
				if n > 0 {
					has = true
					want = append(want, fmt.Sprintf("%s,%d,%s,%s,%d", orEmpty(g.Group), g.Workers, m.Runtimes[i].Ref, m.Runtimes[i].Name, n))
				}
			}
			if !has {
				want = append(want, fmt.Sprintf("%s,%d,,,0", orEmpty(g.Group), g.Workers))
			}
		}
		rows := strings.Split(strings.TrimSuffix(run(t, append(args, "csv")...).out, "\n"), "\n")
		if rows[0] != "group,workers,ref,runtime,available" || !slices.Equal(rows[1:], want) {
			t.Errorf("by %s: got %q, want %q", by, rows, want)
		}
		var lines []string
		for line := range strings.Lines(run(t, append(args, "ndjson")...).out) {
			var row struct {
				Group, Ref, Runtime *string
				Workers, Available  int
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s,%d,%s,%s,%d", orEmpty(row.Group), row.Workers, orEmpty(row.Ref), orEmpty(row.Runtime), row.Available))
		}
		if !slices.Equal(lines, want) {
			t.Errorf("by %s: got the lines %q, want %q", by, lines, want)
		}
		for column := range strings.SplitSeq(rows[0], ",") {
			if !strings.Contains(string(page), "`"+column+"`") {
				t.Errorf("docs/operating.md does not describe the column %s", column)
			}
		}
	}
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
