package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// Selection says which workers an operator means: those that fit everything
// that is set. The zero Selection is all of them.
type Selection struct {
	// IDs, Names and Hosts say who: a worker with one of the ids, with a name that
	// one of Names fits, where * stands for any text and ? for one character, or
	// that the platform reaches at one of Hosts.
	IDs   []int64
	Names []string
	Hosts []string
	// Roles: one of them; a hybrid worker fits every role.
	Roles []metadata.Role
	// Statuses: one of them; Stale is one more.
	Statuses []schema.WorkerStatus
	// Stale are the workers that stopped beating without saying that they end:
	// they missed their own interval Missed times, by the database's time. Those
	// that a sweep made inactive are among them. Of one that never said its
	// interval nobody can tell; it is not.
	Stale bool
	// Silent are the workers that last beat longer ago than this, by the database's
	// time; one that never did counts from when its row was made. Zero: all.
	Silent time.Duration
	// Labels must all be in the capability document.
	Labels []Label
	// Has must all be there, and Lacks none, as each worker last reported.
	Has, Lacks []Requirement
	// Limit is the most workers that are returned. Zero is all.
	Limit int
}

// Label is one of a worker's labels.
type Label struct {
	Key string
	// Value of the label. Nil: any.
	Value *string
}

// Requirement is an installation that a worker has or lacks.
type Requirement struct {
	// Ref of the runtime. Empty: a declared name that no definition has.
	Ref string
	// Name is that declared name; with a Ref it says nothing.
	Name string
	// Constraint that the installation's version satisfies. Nil: any version,
	// also an unknown one.
	Constraint *version.Constraint
	// Prereleases: they satisfy a constraint like releases. Default false: only
	// those that the constraint names.
	Prereleases bool
}

// Selected is a worker, and how it stood when it was read.
type Selected struct {
	schema.Worker
	// Stale is Selection.Stale.
	Stale bool
	// Silent is how long ago the worker last beat, by the database's time; nil:
	// never.
	Silent *time.Duration
}

// Select returns the workers of a selection, ordered by name and id.
func (w *Workers) Select(ctx context.Context, s Selection) ([]Selected, error) {
	found := []Selected{}
	if !s.storable() {
		return found, nil
	}
	var rows []struct {
		schema.Worker
		Stale bool
		Now   time.Time
	}
	err := w.readable(ctx, func(without any) error {
		rows = nil
		q := w.db.NewSelect().TableExpr("? AS worker", w.of("worker")).
			ColumnExpr("?, ? AS stale, ? AS now", w.columns(), w.stale(), w.clock())
		for _, c := range w.selecting(&s) {
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
		return nil, fmt.Errorf("select workers: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		if !timesReadable(&r.Worker) {
			w.leftOut(ctx, r.ID, r.Name)
			continue
		}
		utc(&r.Worker)
		found = append(found, Selected{Worker: r.Worker, Stale: r.Stale, Silent: silence(r.LastHeartbeat, r.Now)})
	}
	return found, nil
}

// Names returns the names that workers have, each once and in order.
func (w *Workers) Names(ctx context.Context) ([]string, error) {
	names := []string{}
	if err := w.db.NewRaw("SELECT DISTINCT name FROM ?", w.of("worker")).Scan(ctx, &names); err != nil {
		return nil, fmt.Errorf("list names of workers: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// storable reports whether any row can have the texts that are asked for.
func (s *Selection) storable() bool {
	var asked []any
	for _, n := range slices.Concat(s.Names, s.Hosts) {
		asked = append(asked, n)
	}
	for _, l := range s.Labels {
		asked = append(asked, l.Key)
		if l.Value != nil {
			asked = append(asked, *l.Value)
		}
	}
	for _, r := range s.Has {
		asked = append(asked, r.Ref, r.Name)
	}
	return storable(asked...)
}

// selecting are the conditions of a selection.
func (w *Workers) selecting(s *Selection) []any {
	var all []any
	either := func(some []any) {
		if len(some) > 0 {
			all = append(all, bun.SafeQuery("("+strings.Repeat("? OR ", len(some)-1)+"?)", some...))
		}
	}
	var who, roles, statuses []any
	if len(s.IDs) > 0 {
		who = append(who, bun.SafeQuery("worker.id IN (?)", bun.List(s.IDs)))
	}
	for _, n := range s.Names {
		who = append(who, w.named("worker.name", n))
	}
	if len(s.Hosts) > 0 {
		who = append(who, bun.SafeQuery("worker.host IN (?)", bun.List(s.Hosts)))
	}
	for _, r := range s.Roles {
		roles = append(roles, w.ofRole(r))
	}
	for _, st := range s.Statuses {
		statuses = append(statuses, bun.SafeQuery("? = ?", w.text("worker.status"), st))
	}
	if s.Stale {
		statuses = append(statuses, w.stale())
	}
	either(who)
	either(roles)
	either(statuses)
	if s.Silent > 0 {
		all = append(all, bun.SafeQuery("coalesce(worker.last_heartbeat, worker.created) < ?", w.ago(s.Silent)))
	}
	for _, l := range s.Labels {
		all = append(all, w.labelled(l))
	}
	for _, r := range s.Has {
		all = append(all, w.has(r))
	}
	for _, r := range s.Lacks {
		all = append(all, bun.SafeQuery("NOT ?", w.has(r)))
	}
	return all
}

// stale tells a worker that somebody should be running and that beats no more.
func (w *Workers) stale() bun.Safe {
	return "coalesce((worker.instance IS NOT NULL OR " + w.text("worker.status") + " IN ('active', 'busy')) AND NOT (" + w.fresh("worker") + "), false)"
}

// named returns the condition that a column fits a pattern; case matters.
func (d dialect) named(column, pattern string) any {
	switch {
	case !strings.ContainsAny(pattern, "*?"):
		return bun.SafeQuery("? = ?", bun.Safe(column), pattern)
	case d.postgres:
		like := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_", "*", "%", "?", "_").Replace(pattern)
		return bun.SafeQuery("? LIKE ? ESCAPE '!'", bun.Safe(column), like)
	default:
		return bun.SafeQuery("? GLOB ?", bun.Safe(column), strings.ReplaceAll(pattern, "[", "[[]"))
	}
}

// labelled tells the workers with a label. Documents that others wrote may be of
// any form.
func (w *Workers) labelled(l Label) any {
	labels := `json_each(worker.capabilities, '$.labels') AS label WHERE label.key = ?`
	if w.postgres {
		labels = `pg_catalog.jsonb_each_text(CASE WHEN pg_catalog.jsonb_typeof(worker.capabilities -> CAST('labels' AS pg_catalog.text)) = 'object'
			THEN worker.capabilities -> CAST('labels' AS pg_catalog.text) ELSE '{}' END) AS label WHERE label.key = ?`
	}
	if l.Value == nil {
		return bun.SafeQuery("EXISTS (SELECT 1 FROM "+labels+")", l.Key)
	}
	return bun.SafeQuery("EXISTS (SELECT 1 FROM "+labels+" AND label.value = ?)", l.Key, *l.Value)
}

// has tells the workers that have what is required.
func (w *Workers) has(r Requirement) any {
	var versions []any
	if r.Constraint != nil {
		for _, p := range partsOf(HavingFilter{Constraint: r.Constraint, Prereleases: r.Prereleases}) {
			versions = append(versions, bun.SafeQuery("("+strings.ReplaceAll(p.condition, "@", "had")+")", p.args...))
		}
		if versions == nil {
			return bun.Safe("(1 = 0)") // nothing satisfies the constraint
		}
	}
	which := bun.SafeQuery("had.runtime_ref = ?", r.Ref)
	if r.Ref == "" {
		which = bun.SafeQuery("had.runtime_ref = '' AND had.name = ?", r.Name)
	}
	if versions != nil {
		which = bun.SafeQuery("? AND (?)", which, bun.SafeQuery(strings.Repeat("? OR ", len(versions)-1)+"?", versions...))
	}
	return bun.SafeQuery("EXISTS (SELECT 1 FROM ? AS had WHERE had.worker = worker.id AND had.outcome = ? AND ?)",
		w.of("worker_runtime"), schema.OutcomeAvailable, which)
}

// Undefined returns the runtimes that workers reported and that no definition
// has (any more), each once, as requirements: their Ref is empty where a name
// was only declared. Name is the capability name.
func (r *WorkerRuntimes) Undefined(ctx context.Context) ([]Requirement, error) {
	var rows []struct{ RuntimeRef, Name string }
	err := r.db.NewRaw("SELECT DISTINCT runtime_ref, name FROM ? WHERE runtime IS NULL ORDER BY runtime_ref, name", r.of(r.name)).
		Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list runtimes without a definition: %w", err)
	}
	found := []Requirement{}
	for _, row := range rows {
		found = append(found, Requirement{Ref: row.RuntimeRef, Name: row.Name})
	}
	return found, nil
}
