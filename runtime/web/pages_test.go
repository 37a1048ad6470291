package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// next returns the address of the next page, and the one of the first page. They are empty if the page has no such link.
func (a *answer) next() (next, first string) {
	for _, e := range elements(a.doc, "a") {
		switch {
		case attribute(e, "rel") == "next":
			next = attribute(e, "href")
		case textOf(e) == "First 100":
			first = attribute(e, "href")
		}
	}
	return next, first
}

// read reads a list page by page from an address without parameters, and returns the texts of its rows and the pages.
func (s *site) read(path, query string) (texts []string, pages []*answer) {
	s.t.Helper()
	for to := query; len(pages) < 10; {
		got := s.get(path + to)
		for _, e := range elements(got.doc, "a") {
			if slices.ContainsFunc(e.Attr, func(a html.Attribute) bool { return a.Key == "data-item" }) {
				texts = append(texts, textOf(e))
			}
		}
		next, first := got.next()
		if (first != "") != (len(pages) > 0) {
			s.t.Errorf("%s: page %d leads to the first page by %q", path, len(pages)+1, first)
		}
		if first != "" && s.get(path+first).text == got.text {
			s.t.Errorf("%s leads to itself as the first page", path+to)
		}
		if pages, to = append(pages, got), next; next == "" {
			break
		}
	}
	return texts, pages
}

// TestPages reads lists that are longer than a page to their ends: each row is on one page, in the order of the list.
func TestPages(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		pack := fixtures.Pack(t.Context(), t, db, fixtures.PackOpts{Ref: new("etl")})
		python := fixtures.Runtime(t.Context(), t, db, fixtures.RuntimeOpts{Ref: new("core.python"), Aliases: []string{"python"}})
		reports.Register(t, db, metadata.Worker, "web-1", &capability.Document{Detected: []capability.Installation{
			reports.Python("3.12.1", "/usr/bin/python3"),
		}})
		runtimes, none, some := []string{}, []string{}, []string{}
		for i := range 220 {
			name := fmt.Sprintf("r%03d", i)
			runtimes = append(runtimes, name)
			fixtures.Runtime(t.Context(), t, db, fixtures.RuntimeOpts{Ref: new("etl." + name), Name: &name, Pack: pack})
			ref, constraint := fmt.Sprintf("etl.a%03d", i), ">=3.11"
			if i%2 > 0 {
				constraint = ">=3.14"
				none = append(none, ref)
			} else {
				some = append(some, ref)
			}
			fixtures.Action(t.Context(), t, db, fixtures.ActionOpts{Ref: &ref, Pack: pack, Runtime: python, RuntimeVersionConstraint: &constraint})
		}
		s := start(t, db)

		got, pages := s.read("runtimes", "?pack=etl")
		if !slices.Equal(got, runtimes) || len(pages) != 3 {
			t.Errorf("%d pages have %d runtimes: %s", len(pages), len(got), got)
		}
		pages[1].has(t, "attune runtimes list --pack etl --after etl.r099 --limit 100")
		got, pages = s.read("actions", "?pack=etl")
		if !slices.Equal(got, append(none, some...)) || len(pages) != 3 {
			t.Errorf("%d pages have %d actions: %s", len(pages), len(got), got)
		}
		pages[2].has(t, "How many of 1 hosts fit", "attune place --all --kind action --pack etl")
		for _, page := range []string{"runtimes?after=x", "actions?after=x"} {
			if got := s.do("GET", page, nil); got.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d", page, got.StatusCode)
			}
		}
	})
}

// TestWordsLikeFlags are values in the commands of the page.
func TestWordsLikeFlags(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	s := start(t, db)
	fleet(t, db)
	pages := map[string]string{
		"runtimes?pack=--json":                     "attune runtimes list --pack=--json",
		"actions?pack=-x":                          "attune place --all --kind action --pack=-x",
		"actions?kind=sensor&pack=-x":              "attune place --all --kind sensor --pack=-x",
		"changes?name=-x&runtime=python&since=-1d": "attune workers history --runtime python --since=-1d -- -x",
		"changes?name=-x":                          "attune workers history --follow -- -x",
		"changes?name=-x&before=5":                 "attune workers history --before 5 --limit 100 -- -x",
	}
	for _, page := range slices.Sorted(maps.Keys(pages)) {
		if got := s.do("GET", page, nil); !strings.Contains(textOf(got.doc), pages[page]) {
			t.Errorf("%s does not have %s in\n%s", page, pages[page], textOf(got.doc))
		}
	}
}

// TestCountsLead to as many hosts as they count.
func TestCountsLead(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	s := start(t, db)
	fleet(t, db)
	for _, line := range []string{"", "has:python@>=3.13", "web-*", "rol:worker", "'web-2"} {
		got := s.do("GET", "?prereleases=1&by=label:zone&q="+url.QueryEscape(line), nil)
		links := elements(byID(got.doc, "counts"), "a")
		if len(links) == 0 {
			t.Errorf("no counts of %q in\n%s", line, got.text)
		}
		for _, e := range links {
			n, _, _ := strings.Cut(textOf(e), " ")
			to := s.get(attribute(e, "href"))
			if to.has(t, n+" match"); attribute(byID(to.doc, "q"), "value") == "" || !strings.Contains(to.text, `checked> pre-releases`) {
				t.Errorf("%s does not keep the filter", attribute(e, "href"))
			}
		}
	}
}

// TestIDs are unique, also if a label has the value "without": the script of a live page finds rows by them.
func TestIDs(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	s := start(t, db)
	fleet(t, db) // one of the hosts has no zone
	reports.Register(t, db, metadata.Worker, "web-3", &capability.Document{Extra: labels("zone", "without")})
	for _, page := range []string{"?by=label:zone", "hosts/1?runtime=core.python", "changes", "status", "why-not?q=python", "runtimes", "actions"} {
		seen := map[string]bool{}
		for _, e := range elements(s.get(page).doc, "") {
			id := attribute(e, "id")
			if seen[id] && id != "" {
				t.Errorf("%s has two elements %s", page, id)
			}
			seen[id] = true
		}
	}
}
