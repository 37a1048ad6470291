package pool_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
	"github.com/attune-go/attune/schema/database/pool"
)

// listener is a running function of Listen.
type listener struct {
	woken chan struct{}
	ended chan error
}

func listenOn(ctx context.Context, db *bun.DB, channel string) *listener {
	h := &listener{woken: make(chan struct{}, 100), ended: make(chan error, 1)}
	go func() { h.ended <- pool.Listen(db)(ctx, channel, func() { h.woken <- struct{}{} }) }()
	return h
}

func (h *listener) wake(t *testing.T) {
	t.Helper()
	select {
	case <-h.woken:
	case err := <-h.ended:
		t.Fatalf("it ended: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("waited a minute for a notification")
	}
}

func (h *listener) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-h.ended:
		return err
	case <-time.After(time.Minute):
		t.Fatal("waited a minute for the end")
		return nil
	}
}

// TestListen checks that it listens on a silent connection, and closes it at the end.
func TestListen(t *testing.T) {
	t.Cleanup(pool.SetListenTimes(5*time.Millisecond, time.Minute))
	fixture := testdb.EmptyPostgres(t)
	db := open(t, fixture.URL)
	ctx, cancel := context.WithCancel(t.Context())
	h := listenOn(ctx, db, `odd "channel`)
	h.wake(t)
	for range 3 {
		// Wait until it has pinged the server.
		for pinged := false; !pinged; {
			err := fixture.NewRaw("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND query = '-- ping'").Scan(ctx, &pinged)
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := fixture.ExecContext(ctx, `NOTIFY "odd ""channel"`); err != nil {
			t.Fatal(err)
		}
		h.wake(t)
	}
	cancel()
	if err := h.end(t); err != context.Canceled {
		t.Errorf("it ended with %v", err)
	}
	if n := db.Stats().OpenConnections; n != 0 {
		t.Errorf("%d connections are still open", n)
	}
}

// TestListenOnADeadConnection checks that it ends if the server does not answer a ping.
func TestListenOnADeadConnection(t *testing.T) {
	t.Cleanup(pool.SetListenTimes(5*time.Millisecond, 100*time.Millisecond))
	fixture := testdb.EmptyPostgres(t)
	line, address := stallable(t, fixture.URL)
	h := listenOn(t.Context(), open(t, address), "c")
	h.wake(t)
	line.Lock()
	defer line.Unlock()
	if err := h.end(t); err == nil || !strings.Contains(err.Error(), "deadline") && !strings.Contains(err.Error(), "timeout") {
		t.Errorf("it ended with %v, want a timeout", err)
	}
}

func TestListenIsNotForSQLite(t *testing.T) {
	err := pool.Listen(open(t, database.Memory))(t.Context(), "c", func() {})
	if err == nil || !strings.Contains(err.Error(), "the connection must be pgx's") {
		t.Errorf("got %v", err)
	}
}

// stallable returns the address of a proxy to a server. The proxy passes nothing while line
// is locked.
func stallable(t *testing.T, to string) (line *sync.Mutex, address string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	target := u.Host
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

// TestRest checks that a pool of Open has no idle connection after Rest, and that the
// limits of other pools stay.
func TestRest(t *testing.T) {
	fixture := testdb.EmptyPostgres(t)
	config, err := pgx.ParseConfig(fixture.URL)
	if err != nil {
		t.Fatal(err)
	}
	other := bun.NewDB(stdlib.OpenDB(*config), pgdialect.New())
	t.Cleanup(func() { _ = other.Close() })
	other.SetMaxIdleConns(3)
	for name, c := range map[string]struct {
		db        *bun.DB
		afterRest int // idle connections
	}{
		"opened":    {open(t, fixture.URL), 0},
		"another":   {other, 3},
		"in memory": {open(t, database.Memory), 3},
	} {
		useThree := func() {
			for range 3 {
				conn, err := c.db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
			}
		}
		useThree()
		pool.Rest(c.db)
		if idle := c.db.Stats().Idle; idle != c.afterRest {
			t.Errorf("%s: %d connections are idle after Rest, want %d", name, idle, c.afterRest)
		}
		useThree()
		if idle := c.db.Stats().Idle; idle != 3 {
			t.Errorf("%s: %d connections are idle after three were used, want 3", name, idle)
		}
	}
}

func open(t *testing.T, url string) *bun.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
