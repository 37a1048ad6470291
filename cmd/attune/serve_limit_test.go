package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/netutil"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
)

// A countingListener counts its open connections.
type countingListener struct {
	net.Listener
	open, most atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if n := l.open.Add(1); n > l.most.Load() { // one goroutine accepts
		l.most.Store(n)
	}
	return &countedConn{Conn: conn, closed: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// TestConnections: more connections than are served wait, and get their turn when idle ones are cut off.
func TestConnections(t *testing.T) {
	const limit, idle = 4, 20
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counting := &countingListener{Listener: inner}
	listener := netutil.LimitListener(counting, limit)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }), ReadHeaderTimeout: 50 * time.Millisecond,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	for range idle {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Errorf("behind %d idle connections: %q, %v", idle, line, err)
	}
	if n := counting.most.Load(); n > limit {
		t.Errorf("%d connections were served at a time, want at most %d", n, limit)
	}
	if err := errors.Join(server.Close(), listener.Close()); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
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
