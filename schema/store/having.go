package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/statement"
	"github.com/attune-go/attune/schema/version"
)

// A HavingFilter selects among the workers that have a runtime. The zero value selects all.
type HavingFilter struct {
	// Constraint must match one of the worker's versions. Nil matches any version, also an
	// unknown one.
	Constraint *version.Constraint
	// Prereleases lets pre-releases match a constraint as releases do. By default only
	// those match that the constraint names.
	Prereleases bool
	// Role is the worker's role; a hybrid worker has both. Empty matches any role.
	Role metadata.Role
	// After is the last match of the previous page; its Key and Worker count. Nil starts at
	// the beginning.
	After *Match
	// Limit is the maximum number of matches. Zero returns all.
	Limit int
}

// A Match is an active, fresh worker with its best matching installation: the one with the
// newest version and, among equals, the path that sorts first by bytes.
type Match struct {
	Worker     int64             `json:"worker"`
	Name       string            `json:"name"`
	Role       schema.WorkerRole `json:"role"`
	Host       *string           `json:"host"`
	Port       *int              `json:"port"`
	Version    string            `json:"version"` // empty if unknown
	Prerelease bool              `json:"prerelease"`
	Path       string            `json:"path"` // empty if unknown
	// Key is the sort key of Version; nil if the version is unknown.
	Key *string `json:"-"`
}

// Having returns the active and fresh workers that have the runtime ref, each once, ordered
// by version, then by schema.Spread, the highest first. A worker is fresh if its last heartbeat
// is less than three of its own intervals old, by the database's time.
//
// Having reads one range of an index for each range of the constraint, from the newest
// version down, and stops when it has found Limit workers. It looks each worker up by key.
// The index contains workers that are not active or fresh, and each costs a look-up. The
// alternative would be to rewrite all rows of a worker with every change of its status. The
// error is an *UnknownRuntimeError if nobody knows the ref, such as before a pack is loaded.
func (w *Workers) Having(ctx context.Context, ref string, filter HavingFilter) ([]Match, error) {
	found := []Match{}
	var err error
	if query := w.having(ref, filter); query != nil && storable(ref) { // something satisfies the constraint
		err = w.classify("find", w.db.NewRaw("?", query).Scan(statement.WithPreparation(ctx), &found))
	}
	if err == nil && len(found) == 0 && filter.After == nil {
		err = w.checkKnown(ctx, ref)
	}
	if err != nil {
		return nil, fmt.Errorf("find workers having %q: %w", ref, err)
	}
	return found, nil
}

// A part is a range of sort keys, as a condition on rows with the alias "@".
type part struct {
	condition string
	args      []any
}

// having returns the query, or nil if nothing can match.
func (w *Workers) having(ref string, filter HavingFilter) any {
	parts := partsOf(filter)
	if len(parts) == 0 {
		return nil
	}
	// The whole constraint, on the rows that may be better matches of the same worker.
	var wanted []string
	var wantedArgs []any
	for _, p := range parts {
		wanted = append(wanted, "("+strings.ReplaceAll(p.condition, "@", "better")+")")
		wantedArgs = append(wantedArgs, p.args...)
	}
	noBetter := w.noBetter(filter, bun.SafeQuery(strings.Join(wanted, " OR "), wantedArgs...))
	limit := bun.SafeQuery("")
	if filter.Limit > 0 {
		limit = bun.SafeQuery("LIMIT ?", filter.Limit)
	}
	var selects []string
	var args []any
	for _, p := range parts {
		where := bun.SafeQuery(strings.ReplaceAll(p.condition, "@", "found"), p.args...)
		after, ok := w.after(filter.After, p)
		if !ok {
			continue
		}
		selects = append(selects, "SELECT * FROM (?) AS part")
		args = append(args, bun.SafeQuery(`
			SELECT found.worker, worker.name, worker.worker_role AS role, worker.host, worker.port,
			       found.version, found.prerelease, found.path, found.sort_key AS key
			FROM ?0 AS found ?1
			WHERE found.runtime_ref = ?2 AND found.outcome = ?9 AND ?3 AND ?4
			  AND ?5
			ORDER BY found.sort_key DESC ?6, ?8 DESC, found.worker DESC ?7`,
			w.rows("worker_runtime"), w.joinWorker(filter), ref, where, after, noBetter,
			bun.Safe(w.pick("NULLS LAST", "")), limit, w.spread("found.worker"), capability.Available))
	}
	if len(selects) == 0 {
		return nil
	}
	if len(selects) == 1 {
		return args[0]
	}
	return bun.SafeQuery("SELECT * FROM ("+strings.Join(selects, " UNION ALL ")+") AS parts ORDER BY key DESC ?, ? DESC, worker DESC ?",
		append(args, bun.Safe(w.pick("NULLS LAST", "")), w.spread("parts.worker"), limit)...)
}

// partsOf returns the ranges of sort keys that match a filter.
func partsOf(filter HavingFilter) []part {
	if filter.Constraint == nil {
		return []part{{condition: "@.sort_key >= ''"}, {condition: "@.sort_key IS NULL"}}
	}
	var parts []part
	ranges := filter.Constraint.Ranges(filter.Prereleases)
	slices.Reverse(ranges)
	for _, r := range ranges {
		p := part{condition: "@.sort_key >= ?", args: []any{r.From}}
		if r.To != "" {
			p.condition += " AND @.sort_key < ?"
			p.args = append(p.args, r.To)
		}
		if r.ReleasesOnly {
			p.condition += " AND NOT @.prerelease"
		}
		parts = append(parts, p)
	}
	return parts
}

// after returns the condition that rows of a part come after a match. ok is false if none
// of the part can.
func (w *Workers) after(last *Match, p part) (condition any, ok bool) {
	unknown := p.condition == "@.sort_key IS NULL"
	switch {
	case last == nil, last.Key != nil && unknown:
		return bun.Safe("true"), true
	case last.Key != nil:
		return bun.SafeQuery("(found.sort_key, ?, found.worker) < (?, CAST(? AS "+w.pick("pg_catalog.int8", "INTEGER")+"), ?)",
			w.spread("found.worker"), *last.Key, schema.Spread(last.Worker), last.Worker), true
	case unknown:
		return bun.SafeQuery("(?, found.worker) < (CAST(? AS "+w.pick("pg_catalog.int8", "INTEGER")+"), ?)",
			w.spread("found.worker"), schema.Spread(last.Worker), last.Worker), true
	}
	return nil, false
}

// spread returns the expression for schema.Spread of a worker, as the index has it.
func (d dialect) spread(worker string) bun.Safe {
	return bun.Safe(d.pick("("+worker+" % '2147483647' * '2654435769' % '4294967296')", "("+worker+" % 2147483647 * 2654435769 % 4294967296)"))
}

// fixesPlan reports whether the query fixes the plan: a scan of the range in order, with
// two look-ups for each row. Postgres would choose it anyway, but takes longer to plan than
// to run the query.
func (w *Workers) fixesPlan(filter HavingFilter) bool { return w.postgres && filter.Limit > 0 }

// joinWorker returns the join with the worker of a found row, if it is active and fresh.
// OFFSET 0 keeps the planner from reordering the join.
func (w *Workers) joinWorker(filter HavingFilter) any {
	join := "JOIN ? AS worker ON worker.id = found.worker AND ? = 'active' AND ? AND ?"
	if w.fixesPlan(filter) {
		join = `CROSS JOIN LATERAL (
			SELECT worker.name, worker.worker_role, worker.host, worker.port FROM ? AS worker
			WHERE worker.id = found.worker AND ? = 'active' AND ? AND ? OFFSET 0) AS worker`
	}
	return bun.SafeQuery(join, w.rows("worker"), w.text("worker.status"), w.isFresh("worker"), w.ofRole(filter.Role))
}

// noBetter returns the condition that the worker has no higher-ranked match. It can be a
// scalar subquery because the planner does not turn those into joins.
func (w *Workers) noBetter(filter HavingFilter, wanted any) any {
	condition := "NOT EXISTS (?)"
	if w.fixesPlan(filter) {
		condition = "coalesce((?), true)"
	}
	return bun.SafeQuery(condition, bun.SafeQuery(`
				SELECT false FROM ? AS better
				WHERE better.worker = found.worker AND better.runtime_ref = found.runtime_ref
				  AND better.outcome = ? AND (?) AND ? LIMIT 1`,
		w.rows("worker_runtime"), capability.Available, wanted, w.isBetter(filter.Constraint != nil)))
}

// ofRole returns the condition that a worker has a role. Empty is any role.
func (w *Workers) ofRole(role metadata.Role) any {
	if role == "" {
		return bun.Safe("true")
	}
	return bun.SafeQuery("? IN (?, ?)", w.text("worker.worker_role"), roleOf(role), schema.RoleHybrid)
}

// isBetter returns the condition that a row ranks before the found one of the same worker
// and runtime. versioned means that both rows have a version.
func (w *Workers) isBetter(versioned bool) bun.Safe {
	newer, equal := "better.sort_key > found.sort_key", "better.sort_key = found.sort_key"
	if !versioned {
		newer += " OR better.sort_key IS NOT NULL AND found.sort_key IS NULL"
		equal = "(" + equal + " OR better.sort_key IS NULL AND found.sort_key IS NULL)"
	}
	path := string(w.bytewise("better.path")) + " < " + string(w.bytewise("found.path"))
	return bun.Safe("(" + newer + " OR " + equal + " AND (" + path + " OR better.path = found.path AND better.id < found.id))")
}
