package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	process "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/placement"
)

// TestPlaceSQL runs the statements that --sql prints in psql and in sqlite3. They select what the
// command answers, in its order.
func TestPlaceSQL(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		const nasty = `it's "100%" ?0 :name \' {schema}; --`
		exec(t, db, `UPDATE worker SET capabilities = ? WHERE name = 'declared'`,
			`{"runtimes": ["python"], "labels": {"`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(nasty)+`": "`+strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(nasty)+`"}}`)
		for _, args := range [][]string{
			{"python", "--tolerate", "gpu"}, {"python", "--tolerate", "gpu", "--limit", "2"}, {"python@>=3.11", "--tolerate", "gpu", "--prereleases"},
			{"--tolerate", "gpu"}, {"--tolerate", "gpu", "--prefer", "zone=b:70", "--prefer", "zone=a:20"}, {"python@>=4,<3"}, {"--role", "sensor"},
			{"python", "--verified", "--tolerate", "gpu", "--slots", "3", "--role", "worker"},
			{"--select", nasty + "=" + nasty}, {"python", "--select", nasty + "=" + nasty, "--tolerate", nasty, "--prefer", nasty + "=" + nasty},
			{"--requirement", requirementFile(t)},
		} {
			printed := run(t, append([]string{"place", "--sql"}, args...)...)
			want(t, printed, 0, "SELECT", "ORDER BY")
			answered := run(t, append([]string{"place", "--json"}, args...)...)
			var a placement.Answer
			if err := json.Unmarshal([]byte(answered.out), &a); err != nil {
				t.Fatalf("%v in\n%s%s", err, answered.out, answered.errOut)
			}
			if diff := gocmp.Diff(rowsOf(&a), queried(t, db, printed.out)); diff != "" {
				t.Errorf("%q (-want +got):\n%s\n%s", args, diff, printed.out)
			}
		}
	})
}

// requirementFile returns a file with a requirement that flags cannot express.
func requirementFile(t *testing.T) string {
	t.Helper()
	const text = `{"runtimes": {"python": "2.* || >=3.12"}, "tolerations": [{"key": "gpu", "operator": "exists"}], "affinity": {
		"required": [{"match_expressions": [{"key": "zone", "operator": "not_in", "values": ["c"]}]}],
		"anti_affinity": [{"match_labels": {"zone": "b"}, "match_expressions": [{"key": "disk", "operator": "exists"}]}],
		"preferred": [{"weight": 7, "term": {"match_expressions": [{"key": "zone", "operator": "in", "values": ["a", "it's"]}]}}]}}`
	file := filepath.Join(t.TempDir(), "need.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// rowsOf returns what a statement selects for an answer.
func rowsOf(a *placement.Answer) (rows [][]string) {
	for _, p := range a.Placed {
		row := []string{strconv.FormatInt(p.Worker, 10), p.Name, string(p.Role), strconv.Itoa(p.Free)}
		for _, chosen := range p.Runtimes {
			row = append(row, chosen.Version, chosen.Path)
		}
		rows = append(rows, append(row, strconv.Itoa(p.Weight)))
	}
	return rows
}

// queried returns the rows of a statement, by the database's own program.
func queried(t *testing.T, db *testdb.DB, statement string) [][]string {
	t.Helper()
	name, args := "psql", []string{"--no-psqlrc", "--csv", "--tuples-only", "--quiet", "-v", "ON_ERROR_STOP=1", db.URL}
	if file, ok := strings.CutPrefix(db.URL, "sqlite:"); ok {
		name, args = "sqlite3", []string{"-csv", "-bail", file}
	}
	if _, err := process.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := process.CommandContext(t.Context(), name, args...)
	var out, errOut bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(statement), &out, &errOut
	if err := cmd.Run(); err != nil || errOut.Len() > 0 {
		t.Fatalf("%s: %v\n%s\n%s", name, err, errOut.String(), statement)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
