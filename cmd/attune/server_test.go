package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/reports"
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
	t.Parallel()
	needsCurl(t)
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
		{args: "status", differs: regexp.MustCompile(`(streams +[0-9]+ open\n)?time +\S+`)},
		{args: "status --json", differs: regexp.MustCompile(`(  "streams": [0-9]+,\n)?  "now": "\S+"`)},
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
		{args: "workers groups --by label:zone --output ndjson"},
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
		{args: "place --action etl.watch", status: cli.ExitFailed},
		{args: "place --sensor etl.load", status: cli.ExitFailed},
		{args: "place --sensor etl.watch", status: cli.ExitPending},
		{args: "place --all", status: cli.ExitPending},
		{args: "place --all --json --pack etl", status: cli.ExitPending},
		{args: "place --all --kind sensor", status: cli.ExitPending},
		{args: "place --all --kind action --json", status: cli.ExitPending},
		{args: "place --all --kind rule", status: cli.ExitUsage},
		{args: "place --kind action", status: cli.ExitUsage},
		{args: "place --all --output csv", status: cli.ExitPending},
		{args: "place python@>=3.14 --hosts --output ndjson", status: cli.ExitPending},
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
		s.ready()
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
			both := bothWays(t, db, s, token, c.undo, args...)
			for i := range both {
				if both[i].status != c.status {
					t.Errorf("%s: exit status %d, want %d\n%s%s", c.args, both[i].status, c.status, both[i].out, both[i].errOut)
				}
				for _, text := range []*string{&both[i].out, &both[i].errOut} {
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
			for _, name := range slices.Concat([]string{"__complete"}, forNobody, forDatabases) { // TestCompleteFromServer
				only = only || command == name || strings.HasPrefix(command, name+" ")
			}
			if only == covered[command] {
				t.Errorf("%s: for databases only: %v, compared: %v", command, only, covered[command])
			}
		}
	})
}

// bothWays runs a command on a database and through a server in front of it, without what may differ. undo is a command
// that lets the next run find what this one found.
func bothWays(t *testing.T, db *testdb.DB, s *serving, token, undo string, args ...string) (of [2]result) {
	t.Helper()
	setenv(t, "ATTUNE_TOKEN", token)
	for i, place := range [][]string{{"--database", db.URL}, {"--server", s.url}} {
		setenv(t, "ATTUNE_DATABASE_URL", "sqlite:/nowhere")
		of[i] = run(t, append(slices.Clone(args), place...)...)
		setenv(t, "ATTUNE_DATABASE_URL", db.URL)
		if undo != "" {
			want(t, run(t, strings.Fields(undo)...), 0)
		}
		for _, text := range []*string{&of[i].out, &of[i].errOut} {
			*text = strings.NewReplacer(database.Redact(db.URL), "IT", s.url, "IT").Replace(passing.ReplaceAllString(*text, "TIME"))
		}
	}
	return of
}

// TestServerOddValues runs commands with values that are empty, blank, not UTF-8, long, or something in a URL.
func TestServerOddValues(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	subjects(t, db)
	s := serve(t)
	token := s.wait(`for this run: (\S+)`)
	for _, odd := range []string{"", " ", "?", "*", "a/b&c=%2F#+", "\xff", "a\nb", strings.Repeat("x", 20_000), "name:*"} {
		for _, command := range []string{
			"workers list %", "workers list --host %", "workers list --has %", "workers list --label %", "workers list --after %",
			"workers show %", "workers show web-1 --role %", "workers diff web-1 %", "workers history %", "workers history --runtime %",
			"workers refresh % --dry-run", "workers cordon % --dry-run", "workers taint web-1 % --dry-run", "workers cordon web-1 --dry-run --reason %",
			"runtimes show %", "runtimes list --pack %", "runtimes list --after %", "explain web-1 %", "explain % python",
			"place %", "place python --select %", "place python --tolerate %", "place --action %", "place --all --pack %",
			"place --if without_%", "place --if runtime_%_removed", "place --if python_min_%",
		} {
			args := strings.Fields(command)
			for i := range args {
				args[i] = strings.ReplaceAll(strings.ReplaceAll(args[i], "_", " "), "%", odd)
			}
			both := bothWays(t, db, s, token, "", args...)
			if diff := gocmp.Diff(both[0], both[1], gocmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("%s with %.20q (-database +server):\n%.2000s", command, odd, diff)
			}
		}
	}
}

// TestServerTakesManyTerms: a selection of more terms than a URL holds works as on a database, all or nothing included.
func TestServerTakesManyTerms(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		s := serve(t)
		token := s.wait(`for this run: (\S+)`)
		many := func(key string, n int, terms ...string) []string {
			for i := range n {
				terms = append(terms, fmt.Sprintf("%s%d", key, 1000+i))
			}
			return append(terms, key+"2", key+"1")
		}
		names, ids, hosts := many("name:web-", 250, "eye"), many("id:", 250), many("host:h-web-", 3000)
		for _, c := range []struct {
			terms  []string
			args   string
			status int
			undo   string
		}{
			{names, "workers list --json", 0, ""},
			{names, "workers list --output csv --include versions --sort heartbeat --limit 2", 0, ""},
			{names, "workers list --has python --sort version", 0, ""},
			{names, "workers list --has python@>=3.13", 0, ""},
			{many("web-", 1500), "workers list --json", 0, ""},
			{many("nobody-", 1500)[:1500], "workers list --json", 0, ""},
			{ids, "workers list", 0, ""},
			{hosts, "workers list --json --include document", 0, ""},
			{names, "workers refresh --dry-run", 0, ""},
			{hosts, "workers refresh --json", 0, ""},
			{names, "workers cordon", 1, ""},
			{hosts, "workers cordon --reason disk", 0, "workers uncordon *"},
			{ids, "workers cordon --json --dry-run", 0, ""},
			{append(slices.Clone(hosts), "has:python", "slow"), "workers taint", 0, "workers untaint * slow"},
			{many("host:nowhere", 1000)[:1000], "workers cordon", 1, ""},
		} {
			args := append(strings.Fields(c.args), c.terms...)
			both := bothWays(t, db, s, token, c.undo, args...)
			for i := range both {
				both[i].errOut = cursors.ReplaceAllString(both[i].errOut, "CURSOR")
			}
			if both[0].status != c.status {
				t.Errorf("%s: exit status %d, want %d\n%.300s%.300s", c.args, both[0].status, c.status, both[0].out, both[0].errOut)
			}
			if diff := gocmp.Diff(both[0], both[1], gocmp.AllowUnexported(result{})); diff != "" {
				t.Errorf("%s with %d terms (-database +server):\n%.2000s", c.args, len(c.terms), diff)
			}
		}
		setenv(t, "ATTUNE_SERVER", s.url)
		setenv(t, "ATTUNE_DATABASE_URL", "")
		first := run(t, append([]string{"workers", "list", "--output", "csv", "--limit", "1"}, names...)...)
		_, cursor, _ := strings.Cut(first.errOut, "--after ")
		cursor, _, _ = strings.Cut(cursor, " ")
		second := run(t, append([]string{"workers", "list", "--output", "csv", "--limit", "1", "--after", cursor}, names...)...)
		want(t, first, 0, ",eye,")
		want(t, second, 0, ",web-1,")
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
	t.Parallel()
	isolated(t)
	var tokens []string
	strange := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		tokens = append(tokens, r.Header.Get("Authorization"))
	}))
	defer strange.Close()
	moved := httptest.NewServer(http.RedirectHandler(strange.URL, http.StatusTemporaryRedirect))
	defer moved.Close()
	setenv(t, "ATTUNE_TOKEN", "att_1_secret")
	for _, c := range []struct {
		args   string
		status int
		words  string
	}{
		{"migrate up --server " + strange.URL, 2, "works on a database"},
		{"packs load core --server " + strange.URL, 2, "works on a database"},
		{"tokens list --server " + strange.URL, 2, "works on a database"},
		{"migrate status --server " + strange.URL, 2, "works on a database"},
		{"packs list --server " + strange.URL, 2, "works on a database"},
		{"serve --server " + strange.URL, 2, "works on a database"},
		{"packs validate . --server " + strange.URL, 2, "leave out --server"},
		{"packs init x --server " + strange.URL, 2, "leave out --server"},
		{"config --server " + strange.URL, 2, "leave out --server"},
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
	setenv(t, "ATTUNE_SERVER", strange.URL)
	want(t, run(t, "workers", "list"), 1, "does not say that it is attune's API")
	want(t, run(t, "migrate", "up"), 2, "ATTUNE_SERVER", "name one with --database")
	want(t, run(t, "packs", "validate", t.TempDir()), 1, "pack.yaml")
	want(t, run(t, "config"), 0, "log_level")
	want(t, run(t, "migrate", "up", "--database", "sqlite:"+filepath.Join(t.TempDir(), "x.db")), 0, "applied")
	want(t, run(t, "workers", "list", "--database", "sqlite:/nowhere"), 1, "/nowhere")
}

// TestServerRefusesTokens: what a token does not allow is said, with exit status 1.
func TestServerRefusesTokens(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	reader := strings.TrimSpace(run(t, "tokens", "create", "reader").out)
	s := serve(t)
	setenv(t, "ATTUNE_SERVER", s.url)
	setenv(t, "ATTUNE_DATABASE_URL", "")
	want(t, run(t, "workers", "list"), 1, "does not accept the token", "ATTUNE_TOKEN")
	setenv(t, "ATTUNE_TOKEN", "att_1_wrong")
	want(t, run(t, "workers", "list"), 1, "does not accept the token")
	setenv(t, "ATTUNE_TOKEN", reader)
	want(t, run(t, "workers", "list"), 0, "web-1")
	want(t, run(t, "workers", "cordon", "web-1"), 1, "operate")
	want(t, run(t, "workers", "list", "--json", "--include", "document"), 1, "operate")
}

// TestServerWithholds: a token that may only read gets every answer without documents and evidence, which is said.
func TestServerWithholds(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		subjects(t, db)
		setenv(t, "ATTUNE_TOKEN", strings.TrimSpace(run(t, "tokens", "create", "reader").out))
		s := serve(t)
		setenv(t, "ATTUNE_SERVER", s.url)
		setenv(t, "ATTUNE_DATABASE_URL", "")
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
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := serve(t)
	setenv(t, "ATTUNE_TOKEN", s.wait(`for this run: (\S+)`))
	lines := following(t, "workers", "history", "-f", "--after", "0", "--runtime", "python", "--server", s.url)
	for _, worker := range []string{"web-1", "web-1", "web-2", "declared", "lost"} {
		if line := lines(); !strings.Contains(line, "  "+worker+"  worker  gained  python  ") {
			t.Errorf("%q, want a gain of %s", line, worker)
		}
	}
	reports.Register(t, db, metadata.Worker, "late", &capability.Document{Detected: []capability.Installation{python("3.14.0", "/usr/bin/python3")}})
	if line := lines(); !strings.Contains(line, "  late  worker  gained  python  3.14.0") {
		t.Errorf("%q", line)
	}
}

// TestFollowPruned: behind a change that is deleted, or of another history, the changes that are kept are followed, and
// standard error says so once, from a database and through a server.
func TestFollowPruned(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		old := "datetime('now', '-2 days')"
		if db.Schema != "" {
			old = "now() - interval '2 days'"
		}
		for _, statement := range []string{"UPDATE capability_change SET created = " + old, "DELETE FROM capability_change WHERE id IN (1, 3)"} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := stored(db).Changes.After(t.Context(), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		token := strings.TrimSpace(run(t, "tokens", "create", "reader").out)
		s := serve(t)
		setenv(t, "ATTUNE_TOKEN", token)
		for _, place := range [][]string{{"--database", db.URL}, {"--server", s.url}} {
			deleted := follow(t, append([]string{"workers", "history", "-f", "--after", "1", "--output", "ndjson"}, place...)...)
			ahead := follow(t, append([]string{"workers", "history", "-f", "--after", "1000", "--json"}, place...)...)
			for i := range kept {
				if line := deleted.next(); !strings.Contains(line, fmt.Sprintf(`"id":%d,`, kept[i].ID)) {
					t.Errorf("%v: %q, want the change %d", place, line, kept[i].ID)
				}
			}
			name := "late-" + strings.TrimLeft(place[0], "-")
			reports.Register(t, db, metadata.Worker, name, &capability.Document{Detected: []capability.Installation{python("3.14.0", "/usr/bin/python3")}})
			if line := deleted.next(); !strings.Contains(line, name) {
				t.Errorf("%v: %q, want a change of %s", place, line, name)
			}
			for name, f := range map[string]*follower{"deleted": deleted, "ahead": ahead} {
				for deadline := time.Now().Add(30 * time.Second); f.errOut.String() == "" && time.Now().Before(deadline); {
					time.Sleep(10 * time.Millisecond)
				}
				status, said := f.end(true), f.errOut.String()
				if status != 0 || strings.Count(said, "\n") != 1 || !strings.Contains(said, "going on with the ones that are left") {
					t.Errorf("%v: %s: ended with %d:\n%s", place, name, status, said)
				}
			}
			kept, err = stored(db).Changes.After(t.Context(), 1, 0)
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestFollowRefused: a token that is refused ends what follows, with exit status 1.
func TestFollowRefused(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	token := strings.TrimSpace(run(t, "tokens", "create", "reader").out)
	s := serve(t)
	setenv(t, "ATTUNE_TOKEN", token)
	f := follow(t, "workers", "history", "-f", "--after", "0", "--server", s.url)
	f.next()
	setenv(t, "ATTUNE_DATABASE_URL", db.URL)
	id, _, _ := strings.Cut(strings.TrimPrefix(token, "att_"), "_")
	want(t, run(t, "tokens", "revoke", id), 0)
	if status := f.end(false); status != 1 || !strings.Contains(f.errOut.String(), "does not accept the token") {
		t.Errorf("ended with %d:\n%s", status, f.errOut)
	}
}

func TestUnescaped(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"a"`: `"a"`, `"\u003cb\u003e\u0026"`: `"<b>&"`, `"\\u003c"`: `"\\u003c"`, `"\\\u003c\n\u00e4"`: `"\\<\n\u00e4"`, `"\u003`: `"\u003`, `\`: `\`,
	} {
		if got := string(unescaped([]byte(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}
