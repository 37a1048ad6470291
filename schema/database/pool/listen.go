package pool

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
)

var (
	// quietTime is how long a connection can be silent before it is pinged.
	quietTime = time.Minute
	// answerTime is how long the server can take to answer.
	answerTime = 10 * time.Second
)

// Listen returns a function for store.SubscribeConfig.Listen. It works on any pool of
// pgx's stdlib, such as one that package database opened. While the function listens, it
// holds one connection of the pool, and closes it at the end.
func Listen(db *bun.DB) func(ctx context.Context, channel string, wake func()) error {
	return func(ctx context.Context, channel string, wake func()) error {
		conn, err := db.DB.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		var lost error
		_ = conn.Raw(func(held any) error {
			c, ok := held.(interface{ Conn() *pgx.Conn }) // a connection of pgx's stdlib
			if !ok {
				lost = fmt.Errorf("listen: the connection must be pgx's, got %T", held)
				return nil
			}
			lost = listen(ctx, c.Conn(), channel, wake)
			return driver.ErrBadConn // closes it: it would go on listening for its next user
		})
		return lost
	}
}

func listen(ctx context.Context, conn *pgx.Conn, channel string, wake func()) error {
	begin, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := conn.Exec(begin, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	for {
		wake() // at the beginning too, because earlier notifications were missed
		if err := waitForNotification(ctx, conn); err != nil {
			return err
		}
	}
}

// waitForNotification waits for a notification, and pings a silent server.
func waitForNotification(ctx context.Context, conn *pgx.Conn) error {
	for {
		quiet, cancel := context.WithTimeout(ctx, quietTime)
		n, err := conn.WaitForNotification(quiet)
		cancel()
		switch {
		case n != nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case quiet.Err() == nil:
			return err
		}
		answer, cancel := context.WithTimeout(ctx, answerTime)
		err = conn.Ping(answer)
		cancel()
		if err != nil {
			return err
		}
	}
}
