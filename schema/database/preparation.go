package database

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/attune-go/attune/schema/statement"
)

const (
	// preparedAtMost is the number of statements that a connection keeps, and preparedFor how long: the
	// server does not plan them again when a table grows, but for an ANALYZE.
	preparedAtMost = 128
	preparedFor    = time.Minute
)

// QueryContext prepares the statement if the context is one of statement.WithPreparation or statement.WithParameters.
func (c *session) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	preparation, ok := statement.PreparationOf(ctx)
	if len(args) > 0 || !ok || !c.prepares(ctx) {
		return c.pgxConn.QueryContext(ctx, query, args)
	}
	values := []driver.NamedValue{{Ordinal: 1, Value: pgx.QueryExecModeCacheStatement}}
	for i, value := range preparation.Values {
		values = append(values, driver.NamedValue{Ordinal: i + 2, Value: value})
	}
	rows, err := c.pgxConn.QueryContext(ctx, cmp.Or(preparation.Text, query), values)
	if pooled := isFault(err, otherSession, alreadyPrepared); pooled || isFault(err, resultChanged) {
		if pooled {
			c.unprepared.Store(true)
		}
		return c.pgxConn.QueryContext(ctx, query, args)
	}
	return rows, err
}

// prepares reports whether the session can keep a statement. Within a transaction the failure of a
// prepared one would end the transaction.
func (c *session) prepares(ctx context.Context) bool {
	if c.unprepared.Load() || c.Conn().IsClosed() || c.Conn().PgConn().TxStatus() != 'I' {
		return false
	}
	if now := time.Now(); now.Sub(c.since) > preparedFor {
		if !c.since.IsZero() && c.Conn().DeallocateAll(ctx) != nil {
			return false
		}
		c.since = now
	}
	return true
}

// The codes of Postgres for prepared statements that cannot be used. With the first two a pooler is in between: it ran
// the statement in a session that does not have it, or prepared it in one that has it already. With the third the
// columns of a table are others by now.
const (
	otherSession    = "26000"
	alreadyPrepared = "42P05"
	resultChanged   = "0A000"
)

// isFault reports whether an error of Postgres has one of the codes.
func isFault(err error, codes ...string) bool {
	var fault *pgconn.PgError
	return errors.As(err, &fault) && slices.Contains(codes, fault.Code)
}
