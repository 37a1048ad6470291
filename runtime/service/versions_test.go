package service_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// TestAllVersionsOfOneProgram checks that each version behind one executable is a row, is
// found by constraints, and has its own history.
func TestAllVersionsOfOneProgram(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		b.remove("alpha")
		b.remove("beta")
		b.define("net", `{"verification": {"commands": [{"binary": "net", "args": ["--list"], "version_pattern": "(?m)^net (\\S+)", "all_versions": true}]}}`)
		list := func(versions ...string) { b.install("net", "printf 'net %s\\n' "+strings.Join(versions, " ")) }
		list("6.0.36", "8.0.10", "9.0.0-rc.2")
		svc := b.start(b.config())
		b.step(svc)
		b.has("net@9.0.0-rc.2", "net@8.0.10", "net@6.0.36")
		rows, err := b.WorkerRuntimes.ByWorker(t.Context(), b.row().ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			var attempts []capability.Attempt
			if r.Outcome != "available" {
				continue
			}
			if err := json.Unmarshal(r.Evidence, &attempts); err != nil || r.Path != b.bin+"/net" ||
				!slices.Equal(attempts[0].Versions, []string{"9.0.0-rc.2", "8.0.10", "6.0.36"}) {
				t.Errorf("row %+v with evidence %s (%v)", r, r.Evidence, err)
			}
		}
		for text, want := range map[string]string{"~6": "6.0.36", "8": "8.0.10", ">=8": "8.0.10", ">=9.0.0-rc.1": "9.0.0-rc.2", "~7": "", "9": ""} {
			c, err := version.ParseConstraint(text)
			if err != nil {
				t.Fatal(err)
			}
			found, err := b.Workers.Having(t.Context(), "t.net", store.HavingFilter{Constraint: &c})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, m := range found {
				got += m.Version
			}
			if got != want {
				t.Errorf("net@%s matches %q, want %q", text, got, want)
			}
		}

		list("8.0.11", "6.0.36")
		b.pass(svc, round)
		b.has("net@8.0.11", "net@6.0.36")
		b.install("net", "exit 3")
		b.pass(svc, round)
		b.has()
		history, err := b.Changes.After(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var changes []string
		for _, c := range history {
			line := string(c.Kind)
			for _, v := range []*string{c.OldVersion, c.NewVersion} {
				if v != nil {
					line += " " + *v
				}
			}
			changes = append(changes, line)
		}
		want := []string{
			"gained 6.0.36", "gained 8.0.10", "gained 9.0.0-rc.2",
			"lost 9.0.0-rc.2", "version_changed 8.0.10 8.0.11",
			"lost 6.0.36", "lost 8.0.11",
		}
		if !slices.Equal(changes, want) {
			t.Errorf("history is %q, want %q", changes, want)
		}
	})
}
