package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/store"
)

// TestConnections: more connections than are served wait, and get their turn when others end. The server cuts idle ones off.
func TestConnections(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	a, err := api.New(store.New(db, store.Config{}), api.Config{Authorize: api.Loopback})
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(a, a.Handler(), slog.New(slog.DiscardHandler))
	const idle = 4
	s.connections = idle
	listens := make(chan string, 1)
	s.announce = func(url string) { listens <- strings.TrimPrefix(url, "http://") }
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.serve(ctx, "127.0.0.1:0", "", "") }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	address := <-listens
	dial := func() net.Conn {
		t.Helper()
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() }) // the test may have
		return conn
	}
	// ask sends a request, which has its turn behind the connections before it.
	ask := func() net.Conn {
		t.Helper()
		conn := dial()
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	isAnswered := func(conn net.Conn, within time.Duration) (string, error) {
		t.Helper()
		if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(conn).ReadString('\n')
	}
	began := time.Now()
	first := dial()
	for range idle - 1 {
		dial()
	}
	waiting := ask()
	line, err := isAnswered(waiting, 300*time.Millisecond)
	if inTime := time.Since(began) < headerTimeout; inTime && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection is served beside %d others: %q, %v", idle, line, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if line, err := isAnswered(waiting, 30*time.Second); err != nil || !strings.Contains(line, "200") {
		t.Errorf("after another has ended: %q, %v", line, err)
	}
	if line, err := isAnswered(ask(), 30*time.Second); err != nil || !strings.Contains(line, "200") {
		t.Errorf("behind connections that are idle: %q, %v", line, err)
	}
}

// endless has blanks.
type endless struct{ read *atomic.Int64 }

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read.Add(int64(len(p)))
	return len(p), nil
}

// TestGigabyte: a body of a gigabyte is refused before most of it was sent, with and without its length.
func TestGigabyte(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := serve(t)
	token := s.wait(`for this run: (\S+)`)
	const size = 1 << 30
	for _, length := range []int64{size, -1} {
		var sent atomic.Int64
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/place", io.LimitReader(endless{&sent}, size))
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		got, err := http.DefaultClient.Do(req)
		switch {
		case err == nil:
			_ = got.Body.Close() // its status counts
			if got.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("length %d: %s", length, got.Status)
			}
		case !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "broken pipe"): // the connection ended first
			t.Errorf("length %d: %v", length, err)
		}
		if n := sent.Load(); n > size/16 {
			t.Errorf("length %d: %d bytes were read", length, n)
		}
	}
	want(t, run(t, "workers", "list"), 0)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _ = got.Body.Close(); got.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %s", got.Status)
	}
}

// BenchmarkConnections asks a server while 10,000 connections that send nothing are open or wait. opened
// is how many of them the system let in.
func BenchmarkConnections(b *testing.B) {
	db := testdb.SQLite(b)
	setenv(b, "ATTUNE_DATABASE_URL", db.URL)
	ctx, cancel := context.WithCancel(b.Context())
	out, status := new(output), make(chan int, 1)
	go func() {
		status <- program().Run(ctx, []string{"serve", "--listen", "127.0.0.1:0", "--no-auth"}, cli.Stdio{In: strings.NewReader(""), Out: out, Err: out, Environ: environ(b)})
	}()
	defer func() { cancel(); <-status }()
	address := ""
	for serving := regexp.MustCompile(`url=http://(\S+)`); address == ""; time.Sleep(10 * time.Millisecond) {
		if m := serving.FindStringSubmatch(out.String()); m != nil {
			address = m[1]
		}
	}
	const idle, dialers = 10_000, 500
	dials, opened := make(chan struct{}, idle), atomic.Int64{}
	for range idle {
		dials <- struct{}{}
	}
	close(dials)
	var wait sync.WaitGroup
	for range dialers {
		wait.Go(func() {
			for range dials {
				conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", address)
				if err != nil {
					continue
				}
				opened.Add(1)
				b.Cleanup(func() { _ = conn.Close() })
			}
		})
	}
	wait.Wait()
	for b.Loop() {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v1/status", http.NoBody)
		if err != nil {
			b.Fatal(err)
		}
		got, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		if _ = got.Body.Close(); got.StatusCode != http.StatusOK {
			b.Fatal(got.Status)
		}
	}
	b.ReportMetric(float64(opened.Load()), "opened")
}
