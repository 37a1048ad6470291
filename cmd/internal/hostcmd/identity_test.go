//go:build unix

package hostcmd_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// said is the configured part of a worker's row.
type said struct {
	Type   schema.WorkerType   `json:"-"`
	Host   string              `json:"-"`
	Port   int                 `json:"-"`
	Labels map[string]string   `json:"labels"`
	Max    int                 `json:"max_concurrent_executions"`
	Extra  string              `json:"rack"`
	Taints []map[string]string `json:"taints"`
}

func saidBy(t *testing.T, row *schema.Worker) said {
	t.Helper()
	out := said{Type: row.WorkerType}
	if row.Host != nil && row.Port != nil {
		out.Host, out.Port = *row.Host, *row.Port
	}
	if err := json.Unmarshal(row.Capabilities, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRegisterWritesWhatRunDoes: from the file, the environment and flags, for
// either role, and after a service too.
func TestRegisterWritesWhatRunDoes(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	db := testdb.Postgres(t)
	st := served(t, db)
	file := said{schema.WorkerContainer, "lab2.example", 8080, map[string]string{"zone": "a"}, 10, "r7", []map[string]string{{"key": "gpu", "value": "a100", "effect": "no_schedule"}}}
	section := `: {name: lab2, type: container, host: lab2.example, port: 8080, labels: {zone: a}, taints: [gpu=a100], max_concurrent_executions: 10, capabilities: {rack: r7}}`
	if err := os.WriteFile("attune.yaml", []byte("worker"+section+"\nsensor"+section+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(role metadata.Role, want said) {
		t.Helper()
		row, err := st.Workers.ByIdentity(t.Context(), role, "lab2")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, saidBy(t, row)); diff != "" {
			t.Errorf("the row of the %s (-want +is):\n%s", role, diff)
		}
	}
	p := launch(t, "run", "--database", db.URL, "--config", "attune.yaml")
	p.says("registered and active", 1)
	check(metadata.Worker, file)
	p.signal(syscall.SIGTERM)
	p.ends(cli.ExitDone)

	for _, role := range []metadata.Role{metadata.Worker, metadata.Sensor} {
		want(t, run(t, role, "register", "--database", db.URL), 0, "lab2")
		check(role, file)
		prefix := "ATTUNE_" + strings.ToUpper(string(role))
		t.Setenv(prefix+"_LABELS", `zone=b, disk=ssd,list=it's 100%\, and "so"; on`)
		t.Setenv(prefix+"_TAINTS", `spot:prefer_no_schedule, gpu=a\,b`)
		t.Setenv(prefix+"_MAX_CONCURRENT_EXECUTIONS", "3")
		overridden := file
		overridden.Labels, overridden.Max = map[string]string{"zone": "b", "disk": "ssd", "list": `it's 100%, and "so"; on`}, 3
		overridden.Taints = []map[string]string{{"key": "spot", "effect": "prefer_no_schedule"}, {"key": "gpu", "value": "a,b", "effect": "no_schedule"}}
		want(t, run(t, role, "register", "--database", db.URL), 0, "lab2")
		check(role, overridden)
		overridden.Labels, overridden.Max, overridden.Type = map[string]string{"zone": "c", "gpu": ""}, 7, schema.WorkerRemote
		overridden.Taints = []map[string]string{{"key": "a", "effect": "no_schedule"}, {"key": "b", "value": "c", "effect": "prefer_no_schedule"}}
		want(t, run(t, role, "register", "--database", db.URL, "--label", "zone=c,gpu=", "--taint", "a", "--taint=b=c:prefer_no_schedule", "--max-concurrent-executions", "7", "--type", "remote"), 0, "lab2")
		check(role, overridden)
		// A variable that is empty says nothing.
		for _, name := range []string{"_LABELS", "_TAINTS", "_MAX_CONCURRENT_EXECUTIONS", "_PORT", "_NAME", "_TYPE"} {
			t.Setenv(prefix+name, "")
		}
		want(t, run(t, role, "register", "--database", db.URL), 0, "lab2")
		check(role, file)
	}
	caps := document(t, run(t, metadata.Worker, "detect", "--json"))
	if !strings.Contains(string(caps.Extra["labels"]), `"zone": "a"`) || string(caps.Extra["max_concurrent_executions"]) != "10" {
		t.Errorf("detect shows another document than is registered: %s", caps.Extra)
	}
}

// TestValuesThatMeanNothing are refused, wherever they are written.
func TestValuesThatMeanNothing(t *testing.T) {
	isolate(t)
	tools(t, nil)
	for _, c := range []struct{ flag, value, say string }{
		{"--label", "=x", "must name a label"},
		{"--label", "a=1,a=2", "duplicate label"},
		{"--label", "a=1;b=2", `must separate labels by commas, got "a=1;b=2"`},
		{"--label", "a=1,2", `must be KEY=VALUE, got "2"; a comma of a value is written \,`},
		{"--label", strings.Repeat("k", 10_000) + "=x", "must have at most 900 bytes in key and value, got 10001"},
		{"--taint", "=x", "must name the key of a taint"},
		{"--taint", "gpu:NoSchedule", "must end in :no_schedule to have this effect"},
		{"--taint", "gpu=a,gpu=b", `duplicate taint "gpu":no_schedule`},
		{"--label", "zone", `must be KEY=VALUE, got "zone"`},
		{"--label", "zone=a\x1b", "control characters"},
		{"--listen", "foo", `worker: --listen: must be [HOST]:PORT, got "foo"`},
		{"--listen", ":99999", `--listen: must be [HOST]:PORT, got ":99999"`},
		{"--max-concurrent-executions", "0", "--max-concurrent-executions: must be greater than 0, got 0"},
		{"--max-concurrent-executions", "-1", "--max-concurrent-executions: must be greater than 0, got -1"},
		{"--port", "0", "--port: must be from 1 to 65535, got 0"},
		{"--port", "65536", "--port: must be from 1 to 65535, got 65536"},
		{"--full-every", "0", "--full-every: must be greater than 0, got 0"},
		{"--heartbeat-interval", "0s", "--heartbeat-interval: must be greater than 0, got 0s"},
		{"--heartbeat-interval", "500ms", "--heartbeat-interval: must be at least 1s, got 500ms"},
		{"--heartbeat-interval", "1500ms", "--heartbeat-interval: must be whole seconds"},
		{"--verify-interval", "0s", "--verify-interval: must be greater than 0, got 0s"},
		{"--unconfirmed-for", "0s", "--unconfirmed-for: must be greater than 0, got 0s"},
	} {
		want(t, run(t, metadata.Worker, "run", "--database", "sqlite:w.db", c.flag+"="+c.value), cli.ExitUsage, c.say)
	}
	want(t, run(t, metadata.Worker, "run", "--database", "sqlite:w.db", "--listen", "127.0.0.1:", "--heartbeat-interval", "100ms"),
		cli.ExitUsage, `--listen: must be [HOST]:PORT, got "127.0.0.1:"`, "see worker run --help")
	for _, c := range []struct {
		args []string
		say  string
	}{
		{[]string{"--label", "a=1", "--label", "a=2"}, "duplicate label"},
		{[]string{"--label", ""}, "--label: must not be empty"},
		{[]string{"--label", "a=1", "--label", " "}, "--label: must not be empty"},
		{[]string{"--name", ""}, "--name: must not be blank"},
		{[]string{"--name", "   "}, "--name: must not be blank"},
		{[]string{"--name", " build-7"}, `--name: must not begin or end with a blank, got " build-7"`},
		{[]string{"--name", strings.Repeat("a", 256)}, "--name: must have at most 255 bytes, got 256"},
	} {
		want(t, run(t, metadata.Worker, append([]string{"register", "--database", "sqlite:w.db"}, c.args...)...), cli.ExitUsage, c.say)
	}
	if list, _ := os.ReadDir("."); len(list) > 0 {
		t.Errorf("wrong usage made files: %v", list)
	}
	if err := os.WriteFile("attune.yaml", []byte("worker: {name: '   '}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, run(t, metadata.Worker, "register", "--database", "sqlite:w.db"), cli.ExitUsage, "attune.yaml:1: worker.name: must not be blank")
}

// TestWrongVariables are named, each once.
func TestWrongVariables(t *testing.T) {
	for name, value := range map[string]string{
		"ATTUNE_WORKER_PORT":               "abc",
		"ATTUNE_WORKER_LABELS":             "=x",
		"ATTUNE_WORKER_TAINTS":             "gpu:NoSchedule",
		"ATTUNE_WORKER_HEARTBEAT_INTERVAL": "soon",
		"ATTUNE_STRICT":                    "perhaps",
		"ATTUNE_LOG_LEVEL":                 "loud",
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			tools(t, nil)
			t.Setenv(name, value)
			got := run(t, metadata.Worker, "run", "--database", "sqlite:w.db")
			want(t, got, cli.ExitUsage, value)
			if strings.Count(got.errOut, name) != 1 {
				t.Errorf("it does not say once that it is %s:\n%s", name, got.errOut)
			}
		})
	}
}

// TestBlankVariables say nothing, as empty ones do.
func TestBlankVariables(t *testing.T) {
	isolate(t)
	tools(t, nil)
	if err := os.WriteFile("attune.yaml", []byte("worker: {name: lab2, labels: {zone: a}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ATTUNE_WORKER_NAME", "ATTUNE_WORKER_LABELS", "ATTUNE_WORKER_PORT", "ATTUNE_LOG_LEVEL", "ATTUNE_STRICT", "ATTUNE_DATABASE_URL"} {
		t.Setenv(name, "  ")
	}
	got := run(t, metadata.Worker, "register", "--json")
	want(t, got, 0, "ATTUNE_DATABASE_URL is empty: using the embedded database", `"name": "lab2"`, `"zone": "a"`)
}

// TestRefusedValuesNameTheirOrigin: each setting is refused by the name of the flag, of the
// variable, or of the file and line that it is from, and a flag wins over a wrong variable.
func TestRefusedValuesNameTheirOrigin(t *testing.T) {
	isolate(t)
	tools(t, nil)
	db := []string{"--database", "sqlite:w.db"}
	for _, c := range []struct{ key, variable, flag, value, fault string }{
		{"policy.mode", "ATTUNE_POLICY_MODE", "--policy-mode", "lax", `must be standard, strict or open, got "lax"`},
		{"sensor.name", "ATTUNE_SENSOR_NAME", "--name", "x ", "must not begin or end with a blank"},
		{"sensor.type", "ATTUNE_SENSOR_TYPE", "--type", "cloud", `must be local, remote or container, got "cloud"`},
		{"sensor.heartbeat_interval", "ATTUNE_SENSOR_HEARTBEAT_INTERVAL", "--heartbeat-interval", "100ms", "must be at least 1s, got 100ms"},
		{"sensor.verify_interval", "ATTUNE_SENSOR_VERIFY_INTERVAL", "--verify-interval", "1ms", "must be at least 1s, got 1ms"},
		{"sensor.unconfirmed_for", "ATTUNE_SENSOR_UNCONFIRMED_FOR", "--unconfirmed-for", "1ms", "must be at least 1s, got 1ms"},
		{"sensor.keep_history", "ATTUNE_SENSOR_KEEP_HISTORY", "--keep-history", "1h", "must be at least 24h0m0s, got 1h0m0s"},
		{"sensor.listen", "ATTUNE_SENSOR_LISTEN", "--listen", "a:b:c", `must be [HOST]:PORT, got "a:b:c"`},
		{"", "ATTUNE_SENSOR_PORT", "--port", "70000", "must be from 1 to 65535, got 70000"},
		{"", "ATTUNE_SENSOR_FULL_EVERY", "--full-every", "0", "must be greater than 0, got 0"},
		{"", "ATTUNE_SENSOR_MAX_CONCURRENT_EXECUTIONS", "--max-concurrent-executions", "0", "must be greater than 0, got 0"},
		{"", "ATTUNE_SENSOR_MAX_AGE", "--max-age", "-1s", "must be at least 0s, got -1s"},
		{"", "ATTUNE_DATABASE_IDLE_TIMEOUT", "--idle-timeout", "-1s", "must be at least 0s, got -1s"},
		{"", "ATTUNE_DATABASE_URL", "--database", "mysql://x", `open database mysql://x: wrong database URL: databases of the kind "mysql"`},
	} {
		args := db
		if c.flag == "--database" {
			args = nil
		}
		command := append([]string{"run"}, args...)
		want(t, run(t, metadata.Sensor, append(command, c.flag+"="+c.value)...), cli.ExitUsage, "sensor: "+c.flag+": "+c.fault)
		t.Setenv(c.variable, c.value)
		want(t, run(t, metadata.Sensor, command...), cli.ExitUsage, "sensor: "+c.variable+": "+c.fault)
		t.Setenv(c.variable, "")
		if c.key == "" {
			continue // the file itself is refused
		}
		section, key, _ := strings.Cut(c.key, ".")
		if err := os.WriteFile("attune.yaml", []byte(section+":\n  "+key+": "+strconv.Quote(c.value)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		want(t, run(t, metadata.Sensor, append(command, "--config", "attune.yaml")...), cli.ExitUsage, "attune.yaml:2: "+c.key+": "+c.fault)
		if err := os.Remove("attune.yaml"); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("ATTUNE_SENSOR_PORT", "0")
	want(t, run(t, metadata.Sensor, "run", "--database", "sqlite:gone/w.db", "--port", "1"), cli.ExitFailed, "create the folder gone")
}
