package main

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/attune-go/attune/fixtures/testdb"
)

// TestPage follows attune serve from its root to its pages, and runs the commands that they show, which must say what the
// page says.
func TestPage(t *testing.T) {
	needsCurl(t)
	if _, err := osexec.LookPath("bash"); err != nil {
		t.Skip("bash is missing")
	}
	bin := programFolder(t)
	db := testdb.SQLite(t)
	fleet(t, db)
	t.Setenv("ATTUNE_DATABASE_URL", db.URL)
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
	for path, words := range map[string][]string{
		"/ui/":                                   {"web-1"},
		"/ui/?q=has:python%40%3E%3D3.12+'web-*'": {"web-1"},
		"/ui/hosts/1":                            {"python", "3.12.1"},
		"/ui/hosts/1?runtime=core.python":        {"python", "3.12.1"},
		"/ui/changes":                            {"web-1", "gained"},
		"/ui/changes?name=web-1&runtime=python&since=1h&role=worker": {"web-1", "gained"},
	} {
		status, page := s.curl(path, authorization...)
		lines := shellLines(t, page)
		if status != "200" || len(lines) < 2 {
			t.Errorf("GET %s: %s, with the lines %q", path, status, lines)
		}
		said := ""
		for _, line := range lines {
			// Lines that would wait for a change are run without that.
			line = strings.ReplaceAll(strings.TrimSuffix(line, " --follow"), "wait=30s", "limit=5")
			cmd := osexec.CommandContext(t.Context(), "bash", "-euc", strings.Replace(line, "curl ", "curl -fsS ", 1))
			cmd.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"),
				"ATTUNE_DATABASE_URL=sqlite:/nowhere", "ATTUNE_SERVER="+s.url, "ATTUNE_TOKEN="+token)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s shows %s: %v\n%s", path, line, err, out)
			}
			said += string(out)
		}
		for _, word := range words {
			if !strings.Contains(page, word) || !strings.Contains(said, word) {
				t.Errorf("%s or what it shows do not say %s:\n%s", path, word, said)
			}
		}
	}
}

// shellLines returns the commands that a page shows.
func shellLines(t *testing.T, page string) (lines []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "id" && (strings.HasPrefix(a.Val, "command-") || strings.HasPrefix(a.Val, "curl-")) {
				lines = append(lines, n.FirstChild.Data)
			}
		}
	}
	return lines
}
