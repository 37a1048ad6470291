package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
)

// An Order is the order of a list of workers. Equal workers follow by name, then by ID.
type Order string

// The orders.
const (
	// OrderName is the natural order of names: build-2 comes before build-10. The case of
	// ASCII letters counts only between otherwise equal names. It is the default.
	OrderName Order = "name"
	// OrderStatus begins with workers that need attention: stale, error, busy, active,
	// inactive.
	OrderStatus Order = "status"
	// OrderHeartbeat begins with the oldest heartbeat. Workers without one come last.
	OrderHeartbeat Order = "heartbeat"
	// OrderVersion begins with the oldest version of the first runtime in the selection's
	// Has, or else in its Lacks. Workers without a known version come first.
	OrderVersion Order = "version"
	// OrderID is the order of the first registrations.
	OrderID Order = "id"
)

// A Listing selects and orders workers. The Limit of the selection is the maximum number of
// workers.
type Listing struct {
	Selection
	// Order defaults to OrderName.
	Order Order
	// After is the last worker of the previous page. Nil starts at the beginning.
	After *Position
}

// A Position is the place of a worker in an order. It stays valid if the worker is deleted.
type Position struct {
	ID int64 `json:"id"`
	// Lead is what the order compares before names.
	Lead string `json:"lead,omitempty"`
	// Name is the name in the form that sorts by bytes. It is empty in OrderID.
	Name string `json:"name,omitempty"`
}

// fewWorkers is the number of workers up to which a term of a selection decides how a list is
// found: the rows of these workers are read, and no others.
const fewWorkers = 1000

// idPage is the number of IDs that one statement reads in the order of an index.
const idPage = 5000

// List returns the IDs of the workers of a listing, in its order. It reads no documents.
//
// Ordered by name or ID, a page takes as long as its rows on Postgres, whatever the size of
// the fleet. So does the answer that no worker matches, if one runtime or label of the
// selection belongs to at most 1,000 workers. A guest has no index on the platform's names and
// sorts them.
func (w *Workers) List(ctx context.Context, l Listing) ([]int64, error) {
	ids := []int64{}
	if !l.storable() {
		return ids, nil
	}
	if _, _, err := w.sortKeys(&l); err != nil {
		return nil, err
	}
	candidates, narrowed, err := w.candidates(ctx, &l.Selection, fewWorkers)
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	if narrowed && len(candidates) == 0 {
		return ids, nil
	}
	byIndex := w.postgres && w.layout.Own && !narrowed && (l.Order == "" || l.Order == OrderName)
	for part, left := l, l.Limit; ; {
		// The planner would sort all workers rather than read them from the index, though to
		// calculate the form of a name by which they are sorted costs more than all else.
		if byIndex && (left == 0 || left > idPage) {
			part.Limit = idPage
		} else {
			part.Limit = left
		}
		found, err := w.listPart(ctx, part, candidates)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
		if left > 0 {
			left -= len(found)
		}
		if part.Limit == 0 || len(found) < part.Limit || len(ids) == l.Limit {
			return ids, nil
		}
		if part.After, err = w.PositionOf(ctx, part, found[len(found)-1]); err != nil {
			return nil, err
		}
	}
}

// listPart returns the first workers of a listing, of candidates alone if there are any.
func (w *Workers) listPart(ctx context.Context, l Listing, candidates []int64) ([]int64, error) {
	lead, name, err := w.sortKeys(&l)
	if err != nil {
		return nil, err
	}
	q := w.db.NewSelect().TableExpr("? AS worker", w.rows("worker")).ColumnExpr("worker.id")
	for _, c := range w.conditions(&l.Selection) {
		q = q.Where("?", c)
	}
	if len(candidates) > 0 {
		q = q.Where("worker.id IN (?)", bun.List(candidates))
	}
	if l.After != nil {
		q = q.Where("?", w.isAfter(l.After, lead, name))
	}
	for _, key := range []any{lead, name} {
		if key != nil {
			q = q.OrderExpr("?", key)
		}
	}
	if l.Limit > 0 {
		q = q.Limit(int64(l.Limit))
	}
	ids := []int64{}
	if err := q.OrderExpr("worker.id").Scan(ctx, &ids); err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	return ids, nil
}

// PositionOf returns the place of a worker in the order of a listing. Errors: ErrNotFound.
func (w *Workers) PositionOf(ctx context.Context, l Listing, id int64) (*Position, error) {
	lead, name, err := w.sortKeys(&l)
	if err != nil {
		return nil, err
	}
	p := &Position{ID: id}
	for _, key := range []*any{&lead, &name} {
		if *key == nil {
			*key = bun.Safe("''")
		}
	}
	err = w.db.NewRaw("SELECT ?, ? FROM ? AS worker WHERE worker.id = ?", lead, name, w.rows("worker"), id).Scan(ctx, &p.Lead, &p.Name)
	if err != nil {
		return nil, w.fail("get", id, err)
	}
	return p, nil
}

// sortKeys returns the expressions by which a listing is ordered before the ID. Each is a
// text that sorts by bytes, or nil.
func (w *Workers) sortKeys(l *Listing) (lead, name any, err error) {
	switch l.Order {
	case OrderID:
		return nil, nil, nil
	case "", OrderName:
		return nil, w.nameKey(), nil
	case OrderStatus:
		status := string(w.text("worker.status"))
		lead = bun.Safe("CASE WHEN " + string(w.isStale()) + " THEN '0' WHEN " + status + " = 'error' THEN '1' WHEN " + status +
			" = 'busy' THEN '2' WHEN " + status + " = 'active' THEN '3' WHEN " + status + " IS NULL THEN '5' ELSE '4' END" + w.pick(` COLLATE pg_catalog."C"`, ""))
	case OrderHeartbeat:
		lead = bun.Safe("coalesce(worker.last_heartbeat, '~')")
		if w.postgres {
			lead = bun.Safe(`coalesce(pg_catalog.to_char(pg_catalog.timezone('UTC', worker.last_heartbeat), 'YYYY-MM-DD HH24:MI:SS.US'), '~')
				COLLATE pg_catalog."C"`)
		}
	case OrderVersion:
		if len(l.Has)+len(l.Lacks) == 0 {
			return nil, nil, fmt.Errorf("order by %s: the selection has no runtime", l.Order)
		}
		r := slices.Concat(l.Has, l.Lacks)[0]
		newest := w.pick("pg_catalog.max", "max") + "(?) FROM ? AS had WHERE had.worker = worker.id AND ? AND had.outcome = ?"
		lead = bun.SafeQuery("coalesce((SELECT "+newest+"), '')"+w.pick(` COLLATE pg_catalog."C"`, ""),
			w.bytewise("had.sort_key"), w.rows("worker_runtime"), ofRuntime(r), capability.Available)
	default:
		return nil, nil, fmt.Errorf("order by %q: unknown order", l.Order)
	}
	return lead, w.nameKey(), nil
}

// ofRuntime returns the condition that a row with the alias "had" is of a runtime.
func ofRuntime(r RuntimeFilter) any {
	if r.Ref == "" {
		return bun.SafeQuery("had.runtime_ref = '' AND had.name = ?", r.Name)
	}
	return bun.SafeQuery("had.runtime_ref = ?", r.Ref)
}

// isAfter returns the condition that a worker comes after a position.
func (w *Workers) isAfter(p *Position, lead, name any) any {
	switch {
	case name == nil:
		return bun.SafeQuery("worker.id > ?", p.ID)
	case lead == nil:
		return bun.SafeQuery("(?, worker.id) > (?, ?)", name, p.Name, p.ID)
	}
	return bun.SafeQuery("(?, ?, worker.id) > (?, ?, ?)", lead, name, p.Lead, p.Name, p.ID)
}

// nameKey returns a worker's name in a form that sorts by bytes as OrderName does: every
// number has twenty digits, letters are small, and the name itself follows. On Postgres it is
// the expression of the index idx_worker_name_order, word for word. SQLite has no regular
// expressions and computes it by a walk along the name; a file has few workers.
func (w *Workers) nameKey() bun.Safe {
	if w.postgres {
		return `(pg_catalog."left"(pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.lower(CAST(worker.name AS pg_catalog.text) COLLATE pg_catalog."C"),
			'([0-9]+)', '00000000000000000000\1', 'g'), '[0-9]*([0-9]{20})', '\1', 'g') OPERATOR(pg_catalog.||) E'\x01' OPERATOR(pg_catalog.||)
			CAST(worker.name AS pg_catalog.text), 600) COLLATE pg_catalog."C")`
	}
	const padded = "CASE digits WHEN '' THEN '' ELSE substr('00000000000000000000' || digits, -20) END"
	return bun.Safe(strings.ReplaceAll(`(WITH RECURSIVE walk (rest, done, digits) AS (
			SELECT lower(substr(worker.name, 1, 255)), '', ''
			UNION ALL
			SELECT substr(rest, 2),
			       CASE WHEN substr(rest, 1, 1) GLOB '[0-9]' THEN done ELSE done || {padded} || substr(rest, 1, 1) END,
			       CASE WHEN substr(rest, 1, 1) GLOB '[0-9]' THEN digits || substr(rest, 1, 1) ELSE '' END
			FROM walk WHERE rest <> '')
		SELECT substr(done || {padded} || char(1) || worker.name, 1, 600) FROM walk WHERE rest = '')`, "{padded}", padded))
}

// candidates returns the workers that meet the rarest runtime or label of a selection. It
// returns false if each belongs to more than so few.
//
// The planner of Postgres cannot know that two thirds of the fleet have a runtime and nobody
// has its newest version, and would look for a page of matches in every worker.
func (w *Workers) candidates(ctx context.Context, s *Selection, few int) (ids []int64, ok bool, err error) {
	var queries []any
	for _, r := range s.Has {
		query := w.withInstallation(r)
		if query == nil {
			return nil, true, nil // nothing satisfies the constraint
		}
		queries = append(queries, query)
	}
	for _, l := range s.Labels {
		if w.layout.Migrated {
			queries = append(queries, w.withLabel(l))
		}
	}
	return w.rarest(ctx, queries, few)
}

// rarest returns the workers of the query that has the fewest, in one statement. It returns false if
// each has more than so few.
func (w *Workers) rarest(ctx context.Context, queries []any, few int) (ids []int64, ok bool, err error) {
	if len(queries) == 0 {
		return nil, false, nil
	}
	list, count := bun.Safe("group_concat(term.worker)"), bun.Safe("count(*)")
	if w.postgres {
		list, count = "pg_catalog.string_agg(CAST(term.worker AS pg_catalog.text), ',')", "pg_catalog.count(*)"
	}
	var selects []string
	var args []any
	for _, q := range queries {
		selects = append(selects, "SELECT ? AS n, coalesce(?, '') AS workers FROM (? LIMIT ?) AS term HAVING ? <= ?")
		args = append(args, count, list, q, few+1, count, few)
	}
	var found []string
	all := bun.SafeQuery(strings.Join(selects, " UNION ALL "), args...)
	err = w.db.NewRaw("SELECT terms.workers FROM (?) AS terms ORDER BY terms.n LIMIT 1", all).Scan(ctx, &found)
	if err != nil || len(found) == 0 {
		return nil, false, err
	}
	for text := range strings.SplitSeq(found[0], ",") {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil { // the text is empty without workers
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), true, nil
}

// withInstallation returns the query for the workers that meet a requirement, with a row for each installation. It returns
// nil if none can.
func (w *Workers) withInstallation(r RuntimeFilter) any {
	condition := w.installed(r)
	if condition == nil {
		return nil
	}
	// Without the order of the index, Postgres might read the whole table for so many rows.
	return bun.SafeQuery("SELECT had.worker FROM ? AS had WHERE ? ORDER BY had.runtime_ref, had.sort_key ?",
		w.rows("worker_runtime"), condition, bun.Safe(w.pick("NULLS FIRST", "")))
}

// withLabel returns the query for the workers that have a label.
func (w *Workers) withLabel(l Label) any {
	return bun.SafeQuery("SELECT label.worker FROM ? AS label WHERE ?", w.rows("worker_label"), isLabel(l))
}

// Rows returns workers by ID, in the order of ids. It leaves out those that do not exist.
// Without documents their Capabilities and Meta are nil.
func (w *Workers) Rows(ctx context.Context, ids []int64, documents bool) ([]WorkerSnapshot, error) {
	if len(ids) == 0 {
		return []WorkerSnapshot{}, nil
	}
	var without []string
	if !documents {
		without = []string{"capabilities", "meta"}
	}
	rows, err := w.selectRows(ctx, w.list(w.name+".", without...), &Selection{IDs: ids})
	if err != nil {
		return nil, fmt.Errorf("read workers: %w", err)
	}
	byID := make(map[int64]int, len(rows))
	for i := range rows {
		byID[rows[i].ID] = i
	}
	ordered := make([]WorkerSnapshot, 0, len(rows))
	for _, id := range ids {
		if i, ok := byID[id]; ok {
			ordered = append(ordered, rows[i])
		}
	}
	return ordered, nil
}

// A Tally is the number of workers with a status. Stale workers have a tally of their own.
type Tally struct {
	Status *schema.WorkerStatus
	Stale  bool
	Count  int
}

// Tallies counts the workers of a selection. It ignores Limit.
func (w *Workers) Tallies(ctx context.Context, s Selection) ([]Tally, error) {
	tallies := []Tally{}
	if !s.storable() {
		return tallies, nil
	}
	q := w.db.NewSelect().TableExpr("? AS worker", w.rows("worker")).
		ColumnExpr("? AS status, ? AS stale, "+w.pick("pg_catalog.count", "count")+"(*) AS count", w.text("worker.status"), w.isStale())
	for _, c := range w.conditions(&s) {
		q = q.Where("?", c)
	}
	if err := q.GroupExpr("1, 2").Scan(ctx, &tallies); err != nil {
		return nil, fmt.Errorf("count workers: %w", err)
	}
	return tallies, nil
}

// ByPrerelease counts the workers that a selection leaves out because a constraint accepts no
// pre-release.
func (w *Workers) ByPrerelease(ctx context.Context, s Selection) (int, error) {
	if !s.storable() {
		return 0, nil
	}
	wide := s
	wide.Has = nil
	var some []any
	for _, r := range s.Has {
		if r.Constraint != nil && !r.Prereleases {
			r.Prereleases = true
			if condition := w.installed(r); condition != nil {
				some = append(some, bun.SafeQuery("worker.id IN (SELECT had.worker FROM ? AS had WHERE ? AND had.prerelease)",
					w.rows("worker_runtime"), condition))
			}
		}
		wide.Has = append(wide.Has, r)
	}
	if some == nil {
		return 0, nil
	}
	strict := []any{}
	for _, r := range s.Has {
		strict = append(strict, w.meets(r))
	}
	q := w.db.NewSelect().TableExpr("? AS worker", w.rows("worker")).ColumnExpr(w.pick("pg_catalog.count", "count")+"(*)").
		Where("(?)", bun.SafeQuery(strings.Repeat("? OR ", len(some)-1)+"?", some...)).
		Where("NOT (?)", bun.SafeQuery(strings.Repeat("? AND ", len(strict)-1)+"?", strict...))
	for _, c := range w.conditions(&wide) {
		q = q.Where("?", c)
	}
	n := 0
	if err := q.Scan(ctx, &n); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("count workers with a pre-release: %w", err)
	}
	return n, nil
}

// A ReportRow is a row of worker_runtime without its evidence and what explains it.
type ReportRow struct {
	Worker     int64
	RuntimeRef string
	Name       string
	Outcome    capability.Outcome
	Source     capability.Basis
	Version    string
	VersionRaw string
	Prerelease bool
	SortKey    *string
	Path       string
	// Found reports whether there was an executable, or output of one.
	Found bool
	// UnconfirmedSince is by the database's clock.
	UnconfirmedSince *time.Time
}

// MaxListed bounds the rows of one worker in a list.
const MaxListed = 500

// Reports returns what workers reported about some runtimes, by worker and name: first the
// installations, the newest before the others, then what does not count. It reads at most
// 500 rows of a worker.
func (r *WorkerRuntimes) Reports(ctx context.Context, workers []int64, of []RuntimeFilter) ([]ReportRow, error) {
	return r.reported(ctx, "worker, runtime_ref, name, outcome, source, version, version_raw, prerelease, sort_key, path, unconfirmed_since",
		workers, len(of), anyOf(of), true)
}

// Outcomes returns what Reports returns, without sources, raw versions and paths, and not ordered by name. Rows have names if
// one of the runtimes has no ref.
func (r *WorkerRuntimes) Outcomes(ctx context.Context, workers []int64, of []RuntimeFilter) ([]ReportRow, error) {
	columns := "worker, runtime_ref, outcome, version, sort_key, unconfirmed_since"
	if slices.ContainsFunc(of, func(r RuntimeFilter) bool { return r.Ref == "" }) {
		columns += ", name"
	}
	return r.reported(ctx, columns, workers, len(of), anyOf(of), false)
}

// anyOf returns the condition that a row is of one of some runtimes. It is nil if there can be none.
func anyOf(runtimes []RuntimeFilter) any {
	var refs []string
	var some []any
	for _, r := range runtimes {
		switch {
		case !storable(r.Ref, r.Name):
		case r.Ref != "":
			refs = append(refs, r.Ref)
		default:
			some = append(some, ofRuntime(r))
		}
	}
	if refs != nil {
		some = append(some, bun.SafeQuery("had.runtime_ref IN (?)", bun.List(refs)))
	}
	if some == nil {
		return nil
	}
	return either(some)
}

// Installations returns the refs, names, versions and paths of the installations of workers, ordered as by
// Reports. It reads at most 500 rows of a worker.
func (r *WorkerRuntimes) Installations(ctx context.Context, workers []int64) ([]ReportRow, error) {
	return r.reported(ctx, "worker, runtime_ref, name, version, sort_key, path",
		workers, 1, bun.SafeQuery("had.outcome = ?", capability.Available), true)
}

// reported reads rows that meet a condition. A worker is expected to have about perWorker of them.
func (r *WorkerRuntimes) reported(
	ctx context.Context, columns string, workers []int64, perWorker int, condition any, byName bool,
) ([]ReportRow, error) {
	rows := make([]ReportRow, 0, len(workers)*min(perWorker, MaxListed)) // bun would double it again and again
	if len(workers) == 0 || condition == nil {
		return rows, nil
	}
	list := []string{"had.path <> '' OR had.version_raw <> '' AS found"}
	for _, column := range strings.Split(columns, ", ") {
		name := "had." + column
		if kind, long := longColumns[r.name][column]; long {
			name = r.boundColumn(kind, name) + " AS " + column
		}
		list = append(list, name)
	}
	read := func(from func(workers any) any) error {
		rows = rows[:0]
		return r.readByID(ctx, workers, func(ids any) any {
			return bun.SafeQuery("SELECT ? FROM ? ORDER BY had.worker LIMIT ?",
				bun.Safe(strings.Join(list, ", ")), from(ids), MaxListed*len(workers)+1)
		}, &rows)
	}
	// The rows of a worker are sorted here: that takes a fraction of the time that Postgres takes.
	err := read(func(workers any) any {
		return bun.SafeQuery("? AS had WHERE had.worker IN (?) AND ?", r.rows(r.name), workers, condition)
	})
	if err == nil && tooMany(rows) { // which of them come first, only the database knows
		order := bun.SafeQuery("had.outcome <> ?, had.sort_key DESC ?", capability.Available, bun.Safe(r.pick("NULLS LAST", "")))
		if byName {
			order = bun.SafeQuery("?, ?, ?", r.bytewise("had.name"), order, r.bytewise("had.path"))
		}
		err = read(func(workers any) any {
			return bun.SafeQuery(`(SELECT had.*, `+r.pick("pg_catalog.row_number", "row_number")+`() OVER (PARTITION BY had.worker ORDER BY ?) AS row
				FROM ? AS had WHERE had.worker IN (?) AND ?) AS had WHERE had.row <= ?`, order, r.rows(r.name), workers, condition, MaxListed)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("read what workers reported: %w", err)
	}
	for _, own := range ByWorker(rows) {
		slices.SortFunc(own, func(a, b ReportRow) int { return compareReported(&a, &b, byName) })
	}
	return rows, nil
}

// ByWorker returns the rows of each worker. They must be ordered by worker.
func ByWorker(rows []ReportRow) iter.Seq2[int64, []ReportRow] {
	return func(yield func(int64, []ReportRow) bool) {
		for begin, i := 0, 1; i <= len(rows); i++ {
			if i < len(rows) && rows[i].Worker == rows[begin].Worker {
				continue
			}
			if !yield(rows[begin].Worker, rows[begin:i:i]) {
				return
			}
			begin = i
		}
	}
}

// tooMany reports whether there are more rows of a worker than a list shows.
func tooMany(rows []ReportRow) bool {
	for _, own := range ByWorker(rows) {
		if len(own) > MaxListed {
			return true
		}
	}
	return false
}

// compareReported orders the rows of a worker: perhaps by name, the installations before the others, the newest
// version first and unknown ones last.
func compareReported(a, b *ReportRow, byName bool) int {
	if byName && a.Name != b.Name {
		return strings.Compare(a.Name, b.Name)
	}
	first := func(is bool) int {
		if is {
			return -1
		}
		return 1
	}
	switch available := a.Outcome == capability.Available; {
	case available != (b.Outcome == capability.Available):
		return first(available)
	case (a.SortKey == nil) != (b.SortKey == nil):
		return first(a.SortKey != nil)
	case a.SortKey != nil && *a.SortKey != *b.SortKey:
		return strings.Compare(*b.SortKey, *a.SortKey)
	}
	return strings.Compare(a.Path, b.Path)
}
