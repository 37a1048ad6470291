//go:build unix

package hostcmd_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/hostcmd"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/runtime/packs/install"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// asWorker makes this test program the program worker.
const asWorker = "ATTUNE_TEST_AS_WORKER"

// TestAsWorker runs the program worker in a process that another test started.
func TestAsWorker(t *testing.T) {
	if os.Getenv(asWorker) == "" {
		t.Skip("it is run by other tests")
	}
	for i, arg := range os.Args {
		if arg == "--" {
			os.Args = append(os.Args[:1], os.Args[i+1:]...)
			break
		}
	}
	hostcmd.Program(metadata.Worker).Main()
}

// process is a worker that runs.
type process struct {
	*testing.T
	cmd  *exec.Cmd
	mu   sync.Mutex
	said bytes.Buffer
	news chan struct{} // something was said
	end  chan struct{} // everything was
}

// launch starts a worker.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{T: t, news: make(chan struct{}, 1), end: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], append([]string{"-test.run=^TestAsWorker$", "--"}, args...)...)
	p.cmd.Env = append(os.Environ(), asWorker+"=1")
	out, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.end)
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			p.mu.Lock()
			p.said.WriteString(line)
			p.mu.Unlock()
			select {
			case p.news <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// says waits until the log has a text so many times.
func (p *process) says(text string, times int) {
	p.Helper()
	for {
		if strings.Count(p.log(), text) >= times {
			return
		}
		select {
		case <-p.news:
		case <-p.end:
			if strings.Count(p.log(), text) < times {
				p.Fatalf("it ended without saying %q %d times:\n%s", text, times, p.log())
			}
			return
		}
	}
}

// ends waits for the end, and wants this exit status.
func (p *process) ends(status int) {
	p.Helper()
	<-p.end
	_ = p.cmd.Wait()
	if got := p.cmd.ProcessState.ExitCode(); got != status {
		p.Fatalf("exit status %d, want %d:\n%s", got, status, p.log())
	}
}

func (p *process) signal(s syscall.Signal) {
	p.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.Fatal(err)
	}
}

// as makes a login for one worker, with the worker's name, and returns its URL.
func as(t *testing.T, db *testdb.DB, prefix string) (url, name string) {
	t.Helper()
	script, err := os.ReadFile(rolesFile)
	if err != nil {
		t.Fatal(err)
	}
	name = prefix + "-" + strings.ToLower(rand.Text()[:10])
	return testdb.MakeRoles(t, db, string(script)).Login(t, name, "attune_worker"), name
}

// rolesFile is where the roles stand; tests leave their folder.
var rolesFile, _ = filepath.Abs("../../../docs/roles.sql")

// served is a database with the core pack.
func served(t *testing.T, db *testdb.DB) *store.Store {
	t.Helper()
	cfg := store.Config{Schema: db.Schema}
	if _, err := install.Load(t.Context(), db.DB, cfg, packs.Core(), install.Options{}); err != nil {
		t.Fatal(err)
	}
	return store.New(db.DB, cfg)
}

func statusOf(t *testing.T, st *store.Store, name string, want schema.WorkerStatus) *schema.Worker {
	t.Helper()
	row, err := st.Workers.ByIdentity(t.Context(), metadata.Worker, name)
	if err != nil {
		t.Fatal(err)
	}
	if row.Status == nil || *row.Status != want {
		t.Fatalf("%s is %v, want %s", name, *row.Status, want)
	}
	return row
}

// TestRunKilledAndStartedAgain under the same name, and a third process while
// the second lives.
func TestRunKilledAndStartedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for heartbeats to be missed")
	}
	isolate(t)
	tools(t, map[string]string{"python3": python})
	db := testdb.Postgres(t)
	st := served(t, db)
	url, name := as(t, db, "killed")
	args := []string{"run", "--database", url, "--name", name, "--heartbeat-interval", "1s"}
	first := launch(t, args...)
	first.says("registered and active", 1)
	before := statusOf(t, st, name, schema.WorkerActive)
	first.signal(syscall.SIGKILL)
	first.ends(-1)
	statusOf(t, st, name, schema.WorkerActive) // nobody could say otherwise

	second := launch(t, args...)
	second.says("registered and active", 1)
	after := statusOf(t, st, name, schema.WorkerActive)
	if after.ID != before.ID || *after.Instance == *before.Instance {
		t.Errorf("row %d, instance %s, after row %d, instance %s", after.ID, *after.Instance, before.ID, *before.Instance)
	}

	third := launch(t, args...)
	third.ends(cli.ExitFailed)
	if log := third.log(); !strings.Contains(log, "still runs under this name after 3 of its heartbeat intervals") || !strings.Contains(log, *after.Instance) ||
		!strings.Contains(log, "run --takeover`)") {
		t.Errorf("the third does not say why it ends:\n%s", log)
	}
	fourth := launch(t, append(args, "--takeover")...)
	fourth.says("registered and active", 1)
	second.ends(cli.ExitFailed)
	if log := second.log(); !strings.Contains(log, "run --takeover`)") {
		t.Errorf("the second does not say how the name is taken back:\n%s", log)
	}
	fourth.signal(syscall.SIGTERM)
	fourth.ends(cli.ExitDone)
	statusOf(t, st, name, schema.WorkerInactive)
}

// TestRunSignals: SIGHUP verifies in full, SIGINT ends it.
func TestRunSignals(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	db := testdb.Postgres(t)
	st := served(t, db)
	url, name := as(t, db, "s")
	p := launch(t, "run", "--database", url, "--name", name, "--listen", "0", "--label", "zone=a", "--max-concurrent-executions", "3",
		"--verify-interval", "1h") // nothing but the signal makes it verify
	p.says("registered and active", 1)
	_, rest, _ := strings.Cut(p.log(), "address=")
	address, _, _ := strings.Cut(rest, "\n")
	if !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("it listens on %s, not only on this machine", address)
	}
	get := func(path, want string) {
		t.Helper()
		resp, err := http.Get(fmt.Sprintf("http://%s%s", address, path))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s, %v; want %q in\n%s", path, resp.Status, err, want, body)
		}
	}
	get("/healthz", "ok")
	get("/readyz", "ok")
	get("/metrics", `attune_probes_total{outcome="available"}`)
	get("/metrics", `attune_reverifications_total{result="full"} 1`)
	row := statusOf(t, st, name, schema.WorkerActive)
	for _, part := range []string{`"zone"`, `"max_concurrent_executions"`} {
		if !strings.Contains(string(row.Capabilities), part) {
			t.Errorf("the document lacks %s: %s", part, row.Capabilities)
		}
	}

	if _, err := st.Runtimes.UpsertDefinition(t.Context(), &metadata.Definition{Ref: "core.extra", Name: "extra", Distributions: metadata.Distributions{
		Verification: &metadata.Verification{AlwaysAvailable: true},
	}}, nil); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.says("runtime=extra", 1)
	p.signal(syscall.SIGINT)
	p.ends(cli.ExitDone)
	statusOf(t, st, name, schema.WorkerInactive)
}

// TestRunGivesConnectionsBack between heartbeats, unless it is told to hold them.
func TestRunGivesConnectionsBack(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	db := testdb.Postgres(t)
	served(t, db)
	connections := func(name string) (n int) {
		t.Helper()
		if err := db.NewRaw("SELECT count(*) FROM pg_stat_activity WHERE usename = ?", name).Scan(t.Context(), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for idle, held := range map[string]bool{"0": false, "1h": true} {
		url, name := as(t, db, "idle")
		t.Setenv("ATTUNE_DATABASE_IDLE_TIMEOUT", idle)
		p := launch(t, "run", "--database", url, "--name", name, "--listen", "0")
		p.says("registered and active", 1)
		_, rest, _ := strings.Cut(p.log(), "address=")
		address, _, _ := strings.Cut(rest, "\n")
		for connections(name) != 0 && !held { // its end takes the server a moment
		}
		for status := 0; status != http.StatusOK; { // it is ready a moment after it says that it is registered
			resp, err := http.Get(fmt.Sprintf("http://%s/readyz", address))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			status = resp.StatusCode
		}
		if n := connections(name); held && n == 0 {
			t.Errorf("idle timeout %s: no connection is held", idle)
		}
		p.signal(syscall.SIGTERM)
		p.ends(cli.ExitDone)
	}
}

// TestRunUnderAnotherLogin ends at once, and says as whom to log in.
func TestRunUnderAnotherLogin(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	db := testdb.Postgres(t)
	served(t, db)
	url, name := as(t, db, "own")
	for _, command := range []string{"run", "register"} {
		got := run(t, metadata.Worker, command, "--database", url, "--name", "other")
		want(t, got, cli.ExitFailed, `row-level security policy "attune_own"`,
			fmt.Sprintf("the login %q may write only the rows of its own name: log in as \"other\", or give --name %s", name, name), "docs/roles.sql")
	}
	want(t, run(t, metadata.Worker, "register", "--database", url, "--name", name), cli.ExitDone)
}

// TestRunIsConfigured by file, environment and flags, in this order.
func TestRunIsConfigured(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	db := testdb.Postgres(t)
	st := served(t, db)
	if err := os.WriteFile("attune.yaml", []byte(`
worker:
  name: from-file
  host: file.example
  port: 1
  heartbeat_interval: 7s
  labels: {zone: b}
  max_concurrent_executions: 4
  capabilities: {gpu: true}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ATTUNE_WORKER_HOST", "environment.example")
	t.Setenv("ATTUNE_WORKER_PORT", "2")
	t.Setenv("ATTUNE_WORKER_TYPE", "container")
	p := launch(t, "run", "--database", db.URL, "--port", "3", "--config", "attune.yaml")
	p.says("registered and active", 1)
	row := statusOf(t, st, "from-file", schema.WorkerActive)
	if *row.Host != "environment.example" || *row.Port != 3 || *row.HeartbeatInterval != 7 || row.WorkerType != schema.WorkerContainer {
		t.Errorf("registered: %+v", row)
	}
	for _, part := range []string{"gpu", "zone", "max_concurrent_executions"} {
		if !strings.Contains(string(row.Capabilities), `"`+part+`"`) {
			t.Errorf("the document lacks %s: %s", part, row.Capabilities)
		}
	}
	p.signal(syscall.SIGTERM)
	p.ends(cli.ExitDone)

	for _, args := range [][]string{
		{"run", "--heartbeat-interval", "100ms"}, {"run", "--listen", "a:b:c"}, {"run", "--max-concurrent-executions=-1"}, {"run", "--full-every=-1"},
	} {
		want(t, run(t, metadata.Worker, args...), cli.ExitUsage)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, status := range map[string]int{taken.Addr().String(): cli.ExitFailed, "127.0.0.1:80000": cli.ExitUsage} {
		got := run(t, metadata.Worker, "run", "--database", db.URL, "--listen", address)
		want(t, got, status, "worker: --listen: ")
		if strings.Contains(got.errOut, "server") {
			t.Errorf("what is wrong with --listen is taken for the database's fault: %s", got.errOut)
		}
	}
	want(t, run(t, metadata.Worker, "run", "--port", "0"), cli.ExitUsage, "port: must be from 1 to 65535, got 0")
	want(t, run(t, metadata.Worker, "run", "--database", "sqlite:/nowhere/at/all.db"), cli.ExitFailed, "/nowhere/at/all.db")
}
