package web_test

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/web"
)

// TestPrefixes follows every link of every page, under prefixes and behind a proxy that strips one.
func TestPrefixes(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	page, _ := newPage(t, db)
	mux := http.NewServeMux()
	mux.Handle("/", page)
	for _, prefix := range []string{"/x", "/x/y"} {
		mux.Handle(prefix+"/", http.StripPrefix(prefix, page))
	}
	server := httptest.NewServer(mux)
	defer server.Close()
	behind, err := url.Parse(server.URL + "/x/y/")
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.StripPrefix("/far/away", &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) },
	}))
	defer proxy.Close()
	for _, at := range []struct {
		server *httptest.Server
		base   string
	}{{server, "/"}, {server, "/x/"}, {server, "/x/y/"}, {proxy, "/far/away/"}} {
		t.Run(at.base, func(t *testing.T) {
			s := &site{Server: at.server, t: t, db: db, scope: api.Operate, base: at.base}
			seen := s.crawl()
			for _, want := range []string{"", "hosts/1", "hosts/2?runtime=core.ruby", "changes"} {
				if !seen[at.base+want] {
					t.Errorf("no link leads to %s", want)
				}
			}
			stream := byName(s.get("").doc, "body", "data-live")
			s.opens(stream)
		})
	}
	s := &site{Server: server, t: t, scope: api.Operate, base: "/x"}
	if got := s.do(http.MethodGet, "?q=web-1", nil); got.Header.Get("Location") != "/x/?q=web-1" && got.Header.Get("Location") != "x/?q=web-1" {
		t.Errorf("without the slash: %d, %q", got.StatusCode, got.Header.Get("Location"))
	}
}

// opens checks that a relative address is a live stream.
func (s *site) opens(address string) {
	s.t.Helper()
	page, err := url.Parse(s.URL + s.base)
	if err != nil {
		s.t.Fatal(err)
	}
	to, err := page.Parse(address)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, to.String(), http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.AddCookie(&http.Cookie{Name: "scope", Value: string(s.scope)})
	got, err := s.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer got.Body.Close()
	for lines := bufio.NewScanner(got.Body); lines.Scan(); {
		if lines.Text() == "event: begin" {
			return
		}
	}
	s.t.Errorf("GET %s does not begin a stream: %d", address, got.StatusCode)
}

// crawl follows the links of the site and returns the addresses that it reached.
func (s *site) crawl() map[string]bool {
	s.t.Helper()
	seen := map[string]bool{s.base: true}
	for next := []string{s.base}; len(next) > 0; next = next[1:] {
		got := (&site{Server: s.Server, t: s.t, scope: s.scope}).do(http.MethodGet, next[0], nil)
		if got.StatusCode != http.StatusOK {
			s.t.Errorf("GET %s: %d", next[0], got.StatusCode)
			continue
		}
		if got.doc == nil {
			continue
		}
		for _, e := range elements(got.doc, "") {
			for _, link := range []string{attribute(e, "href"), attribute(e, "src"), attribute(e, "action")} {
				if link == "" || e.Data == "form" && attribute(e, "method") == "post" {
					continue
				}
				to, err := got.Request.URL.Parse(link)
				if err != nil || to.IsAbs() && to.Host != got.Request.URL.Host || !strings.HasPrefix(to.Path, s.base) {
					s.t.Errorf("%s: the link %q leads out of %s", next[0], link, s.base)
					continue
				}
				to.Scheme, to.Host, to.Fragment = "", "", ""
				if address := to.String(); !seen[address] && len(seen) < 160 {
					seen[address] = true
					next = append(next, address)
				}
			}
		}
	}
	return seen
}

// TestHeaders checks what every answer has, and that nothing in a page is inline.
func TestHeaders(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db)
	for _, path := range []string{"", "hosts/1?runtime=core.python", "changes", "hosts/99", "nowhere", "static/none.css"} {
		got := s.do(http.MethodGet, path, nil)
		csp := got.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("GET %s: %q", path, csp)
		}
		if got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %s: its type can be guessed", path)
		}
		if got.doc == nil {
			continue
		}
		if got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s: pages of one reader may be kept", path)
		}
		checkInert(t, got)
	}
	if head := s.do(http.MethodHead, "", nil); head.StatusCode != http.StatusOK || head.text != "" {
		t.Errorf("HEAD: %d %q", head.StatusCode, head.text)
	}
}

// checkInert checks that a page runs only the script of the page, and has no style of its own.
func checkInert(t *testing.T, got *answer) {
	t.Helper()
	for _, e := range elements(got.doc, "") {
		switch {
		case e.Data == "script" && (!strings.Contains(attribute(e, "src"), "static/page-") || e.FirstChild != nil):
			t.Errorf("%s has a script %q", got.Request.URL, attribute(e, "src"))
		case e.Data == "style", e.Data == "iframe", e.Data == "object", e.Data == "img", e.Data == "base", e.Data == "svg":
			t.Errorf("%s has <%s>", got.Request.URL, e.Data)
		}
		for _, a := range e.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.Contains(strings.ToLower(a.Val), "javascript:alert") && isAddress(a.Key) {
				t.Errorf("%s has %s=%q", got.Request.URL, a.Key, a.Val)
			}
		}
	}
	if n := len(elements(got.doc, "script")); n != 1 {
		t.Errorf("%s has %d scripts", got.Request.URL, n)
	}
}

func isAddress(attribute string) bool {
	return attribute == "href" || attribute == "src" || attribute == "action" || attribute == "formaction"
}

// TestRefused checks the pages of errors: their status, and that they say what to do.
func TestRefused(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := start(t, db)
	for _, c := range []struct {
		method, path string
		status       int
		words        []string
	}{
		{http.MethodGet, "nowhere", 404, []string{"Not Found", "The fleet lists all hosts"}},
		{http.MethodGet, "hosts/99", 404, []string{"no worker has the id 99"}},
		{http.MethodGet, "hosts/..%2fstatus", 404, nil},
		{http.MethodGet, "hosts/web-1", 404, []string{"no host has this address"}},
		{http.MethodGet, "hosts//1", 404, nil},
		{http.MethodGet, "hosts/1?runtime=cobol", 400, []string{"cobol"}},
		{http.MethodGet, "?q=rol:worker", 400, []string{"did you mean role:?"}},
		{http.MethodGet, "?q=role:", 400, []string{"there is nothing after role:"}},
		{http.MethodGet, "?q=role:boss+status:odd", 400, []string{"must be one of worker, sensor", "must be one of active"}},
		{http.MethodGet, "?q=has:cobol", 400, []string{"cobol"}},
		{http.MethodGet, "?after=x", 400, []string{"must be a cursor"}},
		{http.MethodGet, "?by=color", 400, []string{"must be role, status or label"}},
		{http.MethodGet, "changes?since=soon", 400, []string{"since: must be a time such as"}},
		{http.MethodGet, "changes?before=x", 400, nil},
		{http.MethodPost, "hosts/1", 405, []string{"another method"}},
		{http.MethodGet, "hosts/1/cordon", 405, []string{"another method"}},
	} {
		got := s.do(c.method, c.path, nil)
		if got.StatusCode != c.status || got.doc == nil {
			t.Errorf("%s %s: %d, want %d\n%s", c.method, c.path, got.StatusCode, c.status, got.text)
			continue
		}
		got.has(t, c.words...)
	}
	s.scope = ""
	for _, path := range []string{"", "hosts/1", "changes"} {
		got := s.do(http.MethodGet, path, nil)
		if got.StatusCode != http.StatusUnauthorized {
			t.Errorf("GET %s without a cookie: %d", path, got.StatusCode)
		}
		for _, secret := range []string{"web-1", "3.12.1"} {
			if strings.Contains(got.text, secret) {
				t.Errorf("GET %s without a cookie has %s", path, secret)
			}
		}
	}
	s.scope = api.Operate
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.do(http.MethodGet, "", nil)
	if got.StatusCode < 500 || strings.Contains(got.text, "sql:") {
		t.Errorf("without the database: %d\n%s", got.StatusCode, got.text)
	}
	got.has(t, "log")
}

// TestNew checks that a page needs an API.
func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := web.New(nil, web.Config{}); !errors.Is(err, web.ErrNoAPI) {
		t.Error(err)
	}
}

// TestEmpty checks that pages without data say what to do.
func TestEmpty(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t))
	s.get("").has(t, "No host has registered yet", "worker run --database")
	s.get("changes").has(t, "Nothing has changed yet")
	fleet(t, s.db)
	s.get("changes?runtime=ruby&since=1h").has(t, "No change matches the filter")
	s.get("?q=nobody").has(t, "No host matches the filter", "show all hosts")
}

// byName returns an attribute of the first element with a name.
func byName(doc *html.Node, name, key string) string { return attribute(elements(doc, name)[0], key) }

// ExampleNew mounts the page beside the API in a server of one's own.
func ExampleNew() {
	mount := func(mux *http.ServeMux, a *api.API) error {
		page, err := web.New(a, web.Config{})
		if err != nil {
			return err
		}
		mux.Handle("/attune/", http.StripPrefix("/attune", a.Handler()))
		mux.Handle("/attune/ui/", http.StripPrefix("/attune/ui", page.Handler()))
		return nil
	}
	fmt.Println(mount(http.NewServeMux(), nil))
	// Output: the page needs an API
}
