package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
)

// settingsOf reads the answer of `attune config --json`.
func settingsOf(t *testing.T, got result) map[string]config.Setting {
	t.Helper()
	want(t, got, 0)
	var list []config.Setting
	if err := json.Unmarshal([]byte(got.out), &list); err != nil {
		t.Fatalf("%v in %s", err, got.out)
	}
	byKey := map[string]config.Setting{}
	for _, s := range list {
		byKey[s.Key] = s
	}
	return byKey
}

// TestConfig shows where each value is from, and which of several counts.
func TestConfig(t *testing.T) {
	isolate(t)
	file := filepath.Join(getenv(t, "HOME"), ".config", "attune", "attune.yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "database:\n  url: postgres://u:sekret@db/x\n  schema: s1\nworker: {name: w1, port: 1}\npolicy:\n  deny: [perl]\n  mode: strict\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	setenv(t, "ATTUNE_SCHEMA", "s2")
	setenv(t, "ATTUNE_WORKER_PORT", "2")
	setenv(t, "ATTUNE_POLICY_DENY", "ruby; perl")
	setenv(t, "ATTUNE_WORKER_LISTEN", "")
	got := settingsOf(t, run(t, "config", "worker", "--json", "--database", "postgres://v:sekret@db/y?password=sekret"))
	for key, want := range map[string]struct {
		text   string
		source config.Source
		where  string
	}{
		"config":            {file, config.FromDefault, ""},
		"database.url":      {"postgres://v:xxxxx@db/y?password=xxxxx", config.FromFlag, "--database"},
		"database.schema":   {"s2", config.FromEnvironment, "ATTUNE_SCHEMA"},
		"worker.name":       {"w1", config.FromFile, file + ":4"},
		"worker.port":       {"2", config.FromEnvironment, "ATTUNE_WORKER_PORT"},
		"worker.listen":     {"none", config.FromDefault, ""},
		"policy.mode":       {"strict", config.FromFile, file + ":7"},
		"policy.deny":       {`["ruby","perl"]`, config.FromEnvironment, "ATTUNE_POLICY_DENY"},
		"worker.full_every": {"10", config.FromDefault, ""},
	} {
		s := got[key]
		if s.Text() != want.text || s.Source != want.source || s.Where != want.where {
			t.Errorf("%s is %q, %s %q, want %+v", key, s.Text(), s.Source, s.Where, want)
		}
	}
	if _, other := got["sensor.name"]; other {
		t.Error("a worker has keys of a sensor")
	}
	if s := settingsOf(t, run(t, "config", "-v", "--json"))["log_level"]; s.Text() != "info" || s.Source != config.FromFlag || s.Where != "--verbose" {
		t.Errorf("log_level with -v: %+v", s)
	}
	got = settingsOf(t, run(t, "config", "attune", "--json"))
	if s := got["database.url"]; len(got) != 6 || s.Text() != "postgres://u:xxxxx@db/x" || s.Where != file+":2" {
		t.Errorf("attune heeds %+v", got)
	}
	for _, args := range [][]string{{"config"}, {"config", "--json"}, {"config", "sensor"}} {
		answer := run(t, args...)
		want(t, answer, 0, "sensor.listen", "policy.deny")
		if strings.Contains(answer.out+answer.errOut, "sekret") {
			t.Errorf("%q prints a password:\n%s", args, answer.out)
		}
	}
}

// TestConfigMisused ends with what to do, whatever it is given.
func TestConfigMisused(t *testing.T) {
	t.Parallel()
	isolated(t)
	want(t, run(t, "config"), 0, "none; register and run create sqlite:"+getenv(t, "HOME"))
	want(t, run(t, "migrate", "up"), 0)
	if s := settingsOf(t, run(t, "config", "--json"))["database.url"]; s.Text() != "sqlite:"+getenv(t, "HOME")+"/.local/state/attune/attune.db" {
		t.Errorf("the embedded file is %q", s.Text())
	}
	for _, c := range []struct {
		args   []string
		status int
		say    string
	}{
		{[]string{"config", "wroker"}, cli.ExitUsage, `must be worker, sensor or attune, got "wroker"`},
		{[]string{"config", ""}, 0, "worker.name"},
		{[]string{"config", "a\x1b[31mb"}, cli.ExitUsage, `\x1b`},
		{[]string{"config", "worker", "sensor"}, cli.ExitUsage, "unexpected argument"},
		{[]string{"config", "--name", "x"}, cli.ExitUsage, "unknown flag"},
		{[]string{"config", "--database", ""}, cli.ExitUsage, "--database must not be empty"},
		{[]string{"config", "--config", "missing.yaml"}, 1, "missing.yaml"},
		{[]string{"config", "--config", "."}, 1, "not a regular file"},
		{[]string{"config", "--log-level", "loud"}, cli.ExitUsage, "--log-level"},
	} {
		got := run(t, c.args...)
		if got.status != c.status || !strings.Contains(got.out+got.errOut, c.say) || strings.Contains(got.errOut, "\x1b") {
			t.Errorf("%q: exit status %d, want %d and %q in\n%s%s", c.args, got.status, c.status, c.say, got.out, got.errOut)
		}
	}
	setenv(t, "ATTUNE_WORKER_PORT", "eighty")
	setenv(t, "ATTUNE_SENSOR_VERIFY_INTERVAL", "soon")
	setenv(t, "ATTUNE_WORKER_NMAE", "x")
	got := run(t, "config")
	want(t, got, cli.ExitFailed, `ATTUNE_WORKER_PORT: must be a whole number of at least 1, got "eighty"`,
		`ATTUNE_SENSOR_VERIFY_INTERVAL: must be a duration such as 10s or 1m30s, got "soon"`, "ATTUNE_WORKER_NMAE is read by no program; did you mean ATTUNE_WORKER_NAME?")
	want(t, run(t, "config", "attune"), 0)
	want(t, run(t, "packs", "list"), 0, "ATTUNE_WORKER_NMAE is read by no program; did you mean ATTUNE_WORKER_NAME?")
	want(t, run(t, "packs", "list", "--strict"), cli.ExitFailed, "ATTUNE_WORKER_NMAE is read by no program")
	setenv(t, "ATTUNE_WORKER_NMAE", "")
	setenv(t, "ATTUNE_TEST_DATABASE_URL", "postgres://127.0.0.1/tests") // of package testdb
	want(t, run(t, "packs", "list", "--strict"), 0)
	setenv(t, "HOME", "")
	os.Unsetenv("HOME")
	want(t, run(t, "config", "attune"), 0, "none")
}

// TestConfigShowsWhatIsRefused checks that a value that a program refuses is shown and
// named as the program does, wherever it is from.
func TestConfigShowsWhatIsRefused(t *testing.T) {
	t.Parallel()
	isolated(t)
	file := filepath.Join(t.TempDir(), "a.yaml")
	text := "worker: {type: bogus, heartbeat_interval: 2h}\npolicy:\n  deny: ['python3 \"']\n  env: [A-B]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"ATTUNE_POLICY_MODE": "stict", "ATTUNE_SENSOR_TYPE": "bogus", "ATTUNE_WORKER_PORT": "99999", "ATTUNE_WORKER_LISTEN": "nowhere",
		"ATTUNE_SENSOR_NAME": "a\u200bb", "ATTUNE_SENSOR_VERIFY_INTERVAL": "0s", "ATTUNE_SENSOR_KEEP_HISTORY": "1h", "ATTUNE_SENSOR_REPORT_ONLY": "perhaps",
		"ATTUNE_WORKER_KEEP_HISTORY": "7d", "ATTUNE_LOCK_TIMEOUT": "soon", "ATTUNE_DATABASE_URL": "mysql://u:sekret@h/d",
	} {
		setenv(t, name, value)
	}
	got := run(t, "config", "--config", file)
	want(t, got, cli.ExitFailed, "worker.max_concurrent_executions", "14 values refused:", "ATTUNE_LOCK_TIMEOUT: must be a time such as",
		`ATTUNE_POLICY_MODE: must be standard, strict or open, got "stict"`,
		`ATTUNE_SENSOR_TYPE: must be local, remote or container, got "bogus"`, file+`:1: worker.type: must be local, remote or container, got "bogus"`,
		"ATTUNE_WORKER_PORT: must be from 1 to 65535, got 99999", `ATTUNE_WORKER_LISTEN: must be [HOST]:PORT, got "nowhere"`,
		"ATTUNE_SENSOR_NAME: must not have control characters", "ATTUNE_SENSOR_VERIFY_INTERVAL: must be greater than 0", "ATTUNE_SENSOR_KEEP_HISTORY: must be at least 24h0m0s, got 1h0m0s",
		`ATTUNE_SENSOR_REPORT_ONLY: must be auto, true or false, got "perhaps"`, file+":1: worker.heartbeat_interval: must be whole seconds and at most 1h", `:3: policy.deny: "python3 \"": missing`,
		`policy.env: "A-B"`, `databases of the kind "mysql" are not supported`)
	if strings.Contains(got.errOut, "ATTUNE_WORKER_KEEP_HISTORY") || strings.Contains(got.errOut, "sekret") {
		t.Errorf("stderr:\n%s", got.errOut)
	}
}

// TestConfigOfTwoEnvironments: two command lines of one process have environments of their own, and not the one of the
// process.
func TestConfigOfTwoEnvironments(t *testing.T) {
	isolate(t)
	t.Setenv("ATTUNE_DATABASE_URL", "sqlite:process.db")
	t.Setenv("ATTUNE_LOG_LEVEL", "loud")
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			setenv(t, "ATTUNE_DATABASE_URL", "sqlite:"+name+".db")
			setenv(t, "ATTUNE_SCHEMA", name)
			settings := settingsOf(t, run(t, "config", "--json"))
			for key, value := range map[string]string{"database.url": "sqlite:" + name + ".db", "database.schema": name} {
				if s := settings[key]; s.Text() != value || s.Source != config.FromEnvironment {
					t.Errorf("%s is %q from %s", key, s.Text(), s.Source)
				}
			}
		})
	}
	want(t, run(t, "--help"), 0, "($ATTUNE_DATABASE_URL)")
}
