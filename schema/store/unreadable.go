package store

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// Postgres has times that programs do not: infinity, years before 1 and after 9999. The
// database refuses them in the rows of workers; where one is there all the same, its row is
// left out of lists and named in the log, so that it does not take all others with it.

// readable runs a query for several rows, and again without the rows that cannot be read if
// it fails because of them. without is nil, or the condition for the second time.
func (t table[M]) readable(ctx context.Context, scan func(without any) error) error {
	err := scan(nil)
	if err == nil || ctx.Err() != nil || t.answered(err) {
		return err
	}
	bad := t.unreadable()
	var rows []struct {
		ID    int64
		Label string
	}
	expr, name, alias := t.from()
	query := bun.SafeQuery("SELECT id, ? AS label FROM "+expr+" WHERE ? ORDER BY id LIMIT 100", bun.Name(t.label()), name, alias, bad)
	if again := t.db.NewRaw("?", query).Scan(ctx, &rows); again != nil || len(rows) == 0 {
		return err
	}
	for _, r := range rows {
		t.leftOut(ctx, r.ID, r.Label)
	}
	return scan(bun.SafeQuery("NOT (?)", bad))
}

// answered reports whether an error is the database's own, and not one of reading what it
// answered.
func (t table[M]) answered(err error) bool { return postgresCode(err) != "" || sqliteCode(err) != 0 }

func (t table[M]) leftOut(ctx context.Context, id int64, label string) {
	t.log().WarnContext(ctx, "left out a row with a time that cannot be read", "table", t.name, "id", id, t.label(), label)
}

// label is the column that tells people which row it is.
func (t table[M]) label() string {
	for _, column := range []string{"worker_name", "name", "ref"} {
		if t.model().FieldMap[column] != nil {
			return column
		}
	}
	return "id"
}

// unreadable is the condition that a row has a time that cannot be read.
func (t table[M]) unreadable() any {
	var some []string
	for _, f := range t.model().Fields {
		if f.IndirectType != reflect.TypeFor[time.Time]() {
			continue
		}
		column := t.name + "." + string(f.SQLName)
		some = append(some, t.pick(
			column+" < '0001-01-03 00:00:00+00' OR "+column+" >= '9999-12-30 00:00:00+00'",
			column+" IS NOT NULL AND julianday("+column+") IS NULL"))
	}
	return bun.Safe("coalesce(" + strings.Join(some, " OR ") + ", false)")
}

// withoutUnreadable removes the rows whose times have no year that other programs read.
func (t table[M]) withoutUnreadable(ctx context.Context, rows []M) []M {
	return slices.DeleteFunc(rows, func(row M) bool {
		if timesReadable(&row) {
			return false
		}
		v := reflect.ValueOf(&row).Elem()
		label, _ := t.model().FieldMap[t.label()].Value(v).Interface().(string)
		t.leftOut(ctx, t.model().FieldMap["id"].Value(v).Int(), label)
		return true
	})
}

var errTime = errors.New("it holds a time outside of the years 1 to 9999")

// timesReadable reports whether the times of a row have years from 1 to 9999.
func timesReadable[M any](row *M) bool {
	readable := true
	eachTime(row, func(at *time.Time) {
		if y := at.UTC().Year(); y < 1 || y > 9999 {
			readable = false
		}
	})
	return readable
}
