package database_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
)

// hearing is a database.Listen that runs.
type hearing struct {
	woken chan struct{}
	ended chan error
}

func listenOn(ctx context.Context, db *bun.DB, channel string) *hearing {
	h := &hearing{woken: make(chan struct{}, 100), ended: make(chan error, 1)}
	go func() { h.ended <- database.Listen(db)(ctx, channel, func() { h.woken <- struct{}{} }) }()
	return h
}

func (h *hearing) wake(t *testing.T) {
	t.Helper()
	select {
	case <-h.woken:
	case err := <-h.ended:
		t.Fatalf("it ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("waited a minute for a notification")
	}
}

func (h *hearing) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-h.ended:
		return err
	case <-time.After(time.Minute):
		t.Fatal("waited a minute for the end")
		return nil
	}
}

// TestListen: on a silent line too, and the connection is nobody else's afterwards.
func TestListen(t *testing.T) {
	t.Cleanup(database.SetListenPatience(5*time.Millisecond, time.Minute))
	fixture := testdb.EmptyPostgres(t)
	db := open(t, fixture.URL)
	ctx, cancel := context.WithCancel(t.Context())
	h := listenOn(ctx, db, `odd "channel`)
	h.wake(t)
	for range 3 {
		// It was asked for a sign of life, and listens on.
		for pinged := false; !pinged; {
			err := fixture.NewRaw("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND query = '-- ping'").Scan(ctx, &pinged)
			if err != nil {
				t.Fatal(err)
			}
		}
		run(t, fixture.DB, `NOTIFY "odd ""channel"`)
		h.wake(t)
	}
	cancel()
	if err := h.end(t); err != context.Canceled {
		t.Errorf("it ended with %v", err)
	}
	if n := db.Stats().OpenConnections; n != 0 {
		t.Errorf("%d connections are open still", n)
	}
}

// TestListenOnALineThatIsDead, and says nothing of it.
func TestListenOnALineThatIsDead(t *testing.T) {
	t.Cleanup(database.SetListenPatience(5*time.Millisecond, 100*time.Millisecond))
	fixture := testdb.EmptyPostgres(t)
	line, address := stallable(t, fixture.URL)
	h := listenOn(t.Context(), open(t, address), "c")
	h.wake(t)
	line.Lock()
	defer line.Unlock()
	if err := h.end(t); err == nil || !strings.Contains(err.Error(), "deadline") && !strings.Contains(err.Error(), "timeout") {
		t.Errorf("it ended with %v, want that there was no answer", err)
	}
}

func TestListenIsNotForSQLite(t *testing.T) {
	err := database.Listen(open(t, database.Memory))(t.Context(), "c", func() {})
	if err == nil || !strings.Contains(err.Error(), "one of pgx") {
		t.Errorf("got %v", err)
	}
}

// stallable is a way to a server on which nothing passes while it is locked.
func stallable(t *testing.T, to string) (line *sync.Mutex, address string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, target := listen(t), u.Host
	line, u.Host = new(sync.Mutex), l.Addr().String()
	pass := func(to, from net.Conn) {
		defer to.Close()
		for {
			n, err := io.CopyN(to, from, 1)
			line.Lock()
			line.Unlock() //nolint:staticcheck // it waits here
			if n == 0 || err != nil {
				return
			}
		}
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				_ = client.Close()
				continue
			}
			go pass(server, client)
			go pass(client, server)
		}
	}()
	return line, u.String()
}
