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

// Postgres has times that Go programs cannot represent: infinity, and years before 1 and
// after 9999. Constraints keep them out of the rows of workers. If a row has one anyway,
// lists leave it out and log it, instead of failing.

// readable runs a query for several rows. If unreadable rows make it fail, it runs the query
// again without them; without is then the condition, and nil before.
func (t table[M]) readable(ctx context.Context, scan func(without any) error) error {
	err := scan(nil)
	if err == nil || ctx.Err() != nil || isDatabaseError(err) {
		return err
	}
	unreadable := t.unreadable()
	var rows []struct {
		ID    int64
		Label string
	}
	expr, name, alias := t.from()
	query := bun.SafeQuery("SELECT id, ? AS label FROM "+expr+" WHERE ? ORDER BY id LIMIT 100",
		bun.Name(t.label()), name, alias, unreadable)
	if again := t.db.NewRaw("?", query).Scan(ctx, &rows); again != nil || len(rows) == 0 {
		return err
	}
	for _, r := range rows {
		t.logLeftOut(ctx, r.ID, r.Label)
	}
	return scan(bun.SafeQuery("NOT (?)", unreadable))
}

// isDatabaseError reports whether the database returned an error, rather than the driver that
// reads its answer.
func isDatabaseError(err error) bool { return postgresCode(err) != "" || sqliteCode(err) != 0 }

func (t table[M]) logLeftOut(ctx context.Context, id int64, label string) {
	t.log().WarnContext(ctx, "left out a row with a time that cannot be read", "table", t.name, "id", id, t.label(), label)
}

// label returns the column by which people know a row.
func (t table[M]) label() string {
	for _, column := range []string{"worker_name", "name", "ref"} {
		if t.model().FieldMap[column] != nil {
			return column
		}
	}
	return "id"
}

// unreadable returns the condition that a row has an unreadable time.
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

// withoutUnreadable removes the rows with unreadable times.
func (t table[M]) withoutUnreadable(ctx context.Context, rows []M) []M {
	return slices.DeleteFunc(rows, func(row M) bool {
		if timesReadable(&row) {
			return false
		}
		v := reflect.ValueOf(&row).Elem()
		label, _ := t.model().FieldMap[t.label()].Value(v).Interface().(string)
		t.logLeftOut(ctx, t.model().FieldMap["id"].Value(v).Int(), label)
		return true
	})
}

var errTime = errors.New("time outside the years 1 to 9999")

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
