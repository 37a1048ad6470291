package main

import (
	"encoding/json"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/answer"
)

// TestStatus shows the state of a database, and the same through a server.
func TestStatus(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolated(t)
		setenv(t, "ATTUNE_DATABASE_URL", db.URL)
		got := run(t, "status")
		want(t, got, 0)
		for word, text := range map[string]string{
			"program": "attune " + attune.Version, "tables": "attune's own", "workers": "none yet", "last change": "none yet", "streams": "",
		} {
			if after(got.out, word) != text {
				t.Errorf("%s of an empty database: want %q in\n%s", word, text, got.out)
			}
		}
		fleet(t, db)
		if _, err := db.ExecContext(t.Context(), "UPDATE worker SET status = 'inactive' WHERE name = 'web-2'"); err != nil {
			t.Fatal(err)
		}
		var rows, last int
		err := db.NewRaw("SELECT (SELECT count(*) FROM worker), (SELECT max(id) FROM capability_change)").Scan(t.Context(), &rows, &last)
		if err != nil {
			t.Fatal(err)
		}
		direct := run(t, "status")
		want(t, direct, 0, "2 inactive", "number "+strconv.Itoa(last))
		if !strings.HasPrefix(after(direct.out, "workers"), strconv.Itoa(rows)+": ") {
			t.Errorf("want %d workers in\n%s", rows, direct.out)
		}
		direct = run(t, "status", "--json")
		s := serve(t)
		setenv(t, "ATTUNE_TOKEN", s.wait(`for this run: (\S+)`))
		s.ready()
		through := run(t, "status", "--server", s.url)
		want(t, through, 0, s.url, "0 open", "2 inactive")
		through = run(t, "status", "--server", s.url, "--json")
		want(t, through, 0)
		var a, b answer.Status
		for text, to := range map[string]*answer.Status{direct.out: &a, through.out: &b} {
			if err := json.Unmarshal([]byte(text), to); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if to.Now.IsZero() || to.Workers.All != rows || to.LastChange != int64(last) {
				t.Errorf("%s", text)
			}
			to.Now = time.Time{}
		}
		if a.Streams != nil || b.Streams == nil || *b.Streams != 0 {
			t.Errorf("streams are a server's: %v, %v", a.Streams, b.Streams)
		}
		b.Streams = nil
		if diff := gocmp.Diff(a, b); diff != "" {
			t.Errorf("from the database, and through a server (-want +got):\n%s", diff)
		}
	})
}

// TestStatusOfMalformedDefinitions names what hosts do not read.
func TestStatusOfMalformedDefinitions(t *testing.T) {
	t.Parallel()
	isolated(t)
	db := testdb.SQLite(t)
	setenv(t, "ATTUNE_DATABASE_URL", db.URL)
	want(t, run(t, "packs", "load", "core"), 0)
	for _, statement := range []string{
		"DROP TRIGGER attune_guard_runtime_distributions_update",
		`UPDATE runtime SET distributions = '{"verification": 7}' WHERE ref = 'core.ruby'`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	want(t, run(t, "status"), 0, "1 of them malformed", "core.ruby: ", "/distributions")
}

// TestVersion prints the version, without a model of the command line and with one.
func TestVersion(t *testing.T) {
	t.Parallel()
	isolated(t)
	for _, args := range [][]string{{"--version"}, {"workers", "--version"}, {"--version", "workers", "list"}} {
		if got := run(t, args...); got.status != 0 || got.errOut != "" || got.out != "attune "+attune.Version+"\n" {
			t.Errorf("%q: %d %q %q", args, got.status, got.out, got.errOut)
		}
	}
}

// TestStart checks that no package of attune compiles expressions, reads templates or the like before main: commands
// that need none of that must start at once.
func TestStart(t *testing.T) {
	t.Parallel()
	cmd := osexec.CommandContext(t.Context(), filepath.Join(programFolder(t), asProgram), "--version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const most = 64 << 10
	started := regexp.MustCompile(`(?m)^init (github\.com/attune-go/attune\S*) @.* (\d+) bytes`).FindAllSubmatch(out, -1)
	if len(started) == 0 {
		t.Fatalf("no package of attune in\n%s", out)
	}
	for _, m := range started {
		if size, _ := strconv.Atoi(string(m[2])); size > most {
			t.Errorf("%s allocates %d bytes before main, more than %d", m[1], size, most)
		}
	}
}
