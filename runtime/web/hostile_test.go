package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// hostile ends every context that a page could put it into.
const hostile = `"'></td></script><script>alert(1)</script><img src=x onerror=alert(1)>javascript:alert(1)`

// mark returns a hostile text that names its place.
func mark(place string) string { return place + hostile }

// TestHostileTextIsText puts a script into everything that a host or an operator writes. On every page it is text.
func TestHostileTextIsText(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	code := 1
	row := reports.Register(t, db, metadata.Worker, mark("name"), &capability.Document{
		Detected: []capability.Installation{{
			Ref: "core.python", Name: "python", Version: "3.12.1", VersionRaw: mark("raw"), Path: mark("/path"), RealPath: mark("/real"),
			Command: []string{"python3"}, Outcome: capability.Available, Source: capability.Verified, Warnings: []string{mark("warning")},
			Attempts: []capability.Attempt{{Command: []string{mark("command")}, Output: mark("output"), Outcome: capability.Available}},
		}},
		Undetected: []capability.Absence{{
			Ref: "core.ruby", Name: "ruby", Outcome: capability.ExitMismatch, Detail: mark("detail"), Hint: mark("hint"),
			Attempts: []capability.Attempt{{Command: []string{"ruby"}, ExitCode: &code, Output: mark("stdout"), Outcome: capability.ExitMismatch}},
		}},
		Extra: map[string]json.RawMessage{
			"labels": object(mark("label"), mark("value")),
			"taints": json.RawMessage(`[{"key": "k", "value": "v", "effect": "no_schedule"}]`),
		},
	})
	s := start(t, db)
	id := itoa(row.ID)
	for action, form := range map[string]url.Values{
		"cordon": {"reason": {mark("reason")}},
		"taint":  {"taint": {"gpu=<script>alert(1)</script>"}},
	} {
		if got := s.do(http.MethodPost, "hosts/"+id+"/"+action, form); got.StatusCode != http.StatusSeeOther && action == "cordon" {
			t.Fatalf("%s: %d %s", action, got.StatusCode, got.text)
		}
	}
	values := valuesOf(s.get("hosts/" + id + "?runtime=core.python").doc)
	for _, want := range []string{mark("warning"), mark("output"), strings.ReplaceAll(mark("command"), "'", `'\''`)} {
		if !strings.Contains(values, want) {
			t.Errorf("the evidence does not show %s", want)
		}
	}
	// No host can report such a version, but a platform's own rows may have one.
	for _, query := range []string{"UPDATE worker_runtime SET version = ? WHERE path LIKE '/path%'", "UPDATE capability_change SET new_version = ?"} {
		if _, err := db.ExecContext(t.Context(), query, mark("version")); err != nil {
			t.Fatal(err)
		}
	}
	q := url.QueryEscape(mark("query"))
	for path, places := range map[string][]string{
		"":                     {"name", "version", "label"},
		"why-not?q=python":     {"name"},
		"why-not?q=ruby":       {"name"},
		"runtimes/core.python": {"version"},
		"runtimes":             nil,
		"status":               nil,
		"actions":              nil,
		"why-not?q=" + url.QueryEscape("python --select "+shellWord(mark("label")+"=other")): {"name", "label"},
		"?by=" + url.QueryEscape("label:"+mark("label")):                                     {"value"},
		"?q=" + q:     nil,
		"?by=" + q:    nil,
		"?after=" + q: nil,
		"changes":     {"name", "version", "/path"},
		"changes?name=" + q + "&since=" + q + "&runtime=" + q: nil,
		"hosts/" + id:                          {"name", "version", "/path", "detail", "hint", "label", "value", "reason"},
		"hosts/" + id + "?runtime=core.python": {"name", "/path", "/real", "version"},
		"hosts/" + id + "?runtime=core.ruby":   {"stdout"},
		"hosts/" + id + "?runtime=" + q:        nil,
		"hosts/" + q:                           nil,
		q:                                      nil,
	} {
		got := s.do(http.MethodGet, path, nil)
		if got.doc == nil {
			t.Errorf("GET %s answers without a page", path)
			continue
		}
		checkInert(t, got)
		values := valuesOf(got.doc)
		for _, place := range places {
			if !strings.Contains(values, mark(place)) {
				t.Errorf("GET %s does not show the %s", path, place)
			}
		}
	}
	s.scope = api.Read
	if got := s.get("hosts/" + id + "?runtime=core.ruby"); strings.Contains(valuesOf(got.doc), "stdout") {
		t.Error("a reader without the scope operate sees evidence")
	}
}

// shellWord quotes a word for a shell, and for the lines of the page.
func shellWord(text string) string { return "'" + strings.ReplaceAll(text, "'", `'"'"'`) + "'" }

// valuesOf returns all texts and attributes of a document.
func valuesOf(n *html.Node) string {
	var all strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			all.WriteString(d.Data + "\n")
		}
		for _, a := range d.Attr {
			all.WriteString(a.Val + "\n")
		}
	}
	return all.String()
}

func object(key, value string) json.RawMessage {
	text, err := json.Marshal(map[string]string{key: value})
	if err != nil {
		panic(err)
	}
	return text
}

// TestForms cordons, taints and refreshes a host by the forms of its page.
func TestForms(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db)
	post := func(action string, form url.Values, words ...string) {
		t.Helper()
		got := s.do(http.MethodPost, "hosts/1/"+action, form)
		if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "../1" {
			t.Fatalf("%s: %d %q\n%s", action, got.StatusCode, got.Header.Get("Location"), got.text)
		}
		s.get("hosts/1").has(t, words...)
	}
	post("cordon", url.Values{"reason": {"kernel upgrade"}}, "New work cordoned", "kernel upgrade", "Uncordon")
	s.get("").has(t, "cordoned")
	post("taint", url.Values{"taint": {"gpu=a100:no_schedule"}}, "gpu=a100:no_schedule by an operator")
	post("untaint", url.Values{"key": {"gpu"}, "effect": {"no_schedule"}}, "Taints none")
	post("refresh", url.Values{}, "asked to verify everything anew")
	post("uncordon", url.Values{}, "New work not cordoned")
	for _, c := range []struct {
		action string
		form   url.Values
		status int
		word   string
	}{
		{"cordon", url.Values{"reason": {strings.Repeat("x", 70_000)}}, 400, "the form cannot be read"},
	} {
		got := s.do(http.MethodPost, "hosts/1/"+c.action, c.form)
		if got.StatusCode != c.status {
			t.Errorf("%s %.50v: %d, want %d", c.action, c.form, got.StatusCode, c.status)
		}
		got.has(t, c.word)
	}
	// A wrong taint leads back to the host, with what was written.
	for _, written := range []string{"=x", "", `="><script>`} {
		got := s.do(http.MethodPost, "hosts/1/taint", url.Values{"taint": {written}})
		to := got.Header.Get("Location")
		if got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "../1?taint=") {
			t.Fatalf("taint %q: %d %q", written, got.StatusCode, to)
		}
		page := s.do(http.MethodGet, "hosts/1"+strings.TrimSuffix(strings.TrimPrefix(to, "../1"), "#operate"), nil)
		if field := byID(page.doc, "taint"); page.StatusCode != http.StatusBadRequest || byID(page.doc, "faults") == nil || attribute(field, "value") != written {
			t.Errorf("taint %q: %d\n%s", written, page.StatusCode, page.text)
		}
		checkInert(t, page)
	}
	s.do(http.MethodPost, "hosts/1/cordon", url.Values{"reason": {strings.Repeat("x", 70_000)}}).leads(t, "Back to the host", "../../hosts/1")
	if got := s.do(http.MethodPost, "hosts/99/cordon", url.Values{}); got.StatusCode != http.StatusNotFound {
		t.Errorf("cordon nobody: %d", got.StatusCode)
	}
	n, err := db.NewSelect().TableExpr("attune_audit").Count(t.Context())
	if err != nil || n != 5 {
		t.Errorf("the audit has %d rows, want 5: %v", n, err)
	}
}

// TestFormsRefused sends forms that a browser sends for pages of others, and without the scope.
func TestFormsRefused(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db)
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://example.org"}, {"Origin", "null"},
	} {
		got := s.do(http.MethodPost, "hosts/1/cordon", url.Values{}, headers...)
		if got.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %d", headers, got.StatusCode)
		}
		got.has(t, "another origin")
	}
	if n := len(elements(s.get("hosts/1").doc, "button")); n < 3 {
		t.Errorf("with the scope operate there are %d buttons", n)
	}
	for _, scope := range []api.Scope{api.Read, ""} {
		s.scope = scope
		for _, a := range []string{"cordon", "uncordon", "taint", "untaint", "refresh"} {
			got := s.do(http.MethodPost, "hosts/1/"+a, url.Values{"taint": {"gpu"}, "key": {"gpu"}})
			if want := map[api.Scope]int{api.Read: 403, "": 401}[scope]; got.StatusCode != want {
				t.Errorf("%s with the scope %q: %d, want %d", a, scope, got.StatusCode, want)
			}
		}
	}
	s.scope = api.Read
	for _, form := range elements(s.get("hosts/1").doc, "form") {
		if attribute(form, "method") == "post" {
			t.Errorf("without the scope operate there is the form %s", attribute(form, "action"))
		}
	}
	s.scope = api.Operate
	s.get("hosts/1").has(t, "New work not cordoned")
}
