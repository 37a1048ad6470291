package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/metadata"
)

// passing matches what differs between two runs because time passes between them.
var passing = regexp.MustCompile(`(?m)\d+[dhms]\d*[hms]? ago *|"silent_seconds": [0-9.]+|verified in \S+|,[0-9.]+,30,`)

// cursors matches the cursors of lists: those of a server belong to a query of the server's.
var cursors = regexp.MustCompile(`--after \S+ goes on`)

// TestServerGivesTheSame runs each command on a database and through a server in front of it.
func TestServerGivesTheSame(t *testing.T) {
	requirement := filepath.Join(t.TempDir(), "requirement.json")
	if err := os.WriteFile(requirement, []byte(`{"runtimes": {"python": ">=3.12"}, "slots": 2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := []struct {
		args   string
		status int
		// undo is a command that lets the next run find what this one found.
		undo string
		// differs is what a message has in addition when a server answers.
		differs *regexp.Regexp
	}{
		{args: "workers list"},
		{args: "workers list --json"},
		{args: "workers list --json --include labels --include versions --include document"},
		{args: "workers list --output csv --include document"},
		{args: "workers history --output ndjson"},
		{args: "workers list web-* --has python@>=3.12 --lacks ruby"},
		{args: "workers list --has fortran --has python"},
		{args: "workers list --has python@>=3.13"},
		{args: "workers list --has python@>=3.13 --prereleases"},
		{args: "workers list --lacks python@>=3.12 --sort version --json"},
		{args: "workers list --stale"},
		{args: "workers list role:worker status:active status:stale label:zone=a label:zone"},
		{args: "workers list silent:1h"},
		{args: "workers list host:h-web-1 id:1"},
		{args: "workers list web-1 web-7 wbe-2"},
		{args: "workers list nobody"},
		{args: "workers list --sort id --limit 2", differs: cursors},
		{args: "workers list --sort heartbeat --json --limit 3", differs: cursors},
		{args: "workers list --after x", status: cli.ExitUsage},
		{args: "workers list --has pyhton", status: cli.ExitFailed},
		{args: "workers list --has python==3.12", status: cli.ExitUsage},
		{args: "workers show web-1"},
		{args: "workers show web-*"},
		{args: "workers show web-* --json"},
		{args: "workers show 2 --role worker"},
		{args: "workers show h-eye"},
		{args: "workers show old*"},
		{args: "workers show wbe-1", status: cli.ExitFailed},
		{args: "workers show name:web-1 --role sensor", status: cli.ExitFailed},
		{args: "workers diff web-1 web-2"},
		{args: "workers groups"},
		{args: "workers groups --by label:zone --json"},
		{args: "workers groups --by status"},
		{args: "workers groups --by zone", status: cli.ExitUsage},
		{args: "workers diff web-1 eye --json --exit-code", status: cli.ExitPending},
		{args: "workers diff web-1 web-*", status: cli.ExitUsage},
		{args: "workers history"},
		{args: "workers history --limit 2"},
		{args: "workers history --limit 0 --json"},
		{args: "workers history --before 3 --runtime python"},
		{args: "workers history web-1 --since 1h --json"},
		{args: "workers history 2"},
		{args: "workers history nobody", status: cli.ExitFailed},
		{args: "workers refresh web-* --dry-run"},
		{args: "workers refresh * --json"},
		{args: "workers refresh web-1"},
		{args: "workers refresh nobody", status: cli.ExitFailed},
		{args: "workers refresh ended --wait"},
		{args: "workers cordon web-* --reason disk", undo: "workers uncordon web-*"},
		{args: "workers cordon web-1 --dry-run --json"},
		{args: "workers cordon web-1 nobody", status: cli.ExitFailed},
		{args: "workers cordon role:sensor web-1"},
		{args: "workers uncordon * --json"},
		{args: "workers taint has:python slow=disk:prefer_no_schedule", undo: "workers untaint * slow"},
		{args: "workers taint web-1 slow --json", undo: "workers untaint * slow"},
		{args: "workers taint web-1 =", status: cli.ExitUsage},
		{args: "workers untaint web-1 slow:no_schedule"},
		{args: "runtimes list"},
		{args: "runtimes list --json"},
		{args: "runtimes list --pack core --after core.perl --limit 3"},
		{args: "runtimes list --pack acme"},
		{args: "runtimes show Python"},
		{args: "runtimes show core.java --json"},
		{args: "runtimes show fortran", status: cli.ExitFailed},
		{args: "runtimes show pyhton", status: cli.ExitFailed},
		{args: "explain web-1 python@>=3.12"},
		{args: "explain web-* ruby --json"},
		{args: "explain eye python --exit-code", status: cli.ExitPending},
		{args: "explain web-2 python@>=3.13"},
		{args: "explain declared fortran"},
		{args: "explain web-1 pyhton", status: cli.ExitFailed},
		{args: "explain nobody python", status: cli.ExitFailed},
		{args: "place python@>=3.11 --tolerate gpu"},
		{args: "place python@>=3.11 --tolerate gpu --json --limit 1"},
		{args: "place python --limit 0 --tolerate gpu --tolerate spot"},
		{args: "place python --limit 2000 --tolerate gpu"},
		{args: "place python@>=3.14 ruby", status: cli.ExitPending},
		{args: "place python@>=3.14 --hosts", status: cli.ExitPending},
		{args: "place python@>=3.11 --hosts --json --tolerate gpu"},
		{args: "place --requirement " + requirement, status: cli.ExitPending},
		{args: "place --action etl.load"},
		{args: "place --action etl.lost"},
		{args: "place --action etl.wrong", status: cli.ExitFailed},
		{args: "place --action etl.laod", status: cli.ExitFailed},
		{args: "place --sensor etl.watch", status: cli.ExitPending},
		{args: "place --all", status: cli.ExitPending},
		{args: "place --all --json --pack etl", status: cli.ExitPending},
		{args: "place --all --pack nothing", status: cli.ExitFailed},
		{args: "place pyhton", status: cli.ExitFailed},
		{args: "place --if runtime,core.python,removed", status: cli.ExitPending},
		{args: "place --if without,web-1 --json --pack etl", status: cli.ExitPending},
		{args: "place --if without,wbe-1", status: cli.ExitFailed},
		{args: "versions match >=3 3.12"},
		{args: "completion bash"},
	}
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		subjects(t, db)
		s := serve(t)
		token := s.wait(`for this run: (\S+)`)
		covered := map[string]bool{}
		for _, c := range commands {
			args := strings.Fields(c.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], ",", " ")
			}
			command := strings.Join(args[:min(2, len(args))], " ")
			if covered[command] && strings.HasPrefix(db.URL, "postgres") {
				continue // SQLite has all rows; a connection to Postgres for each would take a minute
			}
			covered[command], covered[args[0]] = true, true
			both := func() (of [2]result) {
				t.Setenv("ATTUNE_DATABASE_URL", db.URL)
				of[0] = run(t, args...)
				if c.undo != "" {
					want(t, run(t, strings.Fields(c.undo)...), 0)
				}
				t.Setenv("ATTUNE_DATABASE_URL", "sqlite:/nowhere")
				t.Setenv("ATTUNE_TOKEN", token)
				of[1] = run(t, append(args, "--server", s.url)...)
				t.Setenv("ATTUNE_DATABASE_URL", db.URL)
				if c.undo != "" {
					want(t, run(t, strings.Fields(c.undo)...), 0)
				}
				return of
			}()
			for i := range both {
				if both[i].status != c.status {
					t.Errorf("%s: exit status %d, want %d\n%s%s", c.args, both[i].status, c.status, both[i].out, both[i].errOut)
				}
				for _, text := range []*string{&both[i].out, &both[i].errOut} {
					*text = strings.NewReplacer(database.Redact(db.URL), "IT", s.url, "IT").Replace(passing.ReplaceAllString(*text, "TIME"))
					if c.differs != nil {
						*text = c.differs.ReplaceAllString(*text, "DIFFERS")
					}
				}
			}
			if diff := gocmp.Diff(both[0], both[1], gocmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("%s (-database +server):\n%s", c.args, diff)
			}
		}
		for _, command := range commandsOf(t) {
			only := false
			for _, name := range append([]string{"config", "packs init", "packs validate", "__complete"}, forDatabases...) { // TestCompleteFromServer
				only = only || command == name || strings.HasPrefix(command, name+" ")
			}
			if only == covered[command] {
				t.Errorf("%s: for databases only: %v, compared: %v", command, only, covered[command])
			}
		}
	})
}

// commandsOf returns the commands of the program.
func commandsOf(t *testing.T) (names []string) {
	t.Helper()
	parser, err := kong.New(new(grammar), kong.Vars{"lock_timeout": "", "version": ""}, kong.Name("attune"))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		name, _, _ := strings.Cut(strings.TrimPrefix(leaf.FullPath(), "attune "), " <")
		names = append(names, name)
	}
	return names
}

// TestServerIsRefused: a server is refused where a command needs a database, and gets no token before it
// has identified itself.
func TestServerIsRefused(t *testing.T) {
	isolate(t)
	var tokens []string
	strange := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
	}))
	defer strange.Close()
	moved := httptest.NewServer(http.RedirectHandler(strange.URL, http.StatusTemporaryRedirect))
	defer moved.Close()
	t.Setenv("ATTUNE_TOKEN", "att_1_secret")
	for _, c := range []struct {
		args   string
		status int
		words  string
	}{
		{"migrate up --server " + strange.URL, 2, "works on a database"},
		{"packs load core --server " + strange.URL, 2, "works on a database"},
		{"tokens list --server " + strange.URL, 2, "works on a database"},
		{"workers delete x --server " + strange.URL, 2, "works on a database"},
		{"runtimes delete x --server " + strange.URL, 2, "works on a database"},
		{"workers list --database sqlite:x --server " + strange.URL, 2, "two places"},
		{"place python --sql --server " + strange.URL, 1, "is the URL right"},
		{"workers list --server http://192.0.2.1", 2, "in the clear"},
		{"workers list --server http://localhost.example.com", 2, "in the clear"},
		{"workers list --server ftp://localhost", 2, "must be a URL"},
		{"workers list --server http://u:hidden@localhost", 2, "must not have a user"},
		{"workers list --server " + strange.URL, 1, "does not say that it is attune's API"},
		{"workers list --server " + moved.URL, 1, "does not say that it is attune's API"},
		{"workers list --server http://127.0.0.1:1", 1, "cannot be reached"},
	} {
		got := run(t, strings.Fields(c.args)...)
		want(t, got, c.status, c.words)
		if strings.Contains(got.errOut, "hidden") || strings.Contains(got.errOut, "secret") {
			t.Errorf("%s: a secret is printed:\n%s", c.args, got.errOut)
		}
	}
	for _, token := range tokens {
		if token != "" {
			t.Errorf("a stranger was sent %q", token)
		}
	}
	t.Setenv("ATTUNE_SERVER", strange.URL)
	want(t, run(t, "workers", "list"), 1, "does not say that it is attune's API")
	want(t, run(t, "migrate", "up"), 2, "ATTUNE_SERVER", "name one with --database")
	want(t, run(t, "migrate", "up", "--database", "sqlite:"+filepath.Join(t.TempDir(), "x.db")), 0, "applied")
	want(t, run(t, "workers", "list", "--database", "sqlite:/nowhere"), 1, "/nowhere")
}

// TestServerRefusesTokens: what a token does not allow is said, with exit status 1.
func TestServerRefusesTokens(t *testing.T) {
	db := testdb.SQLite(t)
	fleet(t, db)
	reader := strings.TrimSpace(run(t, "tokens", "create", "reader").out)
	s := serve(t)
	t.Setenv("ATTUNE_SERVER", s.url)
	t.Setenv("ATTUNE_DATABASE_URL", "")
	want(t, run(t, "workers", "list"), 1, "does not accept the token", "ATTUNE_TOKEN")
	t.Setenv("ATTUNE_TOKEN", "att_1_wrong")
	want(t, run(t, "workers", "list"), 1, "does not accept the token")
	t.Setenv("ATTUNE_TOKEN", reader)
	want(t, run(t, "workers", "list"), 0, "web-1")
	want(t, run(t, "workers", "cordon", "web-1"), 1, "operate")
	want(t, run(t, "workers", "list", "--json", "--include", "document"), 1, "operate")
}

// TestServerWithholds: a token that may only read gets every answer without documents and evidence, which is said.
func TestServerWithholds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		subjects(t, db)
		t.Setenv("ATTUNE_TOKEN", strings.TrimSpace(run(t, "tokens", "create", "reader").out))
		s := serve(t)
		t.Setenv("ATTUNE_SERVER", s.url)
		t.Setenv("ATTUNE_DATABASE_URL", "")
		const note = "need a token of the scope operate"
		for _, c := range []struct {
			args    string
			words   []string
			without []string
		}{
			{"workers show web-1", []string{"3.12.1", "/usr/bin/python3", "zone=", "available", note}, []string{"system  ", "not registered"}},
			{"workers show web-1 --json", []string{`"capabilities": null`, `"name": "web-1"`, note}, []string{"detected"}},
			{"workers show web-2", []string{"ruby", "exit mismatch", note}, []string{"broken"}},
			{"workers diff web-1 web-2", []string{"python", "3.12.1", note}, []string{"SETTING", "labels."}},
			{"workers diff web-1 web-1", []string{"do not differ in runtimes", note}, nil},
			{"workers diff web-1 web-2 --json", []string{`"facts": null`, note}, nil},
			{"explain web-1 python", []string{"yes", "3.12.1", note}, []string{"broken"}},
			{"explain web-2 ruby", []string{"no", "it exits with 1", note}, []string{"broken", "no attempts are stored"}},
			{"explain web-2 ruby --json", []string{`"attempts": []`, note}, []string{"broken"}},
		} {
			got := run(t, strings.Fields(c.args)...)
			want(t, got, 0, c.words...)
			for _, text := range c.without {
				if strings.Contains(got.out, text) {
					t.Errorf("%s: %q in\n%s", c.args, text, got.out)
				}
			}
			if !strings.Contains(got.errOut, note) {
				t.Errorf("%s: standard error does not say what is left out:\n%s", c.args, got.errOut)
			}
		}
	})
}

// TestServerFollows prints changes as they happen, through a server.
func TestServerFollows(t *testing.T) {
	db := testdb.SQLite(t)
	fleet(t, db)
	s := serve(t)
	t.Setenv("ATTUNE_TOKEN", s.wait(`for this run: (\S+)`))
	lines := following(t, "workers", "history", "-f", "--after", "0", "--runtime", "python", "--server", s.url)
	for _, worker := range []string{"web-1", "web-1", "web-2", "declared", "lost"} {
		if line := lines(); !strings.Contains(line, "  "+worker+"  worker  gained  python  ") {
			t.Errorf("%q, want a gain of %s", line, worker)
		}
	}
	reported(t, db, metadata.Worker, "late", &capability.Document{Detected: []capability.Installation{python("3.14.0", "/usr/bin/python3")}})
	if line := lines(); !strings.Contains(line, "  late  worker  gained  python  3.14.0") {
		t.Errorf("%q", line)
	}
}

func TestUnescaped(t *testing.T) {
	for text, want := range map[string]string{
		`"a"`: `"a"`, `"\u003cb\u003e\u0026"`: `"<b>&"`, `"\\u003c"`: `"\\u003c"`, `"\\\u003c\n\u00e4"`: `"\\<\n\u00e4"`, `"\u003`: `"\u003`, `\`: `\`,
	} {
		if got := string(unescaped([]byte(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
