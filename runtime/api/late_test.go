package api_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// TestLateTokens: while the tokens are locked, requests are refused in time and streams end, and neither says
// that the token is wrong.
func TestLateTokens(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	st := store.New(db, store.Config{Schema: db.Schema})
	sessions := api.NewSessions(st, api.SessionConfig{Statement: 500 * time.Millisecond})
	s := start(t, db, api.Config{Authorize: sessions.Authorize, Limits: api.Limits{Statement: 500 * time.Millisecond}})
	s.scope = ""
	text, _, err := api.NewToken(t.Context(), st, "x", api.Read, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := s.listen("/v1/changes", "Authorization", "Bearer "+text)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE "+st.Layout().Table("attune_token")+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	if e := l.next(); e.name != "end" || !strings.Contains(e.data, "cannot follow") {
		t.Errorf("%+v", e)
	}
	for _, headers := range [][]string{{"Authorization", "Bearer " + text}, {"Authorization", "Bearer " + text, "Accept", "text/event-stream"}} {
		s.refused(s.request(http.MethodGet, "/v1/changes", "", headers...), http.StatusGatewayTimeout, api.Late)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sessions.SignIn(nil, req, text); err == nil {
		t.Error("a browser was signed in")
	}
}

// TestWaitOfRevokedToken: a request that waits gets nothing after its token was revoked.
func TestWaitOfRevokedToken(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	st := store.New(db, store.Config{})
	s := start(t, db, api.Config{Authorize: api.Tokens(st)})
	s.scope = ""
	text, row, err := api.NewToken(t.Context(), st, "x", api.Read, 0)
	if err != nil {
		t.Fatal(err)
	}
	text = "Bearer " + text
	other, _, err := api.NewToken(t.Context(), st, "y", api.Read, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *response, 1)
	go func() { got <- s.request(http.MethodGet, "/v1/changes?wait=30s&name=a-*", "", "Authorization", text) }()
	until(t, "the request waits", func() bool {
		var status struct{ Streams int }
		s.request(http.MethodGet, "/v1/status", "", "Authorization", "Bearer "+other).into(t, &status)
		return status.Streams == 1
	})
	if err := st.Tokens.Revoke(t.Context(), row.ID); err != nil {
		t.Fatal(err)
	}
	until(t, "the token has ended", func() bool {
		return s.request(http.MethodGet, "/v1/packs", "", "Authorization", text).StatusCode == http.StatusUnauthorized
	})
	reports.Register(t, db, metadata.Worker, "a-1", with("3.12.1"))
	s.refused(<-got, http.StatusUnauthorized, api.Unauthorized)
}

// TestFollowAhead: a server goes on behind an id that another server has reached before it.
func TestFollowAhead(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		for i := range 10 {
			reports.Register(t, db, metadata.Worker, "a-"+itoa(int64(i)), with("3.12.1"))
			last, err := s.store.Changes.Last(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var list struct{ Last int64 }
			if s.get("/v1/changes?from="+itoa(last), &list); list.Last != last {
				t.Errorf("%d, want %d", list.Last, last)
			}
		}
	})
}

// TestForgedCursors: a cursor with a NUL, which no database holds, is refused as any other forged one.
func TestForgedCursors(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := start(t, db, api.Config{})
		for _, path := range []string{"/v1/workers?sort=name", "/v1/workers?sort=status", "/v1/workers?has=python&sort=version", "/v1/matrix?runtime=python", "/v1/runtimes?pack=core"} {
			var page struct{ Next string }
			s.get(path+"&limit=1", &page)
			var cursor map[string]string
			text, err := base64.RawURLEncoding.DecodeString(page.Next)
			if err != nil || json.Unmarshal(text, &cursor) != nil {
				t.Fatalf("%s: %q", path, page.Next)
			}
			positions := []string{"\x00"}
			for _, place := range []string{`{"order":"name","name":"\u0000"}`, `{"order":"status","lead":"\u0000"}`, `{"order":"version","lead":"\u0000"}`} {
				if !strings.Contains(path, "/runtimes") { // whose positions are refs
					positions = append(positions, base64.RawURLEncoding.EncodeToString([]byte(place)))
				}
			}
			for _, cursor["p"] = range positions {
				if text, err = json.Marshal(cursor); err != nil {
					t.Fatal(err)
				}
				after := base64.RawURLEncoding.EncodeToString(text)
				s.refused(s.request(http.MethodGet, path+"&limit=1&after="+after, ""), http.StatusBadRequest, api.InvalidRequest, "after")
			}
		}
		if log := s.log.String(); log != "" {
			t.Errorf("the server failed:\n%s", log)
		}
	})
}

// TestEndedConnection: a request whose connection Postgres ends, as it does when it stops, is told to come back.
func TestEndedConnection(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	fleet(t, db)
	s := start(t, db, api.Config{})
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE "+s.store.Layout().Table("pack")+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	got := make(chan *response, 1)
	go func() { got <- s.request(http.MethodGet, "/v1/packs", "") }()
	until(t, "the statement that waits is ended", func() bool {
		var n int
		err := db.QueryRowContext(t.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n)
		return err == nil && n > 0
	})
	refused := <-got
	s.refused(refused, http.StatusServiceUnavailable, api.Unavailable, "the database does not answer")
	if refused.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
