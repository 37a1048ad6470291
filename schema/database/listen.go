package database

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
)

// listenQuiet is how long a line may be silent before it is asked for a sign of
// life, and listenAnswer how long that may take.
var (
	listenQuiet  = time.Minute
	listenAnswer = 10 * time.Second
)

// Listen is what store.SubscribeConfig.Listen asks for, on a Postgres database
// that Open opened, or any other pool of pgx's stdlib. While it listens it holds
// one connection of the pool, which is closed afterwards.
func Listen(db *bun.DB) func(ctx context.Context, channel string, wake func()) error {
	return func(ctx context.Context, channel string, wake func()) error {
		conn, err := db.DB.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		var lost error
		_ = conn.Raw(func(held any) error {
			c, ok := held.(interface{ Conn() *pgx.Conn }) // one of pgx's stdlib
			if !ok {
				lost = fmt.Errorf("a connection of %T cannot; it takes one of pgx", held)
				return nil
			}
			lost = listen(ctx, c.Conn(), channel, wake)
			return driver.ErrBadConn // it would listen on for somebody else
		})
		return lost
	}
}

func listen(ctx context.Context, conn *pgx.Conn, channel string, wake func()) error {
	begin, cancel := context.WithTimeout(ctx, listenAnswer)
	defer cancel()
	if _, err := conn.Exec(begin, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	for {
		wake() // at the beginning too: what came before was not heard
		if err := hear(ctx, conn); err != nil {
			return err
		}
	}
}

// hear waits for a notification, on a line that is alive.
func hear(ctx context.Context, conn *pgx.Conn) error {
	for {
		quiet, cancel := context.WithTimeout(ctx, listenQuiet)
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
		answer, cancel := context.WithTimeout(ctx, listenAnswer)
		err = conn.Ping(answer)
		cancel()
		if err != nil {
			return err
		}
	}
}
