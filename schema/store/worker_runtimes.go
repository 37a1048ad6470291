package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/version"
)

// WorkerRuntimes is the repository of the runtimes that workers reported. Workers.Register
// and Workers.Report write them.
type WorkerRuntimes struct{ table[schema.WorkerRuntime] }

// ByWorker returns the rows of a worker, ordered by ref and name. The installations of a
// runtime come first, the newest before the others, then its failures and its last negative
// result. It returns nothing for a worker that does not exist.
func (r *WorkerRuntimes) ByWorker(ctx context.Context, worker int64) ([]schema.WorkerRuntime, error) {
	return r.many(ctx, r.ofWorker(worker))
}

func (r *WorkerRuntimes) ofWorker(worker int64) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("worker_runtime.worker = ?", worker).OrderExpr(
			"worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> ?0, "+
				"worker_runtime.outcome <> ?0 AND worker_runtime.path = '' AND worker_runtime.version_raw = '', "+
				"worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id",
			capability.Available)
	}
}

// sameMoment is the maximum distance between two times of one verification. Each report
// compares the clocks again, with another delay on the way.
const sameMoment = 5 * time.Second

// failed replaces the outcome in the key of every failure.
const failed = "failed"

// A rowKey identifies a row of one worker. A failure has one row for each executable or
// declared version, and a negative result one for each runtime.
type rowKey struct{ ref, name, outcome, path, version string }

func keyOf(r *schema.WorkerRuntime) rowKey {
	switch {
	case r.Outcome == schema.OutcomeAvailable:
		return rowKey{r.RuntimeRef, r.Name, r.Outcome, r.Path, r.Version}
	case r.IsNegative():
		return rowKey{ref: r.RuntimeRef, name: r.Name}
	case r.Path == "":
		return rowKey{r.RuntimeRef, r.Name, failed, "", r.VersionRaw}
	}
	return rowKey{r.RuntimeRef, r.Name, failed, r.Path, ""}
}

// writeRuntimes replaces the rows of a worker by those of a report and adds the changes to
// the history. The transaction has locked the worker's row.
func (w *Workers) writeRuntimes(ctx context.Context, row *schema.Worker, caps Capabilities) ([]schema.CapabilityChange, error) {
	before, err := w.runtimes.many(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.ExcludeColumn("evidence").Apply(w.runtimes.ofWorker(row.ID))
	})
	if err != nil {
		return nil, err
	}
	report, err := w.runtimes.prepare(ctx, row, caps)
	if err != nil {
		return nil, err
	}
	d := differences(before, report)
	if err := w.runtimes.write(ctx, d); err != nil {
		return nil, err
	}
	changes := history(row, before, report, caps.source())
	if err := w.changes.add(ctx, row, changes); err != nil {
		return nil, err
	}
	return changes, nil
}

// prepare returns the rows of a report with the values that the store sets.
func (r *WorkerRuntimes) prepare(ctx context.Context, row *schema.Worker, caps Capabilities) ([]schema.WorkerRuntime, error) {
	ids, now, err := r.lookUp(ctx, caps.Runtimes)
	if err != nil {
		return nil, err
	}
	at := caps.At
	if at.IsZero() {
		at = time.Now()
	}
	// Round drops the monotonic reading: the difference is between wall clocks.
	ahead := at.Round(0).Sub(now)
	var rows []schema.WorkerRuntime
	seen := map[rowKey]bool{}
	for _, in := range caps.Runtimes {
		if err := setVersion(&in); err != nil {
			return nil, err
		}
		in.ID, in.Worker, in.Runtime = 0, row.ID, ids[in.RuntimeRef]
		in.Active = row.Status != nil && *row.Status == schema.WorkerActive && in.Outcome == schema.OutcomeAvailable
		in.VerifiedAt, in.UnconfirmedSince = databaseTime(in.VerifiedAt, ahead), databaseTime(in.UnconfirmedSince, ahead)
		if err := r.check(&in, r.insertColumns(&in)); err != nil {
			return nil, fmt.Errorf("%s: %w", in.Name, err)
		}
		if key := keyOf(&in); !seen[key] {
			seen[key] = true
			rows = append(rows, in)
		}
	}
	return rows, nil
}

// lookUp returns the ids of the runtimes that rows refer to, and the database's time.
func (r *WorkerRuntimes) lookUp(ctx context.Context, rows []schema.WorkerRuntime) (map[string]*int64, time.Time, error) {
	refs := []string{""}
	for i := range rows {
		refs = append(refs, rows[i].RuntimeRef)
	}
	if err := checkTexts(refs); err != nil {
		return nil, time.Time{}, fmt.Errorf("%w runtime_ref: %w", ErrInvalid, err)
	}
	// The outer join returns the time even if no runtime exists.
	var found []struct {
		Now time.Time
		ID  *int64
		Ref *string
	}
	err := r.db.NewRaw(`SELECT ? AS now, runtime.id, runtime.ref
		FROM (SELECT 1 AS one) AS always LEFT JOIN ? AS runtime ON ? IN (?)`,
		r.clock(), r.rows("runtime"), r.text("runtime.ref"), bun.List(refs)).Scan(ctx, &found)
	if err != nil {
		return nil, time.Time{}, err
	}
	ids := map[string]*int64{}
	for _, f := range found {
		if f.Ref != nil {
			ids[*f.Ref] = f.ID
		}
	}
	return ids, found[0].Now, nil
}

// setVersion makes the version canonical and sets its sort key.
func setVersion(row *schema.WorkerRuntime) error {
	row.SortKey, row.Prerelease = nil, false
	if row.Version == "" {
		return nil
	}
	v, err := version.Parse(row.Version)
	if err != nil {
		return fmt.Errorf("%w version of %s: %w", ErrInvalid, row.Name, err)
	}
	key := v.Key()
	row.Version, row.SortKey, row.Prerelease = v.String(), &key, v.IsPrerelease()
	return nil
}

// databaseTime converts a time of the host's clock to the database's clock, in milliseconds,
// the precision of both databases.
func databaseTime(t *time.Time, ahead time.Duration) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	at := t.Round(0).Add(-ahead).UTC().Truncate(time.Millisecond)
	return &at
}

// A difference holds the rows that a report adds, changes and removes.
type difference struct {
	added, changed []schema.WorkerRuntime
	removed        []int64
}

// differences compares a worker's rows with those of a report. It replaces times in the
// report by those of the matching row if they mean the same moment.
func differences(before, report []schema.WorkerRuntime) difference {
	var d difference
	old := map[rowKey]*schema.WorkerRuntime{}
	for i := range before {
		old[keyOf(&before[i])] = &before[i]
	}
	listed := map[rowKey]bool{}
	for i := range report {
		in := &report[i]
		key := keyOf(in)
		listed[key] = true
		listed[rowKey{ref: in.RuntimeRef, name: in.Name}] = true // its last negative result stays
		row := old[key]
		if row == nil {
			d.added = append(d.added, *in)
			continue
		}
		in.ID = row.ID
		if in.UnconfirmedSince != nil && row.UnconfirmedSince != nil {
			in.UnconfirmedSince = row.UnconfirmedSince
		}
		if in.VerifiedAt != nil && row.VerifiedAt != nil && in.VerifiedAt.Sub(*row.VerifiedAt).Abs() < sameMoment {
			in.VerifiedAt = row.VerifiedAt
		}
		if !same(*row, *in) {
			d.changed = append(d.changed, *in)
		}
	}
	for i := range before {
		if !listed[keyOf(&before[i])] {
			d.removed = append(d.removed, before[i].ID)
		}
	}
	return d
}

// same reports whether two rows are equal. It ignores the evidence, which belongs to the
// verification at VerifiedAt.
func same(a, b schema.WorkerRuntime) bool {
	b.Evidence, b.Created, b.Updated = a.Evidence, a.Created, a.Updated
	return reflect.DeepEqual(a, b)
}

// write applies a difference, in one statement for each kind.
func (r *WorkerRuntimes) write(ctx context.Context, d difference) error {
	if len(d.removed) > 0 {
		// A trigger deletes the rows, because workers have no right to DELETE.
		if _, err := r.db.NewRaw("UPDATE ? SET outcome = '' WHERE id IN (?)", r.of(r.name), bun.List(d.removed)).Exec(ctx); err != nil {
			return err
		}
	}
	var columns, set []string
	for _, f := range r.model().Fields {
		if f.Name != "id" && f.Name != "created" && f.Name != "updated" {
			columns = append(columns, f.Name)
			set = append(set, `"`+f.Name+`" = changed."`+f.Name+`"`)
		}
	}
	if len(d.added) > 0 {
		_, err := r.db.NewRaw("INSERT INTO ? (?) VALUES ?", r.of(r.name), names(columns), r.tuples(d.added, columns)).Exec(ctx)
		if err != nil {
			return err
		}
	}
	if len(d.changed) == 0 {
		return nil
	}
	// An INSERT with ON CONFLICT would need the right to set ids, with which a login can
	// occupy the ids of future rows. The first SELECT has no rows and gives the columns
	// their types.
	columns = append([]string{"id"}, columns...)
	query, args := []string{"SELECT ? FROM ? WHERE false"}, []any{names(columns), r.of(r.name)}
	for i := range d.changed {
		query, args = append(query, "SELECT ?"), append(args, r.tuple(&d.changed[i], columns))
	}
	_, err := r.db.NewRaw("UPDATE ? AS kept SET ?, updated = ? FROM (?) AS changed WHERE kept.id = changed.id",
		r.of(r.name), bun.Safe(strings.Join(set, ", ")), r.now(), bun.SafeQuery(strings.Join(query, " UNION ALL "), args...)).Exec(ctx)
	return err
}

// tuples returns rows for VALUES.
func (t table[M]) tuples(rows []M, columns []string) any {
	var query []string
	var args []any
	for i := range rows {
		query, args = append(query, "(?)"), append(args, t.tuple(&rows[i], columns))
	}
	return bun.SafeQuery(strings.Join(query, ", "), args...)
}

// tuple returns a row's values, separated by commas.
func (t table[M]) tuple(row *M, columns []string) any {
	var args []any
	for _, c := range columns {
		args = append(args, t.value(row, c))
	}
	return bun.SafeQuery("?"+strings.Repeat(", ?", len(columns)-1), args...)
}
