package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
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
		"runtimes list": "", "packs list": "", "tokens list": "", "migrate status": "", "place python --tolerate gpu": "Placed",
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
