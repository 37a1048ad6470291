package database_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/database"
)

func TestOpenPostgres(t *testing.T) {
	ctx := t.Context()
	db := open(t, testdb.EmptyPostgres(t).URL)

	var name string
	if err := db.NewRaw("SELECT current_setting('application_name')").Scan(ctx, &name); err != nil {
		t.Fatal(err)
	}
	if name != "attune" {
		t.Errorf("application_name = %q, want attune", name)
	}
	if got := db.Stats().MaxOpenConnections; got < 1 || got > 32 {
		t.Errorf("the pool is not bounded sensibly: %d connections", got)
	}
}

// TestOpenPostgresKeepsConnections: a server under load does not connect anew.
func TestOpenPostgresKeepsConnections(t *testing.T) {
	db := open(t, testdb.EmptyPostgres(t).URL)
	most := db.Stats().MaxOpenConnections
	used := make([]bun.Conn, most)
	for i := range used {
		var err error
		if used[i], err = db.Conn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i := range used {
		if err := used[i].Close(); err != nil {
			t.Fatal(err)
		}
	}
	if idle := db.Stats().Idle; idle != most {
		t.Errorf("the pool keeps %d connections, want %d", idle, most)
	}
}

// TestOpenPostgresSettings: a database's own defaults do not change what the driver reads and writes.
func TestOpenPostgresSettings(t *testing.T) {
	ctx := t.Context()
	own := testdb.EmptyPostgres(t)
	for _, setting := range []string{"DateStyle TO 'German'", "standard_conforming_strings TO off"} {
		if _, err := own.NewRaw("DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET " + strings.ReplaceAll(setting, "'", "''") + "', current_database()); END $$").
			Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
	db := open(t, own.URL)
	var at time.Time
	var text string
	if err := db.NewRaw("SELECT CAST(? AS timestamptz), ?", "2026-11-28T01:02:03Z", `a\b`).Scan(ctx, &at, &text); err != nil {
		t.Fatal(err)
	}
	if text != `a\b` || at.Format(time.DateOnly) != "2026-11-28" {
		t.Errorf("read %q, %v", text, at)
	}
}

// serverURL returns the test server's URL after change.
func serverURL(t *testing.T, change func(*neturl.URL)) string {
	t.Helper()
	u, err := neturl.Parse(testdb.EmptyPostgres(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

func TestOpenPostgresRefused(t *testing.T) {
	at, err := neturl.Parse(serverURL(t, func(*neturl.URL) {}))
	if err != nil {
		t.Fatal(err)
	}
	port := cmp.Or(at.Port(), "5432")
	tests := []struct {
		name   string
		change func(*neturl.URL)
		says   string
	}{
		{"no such database", func(u *neturl.URL) { u.Path = "/attune missing" }, "create it with: createdb -h " + at.Hostname() + " -p " + port + " -U " + at.User.Username() + " 'attune missing'"},
		{"no such role", func(u *neturl.URL) { u.User = neturl.UserPassword("attune_nobody", "s3cret") }, "attune_nobody"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := openFails(t, serverURL(t, tt.change), database.ErrRefused)
			contains(t, err, tt.says)
		})
	}
}

// TestOpenPostgresParameters checks that a parameter that the server refuses is ErrURL.
func TestOpenPostgresParameters(t *testing.T) {
	parameter := func(key, value string) func(*neturl.URL) {
		return func(u *neturl.URL) {
			q := u.Query()
			q.Set(key, value)
			u.RawQuery = q.Encode()
		}
	}
	contains(t, openFails(t, serverURL(t, parameter("foo", "bar")), database.ErrURL), `"foo"`, "remove that parameter")
	contains(t, openFails(t, serverURL(t, parameter("statement_timeout", "soon")), database.ErrURL), `"statement_timeout"`, "correct")

	var ssl string
	if err := open(t, testdb.EmptyPostgres(t).URL).NewRaw("SHOW ssl").Scan(t.Context(), &ssl); err != nil {
		t.Fatal(err)
	}
	if ssl == "on" {
		t.Skip("the server accepts TLS")
	}
	contains(t, openFails(t, serverURL(t, parameter("sslmode", "require")), database.ErrRefused), "does not accept TLS", "sslmode=disable")
}

func TestOpenPostgresReadOnly(t *testing.T) {
	ctx := t.Context()
	db := open(t, serverURL(t, func(u *neturl.URL) {
		q := u.Query()
		q.Set("default_transaction_read_only", "on")
		u.RawQuery = q.Encode()
	}))
	_, err := db.ExecContext(ctx, "CREATE TABLE t (id int)")
	if got := database.Classify(err); !errors.Is(got, database.ErrReadOnly) {
		t.Errorf("Classify(%v) = %v, want ErrReadOnly", err, got)
	}
}

func TestOpenPostgresUnreachable(t *testing.T) {
	closed := listen(t)
	free := closed.Addr().String()
	_ = closed.Close()

	t.Run("nobody listens", func(t *testing.T) {
		err := openFails(t, "postgres://u:s3cret@"+free+"/db", database.ErrUnreachable)
		contains(t, err, "connection refused", free, "postgres://u:xxxxx@"+free+"/db")
	})
	t.Run("a server that accepts and says nothing", func(t *testing.T) {
		silent := listen(t)
		err := openFails(t, "postgres://u:s3cret@"+silent.Addr().String()+"/db?sslmode=disable&connect_timeout=1", database.ErrUnreachable)
		contains(t, err, "did not answer within 1s", silent.Addr().String(), "connect_timeout")
	})
	t.Run("a server of another kind", func(t *testing.T) {
		other := listen(t)
		go answer(other, "HTTP/1.1 400 Bad Request\r\n\r\n")
		openFails(t, "postgres://u:s3cret@"+other.Addr().String()+"/db?sslmode=disable", database.ErrUnreachable)
	})
	t.Run("no such host", func(t *testing.T) {
		err := openFails(t, "postgres://u:s3cret@host.invalid/db", database.ErrUnreachable)
		contains(t, err, "host.invalid", "check the host")
	})
	t.Run("no such socket", func(t *testing.T) {
		openFails(t, "postgres:///db?host="+t.TempDir()+"&password=s3cret", database.ErrUnreachable)
	})
}

// TestOpenGivesUpByItself checks the default timeout on a server that never answers.
func TestOpenGivesUpByItself(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the default timeout")
	}
	t.Parallel()
	silent := listen(t)
	err := openFails(t, "postgres://u:s3cret@"+silent.Addr().String()+"/db?sslmode=disable", database.ErrUnreachable)
	contains(t, err, "did not answer within 5s")
}

func TestOpenHonoursTheContext(t *testing.T) {
	silent := listen(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := database.Open(ctx, "postgres://u@"+silent.Addr().String()+"/db"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open under a deadline: %v, want context.DeadlineExceeded", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	for _, url := range []string{"postgres://u@127.0.0.1:1/db", database.Memory} {
		if _, err := database.Open(ctx, url); !errors.Is(err, context.Canceled) {
			t.Errorf("Open(%s) under a cancelled context: %v, want context.Canceled", url, err)
		}
	}
}

func TestOpenWrongURL(t *testing.T) {
	tests := []struct{ url, says string }{
		{"", "empty"},
		{"  ", "empty"},
		{"attune.db", "sqlite:attune.db"},
		{"/var/lib/attune.db", "sqlite:/var/lib/attune.db"},
		{"mysql://u:s3cret@h/db", `"mysql" are not supported`},
		{"file:attune.db", "sqlite:PATH"},
		{"host=h user=u password=s3cret dbname=d", "list of keywords"},
		{"password='s3 s3cret'", "list of keywords"},
		{"postgres:h/db", "// is missing"},
		{"postgres://u:s3cret/x@h/db", "%2F for /"},
		{"postgres://u:s3cret@h:port/db", "a port is a number"},
		{"postgres://u:a@s3cret@host.invalid/db", "%40 for @"},
		{"postgres://u:a@s3cret/b@host.invalid/db", "%40 for @"},
		{"postgres://u:1/s3cret@host.invalid/db", "%40 for @"},
		{"postgres://u:1#s3cret@host.invalid/db", "%23 for #"},
		{"postgres://u:1?s3cret@host.invalid/db", "%3F for ?"},
		{"postgres://h:port/db", "port"},
		{"postgres://u:s3cret@h/db?sslmode=sometimes", "sslmode"},
		{"postgres://u:s3cret@h/db?connect_timeout=soon", "connect_timeout"},
		{"postgres://u:s3cret@h/db?sslmode=verify-full&sslrootcert=/no/such/file", "/no/such/file"},
		{"sqlite:", "path is missing"},
		{"sqlite://attune.db", "sqlite:attune.db"},
		{"sqlite:attune.db?mode=ro", "parameters"},
		{"sqlite:a\x00b", "NUL"},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			contains(t, openFails(t, tt.url, database.ErrURL), tt.says)
		})
	}
}

func TestNoPasswordInAnyForm(t *testing.T) {
	password := "s3cret"
	db := open(t, serverURL(t, func(u *neturl.URL) {
		if needed, has := u.User.Password(); has {
			password = needed
		} else {
			u.User = neturl.UserPassword(u.User.Username(), password)
		}
	}))
	text := fmt.Sprintf("%v %+v %s %v %+v", db, db, db, db.DB, db.DB)
	if strings.Contains(text, password) {
		t.Errorf("the password is in %s", text)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func answer(l net.Listener, text string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(text))
		_ = conn.Close()
	}
}
