package web_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// TestHostHistory pages through the changes of one host, and not through those of another one that had its name. A host that has
// none has the table in which new ones appear.
func TestHostHistory(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	if _, err := db.ExecContext(t.Context(), `DELETE FROM capability_change;
		INSERT INTO capability_change (worker, worker_name, worker_role, runtime_ref, name, kind, new_version)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
			SELECT CASE WHEN i % 2 = 0 THEN 1 END, 'web-1', 'action', 'core.python', 'python', 'gained', '3.' || i FROM n`); err != nil {
		t.Fatal(err)
	}
	s := start(t, db)
	first := s.get("hosts/1")
	if rows := elements(byID(first.doc, "log"), "tr"); len(rows) != 50 || !strings.Contains(textOf(rows[0]), "3.120") {
		t.Fatalf("%d changes\n%s", len(rows), first.text)
	}
	last := strings.TrimPrefix(attribute(elements(byID(first.doc, "log"), "tr")[49], "id"), "c")
	next := linkTo(first.doc, "Older")
	second := s.get("hosts/1" + strings.TrimSuffix(next, "#history-title"))
	if rows := elements(byID(second.doc, "log"), "tr"); len(rows) != 10 || !strings.Contains(textOf(rows[0]), "3.20") {
		t.Errorf("%d older changes\n%s", len(rows), second.text)
	}
	second.has(t, "attune workers history id:1 --before "+last+" --limit 50", "/history?after=")
	if linkTo(second.doc, "Older") != "" || linkTo(second.doc, "Newest") != "?#history-title" {
		t.Errorf("the last page leads to %q and %q", linkTo(second.doc, "Older"), linkTo(second.doc, "Newest"))
	}
	reports.Register(t, db, metadata.Worker, "idle", &capability.Document{})
	idle := s.get("hosts/4")
	if idle.has(t, "Nothing has changed since it registered"); byID(idle.doc, "log") == nil {
		t.Errorf("no table for its changes in\n%s", idle.text)
	}
}

// linkTo returns the address of the link with a text.
func linkTo(doc *html.Node, text string) string {
	for _, e := range elements(doc, "a") {
		if textOf(e) == text {
			return attribute(e, "href")
		}
	}
	return ""
}

// TestSignInOffered is where it helps: readers who are known get it if they lack a scope.
func TestSignInOffered(t *testing.T) {
	t.Parallel()
	v := visit(t, "/ui/", "")
	offered := func(s *shown) bool { return linkTo(s.doc, "Sign in") != "" }
	token := []string{"Authorization", "Bearer " + v.token}
	if got := v.open("hosts/9", nil, token...); got.StatusCode != http.StatusNotFound || offered(got) {
		t.Errorf("a reader with a token who misses a page: %d\n%s", got.StatusCode, got.text)
	}
	if got := v.open("changes", nil, "Sec-Fetch-Mode", "cors"); got.StatusCode != http.StatusUnauthorized || !offered(got) {
		t.Errorf("a reader who is not known: %d\n%s", got.StatusCode, got.text)
	}
}
