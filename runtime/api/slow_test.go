//go:build unix

package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures/openapi"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/api"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A narrowListener accepts connections that hold little of what was written.
type narrowListener struct{ net.Listener }

func (l narrowListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return conn, err
}

// slowServer starts an API whose clients have little time.
func slowServer(t *testing.T, limits api.Limits) *server {
	t.Helper()
	db := testdb.SQLite(t)
	fleet(t, db)
	s := &server{t: t, db: db, store: store.New(db, store.Config{}), scope: api.Operate, log: new(lines)}
	a, err := api.New(s.store, api.Config{Authorize: byName, Limits: limits, Logger: slog.New(slog.NewTextHandler(s.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	run(t, a)
	s.Server = httptest.NewUnstartedServer(a.Handler())
	s.Listener = narrowListener{s.Listener}
	s.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(s.log, nil), slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	checked(t, s.Client())
	return s
}

// dial opens a connection that takes little before it is read, and sends the head of a request.
func (s *server) dial(request string, headers ...string) *net.TCPConn {
	s.t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
		return errors.Join(err, set)
	}}
	conn, err := dialer.DialContext(s.t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() }) // the test may have
	head := append([]string{request + " HTTP/1.1", "Host: x", "Authorization: Bearer operate"}, headers...)
	if _, err := io.WriteString(conn, strings.Join(head, "\r\n")+"\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

// streams returns the number of open streams.
func (s *server) streams() int {
	s.t.Helper()
	var status struct{ Streams int }
	s.get("/v1/status", &status)
	return status.Streams
}

// TestSlowBody: a body that arrives a byte at a time is refused when its time is over, and the connection ends.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	s := slowServer(t, api.Limits{Body: 300 * time.Millisecond})
	conn := s.dial("POST /v1/place", "Content-Type: application/json", "Content-Length: 1000")
	began := time.Now()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	answer := openapi.Answer{
		Method: http.MethodPost, Path: "/v1/place", Status: got.StatusCode, ContentType: got.Header.Get("Content-Type"), Body: text,
	}
	if err := answer.Check(); err != nil {
		t.Error(err)
	}
	if got.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "cannot be read") || !got.Close {
		t.Errorf("%d, closed: %v\n%s", got.StatusCode, got.Close, text)
	}
	if took := time.Since(began); took < 250*time.Millisecond || took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	s.get("/v1/packs", nil)
}

// TestSlowReader: a client that does not read its answer is cut off.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	s := slowServer(t, api.Limits{Statement: time.Second, Write: 300 * time.Millisecond})
	conn := s.dial("GET /openapi.json")
	time.Sleep(2 * time.Second) // the time for a statement, and for the client
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	read, err := io.Copy(io.Discard, conn)
	if most := int64(len(api.Spec())); read >= most {
		t.Errorf("%d bytes were sent, of %d, and then %v: the server waited", read, most, err)
	}
	s.get("/v1/packs", nil)
	if log := s.log.String(); log != "" {
		t.Errorf("the server logs a failure of its own:\n%s", log)
	}
}

// TestHalfOpenStream: a stream ends whose client is gone, or does not read although there is more.
func TestHalfOpenStream(t *testing.T) {
	t.Parallel()
	s := slowServer(t, api.Limits{Write: 300 * time.Millisecond})
	begin := func() *net.TCPConn {
		t.Helper()
		conn := s.dial("GET /v1/changes", "Accept: text/event-stream")
		lines := bufio.NewScanner(conn)
		for lines.Scan() && lines.Text() != "event: begin" {
			continue
		}
		if lines.Err() != nil || s.streams() != 1 {
			t.Fatalf("%v: %d streams are open", lines.Err(), s.streams())
		}
		return conn
	}
	conn := begin()
	if err := conn.SetLinger(0); err != nil { // the client is reset, as by a crash of its machine
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "the stream of a client that is gone ends", func() bool { return s.streams() == 0 })

	begin()
	n := 0
	until(t, "the stream of a client that does not read ends", func() bool {
		n++
		reports.Register(t, s.db, metadata.Worker, fmt.Sprintf("%s-%d", strings.Repeat("w", 200), n), with("3.12.1"))
		return s.streams() == 0
	})
	if n < 5 {
		t.Errorf("it ended after %d changes: they fit into its buffers", n)
	}
}

// TestResetOfStream: a stream whose client was slow says that changes were deleted before they were sent, and goes on.
func TestResetOfStream(t *testing.T) {
	t.Parallel()
	s := slowServer(t, api.Limits{})
	// The hub keeps the newest, so that the stream reads the others from the database.
	if _, err := s.db.ExecContext(t.Context(), `INSERT INTO capability_change (worker_name, worker_role, runtime_ref, name, kind)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2600)
		SELECT ?, 'action', 'core.python', 'python', 'lost' FROM n`, strings.Repeat("w", 200)); err != nil {
		t.Fatal(err)
	}
	last, err := s.store.Changes.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the hub has read them", func() bool {
		var status struct {
			LastChange int64 `json:"last_change"`
		}
		s.get("/v1/status", &status)
		return status.LastChange == last
	})
	conn := s.dial("GET /v1/changes?from=1", "Accept: text/event-stream")
	time.Sleep(time.Second) // it fills the buffers
	for _, statement := range []string{
		"UPDATE capability_change SET created = datetime('now', '-2 days')", "DELETE FROM capability_change WHERE id > 600 AND id < 1000",
	} {
		if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	resets, goesOn := 0, false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if lines.Text() == "event: reset" {
			resets++
			reports.Register(t, s.db, metadata.Worker, "late", with("3.12.1"))
		}
		if goesOn = strings.Contains(lines.Text(), `"name":"late"`); goesOn {
			break
		}
	}
	if resets != 1 || !goesOn {
		t.Errorf("%d resets, and the next change arrived: %v", resets, goesOn)
	}
}
