package store

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
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
//
// ByWorker reads at most MaxReported rows, MaxReportedSize of texts, 8,192 characters of each
// text, and MaxReportedSize of evidence. The log names a worker that has more.
func (r *WorkerRuntimes) ByWorker(ctx context.Context, worker int64) (rows []schema.WorkerRuntime, err error) {
	err = r.inSnapshot(ctx, func(ctx context.Context, db bun.IDB) error {
		in := *r
		in.db = db
		e, err := in.extent(ctx, worker, true)
		if err != nil {
			return fmt.Errorf("measure %ss: %w", r.noun, err)
		}
		if e.more {
			r.log().WarnContext(ctx, "left out rows of a worker that has too many", "worker", worker, "read", e.rows)
		}
		if e.leftOut > 0 {
			r.log().WarnContext(ctx, "left out evidence of a worker that has too much", "worker", worker, "rows", e.leftOut)
		}
		evidence := r.boundColumn(longColumns[r.name]["evidence"], "worker_runtime.evidence")
		columns := fmt.Sprintf("%s, CASE WHEN worker_runtime.id <= %d THEN %s END AS evidence", r.textColumns(), e.evidence, evidence)
		rows, err = in.manyWith(ctx, bun.Safe(columns), in.ofWorker(worker, e))
		return err
	})
	return rows, err
}

// textColumns returns all columns but the evidence.
func (r *WorkerRuntimes) textColumns() bun.Safe { return r.list("worker_runtime.", "evidence") }

// An extent is the part of a worker's rows that is read. Rows are read up to the id last,
// and their evidence up to the id evidence.
type extent struct {
	last, evidence int64
	rows           int
	more           bool // there are rows after last
	leftOut        int  // rows whose evidence is left out
}

// extent measures the rows of a worker. Without evidence, it reads none of its sizes.
func (r *WorkerRuntimes) extent(ctx context.Context, worker int64, evidence bool) (e extent, err error) {
	var texts []string
	for _, column := range slices.Sorted(maps.Keys(longColumns[r.name])) {
		if column != "evidence" {
			texts = append(texts, r.pick("coalesce(pg_catalog.octet_length("+column+"), 0)", "coalesce(octet_length("+column+"), 0)"))
		}
	}
	length, stored := "NULL", "0"
	if evidence {
		length = r.pick("pg_catalog.", "") + "octet_length(" + r.boundColumn(longColumns[r.name]["evidence"], "evidence") + ")"
		stored = r.pick("coalesce(pg_catalog.pg_column_size(evidence), 0)", "coalesce(octet_length(evidence), 0)")
	}
	var found []struct {
		ID, Size int64
		Has      bool
		Length   *int64
	}
	query := strings.NewReplacer("{texts}", strings.Join(texts, " + "), "{stored}", stored, "{length}", length,
		"{sum}", r.pick("CAST(pg_catalog.sum(stored) OVER (ORDER BY id) AS pg_catalog.int8)", "sum(stored) OVER (ORDER BY id)"),
	).Replace(`SELECT id, size, evidence IS NOT NULL AS has, CASE WHEN upto <= ?2 THEN {length} END AS length FROM (
			SELECT id, size, evidence, {sum} AS upto FROM (
				SELECT id, {texts} AS size, evidence, {stored} AS stored FROM ?0 AS worker_runtime WHERE worker = ?1 ORDER BY id LIMIT ?3) AS first
		) AS measured ORDER BY id`)
	err = r.db.NewRaw(query, r.rows(r.name), worker, MaxReportedSize, MaxReported+1).Scan(ctx, &found)
	texted, room := int64(MaxReportedSize), int64(MaxReportedSize)
	full := false
	for _, row := range found {
		if texted -= row.Size; texted < 0 || e.rows == MaxReported {
			e.more = true
			break
		}
		e.last = row.ID
		e.rows++
		if !evidence || !row.Has {
			continue
		}
		if row.Length != nil {
			room -= *row.Length
		}
		if full = full || room < 0; !full {
			e.evidence = row.ID
		}
		if full || row.Length == nil {
			e.leftOut++
		}
	}
	return e, err
}

func (r *WorkerRuntimes) ofWorker(worker int64, e extent) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("worker_runtime.worker = ? AND worker_runtime.id <= ?", worker, e.last).OrderExpr(
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
	e, err := w.runtimes.extent(ctx, row.ID, false)
	if err != nil {
		return nil, err
	}
	before, err := w.runtimes.manyWith(ctx, w.runtimes.textColumns(), w.runtimes.ofWorker(row.ID, e))
	if err != nil {
		return nil, err
	}
	if e.more { // no service wrote them
		if err := w.runtimes.remove(ctx, "worker = ? AND id > ?", row.ID, e.last); err != nil {
			return nil, err
		}
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
		in.Active = in.Outcome == schema.OutcomeAvailable
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

// remove deletes rows. A trigger does it, because workers have no right to DELETE.
func (r *WorkerRuntimes) remove(ctx context.Context, where string, args ...any) error {
	_, err := r.db.NewRaw("UPDATE ? SET outcome = '' WHERE ?", r.of(r.name), bun.SafeQuery(where, args...)).Exec(ctx)
	return err
}

// write applies a difference, in one statement for each kind.
func (r *WorkerRuntimes) write(ctx context.Context, d difference) error {
	if len(d.removed) > 0 {
		if err := r.remove(ctx, "id IN (?)", bun.List(d.removed)); err != nil {
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
