package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// table holds the statements that the repositories have in common. M is a model
// of package schema.
type table[M any] struct {
	dialect
	// name is the table, noun is what errors call one row of it, and unique are
	// the columns that tell its rows apart.
	name, noun string
	unique     []string
}

// given are the columns that the database or the store fills, never a caller.
var given = []string{"id", "created", "updated"}

func (t table[M]) model() *schema.Table {
	return t.db.Dialect().Tables().Get(reflect.TypeFor[M]())
}

// from names the table in a statement on the model, under the alias by which the
// statement's columns are qualified.
func (t table[M]) from() (string, any, any) { return "? AS ?", t.of(t.name), bun.Name(t.name) }

// columns are the model's columns as a RETURNING list: an installation's table
// may have more.
func (t table[M]) columns() bun.Safe { return t.list("") }

// selected are the model's columns as a SELECT list.
func (t table[M]) selected() bun.Safe { return t.list(t.name + ".") }

// list is a list of the model's columns, in which no long one is too large.
func (t table[M]) list(prefix string) bun.Safe {
	var names []string
	for _, f := range t.model().Fields {
		name := prefix + string(f.SQLName)
		if kind, long := longColumns[t.name][f.Name]; long {
			name = t.bounded(kind, name) + " AS " + string(f.SQLName)
		}
		names = append(names, name)
	}
	return bun.Safe(strings.Join(names, ", "))
}

// fail names the operation and the key of an error.
func (t table[M]) fail(op string, key any, err error) error {
	if err == nil {
		return nil
	}
	err = t.classify(op, err)
	if s, ok := key.(string); ok {
		return fmt.Errorf("%s %s %q: %w", op, t.noun, s, err)
	}
	return fmt.Errorf("%s %s %v: %w", op, t.noun, key, err)
}

// query is the beginning of a SELECT of whole rows.
func (t table[M]) query(rows any) *bun.SelectQuery {
	expr, name, alias := t.from()
	q := t.db.NewSelect().Model(rows).ModelTableExpr(expr, name, alias)
	if longColumns[t.name] != nil {
		q = q.ColumnExpr("?", t.selected())
	}
	return q
}

// one returns the only row that a condition allows.
func (t table[M]) one(ctx context.Context, where string, args ...any) (*M, error) {
	if !storable(args...) {
		return nil, ErrNotFound
	}
	row := new(M)
	if err := t.query(row).Where(where, args...).Scan(ctx); err != nil {
		return nil, err
	}
	if !timesReadable(row) {
		return nil, errTime
	}
	utc(row)
	return row, nil
}

// many returns the rows of a query in its order. asked are the texts that the
// query compares with.
func (t table[M]) many(
	ctx context.Context, narrow func(*bun.SelectQuery) *bun.SelectQuery, asked ...any,
) ([]M, error) {
	rows := []M{}
	if !storable(asked...) {
		return rows, nil
	}
	err := t.readable(ctx, func(without any) error {
		rows = rows[:0]
		q := t.query(&rows).Apply(narrow)
		if without != nil {
			q = q.Where("?", without)
		}
		return q.Scan(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("list %ss: %w", t.noun, err)
	}
	rows = t.withoutUnreadable(ctx, rows)
	for i := range rows {
		utc(&rows[i])
	}
	return rows, nil
}

// page narrows a query to a part of the list that is ordered by ref.
func (t table[M]) page(p Page) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		ref := t.bytewise(t.name + ".ref")
		if p.After != "" {
			q = q.Where("? > ?", ref, p.After)
		}
		if p.Limit > 0 {
			q = q.Limit(int64(p.Limit))
		}
		return q.OrderExpr("?", ref)
	}
}

// insert adds a row and reads back what the database made of it. A duplicate is
// no error to the database, so that a transaction outlives it.
func (t table[M]) insert(ctx context.Context, row *M) error {
	return t.put(ctx, row, "CONFLICT (?) DO NOTHING", nil)
}

// upsert adds a row, or gives all columns of the one that is there the row's
// values, but for those in keep.
func (t table[M]) upsert(ctx context.Context, row *M, keep ...string) error {
	return t.put(ctx, row, "CONFLICT (?) DO UPDATE", func(q *bun.InsertQuery) *bun.InsertQuery {
		for _, f := range t.model().Fields {
			if !slices.Contains(given, f.Name) && !slices.Contains(keep, f.Name) {
				q = q.Set("? = EXCLUDED.?", bun.Name(f.Name), bun.Name(f.Name))
			}
		}
		return q.Set("updated = ?", t.now())
	})
}

func (t table[M]) put(
	ctx context.Context, row *M, on string, set func(*bun.InsertQuery) *bun.InsertQuery,
) error {
	columns := t.written(row)
	if err := t.check(row, columns); err != nil {
		return err
	}
	expr, name, alias := t.from()
	q := t.db.NewInsert().Model(row).ModelTableExpr(expr, name, alias).Column(columns...).
		On(on, names(t.unique)).Apply(set).Returning("?", t.columns())
	for column, text := range t.documents(row, columns) {
		q = q.Value(column, "?", text)
	}
	err := q.Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w %s", ErrDuplicate, t.unique[len(t.unique)-1])
	}
	utc(row)
	return err
}

// update gives one row the values of some columns, and the database's time in
// updated.
func (t table[M]) update(ctx context.Context, row *M, columns []string, where string, args ...any) error {
	if err := t.check(row, columns); err != nil {
		return err
	}
	if !storable(args...) {
		return ErrNotFound
	}
	expr, name, alias := t.from()
	q := t.db.NewUpdate().Model(row).ModelTableExpr(expr, name, alias).
		Column(append(columns, "updated")...).Value("updated", "?", t.now()).
		Where(where, args...).Returning("?", t.columns())
	for column, text := range t.documents(row, columns) {
		q = q.Value(column, "?", text)
	}
	err := q.Scan(ctx)
	utc(row)
	return err
}

// removeID deletes the row of an id; the database says whether it may go.
func (t table[M]) removeID(ctx context.Context, id int64) error {
	return t.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		expr, name, alias := t.from()
		result, err := tx.NewDelete().Model((*M)(nil)).ModelTableExpr(expr, name, alias).
			Where("?.id = ?", alias, id).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return ErrNotFound
	})
}

// written are the columns of an INSERT: without those that are left to the
// database and those that have a default and no value.
func (t table[M]) written(row *M) []string {
	v := reflect.ValueOf(row).Elem()
	var columns []string
	for _, f := range t.model().Fields {
		empty := f.IsPtr && f.HasNilValue(v) ||
			f.HasZeroValue(v) && (f.NullZero || f.SQLDefault != "")
		if !empty && !slices.Contains(given, f.Name) {
			columns = append(columns, f.Name)
		}
	}
	return columns
}

// names is a list of columns for a statement.
func names(columns []string) bun.Safe {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = `"` + c + `"`
	}
	return bun.Safe(strings.Join(quoted, ", "))
}

// utc gives a row's times the location in which they compare with ==; pgx
// returns them in the host's.
func utc[M any](row *M) {
	eachTime(row, func(at *time.Time) { *at = at.UTC() })
}

// eachTime calls fn with each time of a row, which it may change.
func eachTime[M any](row *M, fn func(at *time.Time)) {
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		switch at := v.Field(i).Addr().Interface().(type) {
		case *time.Time:
			fn(at)
		case **time.Time:
			if *at != nil {
				moved := **at
				fn(&moved)
				*at = &moved
			}
		}
	}
}

// value is a column's value as an argument of a statement.
func (t table[M]) value(row *M, column string) any {
	v := t.model().LookupField(column).Value(reflect.ValueOf(row).Elem()).Interface()
	if raw, ok := v.(json.RawMessage); ok {
		if raw == nil {
			return nil
		}
		return string(raw)
	}
	return v
}
