package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	request "github.com/attune-go/attune/schema/requirement"
)

var (
	updatePages = flag.Bool("update", false, "write the answers of the commands into docs/placement.md and the README")
	// The pages are found before tests leave their folder.
	placementPage, _ = filepath.Abs("../../docs/placement.md")
	readmePage, _    = filepath.Abs("../../README.md")
)

// pageFleet makes the workers, actions and the sensor that docs/placement.md describes.
func pageFleet(t *testing.T, db *testdb.DB) {
	t.Helper()
	isolated(t)
	uses(t, db)
	want(t, run(t, "packs", "load", "core"), 0)
	node := capability.Installation{
		Ref: "core.nodejs", Name: "node", Version: "20.20.2", VersionRaw: "v20.20.2", Path: "/usr/bin/node", RealPath: "/usr/bin/node",
		Command: []string{"node", "--version"}, Outcome: capability.Available, Source: capability.Verified,
	}
	worker := func(role metadata.Role, name, extra string, detected ...capability.Installation) int64 {
		document := &capability.Document{Detected: detected}
		if err := json.Unmarshal([]byte(extra), &document.Extra); err != nil {
			t.Fatal(err)
		}
		return reports.Register(t, db, role, name, document).ID
	}
	pythonOf := func(version string) capability.Installation { return python(version, "/usr/bin/python3") }
	worker(metadata.Worker, "build-1", `{"labels": {"zone": "a", "disk": "ssd"}, "max_concurrent_executions": 4}`, pythonOf("3.12.1"), python("3.9.2", "/opt/python/bin/python3"), node)
	worker(metadata.Worker, "build-2", `{"labels": {"zone": "a"}, "max_concurrent_executions": 4}`, pythonOf("3.11.4"))
	worker(metadata.Worker, "build-3", `{"labels": {"zone": "b"}, "max_concurrent_executions": 4}`, pythonOf("3.13.0-rc1"))
	cordoned := worker(metadata.Worker, "build-4", `{"labels": {"zone": "a"}}`, pythonOf("3.12.4"), node)
	if _, err := stored(db).Workers.Cordon(t.Context(), "the disk is failing", cordoned); err != nil {
		t.Fatal(err)
	}
	worker(metadata.Worker, "build-5", `{"labels": {"zone": "b"}}`, pythonOf("3.9.2"))
	silence(t, db, "build-5", 125)
	tainted := worker(metadata.Worker, "gpu-1", `{"labels": {"zone": "a"}, "taints": [{"key": "gpu", "value": "a100", "effect": "no_schedule"}]}`, pythonOf("3.13.2"))
	taint := request.Taint{Key: "slow", Effect: request.PreferNoSchedule}
	if _, err := stored(db).Workers.Taint(t.Context(), taint, tainted); err != nil {
		t.Fatal(err)
	}
	reports.Register(t, db, metadata.Sensor, "eye-1", &capability.Document{
		Detected:   []capability.Installation{pythonOf("3.11.4")},
		Undetected: []capability.Absence{{Ref: "core.nodejs", Name: "node", Outcome: capability.Timeout, Detail: "no answer within 10s"}},
	})
	pageActions(t, db)
}

func pageActions(t *testing.T, db *testdb.DB) {
	t.Helper()
	runtime := func(ref string) int64 {
		row, err := stored(db).Runtimes.ByRef(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		return row.ID
	}
	etl := fixtures.Pack(t.Context(), t, db, fixtures.PackOpts{Ref: new("etl")})
	for _, a := range []struct{ ref, runtime, constraint, selector, tolerations string }{
		{"etl.load", "core.python", ">=3.11,<4", `{"zone": "a"}`, "[]"},
		{"etl.train", "core.python", ">=3.13", "{}", `[{"key": "gpu", "operator": "exists"}]`},
		{"etl.report", "core.nodejs", "^20", "{}", "[]"},
		{"etl.render", "core.deno", "", "{}", "[]"},
	} {
		row := fixtures.Action(t.Context(), t, db, fixtures.ActionOpts{Ref: &a.ref, Pack: etl})
		exec(t, db, "UPDATE action SET runtime = ?, runtime_version_constraint = nullif(?, ''), worker_selector = ?, worker_tolerations = ? WHERE id = ?",
			runtime(a.runtime), a.constraint, a.selector, a.tolerations, row.ID)
	}
	watch, err := stored(db).Runtimes.ByRef(t.Context(), "core.python")
	if err != nil {
		t.Fatal(err)
	}
	fixtures.Sensor(t.Context(), t, db, fixtures.SensorOpts{Ref: new("etl.watch"), Pack: etl, Runtime: watch})
}

// TestPlacementPage runs the commands of docs/placement.md and the README about a small fleet. The
// answers are those of the pages.
func TestPlacementPage(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		pageFleet(t, db)
		for page, least := range map[string]int{placementPage: 10, readmePage: 1} {
			before, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			commands := 0
			block := regexp.MustCompile("(?s)```console\n\\$ attune (place.*?)\n(.*?)```\n")
			after := block.ReplaceAllStringFunc(string(before), func(text string) string {
				m := block.FindStringSubmatch(text)
				commands++
				got := run(t, shellWords(m[1])...)
				if got.status != 0 && got.status != 3 {
					t.Errorf("%s: status %d", m[1], got.status)
				}
				return "```console\n$ attune " + m[1] + "\n" + got.out + "```\n"
			})
			if diff := gocmp.Diff(strings.Split(string(before), "\n"), strings.Split(after, "\n")); diff != "" && !*updatePages {
				t.Errorf("%s (-page +command):\n%s", filepath.Base(page), diff)
			}
			if *updatePages {
				if err := os.WriteFile(page, []byte(after), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if commands < least {
				t.Errorf("%s has %d commands, want at least %d", filepath.Base(page), commands, least)
			}
		}
	})
}
