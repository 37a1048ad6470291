//go:build unix

package hostcmd_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// TestRunReadsItsFileAgain at SIGHUP: what changed counts, what cannot is named,
// and a file that is wrong leaves everything as it was.
func TestRunReadsItsFileAgain(t *testing.T) {
	isolate(t)
	ownPolicy(t)
	tools(t, map[string]string{"deno": "echo deno 2.1.4"})
	db := testdb.Postgres(t)
	st := served(t, db)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile("attune.yaml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := func() (doc struct {
		Labels   map[string]string
		Runtimes []string
	}) {
		t.Helper()
		if err := json.Unmarshal(statusOf(t, st, "w", schema.WorkerActive).Capabilities, &doc); err != nil {
			t.Fatal(err)
		}
		return doc
	}
	write("worker: {name: w, labels: {zone: a}, max_concurrent_executions: 2}")
	p := launch(t, "run", "--database", db.URL, "--verify-interval", "1h", "--config", "attune.yaml")
	p.says("registered and active", 1)
	first := statusOf(t, st, "w", schema.WorkerActive)

	write(`
worker: {name: other, labels: {zone: b}, max_concurrent_executions: 2, heartbeat_interval: 7s, verify_interval: 2h, listen: ":0", capabilities: {gpu: true}}
policy: {deny: [deno]}
`)
	p.signal(syscall.SIGHUP)
	p.says("runtime=deno", 2) // it is lost
	for _, line := range []string{
		`msg="the config file was read again; verifying in full" file=` + cwd(t) + `/attune.yaml changed="[worker.labels worker.capabilities worker.heartbeat_interval policy.deny]"`,
		`msg="these changes take effect at the next start" keys="[worker.name worker.listen]"`,
		"outcome=denied_by_policy",
	} {
		p.says(line, 1)
	}
	row := statusOf(t, st, "w", schema.WorkerActive)
	if row.ID != first.ID || *row.HeartbeatInterval != 7 || said().Labels["zone"] != "b" || !strings.Contains(string(row.Capabilities), `"gpu"`) {
		t.Errorf("the row is %+v", row)
	}

	wrong := []struct{ text, say string }{
		{"worker: {labels: [a]}", "attune.yaml:1: worker.labels"},
		{"worker: {", "the file is not YAML"},
		{"policy: {mode: lenient}", "lenient"},
		{"worker: {heartbeat_interval: 100ms}", "attune.yaml:1: worker.heartbeat_interval: must be at least 1s, got 100ms"},
		{"worker: {type: lunar}", "lunar"},
	}
	for i, c := range wrong {
		write(c.text)
		p.signal(syscall.SIGHUP)
		p.says("the config file cannot be used; the previous settings stay", i+1)
		p.says(c.say, 1)
	}
	if doc := said(); doc.Labels["zone"] != "b" || slices.Contains(doc.Runtimes, "deno") {
		t.Errorf("a wrong file changed what the host has: %+v", doc)
	}

	write("worker: {name: w, labels: {zone: c}}")
	p.signal(syscall.SIGHUP)
	p.says("runtime=deno", 3) // it is gained
	if doc := said(); doc.Labels["zone"] != "c" || !slices.Contains(doc.Runtimes, "deno") {
		t.Errorf("the host has %+v", doc)
	}
	p.says("these changes take effect at the next start", 1)
	p.signal(syscall.SIGTERM)
	p.ends(cli.ExitDone)
	if _, err := st.Workers.ByIdentity(t.Context(), metadata.Worker, "other"); err == nil {
		t.Error("it has registered under the other name too")
	}
}
