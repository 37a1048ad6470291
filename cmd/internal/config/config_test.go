package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/config"
)

func TestParse(t *testing.T) {
	f, err := config.Parse("attune.yaml", []byte(`
database: {url: "postgres://db/attune", schema: attune}
other_program: {worker: [1, 2]}
worker:
  name: w1
  port: 8080
  verify_declared: true
  labels: {zone: a, disk: 2}
  max_concurrent_executions: 10
  heartbeat_interval: 1m30s
  full_every: 5
  capabilities:
    runtimes: [python, 3.12]
    max_concurrent_executions: 10
    labels: {zone: a}
sensor:
  capabilities:
    runtimes: []
policy:
  mode: strict
  allow: ["ruby -v"]
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Database; got != (config.Database{URL: "postgres://db/attune", Schema: "attune"}) {
		t.Errorf("database: got %+v", got)
	}
	w := f.Worker
	if w.Name != "w1" || w.Port != 8080 || !w.VerifyDeclared {
		t.Errorf("worker: got %+v", w)
	}
	if w.HeartbeatInterval != 90*time.Second || w.FullEvery != 5 || w.MaxConcurrentExecutions != 10 || w.VerifyInterval != 0 {
		t.Errorf("intervals: got %+v", w)
	}
	if diff := cmp.Diff(map[string]string{"zone": "a", "disk": "2"}, w.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"python", "3.12"}, w.Capabilities.Runtimes); diff != "" {
		t.Errorf("runtimes (-want +got):\n%s", diff)
	}
	if got := string(w.Capabilities.Extra["max_concurrent_executions"]); got != "10" {
		t.Errorf("max_concurrent_executions: got %s", got)
	}
	if got := string(w.Capabilities.Extra["labels"]); got != `{"zone":"a"}` {
		t.Errorf("labels: got %s", got)
	}
	if f.Sensor.Capabilities.Runtimes == nil || len(f.Sensor.Capabilities.Runtimes) != 0 {
		t.Errorf("sensor runtimes: got %#v, want an empty list that is not nil", f.Sensor.Capabilities.Runtimes)
	}
	if f.Policy.Mode != "strict" || len(f.Policy.Allow) != 1 {
		t.Errorf("policy: got %+v", f.Policy)
	}
	if len(f.Warnings) > 0 {
		t.Errorf("warnings: got %q; sections of other programs must be passed over", f.Warnings)
	}
}

func TestParseKeepHistory(t *testing.T) {
	for text, want := range map[string]*time.Duration{
		"worker: {}":                     nil,
		"worker: {keep_history: null}":   nil,
		"worker: {keep_history: 0}":      new(time.Duration),
		"worker: {keep_history: 720h}":   new(720 * time.Hour),
		"worker: {keep_history: \"0s\"}": new(time.Duration),
	} {
		f, err := config.Parse("f", []byte(text))
		if diff := cmp.Diff(want, f.Worker.KeepHistory); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

// A platform's own file has durations as whole seconds.
func TestParseWholeSeconds(t *testing.T) {
	f, err := config.Parse("f", []byte("worker: {heartbeat_interval: 10, keep_history: 172800}\nsensor: {verify_interval: 60}\ndatabase: {idle_timeout: 600}"))
	if err != nil {
		t.Fatal(err)
	}
	got := []time.Duration{f.Worker.HeartbeatInterval, *f.Worker.KeepHistory, f.Sensor.VerifyInterval, *f.Database.IdleTimeout}
	if diff := cmp.Diff([]time.Duration{10 * time.Second, 48 * time.Hour, time.Minute, 10 * time.Minute}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseNullIsUnset(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "worker:\n", "worker: {capabilities: {runtimes: null}}", "~"} {
		f, err := config.Parse("f", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if f.Worker.Capabilities.Runtimes != nil {
			t.Errorf("%q: runtimes are %#v, want nil", text, f.Worker.Capabilities.Runtimes)
		}
	}
}

func TestParseFaults(t *testing.T) {
	for text, want := range map[string][]string{
		"a: [":                                   {"f:1:", "not YAML"},
		"\tworker: x":                            {"not YAML"},
		"[1, 2]":                                 {"f:1: the file: must be keys with values, got a list"},
		"worker: 3":                              {`f:1: worker: must be keys with values, got "3"`},
		"worker:\n  port: eighty":                {`f:2: worker.port: must be a whole number, got "eighty"`},
		"worker:\n  port: 1\n  port: 2":          {"f:3: worker.port: duplicate key, first at line 2"},
		"worker: {port: 0, full_every: 0}":       {"worker.port: must be at least 1, got 0", "worker.full_every: must be at least 1"},
		"sensor: {port: 65536}":                  {"sensor.port: must be from 1 to 65535, got 65536"},
		"worker: {heartbeat_interval: 0s}":       {`worker.heartbeat_interval: must be greater than 0, got 0s`},
		"worker: {max_concurrent_executions: 0}": {"worker.max_concurrent_executions: must be at least 1"},
		"worker: {labels: {\"\": x}}":            {"worker.labels.: must name a label"},
		"worker: {labels: {a: \"\\e\"}}":         {"worker.labels.a: must not contain control characters"},
		// The same where they stand under capabilities.
		"worker: {capabilities: {max_concurrent_executions: ten}}":       {`worker.capabilities.max_concurrent_executions: must be a whole number, got "ten"`},
		"worker: {capabilities: {labels: {a: [b]}}}":                     {"worker.capabilities.labels.a: must be text, got a list"},
		"worker: {verify_declared: 1}":                                   {`f:1: worker.verify_declared: must be true or false, got "1"`},
		"worker: {verify_interval: 0}":                                   {`f:1: worker.verify_interval: must be greater than 0, got 0s`},
		"worker: {verify_interval: 1.5}":                                 {`f:1: worker.verify_interval: must be a duration such as 10s or 1m30s, got "1.5"`},
		"worker: {report_only: maybe}":                                   {`f:1: worker.report_only: must be auto, true or false, got "maybe"`},
		"worker: {verify_interval: -1s}":                                 {"worker.verify_interval: must be greater than 0, got -1s"},
		"worker: {keep_history: -1h}":                                    {`worker.keep_history: must be at least 0, got -1h0m0s`},
		"worker: {labels: {a: \"" + strings.Repeat("x", 10_000) + "\"}}": {"worker.labels.a: must have at most 900 bytes in key and value, got 10001"},
		"worker: {taints: [\"gpu:NoSchedule\"]}":                         {"worker.taints: taint \"gpu:NoSchedule\": must end in :no_schedule to have this effect"},
		"worker: {taints: [gpu, gpu=b]}":                                 {"worker.taints: duplicate taint \"gpu\":no_schedule"},
		"worker: {taints: gpu}":                                          {"worker.taints: must be a list, got \"gpu\""},
		"worker: {taints: [{key: gpu}]}":                                 {"worker.taints[0]: must be text, got a mapping"},
		"worker: {labels: [a]}":                                          {"worker.labels: must be names with values, got a list"},
		"worker: {labels: {a: [b]}}":                                     {"worker.labels.a: must be text, got a list"},
		"policy: {allow: x, deny: [[1]]}":                                {`policy.allow: must be a list, got "x"`, "policy.deny[0]: must be text, got a list"},
		"worker: {capabilities: {x: {[1]: 2}}}":                          {"worker.capabilities.x"},
		// What a template made of a variable that is unset must not mean the default.
		"database: {url: ''}":        {"f:1: database.url: must not be empty; give a value, or leave the key out"},
		"database:\n  schema: '  '":  {"f:2: database.schema: must not be empty"},
		"policy: {mode: \"\"}":       {"f:1: policy.mode: must not be empty"},
		"policy: {deny: [perl, '']}": {"policy.deny[1]: must not be empty"},
		"a: 1\n---\nb: 2":            {"must have one document"},
	} {
		_, err := config.Parse("f", []byte(text))
		var wrong *config.Error
		if !errors.As(err, &wrong) {
			t.Errorf("%q: got %v, want a config.Error", text, err)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: got %q, want it to say %q", text, err, w)
			}
		}
	}
}

func TestUnknownKeys(t *testing.T) {
	f, err := config.Parse("f", []byte("polcy: {mode: open}\nworker:\n  nmae: x\n  colour: red\n  capabilities: {runtime: [python], gpu: true}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"f:1: polcy: unknown key; did you mean policy?",
		"f:3: worker.nmae: unknown key; did you mean name?",
		"f:4: worker.colour: unknown key; known are name, type, host, port, verify_declared, capabilities, labels, taints, max_concurrent_executions, heartbeat_interval, verify_interval, full_every, unconfirmed_for, keep_history, max_age, report_only, listen",
		"f:5: worker.capabilities.runtime: unknown key, carried along; did you mean runtimes?",
	}
	if diff := cmp.Diff(want, f.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	path := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(path, []byte("worker: {nmae: x}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(config.Search{Path: path, Strict: true, Getenv: os.Getenv}); err == nil || !strings.Contains(err.Error(), "did you mean name?") {
		t.Errorf("strict: got %v", err)
	}
}

func TestLoadPlaces(t *testing.T) {
	home := t.TempDir()
	t.Chdir(t.TempDir())
	getenv := func(name string) string { return map[string]string{"HOME": home}[name] }
	if f, err := config.Load(config.Search{Getenv: getenv}); err != nil || f.Path != "" {
		t.Fatalf("no file anywhere: got %+v, %v", f, err)
	}
	if _, err := config.Load(config.Search{Path: "missing.yaml", Getenv: getenv}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that was named and is not there: got %v", err)
	}
	user := filepath.Join(home, ".config", "attune")
	if err := os.MkdirAll(user, 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(path, name string) {
		if err := os.WriteFile(path, []byte("worker: {name: "+name+"}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(user, "attune.yaml"), "of-user")
	if f, err := config.Load(config.Search{Getenv: getenv}); err != nil || f.Worker.Name != "of-user" {
		t.Errorf("user's file: got %+v, %v", f, err)
	}
	if f, err := config.Load(config.Search{Path: "missing.yaml", Getenv: getenv}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a named file that is missing, beside the user's: got %+v, %v", f, err)
	}
	write("attune.yaml", "of-folder")
	if f, err := config.Load(config.Search{Getenv: getenv}); err != nil || f.Worker.Name != "of-folder" {
		t.Errorf("working directory wins: got %+v, %v", f, err)
	}
	f, err := config.Load(config.Search{Service: true, Getenv: getenv})
	if err != nil || f.Worker.Name != "of-user" || !strings.Contains(f.Note, "attune.yaml in the working directory is not read") {
		t.Errorf("a service: got %+v, %v", f, err)
	}
	t.Chdir(user) // it is not just some folder
	if f, err := config.Load(config.Search{Service: true, Getenv: getenv}); err != nil || f.Worker.Name != "of-user" || f.Note != "" {
		t.Errorf("a service in the user's folder: got %+v, %v", f, err)
	}
	getenv = func(name string) string { return map[string]string{"HOME": "/dev/null"}[name] }
	t.Chdir(t.TempDir())
	if f, err := config.Load(config.Search{Getenv: getenv}); err != nil || f.Path != "" {
		t.Errorf("HOME is /dev/null: got %+v, %v", f, err)
	}
}

func TestPolicyFromTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(path, []byte("policy: {allow: [ruby -v], deny: [perl], env: [X], trusted_packs: [/p]}"), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string {
		return map[string]string{"ATTUNE_POLICY_ALLOW": "a -v; b 'x y'\nc\n", "ATTUNE_POLICY_ENV": "A_HOME, B_HOME;C", "ATTUNE_POLICY_TRUSTED_PACKS": "/q:/r"}[name]
	}
	f, err := config.Load(config.Search{Path: path, Strict: true, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Policy{Allow: []string{"a -v", "b 'x y'", "c"}, Deny: []string{"perl"}, Env: []string{"A_HOME", "B_HOME", "C"}, TrustedPacks: []string{"/q", "/r"}}
	if diff := cmp.Diff(want, f.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

// TestPolicyOfTheWorkingDirectory checks that the policy of ./attune.yaml does not
// count, and does not hide the policy of the user's file.
func TestPolicyOfTheWorkingDirectory(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	getenv := func(name string) string { return map[string]string{"HOME": home}[name] }
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("attune.yaml", "worker: {name: of-folder}\npolicy: {mode: open, allow: [ruby -v]}\n")
	users := filepath.Join(home, ".config", "attune", "attune.yaml")
	write(users, "worker: {name: of-user, nmae: x}\npolicy:\n  mode: strict\n  trusted_packs: [acme]\n")
	f, err := config.Load(config.Search{Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Policy{Mode: "strict", TrustedPacks: []string{filepath.Join(filepath.Dir(users), "acme")}}
	if diff := cmp.Diff(want, f.Policy); diff != "" || f.Worker.Name != "of-folder" {
		t.Errorf("worker %q, policy (-want +got):\n%s", f.Worker.Name, diff)
	}
	if len(f.Warnings) != 2 || !strings.Contains(f.Warnings[0], "policy in attune.yaml is not heeded") || !strings.Contains(f.Warnings[1], "did you mean name?") {
		t.Errorf("warnings: %q", f.Warnings)
	}
	if got := f.Origins["policy.mode"].Where; got != users+":3" {
		t.Errorf("policy.mode is from %q", got)
	}
	if _, err := config.Load(config.Search{Strict: true, Getenv: getenv}); err == nil || !strings.Contains(err.Error(), "is not heeded") {
		t.Errorf("strict: got %v", err)
	}
	named, err := config.Load(config.Search{Path: "attune.yaml", Getenv: getenv})
	if err != nil || named.Policy.Mode != "open" || len(named.Warnings) > 0 {
		t.Errorf("the file is named: got %+v, %v", named, err)
	}
}

// TestParseAliases checks that a value may be one that stands elsewhere in the file.
func TestParseAliases(t *testing.T) {
	f, err := config.Parse("f", []byte(`
platform: {zone: &zone a, tool: &tool perl, span: &span 10, all: &all {name: w}}
worker: {labels: {zone: *zone}, heartbeat_interval: *span, full_every: *span, capabilities: {runtimes: [*tool], x: [*tool]}}
sensor: *all
policy: {deny: [ruby, *tool]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []any{"a", 10 * time.Second, 10, []string{"perl"}, `["perl"]`, "w", []string{"ruby", "perl"}}
	w := f.Worker
	got := []any{w.Labels["zone"], w.HeartbeatInterval, w.FullEvery, w.Capabilities.Runtimes, string(w.Capabilities.Extra["x"]), f.Sensor.Name, f.Policy.Deny}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestParseOddYAML checks that a value that YAML libraries read in different ways is refused, or read as it stands.
func TestParseOddYAML(t *testing.T) {
	for text, want := range map[string]string{
		"worker: {verify_declared: yes}": `f:1: worker.verify_declared: must be true or false, got "yes"`,
		"worker: {verify_declared: on}":  `f:1: worker.verify_declared: must be true or false, got "on"`,
		"worker: {full_every: 1.5}":      `f:1: worker.full_every: must be a whole number, got "1.5"`,
		"worker: {full_every: 1e3}":      `f:1: worker.full_every: must be a whole number, got "1e3"`,
		"worker: {full_every: 0o17}":     `f:1: worker.full_every: must be a whole number, got "0o17"`,
		"worker: {full_every: 0x1F}":     `f:1: worker.full_every: must be a whole number, got "0x1F"`,
		"worker: {port: !!str 80}":       `f:1: worker.port: must be a whole number, got "80"`,
		"policy:\n  deny:\n  - \n":       "f:3: policy.deny[0]: must be text, got nothing",
		"policy: {deny: [perl, ~]}":      "f:1: policy.deny[1]: must be text, got nothing",
		"worker: {labels: {a: }}":        "f:1: worker.labels.a: must be text, got nothing",
	} {
		if _, err := config.Parse("f", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	f, err := config.Parse("f", []byte("worker: {name: 2001-01-01, host: yes, port: 010, full_every: 0010, labels: {a: 1.50, b: on, c: 0x1F}}\ndatabase: {schema: 1_0}"))
	if err != nil {
		t.Fatal(err)
	}
	want := []any{"2001-01-01", "yes", 10, 10, map[string]string{"a": "1.50", "b": "on", "c": "0x1F"}, "1_0"}
	got := []any{f.Worker.Name, f.Worker.Host, f.Worker.Port, f.Worker.FullEvery, f.Worker.Labels, f.Database.Schema}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestParseHugeYAML checks that a value that would take long, or print long, is a fault of one short line.
func TestParseHugeYAML(t *testing.T) {
	bomb := "a0: &a0 [x]\n"
	for i := 1; i < 30; i++ {
		bomb += fmt.Sprintf("a%d: &a%[1]d [%s*a%d]\n", i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), i-1)
	}
	var wide strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&wide, "k%d: 1, ", i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"levels":                 {"worker: {capabilities: {x: " + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + "}}", "exceeded max depth"},
		"text":                   {"worker: {port: " + strings.Repeat("x", 900_000) + "}", `worker.port: must be a whole number, got "xxx`},
		"key":                    {"worker:\n" + strings.Repeat("  ? "+strings.Repeat("x", 100_000)+"\n  : 1\n", 2), "duplicate key, first at line 2"},
		"aliases":                {bomb + "worker: {capabilities: {x: *a29}}", "f:30: worker.capabilities.x: yaml: document contains excessive aliasing"},
		"aliases in a list":      {bomb + "policy: {deny: *a29}", "policy.deny[0]: must be text, got a list"},
		"aliases for a section":  {bomb + "worker: *a29", "worker: must be keys with values, got a list"},
		"a circle":               {"worker: &w {capabilities: {x: *w}}", "worker.capabilities.x: yaml: anchor 'w' value contains itself"},
		"a circle of a section":  {"worker: &w {capabilities: *w}", "value contains itself"},
		"keys":                   {"worker: {capabilities: {x: [{" + wide.String() + "}]}}", "f:1: worker.capabilities.x: must have at most 1000 keys in a mapping, got 5000"},
		"keys behind an alias":   {"big: &big {" + wide.String() + "}\nworker: {capabilities: {x: [*big]}}", "worker.capabilities.x: must have at most 1000 keys in a mapping, got 5000"},
		"circle of aliased keys": {"big: &big {big: *big}\nworker: {capabilities: {x: *big}}", "value contains itself"},
	} {
		_, err := config.Parse("f", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %.300v, want %q", name, err, c.want)
		} else if len(err.Error()) > 1000 {
			t.Errorf("%s: the error has %d bytes: %.300v", name, len(err.Error()), err)
		}
	}
	if _, err := config.Parse("f", []byte(bomb+"other: *a29\nworker: {name: w}\nbig: {"+wide.String()+"}")); err != nil {
		t.Errorf("sections of other programs: %v", err)
	}
}
