package main

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures/testdb"
)

// TestPage follows attune serve from its root to its pages, and runs the commands that they show, which must say what the
// page says.
func TestPage(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	if _, err := osexec.LookPath("bash"); err != nil {
		t.Skip("bash is missing")
	}
	bin := programFolder(t)
	db := testdb.SQLite(t)
	fleet(t, db)
	setenv(t, "ATTUNE_DATABASE_URL", db.URL)
	s := serve(t)
	token := s.wait(`for this run: (\S+)`)
	authorization := []string{"-H", "Authorization: Bearer " + token}
	for _, from := range []string{"/", "/ui", "/ui/"} {
		if status, body := s.curl(from, append(authorization, "-L")...); status != "200" || !strings.Contains(body, "<h1>Fleet</h1>") {
			t.Errorf("GET %s: %s\n%s", from, status, body)
		}
	}
	if status, body := s.curl("/ui/", "-L"); status != "200" || !strings.Contains(body, "<h1>Sign in</h1>") || strings.Contains(body, "web-1") {
		t.Errorf("without a token: %s\n%s", status, body)
	}
	many(t, db)
	next := func(path, link string) string { // the address of the next page
		_, page := s.curl(path, authorization...)
		doc, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Data == "a" && n.FirstChild != nil && n.FirstChild.Data == link {
				address, _, _ := strings.Cut(n.Attr[0].Val, "#")
				base, _, _ := strings.Cut(path, "?")
				return base + address
			}
		}
		t.Fatalf("%s has no link %q in\n%s", path, link, page)
		return ""
	}
	for _, c := range []struct {
		path string
		// says has the words that each answer's command and curl must say, and the page too, and lacks those that they must not say.
		says, lacks map[string][]string
	}{
		{path: "/ui/", says: map[string][]string{"the groups": {"python"}, "the hosts": {"eye", "host-90"}}},
		{path: "/ui/?q=has:python%40%3E%3D3.12+'web-*'", says: map[string][]string{"the groups": nil, "the hosts": {"web-1"}}, lacks: map[string][]string{"the hosts": {"host-1"}}},
		{
			path: next("/ui/", "Next 100"), says: map[string][]string{"the groups": nil, "the hosts": {"host-115", "web-1"}},
			lacks: map[string][]string{"the hosts": {"host-3", "eye"}},
		},
		{
			path: next("/ui/?q=host-*", "Next 100"), says: map[string][]string{"the groups": nil, "the hosts": {"host-115"}},
			lacks: map[string][]string{"the hosts": {"host-3", "web-1"}},
		},
		{path: "/ui/hosts/1", says: map[string][]string{"this host": {"web-1", "worker"}, "its runtimes": {"python", "3.12.1"}, "its history": {"python", "gained"}}},
		{path: "/ui/hosts/1?runtime=core.python", says: map[string][]string{
			"this host": {"web-1"}, "its runtimes": {"python", "3.12.1"}, "why python": {"3.12.1"}, "its history": {"gained"},
		}},
		{path: "/ui/changes", says: map[string][]string{"these changes": {"3.120", "web-1", "gained"}, "the next ones": nil}},
		{path: "/ui/changes?name=web-1&runtime=python&since=1h&role=worker", says: map[string][]string{"these changes": {"web-1", "gained"}, "the next ones": nil}},
		{
			path: next("/ui/changes", "Older"), says: map[string][]string{"these changes": {"3.20", "gained"}, "the next ones": nil},
			lacks: map[string][]string{"these changes": {"3.119"}},
		},
		{path: "/ui/why-not?q=python%40%3E%3D3.12+--tolerate+gpu", says: map[string][]string{"this answer": {"web-1", "3.12.1"}}},
		{path: "/ui/why-not?q=python%40%3E%3D3.12+--tolerate+gpu&show=more", says: map[string][]string{"this answer": {"web-1", "3.12.1"}}},
		{path: "/ui/runtimes", says: map[string][]string{"these definitions": {"core.python"}, "the hosts that have them": {"python"}}},
		{path: "/ui/runtimes?pack=core", says: map[string][]string{"these definitions": {"core.python"}, "the hosts that have them": {"python"}}},
		{path: "/ui/runtimes/core.python", says: map[string][]string{"this definition": {"core.python"}, "which hosts have which version": {"3.12.1"}}},
		{path: "/ui/actions", says: map[string][]string{"these actions": nil}},
		{path: "/ui/actions?kind=sensor", says: map[string][]string{"these sensors": nil}},
		{path: "/ui/status", says: map[string][]string{"this status": {"active"}}},
	} {
		status, page := s.curl(c.path, authorization...)
		answers := sameFromShell(t, page)
		if status != "200" || len(answers) != len(c.says) {
			t.Errorf("GET %s: %s, with the answers %v, want those of %v", c.path, status, answers, c.says)
		}
		for what, lines := range answers {
			if _, expected := c.says[what]; !expected || len(lines) != 2 {
				t.Errorf("%s has the answer %q with the lines %q", c.path, what, lines)
			}
			for _, line := range lines {
				// Lines that would wait for a change are run without that.
				run := strings.NewReplacer(" --follow", "", "wait=30s", "limit=5").Replace(line)
				cmd := osexec.CommandContext(t.Context(), "bash", "-euc", strings.Replace(run, "curl ", "curl -fsS ", 1))
				cmd.Env = append(environ(t), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"),
					"ATTUNE_DATABASE_URL=sqlite:/nowhere", "ATTUNE_SERVER="+s.url, "ATTUNE_TOKEN="+token)
				out, err := cmd.CombinedOutput()
				if err != nil && cmd.ProcessState.ExitCode() != 3 { // 3: it fits nowhere
					t.Errorf("%s shows %s: %v\n%s", c.path, line, err, out)
				}
				for _, word := range c.says[what] {
					if !strings.Contains(page, word) || !strings.Contains(string(out), word) {
						t.Errorf("%s or its line %s do not say %s:\n%.3000s", c.path, line, word, out)
					}
				}
				for _, word := range c.lacks[what] {
					if regexp.MustCompile(`\b` + word + `\b`).Match(out) {
						t.Errorf("%s: its line %s says %s:\n%.3000s", c.path, line, word, out)
					}
				}
			}
		}
	}
}

// many adds hosts and changes for a second page of each.
func many(t *testing.T, db *testdb.DB) {
	t.Helper()
	for _, query := range []string{
		`INSERT INTO worker (name, worker_type, status, identity)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 115)
			SELECT 'host-' || i, 'local', 'inactive', 'action/host-' || i FROM n`,
		`INSERT INTO capability_change (worker, worker_name, worker_role, runtime_ref, name, kind, new_version)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)
			SELECT 1, 'web-1', 'action', 'core.python', 'python', 'gained', '3.' || i FROM n`,
	} {
		if _, err := db.ExecContext(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
}

// sameFromShell returns the lines that a page shows, by the answer that they give.
func sameFromShell(t *testing.T, page string) map[string][]string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	answers, what := map[string][]string{}, ""
	for n := range doc.Descendants() {
		if n.Data == "dt" && n.Parent.Parent.Data == "details" {
			what = n.FirstChild.Data
		}
		for _, a := range n.Attr {
			if a.Key == "id" && (strings.HasPrefix(a.Val, "command-") || strings.HasPrefix(a.Val, "curl-")) {
				answers[what] = append(answers[what], n.FirstChild.Data)
			}
		}
	}
	return answers
}
