package api_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

// A signing is a page with sessions, beside an API that accepts them.
type signing struct {
	*server
	sessions *api.Sessions
	page     *httptest.Server
}

// signingIn starts an API whose requests are authorized by sessions. Its page has /in, which takes the
// form values token and code, and /out; everything else is the API's.
func signingIn(t *testing.T, db *testdb.DB, cfg api.SessionConfig) *signing {
	t.Helper()
	st := store.New(db, store.Config{Schema: db.Schema})
	sessions := api.NewSessions(st, cfg)
	s := &signing{server: start(t, db, api.Config{Authorize: sessions.Authorize, Limits: api.Limits{Rate: 1e6, Burst: 1e6}}), sessions: sessions}
	s.scope = ""
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, p api.Principal, err error) {
		switch {
		case errors.Is(err, api.ErrCrossOrigin):
			w.WriteHeader(http.StatusForbidden)
		case errors.Is(err, api.ErrUnauthorized):
			w.WriteHeader(http.StatusUnauthorized)
		case err != nil:
			t.Error(err)
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprint(w, p.Name)
	}
	mux.HandleFunc("/in", func(w http.ResponseWriter, r *http.Request) {
		if code := r.FormValue("code"); code != "" {
			p, err := sessions.SignInWithLink(w, r, code)
			answer(w, p, err)
			return
		}
		p, err := sessions.SignIn(w, r, r.FormValue("token"))
		answer(w, p, err)
	})
	mux.HandleFunc("/out", func(w http.ResponseWriter, r *http.Request) { answer(w, api.Principal{}, sessions.SignOut(w, r)) })
	mux.Handle("/", s.Config.Handler)
	s.page = httptest.NewServer(mux)
	t.Cleanup(s.page.Close)
	return s
}

// browser returns a client that keeps cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return checked(t, &http.Client{Jar: jar})
}

// send sends a request to the page.
func (s *signing) send(client *http.Client, method, path string, headers ...string) *response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.page.URL+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	got, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return &response{got, text}
}

// token creates a token in the database.
func (s *signing) token(name string, scope api.Scope, valid time.Duration) (text string, id int64) {
	s.t.Helper()
	text, row, err := api.NewToken(s.t.Context(), s.store, name, scope, valid)
	if err != nil {
		s.t.Fatal(err)
	}
	return text, row.ID
}

// status checks the status of an answer.
func (s *signing) status(what string, got *response, want int) {
	s.t.Helper()
	if got.StatusCode != want {
		s.t.Errorf("%s: %d, want %d", what, got.StatusCode, want)
	}
}

// in signs a browser in and returns the cookie.
func (s *signing) in(client *http.Client, token string) *http.Cookie {
	s.t.Helper()
	got := s.send(client, http.MethodPost, "/in?token="+token)
	s.status("sign in", got, http.StatusOK)
	if len(got.Cookies()) != 1 {
		s.t.Fatalf("%v", got.Header)
	}
	return got.Cookies()[0]
}

// TestSessions signs browsers in and out. What they may do is what their token allows, as long as it is valid.
func TestSessions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := signingIn(t, db, api.SessionConfig{})
		reader, readerID := s.token("reader", api.Read, 0)
		operator, _ := s.token("operator", api.Operate, 0)
		reading, operating := browser(t), browser(t)
		s.status("before", s.send(reading, http.MethodGet, "/v1/workers"), http.StatusUnauthorized)
		s.status("a wrong token", s.send(reading, http.MethodPost, "/in?token="+reader+"x"), http.StatusUnauthorized)
		cookie := s.in(reading, reader)
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.MaxAge != 12*60*60 || cookie.Secure {
			t.Errorf("%+v", cookie)
		}
		port := s.page.URL[strings.LastIndex(s.page.URL, ":")+1:]
		if cookie.Name != "attune_session_"+port {
			t.Errorf("%s, want the port in it: browsers send cookies to all ports of a host", cookie.Name)
		}
		s.in(operating, operator)
		s.status("read", s.send(reading, http.MethodGet, "/v1/workers"), http.StatusOK)
		s.status("operate as a reader", s.send(reading, http.MethodPost, "/v1/workers/1/refresh"), http.StatusForbidden)
		s.status("operate", s.send(operating, http.MethodPost, "/v1/workers/1/refresh"), http.StatusAccepted)
		audits, err := s.store.Audits.List(t.Context(), 0)
		if err != nil || len(audits) != 1 || audits[0].Principal != "token 2 operator" {
			t.Errorf("%v: %+v", err, audits)
		}
		s.status("a token and a cookie", s.send(reading, http.MethodPost, "/v1/workers/1/refresh", "Authorization", "Bearer "+operator), http.StatusAccepted)
		s.status("a proxy's password", s.send(reading, http.MethodGet, "/v1/workers", "Authorization", "Basic eDp5"), http.StatusOK)

		var secrets []string
		if err := db.NewRaw("SELECT secret FROM "+s.store.Layout().Table("attune_session")).Scan(t.Context(), &secrets); err != nil || len(secrets) != 2 {
			t.Errorf("%v: %q", err, secrets)
		}
		if strings.Contains(strings.Join(secrets, " "), cookie.Value) {
			t.Error("the database has the cookie itself")
		}

		s.status("sign out", s.send(operating, http.MethodPost, "/out"), http.StatusOK)
		s.status("after it", s.send(operating, http.MethodGet, "/v1/workers"), http.StatusUnauthorized)
		if err := s.store.Tokens.Revoke(t.Context(), readerID); err != nil {
			t.Fatal(err)
		}
		until(t, "the session ends with its token", func() bool {
			return s.send(reading, http.MethodGet, "/v1/workers").StatusCode == http.StatusUnauthorized
		})
		if log := s.log.String(); log != "" {
			t.Errorf("the log:\n%s", log)
		}
	})
}

// TestSessionsExpire: a session ends by itself, and with a token that expires.
func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		st := store.New(db, store.Config{Schema: db.Schema})
		ofRun, authorize := api.ForThisRun(api.Tokens(st))
		s := signingIn(t, db, api.SessionConfig{Life: 2 * time.Second, Authorize: authorize})
		for name, create := range map[string]func() string{
			"of a lasting token": func() string { text, _ := s.token("lasting", api.Read, 0); return text },
			"of a short token":   func() string { text, _ := s.token("short", api.Read, time.Second); return text },
			"in memory":          func() string { return ofRun },
		} {
			cookie := s.in(browser(t), create())
			plain := &http.Client{} // keeps no cookie, so that only the server decides
			send := func() *response {
				return s.send(plain, http.MethodGet, "/v1/packs", "Cookie", cookie.Name+"="+cookie.Value)
			}
			s.status(name, send(), http.StatusOK)
			until(t, "the end of the session "+name, func() bool { return send().StatusCode == http.StatusUnauthorized })
		}
	})
}

// TestSessionsOfThisRun: the sessions of a token that is not in the database are in memory, and end with the token.
func TestSessionsOfThisRun(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	st := store.New(db, store.Config{})
	token, authorize := api.ForThisRun(api.Tokens(st))
	s := signingIn(t, db, api.SessionConfig{Authorize: authorize})
	client := browser(t)
	code := s.sessions.Link(token)
	s.status("a code as the token", s.send(client, http.MethodGet, "/v1/packs", "Authorization", "Bearer "+code), http.StatusUnauthorized)
	s.status("sign in with a code as the token", s.send(client, http.MethodPost, "/in?token="+code), http.StatusUnauthorized)
	s.status("the link", s.send(client, http.MethodPost, "/in?code="+code), http.StatusOK)
	s.status("operate", s.send(client, http.MethodPost, "/v1/workers/1/refresh"), http.StatusAccepted)
	other := browser(t)
	s.status("the link again", s.send(other, http.MethodPost, "/in?code="+code), http.StatusUnauthorized)
	s.status("after it", s.send(other, http.MethodGet, "/v1/packs"), http.StatusUnauthorized)
	s.status("no link", s.send(other, http.MethodPost, "/in?code=x"), http.StatusUnauthorized)
	next := signingIn(t, db, api.SessionConfig{})
	at, err := url.Parse(s.page.URL)
	if err != nil {
		t.Fatal(err)
	}
	cookie := client.Jar.Cookies(at)[0]
	name := "attune_session_" + next.page.URL[strings.LastIndex(next.page.URL, ":")+1:]
	s.status("sign out", s.send(client, http.MethodPost, "/out"), http.StatusOK)
	s.status("after it", s.send(&http.Client{}, http.MethodGet, "/v1/packs", "Cookie", cookie.Name+"="+cookie.Value), http.StatusUnauthorized)
	next.status("the next run", next.send(&http.Client{}, http.MethodGet, "/v1/packs", "Cookie", name+"="+cookie.Value), http.StatusUnauthorized)
}

// TestLinks: a link ends within an hour and with its use, and there is a number of them at most.
func TestLinks(t *testing.T) {
	t.Parallel()
	st := store.New(testdb.SQLite(t), store.Config{})
	synctest.Test(t, func(t *testing.T) {
		token, authorize := api.ForThisRun(func(*http.Request) (api.Principal, error) { return api.Principal{}, api.ErrUnauthorized })
		sessions := api.NewSessions(st, api.SessionConfig{Authorize: authorize})
		in := func(code string) (*http.Cookie, error) {
			rec := httptest.NewRecorder()
			_, err := sessions.SignInWithLink(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody), code)
			if err != nil {
				return nil, err
			}
			return rec.Result().Cookies()[0], nil
		}
		mayRead := func(cookie *http.Cookie) error {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.AddCookie(cookie)
			_, err := sessions.Authorize(r)
			return err
		}
		late, first := sessions.Link(token), sessions.Link(token)
		cookie, err := in(first)
		if err != nil || mayRead(cookie) != nil {
			t.Fatal(err)
		}
		time.Sleep(61 * time.Minute)
		if _, err := in(late); !errors.Is(err, api.ErrUnauthorized) {
			t.Errorf("a link after an hour: %v", err)
		}
		if err := mayRead(cookie); err != nil {
			t.Errorf("a session after an hour: %v", err)
		}
		first = sessions.Link(token)
		time.Sleep(time.Second)
		for range 1000 {
			late = sessions.Link(token)
		}
		if _, err := in(first); !errors.Is(err, api.ErrUnauthorized) {
			t.Errorf("the oldest of too many links: %v", err)
		}
		if _, err := in(late); err != nil {
			t.Errorf("the newest of them: %v", err)
		}
	})
}

// TestTokensTogether: what many clients show again and again is read with one statement for all, tokens and cookies of sessions.
// A token that was revoked or deleted is refused.
func TestTokensTogether(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		counted := new(statements)
		db.DB = db.WithQueryHook(counted)
		st := store.New(db, store.Config{Schema: db.Schema})
		withToken := func(text string) *http.Request {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.Header.Set("Authorization", "Bearer "+text)
			return r
		}
		t.Run("tokens", func(t *testing.T) { readsTogether(t, db, counted, api.Tokens(st), withToken) })
		t.Run("sessions", func(t *testing.T) {
			sessions := api.NewSessions(st, api.SessionConfig{})
			cookies := map[string]*http.Cookie{}
			readsTogether(t, db, counted, sessions.Authorize, func(text string) *http.Request {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
				if cookies[text] == nil {
					rec := httptest.NewRecorder()
					if _, err := sessions.SignIn(rec, r, text); err != nil {
						return r // the test has a wrong token
					}
					cookies[text] = rec.Result().Cookies()[0]
				}
				r.AddCookie(cookies[text])
				return r
			})
		})
	})
}

// readsTogether checks that authorize reads what many clients show with few statements. request returns a request of the
// client that has a token.
func readsTogether(
	t *testing.T, db *testdb.DB, counted *statements, authorize func(*http.Request) (api.Principal, error), request func(token string) *http.Request,
) {
	t.Helper()
	st := store.New(db, store.Config{Schema: db.Schema})
	const many = 40
	texts, ids := make([]string, many), make([]int64, many)
	for i := range many {
		text, row, err := api.NewToken(t.Context(), st, fmt.Sprint("t", i), api.Read, 0)
		if err != nil {
			t.Fatal(err)
		}
		texts[i], ids[i] = text, row.ID
	}
	ask := func(i int, text string) error {
		p, err := authorize(request(text))
		if err == nil && (p.Token != ids[i] || !p.May(api.Read)) {
			t.Errorf("token %d: %+v", i, p)
		}
		return err
	}
	all := func() (refused int) {
		for i, text := range texts {
			if err := ask(i, text); errors.Is(err, api.ErrUnauthorized) {
				refused++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		return refused
	}
	if n := all(); n > 0 {
		t.Fatalf("%d tokens are refused", n)
	}
	if rows, err := st.Tokens.Some(t.Context(), ids...); err != nil || rows[0].LastUsed == nil || rows[many-1].LastUsed == nil {
		t.Errorf("%v: the use is not written: %+v", err, rows)
	}
	if err := ask(0, texts[0][:len(texts[0])-1]+"!"); !errors.Is(err, api.ErrUnauthorized) {
		t.Errorf("with a wrong secret: %v", err)
	}
	time.Sleep(1100 * time.Millisecond) // what is remembered is old
	before := counted.n.Load()
	if n := all(); n > 0 {
		t.Errorf("%d tokens are refused", n)
	}
	if n := counted.n.Load() - before; n < 1 || n > many/2 { // one, unless this takes seconds
		t.Errorf("%d statements for %d tokens", n, many)
	}
	if err := st.Tokens.Revoke(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM attune_token WHERE id = ?", ids[2]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // what is remembered is old
	if n := all(); n != 2 || ask(1, texts[1]) == nil || ask(2, texts[2]) == nil {
		t.Errorf("%d tokens are refused, want the one that was revoked and the one that is gone", n)
	}
}
