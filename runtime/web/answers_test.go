package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// subjects adds actions and a sensor to a fleet: one that fits, one that fits nowhere, one that is wrong.
func subjects(t *testing.T, db *testdb.DB) {
	t.Helper()
	runtime, err := store.New(db, store.Config{Schema: db.Schema}).Runtimes.ByRef(t.Context(), "core.python")
	if err != nil {
		t.Fatal(err)
	}
	pack := fixtures.Pack(t.Context(), t, db, fixtures.PackOpts{Ref: new("etl")})
	for ref, constraint := range map[string]string{"etl.load": ">=3.11", "etl.new": ">=3.14"} {
		fixtures.Action(t.Context(), t, db, fixtures.ActionOpts{Ref: &ref, Pack: pack, Runtime: runtime, RuntimeVersionConstraint: &constraint})
	}
	wrong := fixtures.Action(t.Context(), t, db, fixtures.ActionOpts{Ref: new("etl.wrong"), Pack: pack, Runtime: runtime})
	if _, err := db.ExecContext(t.Context(), "UPDATE action SET required_worker_runtimes = ? WHERE id = ?", `{"pyton": "*"}`, wrong.ID); err != nil {
		t.Fatal(err)
	}
	fixtures.Sensor(t.Context(), t, db, fixtures.SensorOpts{Ref: new("etl.watch"), Pack: pack, Runtime: runtime})
}

// leads checks that a page has a link with a text to an address.
func (a *answer) leads(t *testing.T, text, to string) {
	t.Helper()
	for _, e := range elements(a.doc, "a") {
		if textOf(e) == text && attribute(e, "href") == to {
			return
		}
	}
	t.Errorf("%s: no link %q leads to %s in\n%s", a.Request.URL, text, to, a.text)
}

// TestWhyNotPage asks requirements as they are written for the command line.
func TestWhyNotPage(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		subjects(t, db)
		s := start(t, db)
		s.get("why-not").has(t, "Which hosts can do a piece of work", "attune place")
		got := s.get("why-not?q=" + url.QueryEscape("python@>=3.12"))
		got.has(t, "1 of 3 hosts fits", "web-1", "3.12.1", "python is a pre-release, wanted >=3.12", "python could not be determined",
			"attune place 'python@>=3.12'", `--json '{"runtimes":{"python":">=3.12"}}' "$ATTUNE_SERVER/v1/place?limit=20"`)
		got.leads(t, "3.12.1", "./hosts/1?runtime=core.python#evidence")
		got.leads(t, "eye", "./hosts/3?runtime=core.python#evidence")
		got = s.get("why-not?q=" + url.QueryEscape("attune place 'python@>=3.14' --select zone=a --role=worker --slots 1"))
		got.has(t, "0 of 3 hosts fit", "its role is not worker", "What would help", "wanted zone=a")
		for _, c := range []struct{ line, fault string }{
			{"pyton", "did you mean"}, {"python@oops", "oops"}, {"--select", "needs a value"}, {"--slots 0", "at least 1"},
			{"--zone a", "unknown flag"}, {"--action etl.new --slots 2", "--action or --sensor alone"}, {"--verified=yes", "has no value"}, {"--role king", "king"},
		} {
			got := s.do(http.MethodGet, "why-not?q="+url.QueryEscape(c.line), nil)
			if got.StatusCode != http.StatusBadRequest || byID(got.doc, "faults") == nil || !strings.Contains(textOf(byID(got.doc, "faults")), c.fault) {
				t.Errorf("%s: %d, want a fault with %q\n%s", c.line, got.StatusCode, c.fault, got.text)
			}
		}
		got = s.get("why-not?action=etl.new")
		got.has(t, "The requirement of the action etl.new", "0 of 3 hosts fit", "attune place --action etl.new")
		if q := attribute(byID(got.doc, "q"), "value"); q != "'core.python@>=3.14'" && q != "'core.python@>=3.14' --role worker" {
			t.Errorf("the line has %q", q)
		}
		for _, pasted := range []string{"attune place --action etl.new", "--action=etl.new", "go run ./cmd/attune place --action etl.new"} {
			s.get("why-not?q="+url.QueryEscape(pasted)).has(t, "The requirement of the action etl.new", "attune place --action etl.new")
		}
		for _, pasted := range []string{"attunectl place python@>=3.14", "go run ./cmd/attune place 'python@>=3.14'", "/usr/bin/attune place python@>=3.14"} {
			s.get("why-not?q="+url.QueryEscape(pasted)).has(t, "0 of 3 hosts fit", "attune place 'python@>=3.14'", `{"runtimes":{"python":">=3.14"}}`)
		}
		got = s.do(http.MethodGet, "why-not?action=etl.wrong", nil)
		if got.has(t, "pyton"); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%d for a wrong requirement", got.StatusCode)
		}
		if got := s.do(http.MethodGet, "why-not?sensor=etl.nothing", nil); got.StatusCode != http.StatusNotFound {
			t.Errorf("%d for no sensor", got.StatusCode)
		}
		// A link of another site asks, and changes nothing.
		got = s.do(http.MethodGet, "why-not?q=python", nil, "Sec-Fetch-Site", "cross-site")
		if got.has(t, "hosts fit"); got.StatusCode != http.StatusOK {
			t.Errorf("%d by a link of another site", got.StatusCode)
		}
	})
}

// TestRuntimesPage shows definitions, and the versions with their hosts.
func TestRuntimesPage(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		reports.Register(t, db, metadata.Worker, "declared", &capability.Document{Detected: []capability.Installation{
			{Name: "fortran", Outcome: capability.Available, Source: capability.Declared},
		}})
		s := start(t, db)
		list := s.get("runtimes")
		list.has(t, "core.python", "python3 --version", "2 of 4", "every host has it", "attune runtimes list")
		list.leads(t, "python", "./runtimes/core.python")
		s.get("runtimes?pack=acme").has(t, "No runtime of the pack is defined")
		one := s.get("runtimes/core.python")
		one.has(t, "3.13.0-rc1", "pre-release", "3.12.1", "3.11.7", `"ref": "core.python"`, "attune runtimes show core.python")
		one.leads(t, "1", "../?prereleases=1&q=has%3Acore.python%403.13.0-rc1")
		for _, e := range elements(one.doc, "a") { // each number is the number of hosts that its link shows
			if attribute(e, "data-item") == "" && attribute(e, "aria-label") != "" {
				to := strings.TrimPrefix(attribute(e, "href"), "../")
				if got := s.get(to); !strings.Contains(textOf(byID(got.doc, "counts")), textOf(e)+" match") {
					t.Errorf("%s shows %s, want %s", to, textOf(byID(got.doc, "counts")), textOf(e))
				}
			}
		}
		s.get("runtimes/core.lua").has(t, "No host has it")
		if got := s.do(http.MethodGet, "runtimes/acme.nothing", nil); got.StatusCode != http.StatusNotFound {
			t.Errorf("%d for no runtime", got.StatusCode)
		}
	})
}

// TestActionsPage lists what fits nowhere first.
func TestActionsPage(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db)
		s.get("actions").has(t, "The database has no actions")
		subjects(t, db)
		got := s.get("actions")
		got.has(t, "How many of 3 hosts fit", "attune place --all --kind action", "core.python@>=3.14", "pyton")
		got.leads(t, "etl.new", "./why-not?action=etl.new")
		text := textOf(got.doc)
		if n, w, l := strings.Index(text, "etl.new"), strings.Index(text, "etl.wrong"), strings.Index(text, "1 etl.load"); n < 0 || w < 0 || l < n || l < w {
			t.Errorf("what fits nowhere does not come first in\n%s", text)
		}
		sensors := s.get("actions?kind=sensor&pack=etl")
		sensors.has(t, "etl.watch", "attune place --all --kind sensor --pack etl")
		sensors.leads(t, "etl.watch", "./why-not?sensor=etl.watch")
		s.get("actions?pack=nothing").has(t, "The pack has no action")
	})
}

// TestStatusPage shows the server, the fleet and definitions that no host can read.
func TestStatusPage(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db)
		got := s.get("status")
		got.has(t, "attune's own", "3 active", "curl")
		if strings.Contains(textOf(got.doc), "Malformed") || attribute(elements(got.doc, "body")[0], "data-live") == "" {
			t.Errorf("%s", got.text)
		}
		if _, err := db.ExecContext(t.Context(), "UPDATE runtime SET distributions = ? WHERE ref = 'core.ruby'", `{"verification": {"commands": [{"binary": "ruby", "pattern": "("}]}}`); err != nil {
			t.Skipf("the guards refuse it: %v", err)
		}
		s.get("status").has(t, "1 of them malformed", "core.ruby", "attune packs validate")
	})
}

// TestHostileAnswers puts a script into what a pack's author and a reader write. On these pages it is text.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	reports.Register(t, db, metadata.Worker, mark("name"), &capability.Document{
		Detected: []capability.Installation{reports.Python("3.12.1", mark("/path")), {
			Name: "odd" + "<script>alert(1)</script>", Outcome: capability.Available, Source: capability.Declared,
		}}, Extra: labels("zone", "c"),
	})
	subjects(t, db)
	for _, statement := range []string{
		"UPDATE worker_runtime SET version = ? WHERE path LIKE '/path%'", "UPDATE runtime SET name = ? WHERE ref = 'core.ruby'",
		"UPDATE action SET ref = ? WHERE ref = 'etl.new'",
	} {
		value := mark(map[byte]string{'w': "version", 'r': "title", 'a': "action"}[statement[len("UPDATE ")]])
		if _, err := db.ExecContext(t.Context(), statement, value); err != nil {
			t.Fatal(err)
		}
	}
	malformed, err := json.Marshal(map[string]any{"verification": map[string]any{"commands": []any{map[string]any{"binary": mark("lua"), "pattern": "(" + mark("fault")}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE runtime SET distributions = ? WHERE ref = 'core.lua'", string(malformed)); err != nil {
		t.Fatal(err)
	}
	s := start(t, db)
	q := url.QueryEscape(mark("query"))
	for path, places := range map[string][]string{
		"why-not?q=python": {"name", "/path"},
		"why-not?q=" + q:   {"query"},
		"why-not?q=" + url.QueryEscape("python --select 'a="+"<script>'"): nil,
		"why-not?action=" + q:                               nil,
		"why-not?action=" + url.QueryEscape(mark("action")): {"action"},
		"runtimes?pack=" + q:                                {"query"},
		"runtimes/core.ruby":                                nil,
		"runtimes/core.python":                              {"version"},
		"runtimes/" + q:                                     nil,
		"actions":                                           {"action"},
		"actions?pack=" + q + "&kind=" + q:                  {"query"},
		"status":                                            nil,
		"status?x=" + q:                                     nil,
	} {
		got := s.do(http.MethodGet, path, nil)
		if got.doc == nil {
			t.Errorf("%s: %d %s", path, got.StatusCode, got.text)
			continue
		}
		checkInert(t, got)
		values := valuesOf(got.doc)
		for _, place := range places {
			if !strings.Contains(values, mark(place)) {
				t.Errorf("GET %s does not show the %s in\n%s", path, place, values)
			}
		}
	}
	if values := valuesOf(s.get("runtimes/core.ruby").doc); !strings.Contains(values, strings.ReplaceAll(mark("title"), `"`, `\"`)) {
		t.Errorf("the definition does not show the title in\n%s", values)
	}
	s.scope = ""
	for _, path := range []string{"why-not?q=python", "runtimes", "runtimes/core.python", "actions", "status"} {
		if got := s.do(http.MethodGet, path, nil); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d without a principal", path, got.StatusCode)
		}
	}
	s.scope = api.Read
	for _, path := range []string{"why-not?q=python", "runtimes", "runtimes/core.python", "actions", "status"} {
		s.get(path)
	}
}
