package main_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/gobuild"
)

// compose is docs/compose.yaml under a project of its own.
type compose struct {
	*testing.T
	command []string // docker compose, in one word or two
	env     []string
}

// composed finds what is needed to try the file. Only images that are here are
// used: the file's own are not what this is about.
func composed(t *testing.T) *compose {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it starts containers")
	}
	c := &compose{T: t}
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		if exec.CommandContext(t.Context(), command[0], append(command[1:], "version")...).Run() == nil {
			c.command = command
			break
		}
	}
	if c.command == nil {
		t.Skip("there is neither docker compose nor docker-compose")
	}
	image := ""
	for _, name := range []string{os.Getenv("ATTUNE_TEST_POSTGRES_IMAGE"), "attune-postgres:15", "postgres:15"} {
		if name != "" && image == "" && exec.CommandContext(t.Context(), "docker", "image", "inspect", name).Run() == nil {
			image = name
		}
	}
	if image == "" {
		t.Skip("the Docker engine does not answer, or has no image attune-postgres:15 (fixtures/postgres-image builds it) nor postgres:15")
	}
	bin := t.TempDir()
	if err := gobuild.Programs(t.Context(), bin, "../attune", "../worker", "../sensor"); err != nil {
		t.Fatal(err)
	}
	c.command = append(c.command, "-p", "attune-test-"+strings.ToLower(rand.Text()[:10]), "-f", filepath.Join("..", "..", "docs", "compose.yaml"))
	c.env = append(os.Environ(), "POSTGRES_PASSWORD="+rand.Text(), "ATTUNE_BIN="+bin,
		"ATTUNE_POSTGRES_IMAGE="+image, "ATTUNE_WORKER_IMAGE="+image, "ATTUNE_SENSOR_IMAGE="+image,
		"ATTUNE_PORT=") // any that is free
	t.Cleanup(func() {
		if out, err := c.start(context.WithoutCancel(t.Context()), "down", "--volumes", "--timeout", "5").CombinedOutput(); err != nil {
			t.Errorf("down: %v\n%s", err, out)
		}
	})
	return c
}

func (c *compose) start(ctx context.Context, args ...string) *exec.Cmd {
	args = append(c.command[1:len(c.command):len(c.command)], args...)
	cmd := exec.CommandContext(ctx, c.command[0], args...)
	cmd.Env = c.env
	return cmd
}

func (c *compose) do(args ...string) string {
	c.Helper()
	cmd := c.start(c.Context(), args...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		c.Fatalf("%s: %v\n%s%s\n%s", strings.Join(args, " "), err, out, said.String(), c.logs())
	}
	return string(out)
}

func (c *compose) logs() string {
	out, _ := c.start(context.WithoutCancel(c.Context()), "logs").CombinedOutput()
	return string(out)
}

// says waits until services have said something, so many times in all.
func (c *compose) says(text string, times int, services ...string) {
	c.Helper()
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	cmd := c.start(ctx, append([]string{"logs", "--follow", "--no-color"}, services...)...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer stop()
	for lines := bufio.NewScanner(out); times > 0 && lines.Scan(); {
		if strings.Contains(lines.Text(), text) {
			times--
		}
	}
	if times > 0 {
		c.Fatalf("not said: %q\n%s", text, c.logs())
	}
}

// statuses are the workers that the database knows.
func (c *compose) statuses() map[string]string {
	c.Helper()
	var docs []struct{ Name, Role, Status string }
	out := c.do("run", "--rm", "-T", "attune", "workers", "list", "--json")
	if err := json.Unmarshal([]byte(out), &docs); err != nil {
		c.Fatalf("%v in %s", err, out)
	}
	found := map[string]string{}
	for _, d := range docs {
		found[d.Role+" "+d.Name] = d.Status
	}
	return found
}

// TestCompose brings docs/compose.yaml up and down again.
func TestCompose(t *testing.T) {
	c := composed(t)
	want := func(status string) {
		t.Helper()
		got := c.statuses()
		if len(got) != 2 || got["worker compose-worker"] != status || got["sensor compose-sensor"] != status {
			t.Errorf("the workers are %v, want both %s\n%s", got, status, c.logs())
		}
	}
	c.do("up", "--detach")
	c.says("registered and active", 2, "worker", "sensor")
	want("active")
	c.says("serving", 1, "server")
	address := strings.TrimSpace(c.do("port", "server", "8642"))
	token := strings.TrimSpace(c.do("run", "--rm", "-T", "attune", "tokens", "create", "test"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/v1/workers", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.logs())
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		t.Errorf("the API answers %d with the token %q\n%s", got.StatusCode, token, c.logs())
	}
	c.do("stop", "worker", "sensor")
	want("inactive")
}
