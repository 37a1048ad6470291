package web_test

import (
	"database/sql/driver"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/runtime/web"
	"github.com/attune-go/attune/schema/store"
)

// TestCommands are those of the program that serves the page, and what is filtered for is not taken for a flag.
func TestCommands(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	a, err := api.New(store.New(db.DB, store.Config{Schema: db.Schema}), api.Config{Authorize: byScope, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	page, err := web.New(a, web.Config{Command: func(program string) string { return "go run ./cmd/" + program }})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Server: httptest.NewServer(page.Handler()), t: t, db: db, scope: api.Read, base: "/"}
	t.Cleanup(s.Close)
	for path, wanted := range map[string]string{
		"":                        `go run ./cmd/worker run --database`,
		"why-not":                 `go run ./cmd/attune place`,
		"runtimes":                `go run ./cmd/attune packs load core`,
		"changes?name=$X":         `go run ./cmd/attune workers history &#39;$X&#39;`,
		"changes?runtime=a%24%7b": `runtime=a%24%7B`,
	} {
		if got := s.do("GET", path, nil); !strings.Contains(got.text, wanted) {
			t.Errorf("%s does not contain %s:\n%s", path, wanted, got.text)
		}
	}
	fleet(t, db)
	got := s.get("why-not?q=python%40%3E%3D3.14")
	got.has(t, "go run ./cmd/attune place 'python@>=3.14'", "go run ./cmd/attune place 'core.python@>=3.12'")
	if strings.Contains(strings.ReplaceAll(textOf(got.doc), "cmd/attune place", ""), "attune place") {
		t.Errorf("a command has another program in\n%s", got.text)
	}
}

// TestFilterStays in the links of its counts, and in its command a term stays a term.
func TestFilterStays(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	s := start(t, db)
	fleet(t, db)
	got := s.do("GET", "?q=label:zone%3Da&runtimes=all", nil)
	for _, wanted := range []string{`href="?q=label%3Azone%3Da&#43;status%3Aactive&amp;runtimes=all"`, `name="runtimes" value="all"`} {
		if !strings.Contains(got.text, wanted) {
			t.Errorf("no %s in\n%s", wanted, got.text)
		}
	}
	if got := s.do("GET", "?groups=all", nil); !strings.Contains(got.text, `name="groups" value="all"`) {
		t.Errorf("the filter would drop groups=all in\n%s", got.text)
	}
	if got := s.do("GET", "?q=rol:worker", nil); strings.Contains(got.text, "data-live") {
		t.Error("a wrong filter is live: its script would be refused")
	}
	if got := s.do("GET", "?q=--json", nil); !strings.Contains(got.text, "attune workers list -- --json") {
		t.Errorf("no command in\n%s", got.text)
	}
}

// TestDatabaseIsAway: a page whose reader cannot be looked up in the database says that, and what to do.
func TestDatabaseIsAway(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	away := func(*http.Request) (api.Principal, error) {
		return api.Principal{}, fmt.Errorf("get tokens: %w", driver.ErrBadConn)
	}
	a, err := api.New(store.New(db.DB, store.Config{Schema: db.Schema}), api.Config{Authorize: away, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	page, err := web.New(a, web.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{Server: httptest.NewServer(page.Handler()), t: t, db: db, base: "/"}
	t.Cleanup(s.Close)
	if got := s.do(http.MethodGet, "", nil); got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(got.text, "Check that the database runs") {
		t.Errorf("%d:\n%s", got.StatusCode, got.text)
	}
}
