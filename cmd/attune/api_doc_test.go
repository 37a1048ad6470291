package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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

// TestTourOfAPI runs the commands of docs/api.md, in their order, with the program itself. Its answers pass a proxy that checks
// them against the API's document.
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
	const listen, address = "--listen ", "127.0.0.1:8642"
	if !strings.Contains(script, listen+address) {
		t.Fatal("the tour starts no server")
	}
	backend := freeAddress(t)
	script = strings.Replace(script, listen+address, listen+backend, 1)
	script = strings.ReplaceAll(script, address, checkedProxy(t, "http://"+backend))
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

// checkedProxy starts a proxy that checks answers against the API's document, and returns its address.
func checkedProxy(t *testing.T, backend string) string {
	t.Helper()
	to, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	checked := &openapi.Transport{Base: &http.Transport{DisableCompression: true}, Wrong: func(err error) { t.Error(err) }}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host }, Transport: checked, FlushInterval: -1,
		ErrorLog: log.New(io.Discard, "", 0), // the server is not there at first
	})
	t.Cleanup(func() {
		proxy.CloseClientConnections()
		proxy.Close()
		checked.CloseIdleConnections()
	})
	return strings.TrimPrefix(proxy.URL, "http://")
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
