package web_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// TestAssetSizes checks that script and style have at most 20 KB together, and that they are served.
func TestAssetSizes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("static/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %v", files, err)
	}
	size := 0
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		size += int(info.Size())
	}
	if size > 20_000 {
		t.Errorf("script and style have %d bytes", size)
	}
	db := testdb.SQLite(t)
	s := start(t, db)
	page := s.get("")
	address := attribute(elements(page.doc, "script")[0], "src")
	got := s.do(http.MethodGet, strings.TrimPrefix(address, "./"), nil)
	text, err := os.ReadFile("static/page.js")
	if err != nil {
		t.Fatal(err)
	}
	if got.StatusCode != http.StatusOK || got.text != string(text) || !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("the script: %d, %d bytes, %v", got.StatusCode, len(got.text), got.Header)
	}
}

// TestLargeFleet checks the size of Fleet with 10,000 hosts.
func TestLargeFleet(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it fills a database with 10,000 workers")
	}
	db := testdb.Postgres(t)
	fixtures.Fleet(t, db, fixtures.FleetOpts{Workers: 10_000, Stale: 12})
	s := start(t, db)
	for _, path := range []string{"", "?q=has:core.runtime1@>=3.20+label:zone=z3", "?by=label:rack", "?runtimes=all"} {
		small := s.do(http.MethodGet, path, nil, "Accept-Encoding", "gzip")
		if small.StatusCode != http.StatusOK || small.Header.Get("Content-Encoding") != "gzip" || len(small.text) > 25_000 {
			t.Errorf("GET %q: %d, %d bytes compressed", path, small.StatusCode, len(small.text))
		}
		page := s.get(path)
		if n := len(elements(page.doc, "")); n > 5000 {
			t.Errorf("GET %q: %d elements", path, n)
		}
		if n := len(elements(byID(page.doc, "hosts"), "tr")); n != 100 {
			t.Errorf("GET %q: %d hosts", path, n)
		}
		t.Logf("GET %q: %d bytes, %d compressed, %d elements", path, len(page.text), len(small.text), len(elements(page.doc, "")))
	}
	page := s.get("")
	page.has(t, "10,000 hosts", "9,988 active", "12 stale", "label:zone")
	names := map[string]bool{}
	for pages := 0; page != nil; pages++ {
		for _, row := range elements(byID(page.doc, "hosts"), "tr") {
			names[attribute(row, "id")] = true
		}
		i := slices.IndexFunc(elements(page.doc, "a"), func(a *html.Node) bool { return attribute(a, "rel") == "next" })
		if i < 0 || pages > 2 {
			break
		}
		page = s.get(attribute(elements(page.doc, "a")[i], "href"))
	}
	if len(names) != 400 {
		t.Errorf("four pages show %d hosts", len(names))
	}
}
