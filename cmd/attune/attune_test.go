package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

type result struct {
	status      int
	out, errOut string
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	status := program().Run(t.Context(), args, cli.Stdio{In: strings.NewReader(""), Out: &out, Err: &errOut, Environ: environ(t)})
	return result{status, out.String(), errOut.String()}
}

// want checks the exit status and what is said on either stream.
func want(t *testing.T, got result, status int, parts ...string) {
	t.Helper()
	failed := got.status != status
	for _, p := range parts {
		if !strings.Contains(got.out+got.errOut, p) {
			t.Errorf("nothing says %q", p)
			failed = true
		}
	}
	if failed {
		t.Fatalf("exit status %d, want %d; output:\n%s\nerrors:\n%s", got.status, status, got.out, got.errOut)
	}
}

// uses makes a database the one of the commands and of the test's logins, whose sessions are used again.
func uses(t *testing.T, db *testdb.DB) {
	t.Helper()
	db.URL = testdb.Relay(t, db.URL)
	setenv(t, "ATTUNE_DATABASE_URL", db.URL)
}

func TestMigrateEmptyPostgres(t *testing.T) {
	t.Parallel()
	isolated(t)
	db := testdb.EmptyPostgres(t)
	uses(t, db)
	want(t, run(t, "migrate", "status"), 0, "empty", migrations.UnifyRuntimes, "pending")
	want(t, run(t, "runtimes", "list"), 1, "attune migrate up")
	want(t, run(t, "migrate", "plan", "--exit-code"), cli.ExitPending, "apply", migrations.Baseline, "nothing was written")
	want(t, run(t, "migrate", "up", "--schema", "attune"), 0, "schema attune (was empty)", "applied", "core pack: 20 created")
	want(t, run(t, "migrate", "plan", "--exit-code"), 0, "nothing to do")
	want(t, run(t, "migrate", "up"), 0, "nothing to do")
	want(t, run(t, "runtimes", "list"), 0, "core.python", "python3 --version; python --version")
	want(t, run(t, "packs", "list"), 0, "core", "20")
	want(t, run(t, "packs", "load", "core"), 0, "20 unchanged; nothing changed")
	want(t, run(t, "migrate", "plan", "--down"), 0, "undo", migrations.Declarations, "nothing was written")
}

// undoTo undoes migrations, the newest first, down to and including the one with an ID.
func undoTo(t *testing.T, id string) {
	t.Helper()
	for {
		got := run(t, "migrate", "down")
		want(t, got, 0, "undone")
		if strings.Contains(got.out, "undone    "+id) {
			return
		}
	}
}

func TestMigrateUpWithoutCore(t *testing.T) {
	t.Parallel()
	isolated(t)
	db := testdb.EmptyPostgres(t)
	got := run(t, "migrate", "up", "--no-core", "--json", "--database", db.URL)
	want(t, got, 0)
	var res migrations.Result
	if err := json.Unmarshal([]byte(got.out), &res); err != nil || len(res.Done) < 5 {
		t.Fatalf("%v: %+v in\n%s", err, res, got.out)
	}
	want(t, run(t, "runtimes", "list", "--database", db.URL), 0, "no runtimes", "attune packs load core")
}

func TestMigrateEmbedded(t *testing.T) {
	t.Parallel()
	isolated(t)
	want(t, run(t, "migrate", "status"), 1, "no database is named")
	const embedded = "using the embedded database sqlite:"
	want(t, run(t, "migrate", "up"), 0, "attune.db", "20 created", embedded)
	got := run(t, "migrate", "status")
	want(t, got, 0, "unified", "applied")
	if strings.Contains(got.out+got.errOut, embedded) {
		t.Errorf("it was said where the file was created; once more:\n%s", got.errOut)
	}
	for _, flags := range [][]string{{"--log-level", "info"}, {"--verbose"}, {"-v", "--log-level", "error"}, {"-v", "--log-level", "debug"}} {
		if got := run(t, append([]string{"migrate", "status"}, flags...)...); strings.Count(got.errOut, embedded) != 1 || strings.Contains(got.out, embedded) {
			t.Errorf("%q: the log does not say once which database is used:\n%s", flags, got.errOut)
		}
	}
	for _, name := range []string{"ATTUNE_STRICT", "ATTUNE_LOG_LEVEL", "ATTUNE_LOCK_TIMEOUT"} {
		setenv(t, name, "") // says nothing
	}
	for _, blank := range []string{"", "  "} {
		setenv(t, "ATTUNE_DATABASE_URL", blank)
		want(t, run(t, "workers", "list"), 0, "ATTUNE_DATABASE_URL is empty: "+embedded)
		want(t, run(t, "migrate", "up"), 0, "ATTUNE_DATABASE_URL is empty: "+embedded)
	}
	if named := run(t, "workers", "list", "--database", "sqlite:"+filepath.Join(getenv(t, "HOME"), ".local/state/attune/attune.db")); strings.Contains(named.errOut, "using") {
		t.Errorf("it is named, and said all the same:\n%s", named.errOut)
	}
	undoTo(t, migrations.UnifyRuntimes)
	want(t, run(t, "migrate", "down"), 1, "rows")
	want(t, run(t, "runtimes", "list"), 1, "not migrated")
	want(t, run(t, "migrate", "up"), 0, "applied", migrations.UnifyRuntimes)
}

// TestMigrateDownOfRows: what is given up is said before and afterwards, and the
// force that is needed for one migration does not empty the database.
func TestMigrateDownOfRows(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolated(t)
		uses(t, db)
		want(t, run(t, "packs", "load", "core"), 0)
		exec(t, db, `INSERT INTO capability_change (worker_name, worker_role, runtime_ref, name, kind) VALUES ('w', 'action', 'core.go', 'go', 'gained')`)
		undoTo(t, migrations.SafeFunctions)
		got := run(t, "migrate", "plan", "--down")
		want(t, got, 0, "drop      capability_change with 1 row\n", "in the way table capability_change holds 1 row\n",
			"nothing was written; `attune migrate down` refuses that; `attune migrate down --force` does it")
		if strings.Contains(got.out, "can use it") {
			t.Errorf("undoing says which programs can use it:\n%s", got.out)
		}
		want(t, run(t, "migrate", "down"), 1, "capability_change holds 1 row;", "`attune migrate down --force`")
		want(t, run(t, "migrate", "down", "--force", migrations.Baseline), 1, "not the newest", migrations.WorkerRuntime)
		want(t, run(t, "migrate", "down", "--force"), 0, "undone    "+migrations.WorkerRuntime, "dropped   table capability_change with 1 row\n")
		want(t, run(t, "migrate", "plan", "--down"), 0, "nothing was written; `attune migrate down` does it\n")
		want(t, run(t, "migrate", "down", "--force"), 0, "undone    "+migrations.UnifyRuntimes)
		byName := "`attune migrate down " + migrations.Baseline + " --force`"
		want(t, run(t, "migrate", "plan", "--down"), 0, "drop      pack with 1 row\n", "`attune migrate down` refuses that; "+byName)
		want(t, run(t, "migrate", "down", "--force"), 1, "table pack holds 1 row;", byName)
		want(t, run(t, "migrate", "down", "--force", migrations.Baseline), 0, "undone    "+migrations.Baseline, "dropped   table pack with 1 row\n")
	})
}

func TestRuntimes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		uses(t, db)
		want(t, run(t, "packs", "load", "core"), 0, "20 created")
		want(t, run(t, "runtimes", "list", "--after", "core.p", "--limit", "1"), 0, "core.perl")
		got := run(t, "runtimes", "list", "--json", "--pack", "core")
		var defs []map[string]any
		if err := json.Unmarshal([]byte(got.out), &defs); err != nil || len(defs) != 20 {
			t.Errorf("--json: %v, %d definitions", err, len(defs))
		}
		for _, name := range []string{"core.nodejs", "NODE", "Node.js", "nodejs"} {
			want(t, run(t, "runtimes", "show", name), 0, "core.nodejs", "node --version", "none registered with it")
		}
		want(t, run(t, "runtimes", "show", "java"), 0, "\n  read ../release  (version matches ")
		want(t, run(t, "runtimes", "show", "dotnet"), 0, "each match is a version")
		want(t, run(t, "runtimes", "show", "python"), 0, "also names with a version")
		want(t, run(t, "runtimes", "list", "--pack", "core"), 0, "java -version; reads ../release\n")
		writePack(t, map[string]string{"pack.yaml": "ref: acme\nlabel: ACME\nversion: 1.0.0\n", "runtimes/ruby.yaml": onlyVersions})
		want(t, run(t, "packs", "load", "acme"), 0)
		want(t, run(t, "runtimes", "list", "--pack", "acme"), 0, "/opt/acme/ruby-3.4 --version; /opt/acme/ruby-3.3 --version")
		got = run(t, "runtimes", "show", "acme.ruby")
		want(t, got, 0, "verification  that of its versions\n", "999  /opt/acme/ruby-3.4 --version")
		if strings.Contains(got.out, "none\n") {
			t.Errorf("it says that there is no verification:\n%s", got.out)
		}
		reports.Register(t, db, metadata.Worker, "twin", &capability.Document{Detected: []capability.Installation{python("3.12.1", "/usr/bin/python3")}})
		reports.Register(t, db, metadata.Sensor, "twin", &capability.Document{Detected: []capability.Installation{python("3.12.1", "/usr/bin/python3")}})
		want(t, run(t, "runtimes", "show", "python"), 0, "twin (worker)", "twin (sensor)")
		want(t, run(t, "runtimes", "show", "core.pyton"), 1, "did you mean core.python?")
		want(t, run(t, "runtimes", "list", "--limit=-1"), 2, "--limit must be at least 0, got -1")
	})
}

// onlyVersions is a definition without a verification of its own: each version has one.
const onlyVersions = `ref: acme.ruby
name: ACME Ruby
aliases: [acme-ruby]
versions:
  - version: 3.4
    distributions: {verification: {commands: [{binary: /opt/acme/ruby-3.4, args: ["--version"]}]}}
  - version: 3.3
    distributions: {verification: {commands: [{binary: /opt/acme/ruby-3.3, args: ["--version"]}]}}
`

// writePack writes the pack acme into the working folder.
func writePack(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join("acme", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolated(t)
		uses(t, db)
		want(t, run(t, "workers", "list"), 0, "no workers")
		// A row of the time before attune: no capability document, no status.
		fixtures.Worker(t.Context(), t, db, fixtures.WorkerOpts{Name: new("old\x1b[31m")})
		want(t, run(t, "workers", "list"), 0, `old\x1b[31m`)
		want(t, run(t, "workers", "list", "--name", "nobody"), 0, "no workers that fit")
		want(t, run(t, "workers", "show", "nobody"), 1, `no worker "nobody"`)
		want(t, run(t, "workers", "list", "--role", "boss"), 2, "worker or sensor")
		want(t, run(t, "workers", "list", "--status", "asleep"), 2, "busy, error or stale")
	})
}

func TestPacks(t *testing.T) {
	isolate(t)
	want(t, run(t, "packs", "init", "acme"), 0, "wrote acme/pack.yaml", "attune packs validate acme")
	want(t, run(t, "packs", "init", "acme"), 1, "holds a pack already")
	want(t, run(t, "packs", "init", "Not A Ref"), 1, "Not A Ref")
	want(t, run(t, "packs", "validate", "acme"), 0, "pack acme is valid: 1 definition")
	bad := "ref: acme.bad\nname: Bad\ndistributions:\n  verification:\n    commands:\n      - {binary: bad, pattern: '(', exit_code: 700}\n"
	if err := os.WriteFile(filepath.Join("acme", "runtimes", "bad.yaml"), []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, run(t, "packs", "validate", "acme"), 1, "acme/runtimes/bad.yaml:6:", "missing closing )", "exit_code", "validate: 2 errors")
	want(t, run(t, "packs", "load", "acme"), 1, "nothing was loaded")
	if validated := run(t, "packs", "validate", "acme"); strings.Contains(validated.out, "can be loaded") || strings.Contains(validated.out, "is valid") {
		t.Errorf("a pack with errors: %s", validated.out)
	}
	var faults []map[string]any
	if err := json.Unmarshal([]byte(run(t, "packs", "validate", "acme", "--json").out), &faults); err != nil || len(faults) != 2 {
		t.Errorf("--json: %v, %v", err, faults)
	}
	for name, c := range map[string]struct {
		text    string
		verdict string
		also    []string
	}{
		"a misplaced key": {"ref: acme.bad\nname: Bad\ndistributions:\n  commands: [{binary: bad}]\n", "can be loaded: 2 definitions, 2 warnings\n",
			[]string{`acme/runtimes/bad.yaml:4:3: warning: /distributions/commands: unknown key "commands" here; did you mean verification.commands?`, "did you mean verification.commands?"}},
		"refused in standard mode": {"ref: acme.bad\nname: Bad\ndistributions: {verification: {commands: [{binary: lua, args: [-e, print(1)]}]}}\n",
			"is valid: 2 definitions, 1 note\n", []string{"acme/runtimes/bad.yaml:3:43: note: ", `refused in standard mode`, `policy.allow has "lua -e 'print(1)'"`}},
		"a slip": {"ref: acme.bad\nname: \"\\d\"\n", "", []string{"acme/runtimes/bad.yaml:2:8: error: ", "write it in single quotes"}},
	} {
		if err := os.WriteFile(filepath.Join("acme", "runtimes", "bad.yaml"), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		status := 0
		if c.verdict == "" {
			status = 1
		}
		validated := run(t, "packs", "validate", "acme")
		want(t, validated, status, c.also...)
		if c.verdict != "" && !strings.HasSuffix(validated.out, "acme: pack acme "+c.verdict) {
			t.Errorf("%s: %s", name, validated.out)
		}
		// There is no database to load it into; what is wrong is said before.
		want(t, run(t, "packs", "load", "acme"), 1, c.also[len(c.also)-1])
	}
}

func TestWrongInput(t *testing.T) {
	isolate(t)
	if err := os.WriteFile("junk.db", bytes.Repeat([]byte("junk"), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		say    string
	}{
		{[]string{"bogus"}, 2, "unexpected argument bogus"},
		{[]string{"migrate"}, 2, "up"},
		{[]string{"migrate", "up", "--lock-timeout", "soon"}, 2, "--lock-timeout: "},
		{[]string{"migrate", "up", "--database", "mysql://x"}, 2, "mysql"},
		{[]string{"migrate", "up", "--database", "sqlite:junk.db"}, 1, "junk.db"},
		{[]string{"migrate", "up", "--database", "sqlite:/no/such/folder/x.db"}, 1, "/no/such/folder"},
		{[]string{"packs", "load", "/nope"}, 1, "/nope"},
		{[]string{"packs", "load", "core"}, 1, "no database is named"},
		{[]string{"packs", "validate"}, 2, "dir"},
		{[]string{"explain", "gpu-3"}, 2, "runtime"},
		{[]string{"workers", "history", "gpu-3", "--limit=abc"}, 2, `--limit: must be a whole number, got "abc"`},
		{[]string{"workers", "history", "gpu-3", "--limit", "99999999999999999999"}, 2, "--limit: must fit into 64 bits, got 99999999999999999999"},
		{[]string{"workers", "refresh", "gpu-3", "--timeout", "soon"}, 2, `--timeout: must be a time such as 10s, 1h30m or 7d, of at most 99999d, got "soon"`},
		{[]string{"workers", "list", "id:seven"}, 2, `id: must be a number, got "seven"`},
		{[]string{"versions", "match", ">=x", "1"}, 2, ">=x"},
		{[]string{"migrate", "up", "--database", ""}, 2, "--database must not be empty"},
		{[]string{"--database=", "workers", "list"}, 2, "--database must not be empty"},
	} {
		got := run(t, c.args...)
		if _, hint, found := strings.Cut(got.errOut, "\nsee attune "); found != (c.status == 2) {
			t.Errorf("%q: status %d, and see %q", c.args, got.status, hint)
		} else if found { // what is pointed to can be pasted
			if help := run(t, strings.Fields(hint)...); help.status != 0 || !strings.Contains(help.out, strings.TrimSpace("Usage: attune "+strings.TrimSuffix(hint, "--help\n"))) {
				t.Errorf("%q: the command %q printed no help: status %d\n%s%s", c.args, hint, help.status, help.out, help.errOut)
			}
		}
		if got.status != c.status || !strings.Contains(got.errOut, c.say) {
			t.Errorf("%q: exit status %d, want %d, and %q in\n%s%s", c.args, got.status, c.status, c.say, got.out, got.errOut)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	isolated(t)
	for _, args := range []string{
		"", "migrate", "migrate up", "migrate down", "migrate status", "migrate plan", "packs", "packs init", "packs load",
		"packs validate", "packs unload", "packs list", "runtimes", "runtimes list", "runtimes show", "runtimes delete", "workers", "workers list",
		"workers show", "workers diff", "workers groups", "workers history", "workers refresh", "workers delete", "workers cordon",
		"workers uncordon", "workers taint", "workers untaint", "place", "explain", "serve", "tokens", "tokens create", "tokens list",
		"tokens revoke", "versions", "versions match", "status", "config", "completion",
	} {
		got := run(t, append(strings.Fields(args), "--help")...)
		if got.status != 0 || !strings.Contains(got.out, "Usage: attune") || strings.Contains(got.out, "${") {
			t.Errorf("%q: status %d\n%s%s", args, got.status, got.out, got.errOut)
		}
	}
	for _, c := range []struct{ command, say string }{
		{"workers refresh", "(default: 2m)"}, {"workers list", "0 shows all"}, {"workers history", "each line is one JSON object"},
		{"workers history", "* is any text"}, {"workers history", "default: all workers"}, {"workers list", "Order: name, status, heartbeat, version or id"}, {"workers delete", "all or none"}, {"workers cordon", "'*' is every worker"}, {"workers taint", "KEY[=VALUE][:EFFECT]"}, {"workers show", "* is any text"}, {"explain", "* is any text"},
	} {
		got := run(t, append(strings.Fields(c.command), "--help")...)
		if !strings.Contains(strings.Join(strings.Fields(got.out), " "), c.say) {
			t.Errorf("%s --help does not say %q:\n%s", c.command, c.say, got.out)
		}
	}
}

// TestMigrateLegacy: an installation that others made, with something in the
// way at first.
func TestMigrateLegacy(t *testing.T) {
	t.Parallel()
	isolated(t)
	db := testdb.EmptyPostgres(t)
	uses(t, db)
	want(t, run(t, "migrate", "up", "--no-core"), 0)
	undoTo(t, migrations.UnifyRuntimes)
	exec := func(sql string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`DROP TABLE attune_migrations;
INSERT INTO pack (ref, label, version) VALUES ('core', 'Core', '1');
INSERT INTO runtime (ref, pack, pack_ref, runtime_type, name, distributions) VALUES
  ('core.action.python', 1, 'core', 'action', 'Python', '["python3"]'), ('core.sensor.python', 1, 'core', 'sensor', 'Python', '{}');
CREATE VIEW sides AS SELECT ref, runtime_type FROM runtime`)
	want(t, run(t, "migrate", "plan", "--exit-code"), cli.ExitPending, "legacy", "core.python", "DROP VIEW", "refuses until the obstacle is cleared")
	refused := run(t, "migrate", "up")
	want(t, refused, 1, "sides", "DROP VIEW")
	if strings.Contains(refused.out, "adopted") {
		t.Errorf("the refused up says that it did something:\n%s", refused.out)
	}
	exec(`DROP VIEW sides`)
	want(t, run(t, "migrate", "up"), 0, "adopted", "2 runtimes became 1", "attune packs load core", "restart workers")
	want(t, run(t, "packs", "load", "core", "--dry-run"), 0, "updated   core.python", "nothing was written")
	want(t, run(t, "packs", "load", "core"), 0, "19 created, 1 updated")
	want(t, run(t, "runtimes", "show", "python3"), 0, "core.python", "python3 --version")
}

// TestLookingWritesNothing: an empty file stays one.
func TestLookingWritesNothing(t *testing.T) {
	isolate(t)
	if err := os.WriteFile("empty.db", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	setenv(t, "ATTUNE_DATABASE_URL", "sqlite:empty.db")
	want(t, run(t, "migrate", "plan"), 0, "apply", "nothing was written")
	want(t, run(t, "migrate", "status"), 0, "pending")
	want(t, run(t, "workers", "list"), 1, "not migrated", "attune migrate up")
	want(t, run(t, "migrate", "down"), 1, "no migration is applied")
	if list, err := filepath.Glob("*"); err != nil || len(list) != 1 {
		t.Errorf("there are %q, %v", list, err)
	}
	if info, err := os.Stat("empty.db"); err != nil || info.Size() != 0 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
	want(t, run(t, "migrate", "up"), 0, "20 created")
	want(t, run(t, "workers", "list"), 0, "no workers")
}

// TestWarningsOfAPack: a warning is called one once.
func TestWarningsOfAPack(t *testing.T) {
	isolate(t)
	setenv(t, "ATTUNE_DATABASE_URL", "sqlite:attune.db")
	want(t, run(t, "migrate", "up"), 0)
	writePack(t, map[string]string{
		"pack.yaml":          "ref: acme\nlabel: ACME\nversion: 1.0.0\n",
		"runtimes/ruby.yaml": strings.Replace(onlyVersions, "args", "agrs: 1, args", 1),
	})
	got := run(t, "packs", "load", "acme")
	want(t, got, 0, "warning: acme/runtimes/ruby.yaml:6:", "agrs")
	if n := strings.Count(got.errOut, "warning"); n != 1 {
		t.Errorf("it says warning %d times:\n%s", n, got.errOut)
	}
}

// TestVariablesAreBlamed: a value that a variable gave is not the flag's.
func TestVariablesAreBlamed(t *testing.T) {
	t.Parallel()
	isolated(t)
	setenv(t, "ATTUNE_LOG_LEVEL", "loud")
	want(t, run(t, "workers", "list"), 2, `attune: ATTUNE_LOG_LEVEL: must be debug, info, warn or error, got "loud"`)
	want(t, run(t, "workers", "list", "--log-level=soft"), 2, `attune: --log-level: must be debug, info, warn or error, got "soft"`)
	setenv(t, "ATTUNE_LOG_LEVEL", "warn")
	setenv(t, "ATTUNE_STRICT", "maybe")
	want(t, run(t, "workers", "list"), 2, `attune: ATTUNE_STRICT: must be true or false, got "maybe"`)
	want(t, run(t, "workers", "list", "--strict=perhaps"), 2, `attune: --strict: must be true or false, got "perhaps"`)
	want(t, run(t, "workers", "list", "--config"), 2, "attune: --config: expected")
	setenv(t, "ATTUNE_STRICT", "")
	setenv(t, "ATTUNE_LOCK_TIMEOUT", "soon")
	want(t, run(t, "migrate", "up"), 2, "attune: ATTUNE_LOCK_TIMEOUT: must be a time such as")
	setenv(t, "ATTUNE_LOCK_TIMEOUT", "0s")
	want(t, run(t, "migrate", "up"), 2, "attune: ATTUNE_LOCK_TIMEOUT: must be greater than 0, got 0s\nsee")
	want(t, run(t, "migrate", "up", "--lock-timeout=-1s"), 2, "attune: --lock-timeout: must be greater than 0, got -1s\nsee")
}
