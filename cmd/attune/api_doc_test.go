package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/openapi"
	"github.com/attune-go/attune/fixtures/testdb"
)

// asProgram is the name by which the tests are called as the program: linking another one takes seconds.
const asProgram = "attune"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == asProgram {
		main()
	}
	// More tests than processors: each waits for the server most of the time.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	// The clients of tests and of the program itself check the answers of the API.
	wrong := make(chan error, 1)
	http.DefaultTransport = &openapi.Transport{Base: http.DefaultTransport, Wrong: func(err error) {
		select {
		case wrong <- err:
		default: // one is enough
		}
	}}
	status := m.Run()
	select {
	case err := <-wrong:
		fmt.Fprintln(os.Stderr, err)
		status = 1
	default:
	}
	os.Exit(status)
}

// programFolder returns a folder with the program, for PATH.
func programFolder(t *testing.T) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(executable, filepath.Join(bin, asProgram)); err != nil {
		t.Fatal(err)
	}
	return bin
}

// TestTourOfAPI runs the commands of docs/api.md, in their order, with the program itself.
func TestTourOfAPI(t *testing.T) {
	t.Parallel()
	needsCurl(t)
	if _, err := osexec.LookPath("bash"); err != nil {
		t.Skip("bash is missing")
	}
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	bin := programFolder(t)
	script := "set -euo pipefail\n"
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		script += block[1]
	}
	script = strings.ReplaceAll(script, "127.0.0.1:8642", freeAddress(t))
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		cmd := osexec.CommandContext(t.Context(), "bash", "-x", "-c", script)
		cmd.Env = append(environ(t), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), "ATTUNE_DATABASE_URL="+db.URL)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, said := range []string{`"name":"web-1"`, `"next":`, `"answer":"not asked"`, "event: begin", `"asked":true`, "revoked token 1", `"fit":`} {
			if !strings.Contains(string(out), said) {
				t.Errorf("nothing says %s:\n%s", said, out)
			}
		}
	})
}

// freeAddress returns an address of this machine that nobody listens on: the page's own may be taken.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
