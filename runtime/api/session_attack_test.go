package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

// TestForgedSessions asks every operation with cookies that somebody made up, read in the database, or kept after
// their end.
func TestForgedSessions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := signingIn(t, db, api.SessionConfig{})
		token, _ := s.token("ops", api.Operate, 0)
		first := browser(t)
		ended := *s.in(first, token)
		s.status("sign out", s.send(first, http.MethodPost, "/out"), http.StatusOK)
		valid := *s.in(browser(t), token)
		sum := sha256.Sum256([]byte(valid.Value))
		pair := func(name, value string) string { return name + "=" + value }
		forged := map[string]string{
			"ended": pair(ended.Name, ended.Value), "truncated": pair(valid.Name, valid.Value[1:]), "hash": pair(valid.Name, hex.EncodeToString(sum[:])),
			"token": pair(valid.Name, token), "empty": pair(valid.Name, ""), "id": pair(valid.Name, "1"), "other name": pair("attune_session", valid.Value),
			"TLS's name": pair("__Host-"+valid.Name, valid.Value), "two": pair(valid.Name, valid.Value) + "; " + pair(valid.Name, valid.Value),
			"SQL": pair(valid.Name, "'+OR+1=1--"), "long": pair(valid.Name, strings.Repeat("x", 4000)),
		}
		plain := &http.Client{}
		for _, e := range endpoints(t) {
			if e.scope == "" {
				continue
			}
			for name, cookie := range forged {
				s.status(e.method+" "+e.path+" with a cookie: "+name, s.send(plain, e.method, e.path, "Cookie", cookie), http.StatusUnauthorized)
			}
		}
		s.status("the cookie itself", s.send(plain, http.MethodGet, "/v1/packs", "Cookie", pair(valid.Name, valid.Value)), http.StatusOK)
	})
}

// TestCrossOriginSessions: no page of another origin changes anything by a browser's cookie, nor signs it in or out.
func TestCrossOriginSessions(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := signingIn(t, db, api.SessionConfig{})
	token, _ := s.token("ops", api.Operate, 0)
	client := browser(t)
	s.in(client, token)
	for _, from := range [][]string{
		{"Origin", "https://attacker.example"}, {"Origin", "null"}, {"Origin", "http://127.0.0.1:1"}, {"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
	} {
		for _, e := range endpoints(t) {
			if e.method == http.MethodPost {
				s.status(strings.Join(append(from, e.path), " "), s.send(client, e.method, e.path, from...), http.StatusForbidden)
			}
		}
		code := s.sessions.Link(token)
		for _, path := range []string{"/out", "/in?token=" + token, "/in?code=" + code} {
			got := s.send(client, http.MethodPost, path, from...)
			if s.status(strings.Join(append(from, path), " "), got, http.StatusForbidden); len(got.Cookies()) > 0 {
				t.Errorf("%s: it sets %v", path, got.Cookies())
			}
		}
		s.status("the link was not used up", s.send(browser(t), http.MethodPost, "/in?code="+code), http.StatusOK)
	}
	if audits, err := s.store.Audits.List(t.Context(), 0); err != nil || len(audits) > 0 {
		t.Errorf("%v: %+v", err, audits)
	}
	s.status("the session goes on", s.send(client, http.MethodGet, "/v1/packs"), http.StatusOK)
	s.status("from its own page", s.send(client, http.MethodPost, "/v1/workers/1/refresh", "Origin", s.page.URL), http.StatusAccepted)
}

// TestSessionFixation: a browser that signs in gets a new cookie, and the one that it had is not valid any longer.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		s := signingIn(t, db, api.SessionConfig{})
		weak, _ := s.token("attacker", api.Read, 0)
		strong, _ := s.token("victim", api.Operate, 0)
		at, err := url.Parse(s.page.URL)
		if err != nil {
			t.Fatal(err)
		}
		planted := s.in(browser(t), weak) // the attacker knows it
		victim := browser(t)
		victim.Jar.SetCookies(at, []*http.Cookie{planted})
		if got := s.in(victim, strong); got.Value == planted.Value {
			t.Error("the session has the planted cookie")
		}
		s.status("the planted cookie", s.send(&http.Client{}, http.MethodGet, "/v1/packs", "Cookie", planted.Name+"="+planted.Value), http.StatusUnauthorized)
		s.status("the victim", s.send(victim, http.MethodGet, "/v1/packs"), http.StatusOK)
		unknown := &http.Cookie{Name: planted.Name, Value: strings.Repeat("A", len(planted.Value)), Path: "/"}
		other := browser(t)
		other.Jar.SetCookies(at, []*http.Cookie{unknown})
		if got := s.in(other, strong); got.Value == unknown.Value {
			t.Error("the session has the planted cookie")
		}
		s.status("a cookie of nobody", s.send(&http.Client{}, http.MethodGet, "/v1/packs", "Cookie", unknown.Name+"="+unknown.Value), http.StatusUnauthorized)
	})
}

// TestSecureCookies: a cookie is for TLS only where the browser has TLS. Strangers cannot say so.
func TestSecureCookies(t *testing.T) {
	t.Parallel()
	st := store.New(testdb.SQLite(t), store.Config{})
	token, authorize := api.ForThisRun(api.Tokens(st))
	for _, c := range []struct {
		name, url, forwarded string
		behindProxy, secure  bool
		cookie               string
	}{
		{"in the clear", "http://localhost:8642", "", false, false, "attune_session_8642"},
		{"TLS", "https://attune.example", "", false, true, "__Host-attune_session"},
		{"a stranger says https", "http://localhost:8642", "https", false, false, "attune_session_8642"},
		{"a stranger says http", "https://attune.example", "http", false, true, "__Host-attune_session"},
		{"a proxy says https", "http://attune.example", "https", true, true, "__Host-attune_session"},
		{"a proxy says nothing", "http://attune.example", "", true, true, "__Host-attune_session"},
		{"a proxy says http", "http://attune.example", "http", true, false, "attune_session"},
	} {
		sessions := api.NewSessions(st, api.SessionConfig{Authorize: authorize, BehindProxy: c.behindProxy})
		request := func() *http.Request {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.url, http.NoBody)
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-Proto", c.forwarded)
			}
			return r
		}
		rec := httptest.NewRecorder()
		if _, err := sessions.SignIn(rec, request(), token); err != nil {
			t.Fatal(err)
		}
		cookie := rec.Result().Cookies()[0]
		if cookie.Secure != c.secure || cookie.Name != c.cookie {
			t.Errorf("%s: %v", c.name, cookie)
		}
		r := request()
		r.AddCookie(cookie)
		if p, err := sessions.Authorize(r); err != nil || !p.May(api.Operate) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestStreamOfEndedSession: a stream ends soon after its session.
func TestStreamOfEndedSession(t *testing.T) {
	t.Parallel()
	s := signingIn(t, testdb.SQLite(t), api.SessionConfig{})
	token, _ := s.token("x", api.Read, 0)
	client := browser(t)
	cookie := s.in(client, token)
	s.URL = s.page.URL // the cookie's name has the port
	l := s.listen("/v1/changes", "Authorization", "", "Cookie", cookie.Name+"="+cookie.Value)
	s.status("sign out", s.send(client, http.MethodPost, "/out"), http.StatusOK)
	if e := l.next(); e.name != "end" || !strings.Contains(e.data, "token") {
		t.Errorf("%+v", e)
	}
}
