package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// A Selection selects the workers that match every field that is set. The zero value
// selects all.
type Selection struct {
	// IDs, Names and Hosts select a worker if one of them matches. Names holds patterns, in
	// which * stands for any text and ? for one character. Hosts holds the addresses by
	// which the platform reaches workers.
	IDs   []int64
	Names []string
	Hosts []string
	// Roles holds roles; the worker must have one. A hybrid worker has both.
	Roles []metadata.Role
	// Statuses holds statuses; the worker must have one. Stale counts as one more.
	Statuses []schema.WorkerStatus
	// Stale selects workers that missed Missed of their own heartbeat intervals, by the
	// database's clock, without having ended. It includes those that a sweep marked
	// inactive, but no worker without an interval.
	Stale bool
	// Silent selects workers whose last heartbeat is older, by the database's clock. A
	// worker without one counts from the creation of its row. Zero selects all.
	Silent time.Duration
	// Labels must all be labels of the worker.
	Labels []Label
	// Has must all be in the worker's last report, and none of Lacks.
	Has, Lacks []RuntimeFilter
	// Limit is the maximum number of workers. Zero returns all.
	Limit int
}

// A Label selects workers by one of their labels.
type Label struct {
	Key string
	// Value is the label's value. Nil matches any value.
	Value *string
}

// A RuntimeFilter describes an installation that a worker has or lacks.
type RuntimeFilter struct {
	// Ref is the ref of the runtime. Empty means a declared name without a definition.
	Ref string
	// Name is that declared name. It counts only if Ref is empty.
	Name string
	// Constraint must match the installation's version. Nil matches any version, also an
	// unknown one.
	Constraint *version.Constraint
	// Prereleases lets pre-releases match a constraint as releases do. By default only
	// those match that the constraint names.
	Prereleases bool
}

// A WorkerSnapshot is a worker with its state at the time of the query.
type WorkerSnapshot struct {
	schema.Worker
	// Stale reports whether Selection.Stale selects the worker.
	Stale bool
	// Fresh reports whether the worker is active and has not missed its heartbeats, so that
	// it can run what it reported.
	Fresh bool
	// Documented reports whether the worker has a capability document.
	Documented bool
	// Silent is the age of the last heartbeat, by the database's clock; nil without one.
	Silent *time.Duration `bun:"-"`
}

// Select returns the workers of a selection, ordered by name and id. It reads their
// documents into memory; List and Rows page through a fleet.
func (w *Workers) Select(ctx context.Context, s Selection) ([]WorkerSnapshot, error) {
	found, err := w.selectRows(ctx, w.columns(), &s)
	if err != nil {
		return nil, fmt.Errorf("select workers: %w", err)
	}
	return found, nil
}

// selectRows returns some columns of the workers of a selection, ordered by name and id.
func (w *Workers) selectRows(ctx context.Context, columns bun.Safe, s *Selection) ([]WorkerSnapshot, error) {
	found := []WorkerSnapshot{}
	if !s.storable() {
		return found, nil
	}
	var rows []struct {
		WorkerSnapshot
		Now time.Time
	}
	err := w.readable(ctx, func(without any) error {
		rows = nil
		q := w.db.NewSelect().TableExpr("? AS worker", w.rows("worker")).
			ColumnExpr("?, ? AS stale, coalesce(? = 'active' AND ?, false) AS fresh, worker.capabilities IS NOT NULL AS documented, ? AS now",
				columns, w.isStale(), w.text("worker.status"), w.isFresh("worker"), w.clock())
		for _, c := range w.conditions(s) {
			q = q.Where("?", c)
		}
		if without != nil {
			q = q.Where("?", without)
		}
		if s.Limit > 0 {
			q = q.Limit(int64(s.Limit))
		}
		return q.OrderExpr("?, worker.id", w.bytewise("worker.name")).Scan(ctx, &rows)
	})
	if err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		if !timesReadable(&r.Worker) {
			w.logLeftOut(ctx, r.ID, r.Name)
			continue
		}
		utc(&r.Worker)
		r.Silent = silence(r.LastHeartbeat, r.Now)
		found = append(found, r.WorkerSnapshot)
	}
	return found, nil
}

// Names returns the distinct names of workers, sorted.
func (w *Workers) Names(ctx context.Context) ([]string, error) {
	names := []string{}
	if err := w.db.NewRaw("SELECT DISTINCT worker.name FROM ? AS worker", w.rows("worker")).Scan(ctx, &names); err != nil {
		return nil, fmt.Errorf("list names of workers: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// storable reports whether a row could have the labels and runtimes of the selection. Names and hosts are alternatives: isOneOf.
func (s *Selection) storable() bool {
	var texts []any
	for _, l := range s.Labels {
		texts = append(texts, l.Key)
		if l.Value != nil {
			texts = append(texts, *l.Value)
		}
	}
	for _, r := range s.Has {
		texts = append(texts, r.Ref, r.Name)
	}
	return storable(texts...)
}

// conditions returns the conditions of a selection.
func (w *Workers) conditions(s *Selection) []any {
	var all []any
	either := func(some []any) {
		if len(some) > 0 {
			all = append(all, bun.SafeQuery("("+strings.Repeat("? OR ", len(some)-1)+"?)", some...))
		}
	}
	var workers, roles, statuses []any
	if len(s.IDs) > 0 {
		workers = append(workers, bun.SafeQuery("worker.id IN (?)", bun.List(s.IDs)))
	}
	workers = append(workers, w.matchesAny("worker.name", s.Names)...)
	workers = append(workers, w.isOneOf("worker.host", s.Hosts)...)
	for _, r := range s.Roles {
		roles = append(roles, w.ofRole(r))
	}
	for _, st := range s.Statuses {
		statuses = append(statuses, bun.SafeQuery("? = ?", w.text("worker.status"), st))
	}
	if s.Stale {
		statuses = append(statuses, w.isStale())
	}
	either(workers)
	either(roles)
	either(statuses)
	if s.Silent > 0 {
		all = append(all, bun.SafeQuery("coalesce(worker.last_heartbeat, worker.created) < ?", w.ago(s.Silent)))
	}
	for _, l := range s.Labels {
		all = append(all, w.hasLabel(l))
	}
	for _, r := range s.Has {
		all = append(all, w.meets(r))
	}
	for _, r := range s.Lacks {
		all = append(all, bun.SafeQuery("NOT ?", w.meets(r)))
	}
	return all
}

// isStale returns the condition that a worker should run, but sends no heartbeats.
func (w *Workers) isStale() bun.Safe {
	return "coalesce((worker.instance IS NOT NULL OR " + w.text("worker.status") + " IN ('active', 'busy'))" +
		" AND NOT (" + w.isFresh("worker") + "), false)"
}

// matchesAny returns the conditions that a column matches one of several patterns. Patterns without * and ?
// are one list, because SQLite refuses an expression of more than a thousand conditions.
func (d dialect) matchesAny(column string, patterns []string) (conditions []any) {
	var plain []string
	for _, p := range patterns {
		if strings.ContainsAny(p, "*?") && storable(p) {
			conditions = append(conditions, d.matchesPattern(column, p))
		} else {
			plain = append(plain, p)
		}
	}
	return append(conditions, d.isOneOf(column, plain)...)
}

// isOneOf returns the condition that a column has one of some texts, or nothing without texts. A text that no row could hold
// takes nothing from the others.
func (d dialect) isOneOf(column string, texts []string) []any {
	if len(texts) == 0 {
		return nil
	}
	held := slices.DeleteFunc(slices.Clone(texts), func(text string) bool { return !storable(text) })
	if len(held) == 0 {
		return []any{bun.Safe("false")}
	}
	return []any{bun.SafeQuery("? IN (?)", d.text(column), bun.List(held))}
}

// matchesPattern returns the condition that a column matches a pattern, with case.
func (d dialect) matchesPattern(column, pattern string) any {
	if d.postgres {
		like := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_", "*", "%", "?", "_").Replace(pattern)
		return bun.SafeQuery("? LIKE ? ESCAPE '!'", d.text(column), like)
	}
	return bun.SafeQuery("? GLOB ?", bun.Safe(column), strings.ReplaceAll(pattern, "[", "[[]"))
}

// hasLabel returns the condition that a worker has a label. A platform's database that is not
// migrated has labels in documents only, in any form.
func (w *Workers) hasLabel(l Label) any {
	if w.layout.Migrated && w.lookups && w.postgres && l.Value != nil {
		// By the primary key, which compares a worker first. An index of texts takes longer.
		return bun.SafeQuery("(SELECT label.value FROM ? AS label WHERE label.worker = worker.id AND label.key = ?) IS NOT DISTINCT FROM ?",
			w.rows("worker_label"), l.Key, *l.Value)
	}
	if w.layout.Migrated {
		return w.exists("SELECT 1 FROM ? AS label WHERE label.worker = worker.id AND ?", w.rows("worker_label"), isLabel(l))
	}
	const labels = `pg_catalog.jsonb_each_text(CASE WHEN pg_catalog.jsonb_typeof(worker.capabilities -> CAST('labels' AS pg_catalog.text)) = 'object'
			THEN worker.capabilities -> CAST('labels' AS pg_catalog.text) ELSE '{}' END) AS label`
	return bun.SafeQuery("EXISTS (SELECT 1 FROM "+labels+" WHERE ?)", isLabel(l))
}

// isLabel returns the condition that a row with the alias "label" is a label.
func isLabel(l Label) any {
	if l.Value == nil {
		return bun.SafeQuery("label.key = ?", l.Key)
	}
	return bun.SafeQuery("label.key = ? AND label.value = ?", l.Key, *l.Value)
}

// meets returns the condition that a worker meets a requirement.
func (w *Workers) meets(r RuntimeFilter) any {
	condition := w.installed(r)
	if condition == nil {
		return bun.Safe("(1 = 0)") // nothing satisfies the constraint
	}
	return bun.SafeQuery("EXISTS (SELECT 1 FROM ? AS had WHERE had.worker = worker.id AND ?)", w.rows("worker_runtime"), condition)
}

// installed returns the condition that a row with the alias "had" is an installation that meets
// a requirement. It returns nil if none can.
func (w *Workers) installed(r RuntimeFilter) any {
	condition := bun.SafeQuery("had.outcome = ? AND ?", capability.Available, ofRuntime(r))
	if r.Constraint == nil {
		return condition
	}
	var versions []any
	for _, p := range partsOf(HavingFilter{Constraint: r.Constraint, Prereleases: r.Prereleases}) {
		versions = append(versions, bun.SafeQuery("("+strings.ReplaceAll(p.condition, "@", "had")+")", p.args...))
	}
	if versions == nil {
		return nil
	}
	return bun.SafeQuery("? AND (?)", condition, bun.SafeQuery(strings.Repeat("? OR ", len(versions)-1)+"?", versions...))
}

// Undefined returns a reported runtime without a definition by its ref or capability name,
// ignoring the case of ASCII. Its Ref is empty if the name was only declared. Errors:
// ErrNotFound.
func (r *WorkerRuntimes) Undefined(ctx context.Context, name string) (*RuntimeFilter, error) {
	if !storable(name) || strings.TrimSpace(name) == "" { // a declared runtime has no ref
		return nil, ErrNotFound
	}
	var found []struct{ RuntimeRef, Name string }
	for _, column := range []string{"had.runtime_ref", "had.name"} {
		err := r.db.NewRaw(`SELECT first.runtime_ref, first.name FROM (SELECT had.runtime_ref, had.name FROM ? AS had WHERE had.runtime IS NULL AND ? LIMIT ?) AS first
			ORDER BY ?, ? LIMIT 1`,
			r.rows(r.name), r.isFolded(column, name), fewWorkers, r.bytewise("first.runtime_ref"), r.bytewise("first.name")).Scan(ctx, &found)
		if err != nil {
			return nil, fmt.Errorf("find a runtime without a definition: %w", err)
		}
		if len(found) > 0 {
			break
		}
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return &RuntimeFilter{Ref: found[0].RuntimeRef, Name: found[0].Name}, nil
}

// isFolded returns the condition that a text is a name, ignoring the case of ASCII. On Postgres it begins with the
// expression of the indexes idx_worker_runtime_undefined_ref and _name.
func (d dialect) isFolded(column, name string) any {
	name = strings.ToLower(strings.TrimSpace(name))
	folded := d.folded(string(d.text(column)))
	if !d.postgres {
		return bun.SafeQuery("? = ?", bun.Safe(folded), name)
	}
	return bun.SafeQuery(`pg_catalog.hashtextextended(?0, 0) = pg_catalog.hashtextextended(CAST(?1 AS pg_catalog.text) COLLATE pg_catalog."C", 0) AND ?0 = ?1`,
		bun.Safe(folded), name)
}
