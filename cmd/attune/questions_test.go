package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

func TestWorkersCountedAndSorted(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		for _, name := range []string{"build-10", "Build-2", "build-1"} {
			reports.Register(t, db, metadata.Worker, name, &capability.Document{Detected: []capability.Installation{python("3.9.2", "/usr/bin/python3")}})
		}
		const old = "old\x1b[31m"
		for _, c := range []struct {
			args []string
			want []string
		}{
			{nil, []string{"build-1", "Build-2", "build-10", "declared", "ended", "eye", "lost", old, "web-1", "web-2"}},
			{[]string{"--sort", "status", "--limit", "2"}, []string{"lost", "build-1"}},
			{[]string{"--sort", "heartbeat", "--limit", "2"}, []string{"lost", "ended"}},
			{[]string{"--sort", "id", "--limit", "1"}, []string{"web-1"}},
			{[]string{"--sort", "version", "--has", "python"}, []string{"declared", "lost", "build-1", "Build-2", "build-10", "web-1", "web-2"}},
			{[]string{"--sort", "version", "--lacks", "python@>=3.12"}, []string{"declared", "ended", "eye", old, "lost", "build-1", "Build-2", "build-10", "web-2"}},
			{[]string{"silent:1m"}, []string{"ended", "lost"}},
			{[]string{"--silent", "1d"}, []string{}},
		} {
			if diff := gocmp.Diff(c.want, listed(t, c.args...)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.args, diff)
			}
		}
		want(t, run(t, "workers", "list"), 0, "\n10 workers: 8 active, 1 stale, 1 inactive\n")
		want(t, run(t, "workers", "list", "--limit", "3"), 0, "\n10 workers: 8 active, 1 stale, 1 inactive; 3 shown\n")
		want(t, run(t, "workers", "list", "lost"), 0, "\n1 worker: 1 stale\n")
		for _, command := range [][]string{{"list"}, {"refresh", "--dry-run"}} {
			got := run(t, append([]string{"workers"}, append(command, "web-1", "web-3", "web-*")...)...)
			if got.status != 0 || got.errOut != "note: no worker \"web-3\", did you mean web-1?\n" {
				t.Errorf("%q: status %d, and on standard error\n%s", command, got.status, got.errOut)
			}
		}
		want(t, run(t, "runtimes", "show", "python"), 0, "(worker), build-10 (worker), declared (worker), lost (worker, stale), web-1 (worker), web-2 (worker)\n")
		want(t, run(t, "workers", "list", "--sort", "version"), 2, "--sort version needs --has or --lacks")
		want(t, run(t, "workers", "list", "--sort", "colour"), 2, "--sort", "colour")
		want(t, run(t, "runtimes", "list"), 0, "\n20 runtimes\n")
		want(t, run(t, "runtimes", "list", "--limit", "2"), 0, "\n20 runtimes; 2 shown\n")
		want(t, run(t, "packs", "list"), 0, "\n1 pack, 20 runtimes\n")
	})
}

// TestPrereleasesAreSaidToBeLeftOut, where one would have fitted and nowhere else.
func TestPrereleasesAreSaidToBeLeftOut(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		const note = "note: 1 more worker has only a pre-release that fits; --prereleases lists it"
		for _, args := range [][]string{
			{"list", "--has", "python@>=3.12"}, {"list", "--has", "python@>=3.12", "--json"}, {"list", "has:python@>=3.13"},
			{"list", "--has", "python@>=3.12", "--limit", "1"}, {"refresh", "has:python@>=3.12", "--dry-run"},
		} {
			if got := run(t, append([]string{"workers"}, args...)...); got.status != 0 || strings.Count(got.errOut, note) != 1 {
				t.Errorf("%q: status %d, and on standard error\n%s", args, got.status, got.errOut)
			}
		}
		for _, args := range [][]string{
			{"--has", "python"}, {"--has", "python@>=3.12", "--prereleases"}, {"--has", "python@>=3.13.0-rc1"}, {"--has", "python@2"},
			{"--has", "python@>=3.12", "--label", "zone=a"}, {"--lacks", "python@>=3.12"},
		} {
			if got := run(t, append([]string{"workers", "list"}, args...)...); got.status != 0 || got.errOut != "" {
				t.Errorf("%q: status %d, and on standard error\n%s", args, got.status, got.errOut)
			}
		}
	})
}

// TestConstraintWithoutAt: who leaves out the @ is told so, unless a runtime is
// called like that.
func TestConstraintWithoutAt(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	for text, hint := range map[string]string{
		"python>=3.12": "'python@>=3.12'", "python >= 3.12": "'python@>=3.12'", "python=3.12": "'python@3.12'", "python==3.12": "'python@3.12'",
		"core.python~3.12": "'core.python@~3.12'", "python 3.12": "'python@3.12'", "python:3.12": "'python@3.12'", "python<": "'python@>=3.12'",
	} {
		want(t, run(t, "workers", "list", "--has", text), 2, "an @ stands between a runtime and its versions: "+hint)
		want(t, run(t, "workers", "list", "lacks:"+text), 2, hint)
		want(t, run(t, "explain", "web-1", text), 2, hint)
	}
	want(t, run(t, "workers", "list", "--has", "python3.13"), 1, "no runtime")
	want(t, run(t, "workers", "list", "--has", "python@"), 2, "a shell redirects at > and < outside of quotes: write 'python@>=3.12'")
	want(t, run(t, "explain", "python", "web-1"), 2, "\"web-1\" is the worker, and stands first: `attune explain web-1 python`")
	exec(t, db, `UPDATE runtime SET aliases = '["go", "go>=1"]' WHERE ref = 'core.go'`)
	want(t, run(t, "workers", "list", "--has", "go>=1"), 0, "no workers that fit")
}

// TestRuntimeAsAWorkersName checks that a requirement in the place of a worker gets the
// hint to use --has, unless a worker fits it.
func TestRuntimeAsAWorkersName(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	for _, text := range []string{"python@>=3.12", "python@3.*", "python>=3.12"} {
		hint := "--has '" + strings.Replace(text, "python>", "python@>", 1) + "'"
		want(t, run(t, "workers", "list", text), 0, "no workers that fit", hint)
		want(t, run(t, "workers", "show", text), 1, hint)
		want(t, run(t, "workers", "delete", text), 1, hint)
	}
	exec(t, db, "UPDATE worker SET name = 'python@3.1', identity = NULL WHERE name = 'web-1'")
	if got := run(t, "workers", "list", "python@3.*", "eye"); got.status != 0 || got.errOut != "" {
		t.Errorf("status %d, and on standard error\n%s", got.status, got.errOut)
	}
}

func TestWorkersDiff(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		same := capability.Installation{Ref: "core.go", Name: "go", Version: "1.26.0", Path: "/usr/bin/go", Outcome: capability.Available, Source: capability.Verified}
		moved := same
		moved.Ref, moved.Name, moved.Path = "core.perl", "perl", "/usr/bin/perl"
		local := moved
		local.Path = "/usr/local/bin/perl\x1b"
		labels := func(text string) map[string]json.RawMessage {
			return map[string]json.RawMessage{"labels": json.RawMessage(text)}
		}
		reports.Register(t, db, metadata.Worker, "a-1", &capability.Document{
			Detected: []capability.Installation{same, moved, python("3.12.1", "/usr/bin/python3"), python("3.11.7", "/opt/python3")}, Extra: labels(`{"zone": "a", "disk": "ssd"}`),
			Undetected: []capability.Absence{{Ref: "core.ruby", Name: "ruby", Outcome: capability.NotFound}, {Ref: "core.lua", Name: "lua", Outcome: capability.NotFound}},
		})
		reports.Register(t, db, metadata.Worker, "a-2", &capability.Document{
			Detected: []capability.Installation{same, local, python("3.12.1", "/usr/bin/python3"), {Name: "fortran", Outcome: capability.Available, Source: capability.Declared}}, Extra: labels(`{"zone": "b", "disk": "ssd"}`),
			Undetected: []capability.Absence{{Ref: "core.ruby", Name: "ruby", Outcome: capability.Timeout}, {Ref: "core.lua", Name: "lua", Outcome: capability.NotFound}},
		})
		got := run(t, "workers", "diff", "a-1", "h-a-2", "--exit-code", "--json")
		var d answer.Difference
		if err := json.Unmarshal([]byte(got.out), &d); err != nil || got.status != 3 {
			t.Fatalf("--json: status %d, %v in\n%s%s", got.status, err, got.out, got.errOut)
		}
		installed := func(list ...string) (all []answer.InstalledVersion) {
			for i := 0; i < len(list); i += 2 {
				all = append(all, answer.InstalledVersion{Version: list[i], Path: list[i+1]})
			}
			return all
		}
		available := func(list ...string) answer.Holding {
			return answer.Holding{Outcome: "available", Installations: installed(list...)}
		}
		outcome := func(text string) answer.Holding {
			return answer.Holding{Outcome: text, Installations: []answer.InstalledVersion{}}
		}
		wanted := []answer.RuntimeDifference{
			{Name: "fortran", Kind: answer.OnlyB, A: outcome(answer.NotAsked), B: available("", "")},
			{Ref: "core.python", Name: "python", Kind: answer.DifferentVersions, A: available("3.12.1", "/usr/bin/python3", "3.11.7", "/opt/python3"), B: available("3.12.1", "/usr/bin/python3")},
			{Ref: "core.perl", Name: "perl", Kind: answer.DifferentPaths, A: available("1.26.0", "/usr/bin/perl"), B: available("1.26.0", "/usr/local/bin/perl\x1b")},
			{Ref: "core.ruby", Name: "ruby", Kind: answer.DifferentOutcomes, A: outcome("not_found"), B: outcome("timeout")},
		}
		if diff := gocmp.Diff(wanted, d.Runtimes); diff != "" {
			t.Errorf("runtimes (-want +got):\n%s", diff)
		}
		if diff := gocmp.Diff([]string{"go"}, d.Same); diff != "" || d.A.Name != "a-1" || d.B.Name != "a-2" {
			t.Errorf("same (-want +got):\n%s, of %+v and %+v", diff, d.A, d.B)
		}
		if len(d.Facts) != 1 || d.Facts[0].Key != "labels.zone" || string(d.Facts[0].A) != `"a"` {
			t.Errorf("facts: %+v", d.Facts)
		}
		want(t, run(t, "workers", "diff", "a-1", "a-2"), 0, "RUNTIME  a-1", "3.12.1, 3.11.7", "not asked", "unknown version", "1.26.0 /usr/bin/perl",
			`/usr/local/bin/perl\x1b`, "labels.zone", "the same on both: go\n")
		want(t, run(t, "workers", "diff", "a-1", "a-1", "--exit-code"), 0, "do not differ")
		want(t, run(t, "workers", "diff", fmt.Sprintf("id:%d", d.A.ID), "host:h-a-2", "--exit-code"), 3, "labels.zone")
		want(t, run(t, "workers", "diff", "id:a-1", "name:a-2"), 2, `id: must be a number, got "a-1"`)
		want(t, run(t, "workers", "show", fmt.Sprintf("id:%d", d.A.ID)), 0, "worker       a-1")
		want(t, run(t, "workers", "diff", "a-1", "lost"), 0, "lost is stale")
		want(t, run(t, "workers", "diff", "a-1", "old*"), 0, "not asked")
		want(t, run(t, "workers", "diff", "a-1"), 2, `expected "<other>"`)
		want(t, run(t, "workers", "diff", "a-1", "a-3"), 1, "did you mean a-")
		want(t, run(t, "workers", "diff", "a-1", "a-*"), 2, "matches several workers: worker a-1 (id ", "use --role, or an id")
		reports.Register(t, db, metadata.Sensor, "a-1", &capability.Document{})
		want(t, run(t, "workers", "diff", "a-1", "a-2"), 2, "sensor a-1")
		want(t, run(t, "workers", "diff", "a-1", "a-2", "--role", "worker"), 0, "labels.zone")
		want(t, run(t, "workers", "diff", "a-1", "a-2", "--role", "boss"), 2, "worker or sensor")
	})
}

func TestHistoryOfAllAndSince(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		past := "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-7200 seconds')"
		if strings.HasPrefix(db.URL, "postgres") {
			past = "CURRENT_TIMESTAMP - interval '2 hours'"
		}
		exec(t, db, "UPDATE capability_change SET created = "+past+" WHERE worker_name IN ('web-1', 'lost')")
		names := func(args ...string) (list []string) {
			t.Helper()
			got := run(t, append([]string{"workers", "history", "--json"}, args...)...)
			var changes []answer.Change
			if err := json.Unmarshal([]byte(got.out), &changes); err != nil || got.status != 0 {
				t.Fatalf("%q: %v\n%s%s", args, err, got.out, got.errOut)
			}
			for _, c := range changes {
				list = append(list, c.Name+" "+c.Runtime)
			}
			return list
		}
		for _, c := range []struct {
			args []string
			want []string
		}{
			{nil, []string{"lost python", "declared python", "declared fortran", "web-2 python", "web-1 python", "web-1 python"}},
			{[]string{"--since", "1h"}, []string{"declared python", "declared fortran", "web-2 python"}},
			{[]string{"--since", "1d", "--runtime", "fortran"}, []string{"declared fortran"}},
			{[]string{"--since", "1h", "web-*"}, []string{"web-2 python"}},
			{[]string{"--limit", "1"}, []string{"lost python"}},
			{[]string{"--role", "sensor"}, nil},
		} {
			if diff := gocmp.Diff(c.want, names(c.args...)); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.args, diff)
			}
		}
		want(t, run(t, "workers", "history"), 0, "\n6 changes: 6 gained\n")
		want(t, run(t, "workers", "history", "--since", "1h", "web-1"), 0, "no changes that fit\n")
		for _, time := range []string{"soon", "99999999h", "100000d", "99999d1h", "1d-1h"} {
			want(t, run(t, "workers", "history", "--since", time), 2, fmt.Sprintf("must be a time such as 10s, 1h30m or 7d, of at most 99999d, got %q", time))
		}
		want(t, run(t, "workers", "history", "--since", "99999d"), 0, "declared")
		want(t, run(t, "workers", "history", "--since=-1h"), 2, "--since must be greater than 0, got -1h0m0s")
		want(t, run(t, "workers", "history", "--since", "0"), 2, "--since must be greater than 0, got 0s")
		want(t, run(t, "workers", "history", "--runtime", "python@>=3.12"), 2, "without versions")
		want(t, run(t, "workers", "history", "web-3"), 1, `attune: no worker "web-3" in `) // said once
		want(t, run(t, "workers", "history", "-f", "--since", "1h"), 2, "--after sets where to begin")
	})
}

// TestHistoryFitsANarrowTerminal: no line is wider, no word is broken, and nothing
// is cut out.
func TestHistoryFitsANarrowTerminal(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 10, 0, 0, 0, time.UTC)
	changes := []answer.Change{
		{ID: 12345, At: at, Name: "build-host-12", Role: "worker", Runtime: "python", Kind: schema.VersionChanged, OldVersion: new("3.12.1"), NewVersion: new("3.12.4"), Detail: new("/usr/bin/python3")},
		{ID: 12344, At: at, Name: "eye", Role: "sensor", Runtime: "node", Kind: schema.CapabilityLost, OldVersion: new("20.20.2"), Detail: new("not found any more; it was at /opt/node-20/bin/node")},
		{ID: 12343, At: at, Name: "eye", Role: "sensor", Runtime: "native", Kind: schema.CapabilityGained},
	}
	for _, width := range []int{120, 100, 80, 72, 60, 50, 40} {
		var out bytes.Buffer
		table, terminal := newChangesTable(), &cli.Terminal{Writer: &out, Person: true, Width: width}
		table.print(terminal, changes)
		table.total(terminal)
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("on %d columns a line has %d: %q", width, n, line)
			}
		}
		if strings.Contains(out.String(), "\n    -\n") {
			t.Errorf("on %d columns what is missing has a line:\n%s", width, out.String())
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		for _, part := range []string{"build-host-12", "3.12.1 -> 3.12.4", "not found any more; it was at /opt/node-20/bin/node", "version_changed"} {
			if !strings.Contains(words, part) {
				t.Errorf("on %d columns %q is cut:\n%s", width, part, out.String())
			}
		}
	}
}

// readme is read before tests leave their folder.
var readme, _ = os.ReadFile("../../README.md")

// TestReadmeRoutes: by the query that the README routes by, a worker that is gone gets
// no work.
func TestReadmeRoutes(t *testing.T) {
	t.Parallel()
	queries := regexp.MustCompile("`(SELECT [^`]*available_runtime[^`]*)`").FindAllSubmatch(readme, -1)
	if len(queries) != 1 {
		t.Fatalf("%d queries of available_runtime in the README, want 1", len(queries))
	}
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		var names []string
		if err := db.NewRaw(strings.ReplaceAll(string(queries[0][1]), "\n", " ")).Scan(t.Context(), &names); err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		if diff := gocmp.Diff([]string{"declared", "web-1", "web-2"}, names); diff != "" {
			t.Errorf("routed to (-want +got):\n%s", diff)
		}
	})
}

// TestRaisingAMinimum checks the command in docs/operating.md that shows the effect of another
// min_version: what it lists for pre-releases and declared workers.
func TestRaisingAMinimum(t *testing.T) {
	t.Parallel()
	const command = "attune workers list --has python --lacks 'python@>=3.12.0'"
	if !bytes.Contains(operating, []byte("`"+command+" --prereleases`")) {
		t.Fatalf("docs/operating.md does not have %q", command)
	}
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		reports.Register(t, db, metadata.Worker, "early", &capability.Document{Detected: []capability.Installation{python("3.12.0-rc1", "/usr/bin/python3")}})
		args := []string{"--has", "python", "--lacks", "python@>=3.12"}
		if diff := gocmp.Diff([]string{"declared", "early", "lost", "web-2"}, listed(t, args...)); diff != "" {
			t.Errorf("without --prereleases (-want +got):\n%s", diff)
		}
		args = []string{"--has", "python", "--lacks", "python@>=3.12.0", "--prereleases"}
		if diff := gocmp.Diff([]string{"declared", "early", "lost"}, listed(t, args...)); diff != "" {
			t.Errorf("with --prereleases (-want +got):\n%s", diff)
		}
		want(t, run(t, append([]string{"workers", "list"}, args...)...), 0, "unknown version (declared)")
	})
}

// operating is read before tests leave their folder.
var operating, _ = os.ReadFile("../../docs/operating.md")

// TestDocumentsAreDescribed: each key of an answer in JSON stands in the line of its
// command in docs/operating.md.
func TestDocumentsAreDescribed(t *testing.T) {
	t.Parallel()
	_, described, _ := bytes.Cut(operating, []byte("\n## JSON\n"))
	for command, document := range map[string]any{
		"workers list": []answer.WorkerItem{}, "workers show": []answer.WorkerRow{}, "workers history": []answer.Change{}, "workers diff": answer.Difference{},
		"workers groups": answer.MatrixGroups{},
		"workers delete": answer.WorkersDeletion{}, "runtimes delete": answer.RuntimeDeletion{}, "packs unload": install.UnloadReport{},
		"config": []config.Setting{}, "place": placement.Answer{}, "place --all": answer.SubjectCounts{}, "place --if": answer.Consequences{},
	} {
		row := regexp.MustCompile("(?m)^\\| `" + command + "` \\|.*$").Find(described)
		if row == nil {
			t.Errorf("docs/operating.md does not describe the JSON of %s", command)
			continue
		}
		text := string(row) + string(regexp.MustCompile("(?s)\n`references` is a list.*").Find(described))
		for _, key := range keysOf(reflect.TypeOf(document)) {
			if !strings.Contains(text, "`"+key+"`") {
				t.Errorf("docs/operating.md does not say %q of %s", key, command)
			}
		}
	}
}

// keysOf returns the JSON keys of a type and of the types that it holds.
func keysOf(of reflect.Type) (keys []string) {
	for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of == reflect.TypeFor[time.Time]() {
		return nil
	}
	for i := range of.NumField() {
		f := of.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "-" {
			continue
		}
		if key != "" {
			keys = append(keys, key)
		}
		keys = append(keys, keysOf(f.Type)...)
	}
	return keys
}
