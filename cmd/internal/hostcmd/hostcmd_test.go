//go:build unix

package hostcmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/hostcmd"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// answer is what a command line gave.
type answer struct {
	status      int
	out, errOut string
}

// run runs a command line in an empty home, from an empty folder.
func run(t *testing.T, role metadata.Role, args ...string) answer {
	t.Helper()
	var out, errOut bytes.Buffer
	status := hostcmd.Program(role).Run(t.Context(), args, cli.Stdio{In: strings.NewReader(""), Out: &out, Err: &errOut})
	return answer{status, out.String(), errOut.String()}
}

// isolate keeps the machine's own settings out of a test.
func isolate(t *testing.T) (home string) {
	t.Helper()
	home = t.TempDir()
	t.Setenv("HOME", home)
	// A go on this machine would go on writing telemetry into the home folder
	// while the test removes it.
	telemetry := filepath.Join(home, ".config", "go", "telemetry")
	if err := os.MkdirAll(telemetry, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(telemetry, "mode"), []byte("off"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ATTUNE_DATABASE_URL", "ATTUNE_SCHEMA", "ATTUNE_CONFIG", "ATTUNE_STRICT",
		"ATTUNE_WORKER_RUNTIMES", "ATTUNE_SENSOR_RUNTIMES", "ATTUNE_WORKER_NAME", "ATTUNE_SENSOR_NAME", "ATTUNE_POLICY_MODE",
	} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	// The core pack knows fixed places of these, so that a detection would start what this machine has.
	t.Setenv("ATTUNE_POLICY_DENY", "java; go")
	t.Chdir(t.TempDir())
	return home
}

// ownPolicy leaves what is denied to the test's own file.
func ownPolicy(t *testing.T) {
	t.Helper()
	os.Unsetenv("ATTUNE_POLICY_DENY") // isolate has it restored
}

// tools makes a folder of scripts and puts it, alone, on PATH.
func tools(t *testing.T, scripts map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, body := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

func want(t *testing.T, got answer, status int, parts ...string) {
	t.Helper()
	if got.status != status {
		t.Errorf("exit status is %d, want %d", got.status, status)
	}
	for _, p := range parts {
		if !strings.Contains(got.out+got.errOut, p) {
			t.Errorf("nothing says %q", p)
		}
	}
	if t.Failed() {
		t.Fatalf("output:\n%s\nerrors:\n%s", got.out, got.errOut)
	}
}

func document(t *testing.T, got answer) *capability.Document {
	t.Helper()
	if got.status != 0 {
		t.Fatalf("exit status %d: %s", got.status, got.errOut)
	}
	caps := new(capability.Document)
	if err := json.Unmarshal([]byte(got.out), caps); err != nil {
		t.Fatalf("%v in\n%s", err, got.out)
	}
	return caps
}

const python = `echo "Python 3.12.1"`

// has reports whether a host has all of these. It may have more: locations of
// the core pack show what is installed on this machine.
func has(caps *capability.Document, names ...string) bool {
	for _, name := range names {
		if !slices.Contains(caps.Runtimes, name) {
			return false
		}
	}
	return true
}

func TestDetectWithoutDatabase(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python, "node": "echo v20.20.2"})

	got := run(t, metadata.Worker, "detect")
	want(t, got, 0, "RUNTIME  VERSION", "python", "3.12.1", "20.20.2", "not found:", "ruby", "worker explain NAME")
	if strings.Contains(got.out, "\x1b") {
		t.Errorf("colours in a pipe: %q", got.out)
	}
	caps := document(t, run(t, metadata.Worker, "detect", "--json"))
	if !has(caps, "native", "node", "python") || caps.Source != capability.SourcePack {
		t.Errorf("worker: %v from %s", caps.Runtimes, caps.Source)
	}
	if slices.Contains(caps.Runtimes, "builtin") {
		t.Errorf("worker: %v; builtin is for sensors only", caps.Runtimes)
	}
	caps = document(t, run(t, metadata.Sensor, "detect", "--json"))
	if !slices.Contains(caps.Runtimes, "builtin") {
		t.Errorf("sensor: %v lacks builtin", caps.Runtimes)
	}
	if list, _ := os.ReadDir("."); len(list) > 0 {
		t.Errorf("detect wrote into the working directory: %v", list)
	}
	if _, err := os.Stat(filepath.Join(os.Getenv("HOME"), ".local")); err == nil {
		t.Error("detect wrote into the state folder")
	}
}

func TestTiers(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	if err := os.WriteFile("attune.yaml", []byte("worker:\n  capabilities:\n    runtimes: [node, Python]\n    max_concurrent_executions: 10\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	caps := document(t, run(t, metadata.Worker, "detect", "--json"))
	if !slices.Equal(caps.Runtimes, []string{"node", "python"}) || caps.Source != capability.SourceConfig {
		t.Errorf("config: %v from %s", caps.Runtimes, caps.Source)
	}
	if string(caps.Extra["max_concurrent_executions"]) != "10" {
		t.Errorf("other keys of the config: %v", caps.Extra)
	}
	t.Setenv("ATTUNE_WORKER_RUNTIMES", "shell")
	caps = document(t, run(t, metadata.Worker, "detect", "--json"))
	if !slices.Equal(caps.Runtimes, []string{"shell"}) || caps.Source != capability.SourceEnvironment {
		t.Errorf("environment: %v from %s", caps.Runtimes, caps.Source)
	}
	t.Setenv("ATTUNE_WORKER_RUNTIMES", "pyhton")
	want(t, run(t, metadata.Worker, "detect"), 0, "warning:", "pyhton")
	want(t, run(t, metadata.Worker, "detect", "--strict"), 1, "pyhton")
	t.Setenv("ATTUNE_WORKER_RUNTIMES", "")
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte("worker:\n  capabilities:\n    runtimes: [pyhton]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	place := file + `:3: worker.capabilities.runtimes names "pyhton"`
	want(t, run(t, metadata.Worker, "detect", "--config", file), 0, "warning:", place)
	want(t, run(t, metadata.Worker, "register", "--strict", "--config", file), 1, place)
}

func TestExplain(t *testing.T) {
	isolate(t)
	// One that is looked for in PATH and under HOME alone, so in this test's folders.
	dir := tools(t, map[string]string{"bun": `echo "bun: \033[31mbroken" >&2; exit 3`})
	want(t, run(t, metadata.Worker, "explain", "Bun"), 0,
		"bun (core.bun): exit_mismatch", filepath.Join(dir, "bun"), "exit code  3", `\x1b[31mbroken`, "pattern", "not reached")
	want(t, run(t, metadata.Worker, "explain", "Bun", "--exit-code"), cli.ExitPending)
	want(t, run(t, metadata.Worker, "explain", "native", "--exit-code"), 0)
	want(t, run(t, metadata.Worker, "explain", "bunn"), 1, "did you mean bun?")
	want(t, run(t, metadata.Worker, "explain", "cobol"), 1, "attune packs init")
	var e detect.Explanation
	if err := json.Unmarshal([]byte(run(t, metadata.Worker, "explain", "bun", "--json").out), &e); err != nil || len(e.Attempts) == 0 {
		t.Errorf("--json: %v, %+v", err, e)
	}
}

func TestRecord(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	file := filepath.Join(t.TempDir(), "host.yaml")
	want(t, run(t, metadata.Worker, "record", file), 0, "recorded ", "then try: `worker detect --host "+file+"`\n")
	want(t, run(t, metadata.Worker, "record", file), 1, "the file exists; --force replaces it")
	want(t, run(t, metadata.Worker, "record", "--force", file), 0)
	t.Setenv("PATH", "/nowhere")
	caps := document(t, run(t, metadata.Worker, "detect", "--json", "--host", file))
	if !slices.Contains(caps.RuntimeVersions["python"], "3.12.1") {
		t.Errorf("on the recorded host: %v", caps.RuntimeVersions)
	}
}

func TestRegisterEmbedded(t *testing.T) {
	home := isolate(t)
	dir := tools(t, map[string]string{"perl": "echo 'This is perl 5, version 36, subversion 0 (v5.36.0)'", "python3": python})
	first := run(t, metadata.Worker, "register", "--name", "w1")
	want(t, first, 0, "using the embedded database sqlite:"+home, "knows this host only", "worker w1 is registered", "inactive", "native", "perl")
	want(t, run(t, metadata.Worker, "detect", "--diff", "--name", "w1", "--exit-code"), 0, "nothing differs")
	if err := os.WriteFile(filepath.Join(dir, "php"), []byte("#!/bin/sh\necho 'PHP 8.2.7 (cli)'"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "perl")); err != nil {
		t.Fatal(err)
	}
	want(t, run(t, metadata.Worker, "detect", "--diff", "--name", "w1", "--exit-code"), cli.ExitPending, "+ php", "- perl")
	want(t, run(t, metadata.Worker, "detect", "--diff", "--name", "w1"), 0)
	want(t, run(t, metadata.Worker, "detect", "--diff", "--name", "other"), 1, `no worker "other" is registered`)
	again := run(t, metadata.Worker, "register", "--name", "w1", "--json")
	var row cli.WorkerDoc
	if err := json.Unmarshal([]byte(again.out), &row); err != nil || row.ID != 1 {
		t.Errorf("registered again: %v, %+v; want row 1", err, row)
	}
}

// core is a database with the core pack.
func core(t *testing.T, db *testdb.DB) {
	t.Helper()
	if _, err := install.Load(t.Context(), db.DB, store.Config{Schema: db.Schema}, packs.Core(), install.Options{}); err != nil {
		t.Fatal(err)
	}
}

func TestRegister(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		tools(t, map[string]string{"python3": python})
		core(t, db)
		t.Setenv("ATTUNE_DATABASE_URL", testdb.Relay(t, db.URL))
		want(t, run(t, metadata.Worker, "register", "--name", "w1", "--type", "container", "--advertise", "w1.example", "--port", "8080"), 0)
		want(t, run(t, metadata.Sensor, "register", "--name", "w1"), 0)
		workers, err := store.New(db.DB, store.Config{Schema: db.Schema}).Workers.Select(t.Context(), store.Selection{Has: []store.RuntimeFilter{{Ref: "core.python"}}})
		if err != nil || len(workers) != 2 {
			t.Fatalf("%d workers with python, %v; want 2", len(workers), err)
		}
		if w := workers[0]; w.Host == nil || *w.Host != "w1.example" || *w.Port != 8080 || w.WorkerType != "container" {
			t.Errorf("row: %+v", w)
		}
	})
}

// TestRowsOfTheDatabase: what is inserted by SQL is detected by the next call;
// one malformed row hides nothing; a row cannot run a shell.
func TestRowsOfTheDatabase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		marker := filepath.Join(t.TempDir(), "ran")
		tools(t, map[string]string{"python3": python, "cobc": `echo "cobc (GnuCOBOL) 3.1.2.0"`, "sh": "touch " + marker})
		core(t, db)
		insert(t, db, "core.cobol", "COBOL", `{"verification": {"commands": [{"binary": "cobc", "args": ["--version"]}]}}`)
		insert(t, db, "acme.evil", "Evil", `{"verification": {"commands": [{"binary": "sh", "args": ["-c", "touch `+marker+`"]}]}}`)
		testdb.Unguard(t, db, db.Schema) // the row is older than they are
		insert(t, db, "acme.broken", "Broken", `{"verification": "yes"}`)
		t.Setenv("ATTUNE_DATABASE_URL", testdb.Relay(t, db.URL))

		caps := document(t, run(t, metadata.Worker, "detect", "--json"))
		if !has(caps, "cobol", "native", "python") || caps.Source != capability.SourceDatabase {
			t.Errorf("runtimes: %v from %s", caps.Runtimes, caps.Source)
		}
		outcomes := map[string]capability.Outcome{}
		for _, a := range caps.Undetected {
			outcomes[a.Ref] = a.Outcome
		}
		if outcomes["acme.evil"] != capability.DeniedByPolicy || outcomes["acme.broken"] != capability.InvalidMetadata {
			t.Errorf("outcomes: evil %q, broken %q", outcomes["acme.evil"], outcomes["acme.broken"])
		}
		if _, err := os.Stat(marker); err == nil {
			t.Error("the row's shell command ran")
		}
		want(t, run(t, metadata.Worker, "explain", "evil"), 0, "denied_by_policy", "policy.allow")
		want(t, run(t, metadata.Worker, "detect"), 0, "could not tell: broken (invalid_metadata)", "not usable:", "evil (denied_by_policy)")
		// The core pack is trusted in every mode, a row that looks like its own is not.
		if caps := document(t, run(t, metadata.Worker, "detect", "--json", "--policy-mode", "strict")); !has(caps, "python") || has(caps, "cobol") {
			t.Errorf("strict: %v", caps.Runtimes)
		}
		want(t, run(t, metadata.Worker, "explain", "cobol", "--policy-mode", "strict"), 0, "neither the core pack nor a pack of policy.trusted_packs has this command")
	})
}

func insert(t *testing.T, db *testdb.DB, ref, name, distributions string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if _, err := db.NewRaw("INSERT INTO runtime (ref, name, distributions) VALUES (?, ?, ?)", ref, name, distributions).Exec(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestAuthorsLoop(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"widget": `test "$1" = -probe && echo "widget 4.2"`})
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "runtimes"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("pack.yaml", "ref: acme\nlabel: Acme\nversion: 1.0.0\n")
	write("runtimes/widget.yaml", "ref: acme.widget\nname: Widget\ndistributions: {verification: {commands: [{binary: widget, args: [-probe]}]}}\n")
	caps := document(t, run(t, metadata.Worker, "detect", "--json", "--pack", dir))
	if !slices.Equal(caps.RuntimeVersions["widget"], []string{"4.2.0"}) {
		t.Errorf("versions: %v", caps.RuntimeVersions)
	}
	write("runtimes/widget.yaml", "ref: acme.widget\nname: Widget\ndistributions: {verification: {commands: [{binary: widget, pattern: '('}]}}\n")
	want(t, run(t, metadata.Worker, "detect", "--pack", dir), 1, "widget.yaml:3:", "/distributions/verification/commands/0/pattern: missing closing )")
}

func TestWrongInput(t *testing.T) {
	home := isolate(t)
	if err := os.WriteFile("bad.yaml", []byte("worker: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("junk.db", bytes.Repeat([]byte("junk"), 2048), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		say    string
	}{
		{[]string{"detect", "--bogus"}, 2, "unknown flag"},
		{[]string{"detect", "--exit-code"}, 2, "--exit-code goes with --diff"},
		{[]string{"detect", "--database", "nope"}, 2, "sqlite:nope"},
		{[]string{"detect", "--database", "postgres://u:secret@127.0.0.1:1/x"}, 1, "not reachable"},
		{[]string{"detect", "--database", "sqlite:junk.db"}, 1, "not usable"},
		{[]string{"detect", "--database", "sqlite:none.db"}, 1, "no such file or directory; `attune migrate up"},
		{[]string{"detect", "--explain"}, 2, "goes with --json"},
		{[]string{"detect", "--config", "pipe"}, 1, "not a regular file"},
		{[]string{"record", "--json"}, 2, "YAML"},
		{[]string{"register", "--name", ""}, 2, "--name: must not be blank"},
		{[]string{"register", "--name", "a\x1b[31mb"}, 2, `a\x1b[31mb`},
		{[]string{"register", "--port", "0"}, 2, "65535"},
		{[]string{"detect", "--config", "bad.yaml"}, 1, "bad.yaml:"},
		{[]string{"detect", "--config", "missing.yaml"}, 1, "missing.yaml"},
		{[]string{"detect", "--log-level", "loud"}, 2, "--log-level"},
		{[]string{"detect", "--policy-mode", "lax"}, 2, "lax"},
		{[]string{"detect", "--host", "junk.db"}, 1, "junk.db"},
		{[]string{"register", "--type", "cloud"}, 2, "local, remote or container"},
		{[]string{"register", "--port", "70000"}, 2, "65535"},
		{[]string{"detect", "--diff"}, 1, "no database is named"},
		{[]string{"explain"}, 2, "--help"},
	} {
		got := run(t, metadata.Worker, c.args...)
		if got.status != c.status || !strings.Contains(got.errOut, c.say) {
			t.Errorf("%q: exit status %d, want %d, and %q in\n%s%s", c.args, got.status, c.status, c.say, got.out, got.errOut)
		}
		if strings.Contains(got.out+got.errOut, "secret") {
			t.Errorf("%q prints the password", c.args)
		}
	}
	t.Setenv("XDG_STATE_HOME", file)
	want(t, run(t, metadata.Worker, "register"), 1, "state folder", file)
}

// TestFirstRegistrationsAtOnce: worker and sensor of a new host begin together.
func TestFirstRegistrationsAtOnce(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	answers := make([]answer, 6)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			role := []metadata.Role{metadata.Worker, metadata.Sensor}[i%2]
			answers[i] = run(t, role, "register", "--name", "w")
		})
	}
	all.Wait()
	for _, got := range answers {
		want(t, got, 0, "is registered", "native", "python")
	}
}

// TestRegisterCreatesTheFile: a file of this host's own needs no migrating by
// hand, wherever it is.
func TestRegisterCreatesTheFile(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	want(t, run(t, metadata.Worker, "register", "--database", "sqlite:own.db"), 0, "is registered", "python")
	want(t, run(t, metadata.Worker, "detect", "--database", "sqlite:own.db", "--diff"), 0, "nothing differs")
}

func TestMemoryHasAllItNeeds(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	if caps := document(t, run(t, metadata.Worker, "detect", "--json", "--database", "sqlite::memory:")); !has(caps, "python") {
		t.Errorf("runtimes: %v", caps.Runtimes)
	}
}

func TestNoDefinitions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		ownPolicy(t)
		want(t, run(t, metadata.Worker, "detect", "--database", db.URL), 0, "no runtime is defined", "attune packs load core")
		got := run(t, metadata.Worker, "detect", "python", "--database", db.URL)
		want(t, got, 1, `no runtime "python" is defined`)
		if n := strings.Count(got.errOut, "warning: "); n != 1 {
			t.Errorf("%d warnings, want one:\n%s", n, got.errOut)
		}
	})
}

// TestDenyByName: who denies python means it, whatever the program is called.
func TestDenyByName(t *testing.T) {
	isolate(t)
	ownPolicy(t)
	tools(t, map[string]string{"python3": python, "perl": "echo 'This is perl 5 (v5.36.0)'"})
	if err := os.WriteFile("attune.yaml", []byte("policy: {mode: open, deny: [python, Core.Perl], trusted_packs: [/no/such/pack]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, metadata.Worker, "detect", "--config", "attune.yaml")
	want(t, got, 0, "python (denied_by_policy)", "perl (denied_by_policy)", "attune.yaml:1: policy.trusted_packs: /no/such/pack is not trusted: open the pack's folder: no such file or directory\n")
}

func TestLostAnswerIsNoSuccess(t *testing.T) {
	isolate(t)
	tools(t, nil)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here:", err)
	}
	defer full.Close()
	var errOut bytes.Buffer
	status := hostcmd.Program(metadata.Worker).Run(t.Context(), []string{"detect"}, cli.Stdio{Out: full, Err: &errOut})
	if status != 1 || !strings.Contains(errOut.String(), "no space left") {
		t.Errorf("exit status %d, %q", status, errOut.String())
	}
}

func TestInterrupted(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errOut bytes.Buffer
	status := hostcmd.Program(metadata.Worker).Run(ctx, []string{"detect"}, cli.Stdio{Out: &errOut, Err: &errOut})
	if status != cli.ExitInterrupted || !strings.Contains(errOut.String(), "interrupted") {
		t.Errorf("exit status %d, %q", status, errOut.String())
	}
}

func TestHelpAndVersion(t *testing.T) {
	isolate(t)
	for _, args := range [][]string{{}, {"--help"}, {"detect", "--help"}, {"explain", "--help"}, {"record", "--help"}, {"register", "--help"}} {
		if got := run(t, metadata.Sensor, args...); got.status != 0 || !strings.Contains(got.out, "Usage: sensor") || strings.Contains(got.out, "${") {
			t.Errorf("%q: status %d\n%s%s", args, got.status, got.out, got.errOut)
		}
	}
	want(t, run(t, metadata.Sensor, "--version"), 0, "sensor 0.1.0")
}

// TestDetectOfSomeRuntimes: nothing else is run or shown.
func TestDetectOfSomeRuntimes(t *testing.T) {
	isolate(t)
	dir := tools(t, map[string]string{"python3": python, "node": `echo x >> "$0.ran"; echo v20.20.2`})
	got := run(t, metadata.Worker, "detect", "PYTHON3", "bun") // which is looked for in PATH and HOME alone
	want(t, got, 0, "3.12.1", "not found: bun")
	if strings.Contains(got.out, "node") || strings.Contains(got.out, "native") {
		t.Errorf("it shows what was not asked for:\n%s", got.out)
	}
	if _, err := os.Stat(filepath.Join(dir, "node.ran")); err == nil {
		t.Error("it ran what was not asked for")
	}
	if caps := document(t, run(t, metadata.Worker, "detect", "python", "--json")); !slices.Equal(caps.Runtimes, []string{"python"}) || len(caps.Undetected) != 0 {
		t.Errorf("--json: %v, undetected %v", caps.Runtimes, caps.Undetected)
	}
	want(t, run(t, metadata.Worker, "detect", "pyton", "cobol-x"), 1, `no runtime "pyton"`, `no runtime "cobol-x"`)
	want(t, run(t, metadata.Worker, "detect", "pyton"), 1, `no runtime "pyton" is defined in the core pack; did you mean python?`)
	for _, command := range []string{"detect", "explain"} {
		want(t, run(t, metadata.Worker, command, "python@>=3.12"), 2, command+": must be a runtime without versions, such as python, got")
	}
	want(t, run(t, metadata.Worker, "detect", "builtin"), 0, "core.sensor.builtin is not for the role worker", "no runtimes")
	want(t, run(t, metadata.Worker, "detect", "python", "--diff"), 2, "--diff compares everything")
}
