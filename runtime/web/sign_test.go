package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/web"
	"github.com/attune-go/attune/schema/store"
)

// A visitor is a browser without script in front of a page with sessions.
type visitor struct {
	t      *testing.T
	client *http.Client
	// root is the address of the page.
	root     string
	sessions *api.Sessions
	// token is the token of this run.
	token string
}

// visit mounts a page under a prefix, and strips what a proxy in front of it would.
func visit(t *testing.T, prefix string, strip string) *visitor {
	t.Helper()
	st := store.New(testdb.SQLite(t), store.Config{})
	token, authorize := api.ForThisRun(api.Tokens(st))
	sessions := api.NewSessions(st, api.SessionConfig{Authorize: authorize})
	a, err := api.New(st, api.Config{Authorize: sessions.Authorize})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	page, err := web.New(a, web.Config{Sessions: sessions})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(prefix, http.StripPrefix(strings.TrimSuffix(prefix, "/"), page.Handler()))
	s := httptest.NewServer(http.StripPrefix(strip, mux))
	t.Cleanup(s.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, &http.Client{Jar: jar}, s.URL + strip + prefix, sessions, token}
}

// A shown is a page that a visitor sees.
type shown struct {
	*http.Response
	text string
	doc  *html.Node
}

// open asks for an address below the root, and follows redirects. A form is posted.
func (v *visitor) open(address string, form url.Values, headers ...string) *shown {
	v.t.Helper()
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.root+address, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	got, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(text)))
	if err != nil {
		v.t.Fatal(err)
	}
	return &shown{got, string(text), doc}
}

// fields returns the values of the form that has a button, and its address from the page's.
func (s *shown) fields() (action string, fields url.Values) {
	fields = url.Values{}
	for n := range s.doc.Descendants() {
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		switch n.Data {
		case "form":
			action = attr["action"]
		case "input":
			fields.Set(attr["name"], attr["value"])
		}
	}
	return action, fields
}

// where returns the address of a page from the root.
func (v *visitor) where(s *shown) string { return strings.TrimPrefix(s.Request.URL.String(), v.root) }

// sees checks a page.
func (v *visitor) sees(s *shown, status int, where, words string) {
	v.t.Helper()
	if s.StatusCode != status || v.where(s) != where || !strings.Contains(s.text, words) {
		v.t.Errorf("%d at %q, want %d at %q with %q in\n%s", s.StatusCode, v.where(s), status, where, words, s.text)
	}
}

// TestSignIn signs in and out under prefixes and behind a proxy that strips one: with a token, back to the page
// that was asked for, and with a link.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for _, mount := range [][2]string{{"/", ""}, {"/x/", ""}, {"/x/y/", ""}, {"/ui/", "/behind/a/proxy"}} {
		t.Run(mount[1]+mount[0], func(t *testing.T) {
			v := visit(t, mount[0], mount[1])
			first := v.open("changes?name=web-*&since=7d", nil)
			v.sees(first, http.StatusOK, "sign-in?to=changes%3Fname%3Dweb-%2A%26since%3D7d", "<h1>Sign in</h1>")
			action, fields := first.fields()
			if action != "./sign-in" {
				t.Errorf("the form goes to %q", action)
			}
			fields.Set("token", "att_0_x")
			again := v.open("sign-in", fields)
			v.sees(again, http.StatusUnauthorized, "sign-in", "The token is not valid")
			_, fields = again.fields()
			fields.Set("token", " "+v.token+"\n")
			v.sees(v.open("sign-in", fields), http.StatusOK, "changes?name=web-*&since=7d", "Sign out")
			v.sees(v.open("sign-out", url.Values{}), http.StatusOK, "sign-in", "<h1>Sign in</h1>")
			v.sees(v.open("", nil), http.StatusOK, "sign-in", "<h1>Sign in</h1>")

			link := v.open("sign-in?code="+v.sessions.Link(v.token), nil)
			if got := link.Header.Get("Referrer-Policy"); got != "strict-origin" {
				t.Errorf("the address of a link may be sent on: %q", got)
			}
			_, fields = link.fields()
			v.sees(v.open("sign-in", fields), http.StatusOK, "", "No host has registered yet")
			v.sees(v.open("sign-out", url.Values{}), http.StatusOK, "sign-in", "<h1>Sign in</h1>")
			v.sees(v.open("sign-in", fields), http.StatusUnauthorized, "sign-in", "was used before")
		})
	}
}

// TestSignInAttacks: the form leads to this page alone, shows text as text, refuses other origins, and gives a script a status.
func TestSignInAttacks(t *testing.T) {
	t.Parallel()
	v := visit(t, "/ui/", "")
	for _, to := range []string{
		"https://attacker.example/", "//attacker.example", "/elsewhere", `\\attacker.example`, `\/attacker.example`, "../elsewhere", "hosts/../../x",
		"javascript:alert(1)", "%zz", "https:attacker.example", "sign-out/../..",
	} {
		v.sees(v.open("sign-in", url.Values{"token": {v.token}, "to": {to}}), http.StatusOK, "", "No host has registered yet")
	}
	v.open("sign-out", url.Values{})
	hostile := `"><script>alert(1)</script>`
	for _, name := range []string{"code", "to"} {
		for n := range v.open("sign-in?"+url.Values{name: {hostile}}.Encode(), nil).doc.Descendants() {
			if n.Type == html.ElementNode && n.Data == "script" && n.FirstChild != nil {
				t.Errorf("%s becomes a script", name)
			}
		}
	}
	code := v.sessions.Link(v.token)
	for _, form := range []url.Values{{"token": {v.token}}, {"code": {code}}} {
		v.sees(v.open("sign-in", form, "Origin", "https://attacker.example"), http.StatusForbidden, "sign-in", "another origin")
	}
	v.sees(v.open("sign-in", url.Values{"code": {code}}), http.StatusOK, "", "Sign out")
	v.sees(v.open("sign-out", url.Values{}, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, "sign-out", "another origin")
	v.sees(v.open("", nil), http.StatusOK, "", "Sign out")
	v.sees(v.open("sign-in", url.Values{"token": {strings.Repeat("x", 100_000)}}), http.StatusBadRequest, "sign-in", "cannot be read")
	v.open("sign-out", url.Values{})
	v.sees(v.open("changes", nil, "Sec-Fetch-Mode", "cors"), http.StatusUnauthorized, "changes", "Sign in")
	got := v.open("sign-in", nil)
	if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self'") || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", got.Header)
	}
}
