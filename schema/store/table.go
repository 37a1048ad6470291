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

// A table holds the statements that the repositories share. M is a model of package schema.
type table[M any] struct {
	dialect
	// name is the table's name, noun names a row in errors, and unique lists the columns of
	// its unique constraint.
	name, noun string
	unique     []string
}

// managedColumns lists the columns that callers never set.
var managedColumns = []string{"id", "created", "updated"}

func (t table[M]) model() *schema.Table {
	return t.db.Dialect().Tables().Get(reflect.TypeFor[M]())
}

// from returns the table expression of a query on the model, with the alias that qualifies
// its columns.
func (t table[M]) from() (string, any, any) { return "? AS ?", t.rows(t.name), bun.Name(t.name) }

// into returns the table expression of a statement that writes.
func (t table[M]) into() (string, any, any) { return "? AS ?", t.of(t.name), bun.Name(t.name) }

// columns returns the model's columns as a RETURNING list. A table can have more columns.
func (t table[M]) columns() bun.Safe { return t.list("") }

// qualifiedColumns returns the model's columns as a SELECT list.
func (t table[M]) qualifiedColumns() bun.Safe { return t.list(t.name + ".") }

// list returns a list of the model's columns but for those in except, with bounded expressions
// for long ones.
func (t table[M]) list(prefix string, except ...string) bun.Safe {
	var names []string
	for _, f := range t.model().Fields {
		name := prefix + string(f.SQLName)
		if slices.Contains(except, f.Name) {
			continue
		}
		if kind, long := longColumns[t.name][f.Name]; long {
			name = t.boundColumn(kind, name) + " AS " + string(f.SQLName)
		}
		names = append(names, name)
	}
	return bun.Safe(strings.Join(names, ", "))
}

// fail wraps an error with the operation and the key.
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

// query returns a SELECT of rows with some columns.
func (t table[M]) query(rows any, columns bun.Safe) *bun.SelectQuery {
	expr, name, alias := t.from()
	return t.db.NewSelect().Model(rows).ModelTableExpr(expr, name, alias).ColumnExpr("?", columns)
}

// one returns the row that matches a condition, or sql.ErrNoRows.
func (t table[M]) one(ctx context.Context, where string, args ...any) (*M, error) {
	if !storable(args...) {
		return nil, ErrNotFound
	}
	row := new(M)
	if err := t.query(row, t.qualifiedColumns()).Where(where, args...).Scan(ctx); err != nil {
		return nil, err
	}
	if !timesReadable(row) {
		return nil, errTime
	}
	utc(row)
	return row, nil
}

// many returns the rows of a query. texts are those that the query compares with.
func (t table[M]) many(
	ctx context.Context, narrow func(*bun.SelectQuery) *bun.SelectQuery, texts ...any,
) ([]M, error) {
	return t.manyWith(ctx, t.qualifiedColumns(), narrow, texts...)
}

// manyWith is many with some columns only.
func (t table[M]) manyWith(
	ctx context.Context, columns bun.Safe, narrow func(*bun.SelectQuery) *bun.SelectQuery, texts ...any,
) ([]M, error) {
	rows := []M{}
	if !storable(texts...) {
		return rows, nil
	}
	err := t.readable(ctx, func(without any) error {
		rows = rows[:0]
		q := t.query(&rows, columns).Apply(narrow)
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

// page restricts a query to a page of the list ordered by ref.
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

// insert adds a row and reads it back. A duplicate does not fail in the database, so a
// transaction stays usable.
func (t table[M]) insert(ctx context.Context, row *M) error {
	return t.put(ctx, row, nil)
}

// upsert adds a row, or updates all columns of the existing row except those in keep.
func (t table[M]) upsert(ctx context.Context, row *M, keep ...string) error {
	var replaced []string
	for _, f := range t.model().Fields {
		if !slices.Contains(managedColumns, f.Name) && !slices.Contains(keep, f.Name) {
			replaced = append(replaced, f.Name)
		}
	}
	return t.put(ctx, row, replaced)
}

// put adds a row. If the row exists, put replaces some of its columns; nil leaves it alone
// and returns ErrDuplicate.
func (t table[M]) put(ctx context.Context, row *M, replaced []string) error {
	columns := t.insertColumns(row)
	if err := t.check(row, columns); err != nil {
		return err
	}
	if s := t.layout.Split(t.name); s != nil {
		return t.putSplit(ctx, s, row, replaced)
	}
	err := t.inserting(row, columns, replaced).Returning("?", t.columns()).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w %s", ErrDuplicate, t.unique[len(t.unique)-1])
	}
	utc(row)
	return err
}

// inserting returns an INSERT of some columns of a row. Where a row has the unique columns,
// it replaces others.
func (t table[M]) inserting(row *M, columns, replaced []string) *bun.InsertQuery {
	expr, name, alias := t.into()
	q := t.db.NewInsert().Model(row).ModelTableExpr(expr, name, alias).Column(columns...)
	for column, text := range t.documents(row, columns) {
		q = q.Value(column, "?", text)
	}
	if replaced == nil {
		return q.On("CONFLICT (?) DO NOTHING", names(t.unique))
	}
	q = q.On("CONFLICT (?) DO UPDATE", names(t.unique))
	for _, c := range replaced {
		q = q.Set("? = EXCLUDED.?", bun.Name(c), bun.Name(c))
	}
	return q.Set("updated = ?", t.now())
}

// update writes some columns of one row, and the database's time to updated.
func (t table[M]) update(ctx context.Context, row *M, columns []string, where string, args ...any) error {
	if err := t.check(row, columns); err != nil {
		return err
	}
	if !storable(args...) {
		return ErrNotFound
	}
	if s := t.layout.Split(t.name); s != nil {
		return t.updateSplit(ctx, s, row, columns, where, args...)
	}
	expr, name, alias := t.into()
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

// removeID deletes the row with an id, unless a foreign key refuses it.
func (t table[M]) removeID(ctx context.Context, id int64) error {
	return t.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		expr, name, alias := t.into()
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

// insertColumns returns the columns of an INSERT. It leaves out managed columns and unset
// columns with a default.
func (t table[M]) insertColumns(row *M) []string {
	v := reflect.ValueOf(row).Elem()
	var columns []string
	for _, f := range t.model().Fields {
		empty := f.IsPtr && f.HasNilValue(v) ||
			f.HasZeroValue(v) && (f.NullZero || f.SQLDefault != "")
		if !empty && !slices.Contains(managedColumns, f.Name) {
			columns = append(columns, f.Name)
		}
	}
	return columns
}

// names returns columns quoted and separated by commas.
func names(columns []string) bun.Safe {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = `"` + c + `"`
	}
	return bun.Safe(strings.Join(quoted, ", "))
}

// utc converts a row's times to UTC, so that they compare with ==. Pgx returns local times.
func utc[M any](row *M) {
	eachTime(row, func(at *time.Time) { *at = at.UTC() })
}

// eachTime calls fn with each time of a row. fn may change it.
func eachTime[M any](row *M, fn func(at *time.Time)) {
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		switch at := v.Field(i).Addr().Interface().(type) {
		case *time.Time:
			fn(at)
		case **time.Time:
			if *at != nil {
				value := **at
				fn(&value)
				*at = &value
			}
		}
	}
}

// value returns a column's value as an argument of a statement.
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

// id returns a row's id.
func (t table[M]) id(row *M) int64 {
	return t.model().FieldMap["id"].Value(reflect.ValueOf(row).Elem()).Int()
}
