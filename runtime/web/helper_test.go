package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/runtime/web"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// byScope authorizes requests by a cookie that is the name of a scope, as browsers send it.
func byScope(r *http.Request) (api.Principal, error) {
	if cookie, err := r.Cookie("scope"); err == nil {
		return api.Principal{Name: "test-" + cookie.Value, Scopes: []api.Scope{api.Scope(cookie.Value)}}, nil
	}
	return api.Principal{}, fmt.Errorf("%w: no cookie", api.ErrUnauthorized)
}

// A site is a page over an API in a server of its own.
type site struct {
	*httptest.Server
	t     *testing.T
	db    *testdb.DB
	store *store.Store
	// scope is the scope of requests. Empty sends none.
	scope api.Scope
	// base is the path of the page, which ends in a slash.
	base string
}

// newPage returns a page over an API that runs until the test ends.
func newPage(t *testing.T, db *testdb.DB) (http.Handler, *store.Store) {
	t.Helper()
	st := store.New(db, store.Config{Schema: db.Schema})
	a, err := api.New(st, api.Config{
		Authorize: byScope, Logger: slog.New(slog.DiscardHandler), Limits: api.Limits{Rate: 1e6, Burst: 1e6}, // no person is that fast
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	page, err := web.New(a, web.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return page.Handler(), st
}

// start serves a page at the root until the test ends.
func start(t *testing.T, db *testdb.DB) *site {
	t.Helper()
	page, st := newPage(t, db)
	s := &site{Server: httptest.NewServer(page), t: t, db: db, store: st, scope: api.Operate, base: "/"}
	t.Cleanup(s.Close)
	return s
}

// An answer is an answer with its document.
type answer struct {
	*http.Response
	text string
	doc  *html.Node
}

// do sends a request without following redirects. The path begins behind the site's base.
func (s *site) do(method, path string, form url.Values, headers ...string) *answer {
	s.t.Helper()
	body := io.Reader(http.NoBody)
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+s.base+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if s.scope != "" {
		req.AddCookie(&http.Cookie{Name: "scope", Value: string(s.scope)})
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := *s.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	got, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := &answer{Response: got, text: string(text)}
	if strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
		if a.doc, err = html.Parse(strings.NewReader(a.text)); err != nil {
			s.t.Fatal(err)
		}
	}
	return a
}

// get sends a GET that must succeed.
func (s *site) get(path string) *answer {
	s.t.Helper()
	got := s.do(http.MethodGet, path, nil)
	if got.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %d\n%s", path, got.StatusCode, got.text)
	}
	return got
}

// has checks that the text of a page has words.
func (a *answer) has(t *testing.T, words ...string) {
	t.Helper()
	if a.doc == nil {
		t.Errorf("%s: %d without a page: %.200s", a.Request.URL, a.StatusCode, a.text)
		return
	}
	text := textOf(a.doc)
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%s: %q is not in\n%s", a.Request.URL, word, text)
		}
	}
}

// textOf returns the text of a document with single spaces.
func textOf(n *html.Node) string {
	var text strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			text.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// elements returns the elements of a document with a name, or all.
func elements(n *html.Node, name string) (found []*html.Node) {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && (name == "" || d.Data == name) {
			found = append(found, d)
		}
	}
	return found
}

// byID returns the element with an ID, or nil.
func byID(n *html.Node, id string) *html.Node {
	for _, e := range elements(n, "") {
		if attribute(e, "id") == id {
			return e
		}
	}
	return nil
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// fleet fills a database with the core pack and a few workers of all kinds.
func fleet(t *testing.T, db *testdb.DB) {
	t.Helper()
	if _, err := install.Load(t.Context(), db, store.Config{Schema: db.Schema}, packs.Core(), install.Options{}); err != nil {
		t.Fatal(err)
	}
	code := 1
	reports.Register(t, db, metadata.Worker, "web-1", &capability.Document{
		Detected: []capability.Installation{reports.Python("3.12.1", "/usr/bin/python3"), reports.Python("3.11.7", "/opt/python3")},
		Extra:    labels("zone", "a"),
	})
	reports.Register(t, db, metadata.Worker, "web-2", &capability.Document{
		Detected: []capability.Installation{reports.Python("3.13.0-rc1", "/usr/bin/python3")}, Extra: labels("zone", "b"),
		Undetected: []capability.Absence{{
			Ref: "core.ruby", Name: "ruby", Outcome: capability.ExitMismatch, Detail: "it exits with 1", Hint: "repair ruby",
			Attempts: []capability.Attempt{{
				Command: []string{"ruby", "--version"}, Path: "/usr/bin/ruby", ExitCode: &code, Output: "broken output", Outcome: capability.ExitMismatch,
			}},
		}},
	})
	reports.Register(t, db, metadata.Sensor, "eye", &capability.Document{
		Undetected: []capability.Absence{{Ref: "core.python", Name: "python", Outcome: capability.Timeout, Detail: "no answer within 10s"}},
	})
}

func labels(key, value string) map[string]json.RawMessage {
	text, err := json.Marshal(map[string]string{key: value})
	if err != nil {
		panic(err)
	}
	return map[string]json.RawMessage{"labels": text}
}
