package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/version"
)

// WorkerRuntimes reads what workers' hosts have; Workers.Register and
// Workers.Report write it.
type WorkerRuntimes struct{ table[schema.WorkerRuntime] }

// ByWorker returns the rows of a worker, ordered by ref and name: of each runtime
// its installations, newest first, then its failures, then its last negative. A
// worker that does not exist has none.
func (r *WorkerRuntimes) ByWorker(ctx context.Context, worker int64) ([]schema.WorkerRuntime, error) {
	return r.many(ctx, r.ofWorker(worker))
}

func (r *WorkerRuntimes) ofWorker(worker int64) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("worker_runtime.worker = ?", worker).OrderExpr(
			"worker_runtime.runtime_ref, worker_runtime.name, worker_runtime.outcome <> ?0, "+
				"worker_runtime.outcome <> ?0 AND worker_runtime.path = '' AND worker_runtime.version_raw = '', "+
				"worker_runtime.sort_key DESC, worker_runtime.path, worker_runtime.id",
			schema.OutcomeAvailable)
	}
}

// sameMoment is how far apart two times of one verification may be: the two
// clocks are compared anew with each report, and the way there takes its time.
const sameMoment = 5 * time.Second

// failed stands for every outcome of a failure in its key.
const failed = "failed"

// installation tells the rows of one worker apart. Of failures there is one for
// each executable or declared version, of negatives one for each runtime.
type installation struct{ ref, name, outcome, path, version string }

func installationOf(r *schema.WorkerRuntime) installation {
	switch {
	case r.Outcome == schema.OutcomeAvailable:
		return installation{r.RuntimeRef, r.Name, r.Outcome, r.Path, r.Version}
	case r.IsNegative():
		return installation{ref: r.RuntimeRef, name: r.Name}
	case r.Path == "":
		return installation{r.RuntimeRef, r.Name, failed, "", r.VersionRaw}
	}
	return installation{r.RuntimeRef, r.Name, failed, r.Path, ""}
}

// writeRuntimes makes the rows of a worker, whose own row is locked by the
// transaction, those of a report, and writes the history of what that changes.
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

// prepare fills in what the store knows better than the reporter.
func (r *WorkerRuntimes) prepare(ctx context.Context, row *schema.Worker, caps Capabilities) ([]schema.WorkerRuntime, error) {
	ids, now, err := r.known(ctx, caps.Runtimes)
	if err != nil {
		return nil, err
	}
	at := caps.At
	if at.IsZero() {
		at = time.Now()
	}
	// Round drops the monotonic reading: what is asked is how far the clock on
	// the host's wall is off.
	ahead := at.Round(0).Sub(now)
	var rows []schema.WorkerRuntime
	seen := map[installation]bool{}
	for _, in := range caps.Runtimes {
		if err := setVersion(&in); err != nil {
			return nil, err
		}
		in.ID, in.Worker, in.Runtime = 0, row.ID, ids[in.RuntimeRef]
		in.Active = row.Status != nil && *row.Status == schema.WorkerActive
		in.VerifiedAt, in.UnconfirmedSince = moved(in.VerifiedAt, ahead), moved(in.UnconfirmedSince, ahead)
		if err := r.check(&in, r.written(&in)); err != nil {
			return nil, fmt.Errorf("%s: %w", in.Name, err)
		}
		if key := installationOf(&in); !seen[key] {
			seen[key] = true
			rows = append(rows, in)
		}
	}
	return rows, nil
}

// known is the ids of the runtimes that rows refer to, and the database's time.
func (r *WorkerRuntimes) known(ctx context.Context, rows []schema.WorkerRuntime) (map[string]*int64, time.Time, error) {
	refs := []string{""}
	for i := range rows {
		refs = append(refs, rows[i].RuntimeRef)
	}
	if err := checkTexts(refs); err != nil {
		return nil, time.Time{}, fmt.Errorf("%w runtime_ref: %w", ErrInvalid, err)
	}
	// There is a row without a runtime at least, so that the time is there.
	var found []struct {
		Now time.Time
		ID  *int64
		Ref *string
	}
	err := r.db.NewRaw("SELECT ? AS now, runtime.id, runtime.ref FROM (SELECT 1 AS one) AS always LEFT JOIN ? AS runtime ON runtime.ref IN (?)",
		r.clock(), r.of("runtime"), bun.List(refs)).Scan(ctx, &found)
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

// setVersion makes the version canonical and derives what is told from it.
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

// moved is a time of the host's clock by the database's, in milliseconds, which
// is as fine as both databases keep it.
func moved(t *time.Time, ahead time.Duration) *time.Time {
	if t == nil || t.IsZero() {
		return nil
	}
	at := t.Round(0).Add(-ahead).UTC().Truncate(time.Millisecond)
	return &at
}

// difference is which rows a report adds, changes and removes.
type difference struct {
	added, changed []schema.WorkerRuntime
	removed        []int64
}

// differences compares a worker's rows with those of a report, whose times it
// replaces by those of the row that says the same.
func differences(before, report []schema.WorkerRuntime) difference {
	var d difference
	old := map[installation]*schema.WorkerRuntime{}
	for i := range before {
		old[installationOf(&before[i])] = &before[i]
	}
	mentioned := map[installation]bool{}
	for i := range report {
		in := &report[i]
		key := installationOf(in)
		mentioned[key] = true
		mentioned[installation{ref: in.RuntimeRef, name: in.Name}] = true // its last negative stays
		was := old[key]
		if was == nil {
			d.added = append(d.added, *in)
			continue
		}
		in.ID = was.ID
		if in.UnconfirmedSince != nil && was.UnconfirmedSince != nil {
			in.UnconfirmedSince = was.UnconfirmedSince
		}
		if in.VerifiedAt != nil && was.VerifiedAt != nil && in.VerifiedAt.Sub(*was.VerifiedAt).Abs() < sameMoment {
			in.VerifiedAt = was.VerifiedAt
		}
		if !same(*was, *in) {
			d.changed = append(d.changed, *in)
		}
	}
	for i := range before {
		if !mentioned[installationOf(&before[i])] {
			d.removed = append(d.removed, before[i].ID)
		}
	}
	return d
}

// same reports whether two rows say the same. Evidence is not compared: it is of
// the verification that VerifiedAt tells from others.
func same(a, b schema.WorkerRuntime) bool {
	b.Evidence, b.Created, b.Updated = a.Evidence, a.Created, a.Updated
	return reflect.DeepEqual(a, b)
}

// write makes the differences, each kind in one statement.
func (r *WorkerRuntimes) write(ctx context.Context, d difference) error {
	if len(d.removed) > 0 {
		// A trigger deletes them: who reports has no right to DELETE.
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
	// No INSERT with ON CONFLICT: who may give rows their ids takes those of the
	// rows of others that are still to come. The first part, which has no rows,
	// says of what type the columns are.
	columns = append([]string{"id"}, columns...)
	query, args := []string{"SELECT ? FROM ? WHERE false"}, []any{names(columns), r.of(r.name)}
	for i := range d.changed {
		query, args = append(query, "SELECT ?"), append(args, r.tuple(&d.changed[i], columns))
	}
	_, err := r.db.NewRaw("UPDATE ? AS kept SET ?, updated = ? FROM (?) AS changed WHERE kept.id = changed.id",
		r.of(r.name), bun.Safe(strings.Join(set, ", ")), r.now(), bun.SafeQuery(strings.Join(query, " UNION ALL "), args...)).Exec(ctx)
	return err
}

// tuples are rows' values for VALUES.
func (t table[M]) tuples(rows []M, columns []string) any {
	var query []string
	var args []any
	for i := range rows {
		query, args = append(query, "(?)"), append(args, t.tuple(&rows[i], columns))
	}
	return bun.SafeQuery(strings.Join(query, ", "), args...)
}

// tuple is a row's values, separated by commas.
func (t table[M]) tuple(row *M, columns []string) any {
	var args []any
	for _, c := range columns {
		args = append(args, t.value(row, c))
	}
	return bun.SafeQuery("?"+strings.Repeat(", ?", len(columns)-1), args...)
}
