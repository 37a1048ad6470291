//go:build unix

package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

var (
	serveWorkers  = flag.Int("serve-workers", 10_000, "how many workers BenchmarkServe has")
	serveRequests = flag.Int("serve-requests", 100_000, "how many requests BenchmarkServe sends")
)

// BenchmarkServe runs attune serve as a whole process. idle-MiB is its resident memory before the first request, half-MiB
// after half of the requests and all-MiB after all of them.
func BenchmarkServe(b *testing.B) {
	program := filepath.Join(b.TempDir(), "attune")
	if out, err := osexec.CommandContext(b.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	db := testdb.Postgres(b)
	fixtures.Fleet(b, db, fixtures.FleetOpts{Workers: *serveWorkers})
	st := store.New(db, store.Config{Schema: db.Schema})
	var tokens []string
	for i := range 50 { // a token may send 100 requests in a second
		text, _, err := api.NewToken(b.Context(), st, fmt.Sprint("t", i), api.Read, time.Hour)
		if err != nil {
			b.Fatal(err)
		}
		tokens = append(tokens, text)
	}
	for b.Loop() {
		cmd := osexec.CommandContext(b.Context(), program, "serve", "--listen", "127.0.0.1:0", "--database", db.URL)
		log, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			b.Fatal(err)
		}
		url, lines := "", bufio.NewScanner(log)
		for url == "" && lines.Scan() {
			_, url, _ = strings.Cut(lines.Text(), "msg=serving url=")
		}
		url, _, _ = strings.Cut(url, " ")
		go io.Copy(io.Discard, log)
		time.Sleep(3 * time.Second)
		idle := resident(cmd.Process.Pid)
		send(b, url, tokens, *serveRequests/2)
		half := resident(cmd.Process.Pid)
		send(b, url, tokens, *serveRequests/2)
		b.ReportMetric(idle, "idle-MiB")
		b.ReportMetric(half, "half-MiB")
		b.ReportMetric(resident(cmd.Process.Pid), "all-MiB")
		if err := cmd.Process.Kill(); err != nil {
			b.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
}

// send sends requests, of several kinds and from several clients at once.
func send(b *testing.B, url string, tokens []string, n int) {
	b.Helper()
	paths := []string{"/v1/workers?limit=100", "/v1/workers/1", "/v1/workers/2/explain?runtime=runtime7", "/v1/workers/3/runtimes", "/v1/packs", "/v1/changes?limit=10"}
	var clients sync.WaitGroup
	const parallel = 10
	for c := range parallel {
		clients.Go(func() {
			for i := range n / parallel {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+paths[(c+i)%len(paths)], http.NoBody)
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+tokens[(i*parallel+c)%len(tokens)])
				got, err := http.DefaultClient.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, got.Body) // the status counts
				got.Body.Close()
				if got.StatusCode == http.StatusTooManyRequests {
					time.Sleep(100 * time.Millisecond)
				} else if got.StatusCode != http.StatusOK {
					b.Errorf("%s: %d", req.URL, got.StatusCode)
				}
			}
		})
	}
	clients.Wait()
}

// resident returns the resident memory of a process in MiB, or 0 where /proc does not tell.
func resident(pid int) float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, _ := strconv.Atoi(fields[1])
			return float64(kib) / 1024
		}
	}
	return 0
}
