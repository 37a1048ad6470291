package transaction

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// A connector makes connections of database/sql that run their statements in a transaction of
// pgx. pgx's own stdlib can only open connections itself.
type connector struct{ tx pgx.Tx }

func (c connector) Connect(context.Context) (driver.Conn, error) { return conn(c), nil }
func (c connector) Driver() driver.Driver                        { return c }

// Open implements driver.Driver. Nobody registers this one, so nobody calls it.
func (connector) Open(string) (driver.Conn, error) { return nil, errUnsupported }

var errUnsupported = errors.New("not supported in a platform's transaction")

type conn struct{ tx pgx.Tx }

var (
	_ driver.ExecerContext  = conn{}
	_ driver.QueryerContext = conn{}
	_ driver.ConnBeginTx    = conn{}
)

func (conn) Close() error                        { return nil }
func (conn) Prepare(string) (driver.Stmt, error) { return nil, errUnsupported }
func (conn) Begin() (driver.Tx, error)           { return platformTx{}, nil }

// BeginTx sends nothing, because the platform has begun the transaction.
func (conn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return platformTx{}, nil }

// A platformTx is a transaction that only the platform ends.
type platformTx struct{}

func (platformTx) Commit() error   { return errUnsupported }
func (platformTx) Rollback() error { return nil }

// ExecContext runs statements without arguments, because bun writes them into the text.
func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) > 0 {
		return nil, errUnsupported
	}
	tag, err := c.tx.Exec(ctx, query)
	return driver.RowsAffected(tag.RowsAffected()), err
}

// QueryContext returns the rows of a statement without arguments.
func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) > 0 {
		return nil, errUnsupported
	}
	found, err := c.tx.Query(ctx, query, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return nil, err
	}
	// Whatever is wrong with the statement itself shows with the first row only.
	more := found.Next()
	if err := found.Err(); err != nil {
		return nil, err
	}
	return &rows{found: found, types: c.tx.Conn().TypeMap(), first: true, more: more}, nil
}

// rows are the rows of a statement in the text format.
type rows struct {
	found       pgx.Rows
	types       *pgtype.Map
	first, more bool // more is the answer of the first Next, which QueryContext called
}

func (r *rows) Columns() []string {
	var names []string
	for _, f := range r.found.FieldDescriptions() {
		names = append(names, f.Name)
	}
	return names
}

func (r *rows) Close() error {
	r.found.Close()
	return r.found.Err()
}

func (r *rows) Next(dest []driver.Value) (err error) {
	if !r.first {
		r.more = r.found.Next()
	}
	r.first = false
	if !r.more {
		return cmp.Or(r.found.Err(), io.EOF)
	}
	fields := r.found.FieldDescriptions()
	for i, raw := range r.found.RawValues() {
		if dest[i], err = r.value(fields[i].DataTypeOID, raw); err != nil {
			return err
		}
	}
	return nil
}

// value returns a value as pgx's stdlib does: of the types that database/sql knows, else text.
func (r *rows) value(oid uint32, raw []byte) (driver.Value, error) {
	var to driver.Valuer
	switch oid {
	case pgtype.BoolOID:
		to = new(pgtype.Bool)
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		to = new(pgtype.Int8)
	case pgtype.OIDOID, pgtype.XIDOID, pgtype.CIDOID:
		to = new(pgtype.Uint32)
	case pgtype.Float4OID, pgtype.Float8OID:
		to = new(pgtype.Float8)
	case pgtype.DateOID:
		to = new(pgtype.Date)
	case pgtype.TimestampOID:
		to = new(pgtype.Timestamp)
	case pgtype.TimestamptzOID:
		to = new(pgtype.Timestamptz)
	}
	switch {
	case raw == nil:
		return nil, nil
	case to != nil:
		if err := r.types.Scan(oid, pgtype.TextFormatCode, raw, to); err != nil {
			return nil, err
		}
		return to.Value()
	case oid == pgtype.ByteaOID:
		var to []byte
		err := r.types.Scan(oid, pgtype.TextFormatCode, raw, &to)
		return to, err
	case oid == pgtype.JSONOID || oid == pgtype.JSONBOID:
		return append([]byte{}, raw...), nil
	}
	return string(raw), nil
}
