package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// HavingFilter says which workers that have a runtime are wanted.
type HavingFilter struct {
	// Constraint that one of the versions must satisfy. Nil: any version, also an
	// unknown one.
	Constraint *version.Constraint
	// Prereleases: they satisfy a constraint like releases. Default false: only
	// those that the constraint names.
	Prereleases bool
	// Role that the worker must have; a hybrid worker fits both. Empty: any.
	Role metadata.Role
	// After is the last match of the part before; its Key and Worker are used.
	// Nil is the beginning.
	After *Match
	// Limit is the most matches that are returned. Zero is all.
	Limit int
}

// Match is an active worker that beats, and the best installation of those that
// were asked for: the newest version and, of that, the first path in the order
// of bytes.
type Match struct {
	Worker     int64             `json:"worker"`
	Name       string            `json:"name"`
	Role       schema.WorkerRole `json:"role"`
	Host       *string           `json:"host"`
	Port       *int              `json:"port"`
	Version    string            `json:"version"` // empty: unknown
	Prerelease bool              `json:"prerelease"`
	Path       string            `json:"path"` // empty: unknown
	// Key is the version's sort key; nil without a version.
	Key *string `json:"-"`
}

// Having returns the active and fresh workers that have the runtime of a ref,
// each once, the newest versions first and of those the newest workers. Fresh is
// a worker that beat within three of its own intervals, by the database's time.
//
// It reads one range of an index for each range of the constraint, from the
// newest version on, and no more of it than it takes to find Limit workers; what
// it reads of rows are look-ups by key. Inactive workers are not in that index.
func (w *Workers) Having(ctx context.Context, ref string, filter HavingFilter) ([]Match, error) {
	found := []Match{}
	if !storable(ref) {
		return found, nil
	}
	query := w.having(ref, filter)
	if query == nil {
		return found, nil // nothing satisfies the constraint
	}
	if err := w.db.NewRaw("?", query).Scan(ctx, &found); err != nil {
		return nil, fmt.Errorf("find workers having %q: %w", ref, err)
	}
	return found, nil
}

// part is a range of sort keys, as a condition on rows of the alias "?".
type part struct {
	condition string
	args      []any
}

// having builds the query; nil where there is nothing to ask.
func (w *Workers) having(ref string, filter HavingFilter) any {
	parts := partsOf(filter)
	if len(parts) == 0 {
		return nil
	}
	// All that is asked for, on the rows that may be better ones of a worker.
	var wanted []string
	var wantedArgs []any
	for _, p := range parts {
		wanted = append(wanted, "("+strings.ReplaceAll(p.condition, "@", "better")+")")
		wantedArgs = append(wantedArgs, p.args...)
	}
	none := w.none(filter, bun.SafeQuery(strings.Join(wanted, " OR "), wantedArgs...))
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
			WHERE found.runtime_ref = ?2 AND found.active AND found.outcome = 'available' AND ?3 AND ?4
			  AND ?5
			ORDER BY found.sort_key DESC ?6, found.worker DESC ?7`,
			w.of("worker_runtime"), w.beating(filter), ref, where, after, none, bun.Safe(w.pick("NULLS LAST", "")), limit))
	}
	if len(selects) == 0 {
		return nil
	}
	if len(selects) == 1 {
		return args[0]
	}
	return bun.SafeQuery(strings.Join(selects, " UNION ALL ")+" ORDER BY key DESC ?, worker DESC ?",
		append(args, bun.Safe(w.pick("NULLS LAST", "")), limit)...)
}

// partsOf are the ranges in which the rows are.
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

// after is the condition on a part to follow a match; not ok where nothing of
// the part does.
func (w *Workers) after(last *Match, p part) (condition any, ok bool) {
	unknown := p.condition == "@.sort_key IS NULL"
	switch {
	case last == nil, last.Key != nil && unknown:
		return bun.Safe("true"), true
	case last.Key != nil:
		return bun.SafeQuery("(found.sort_key, found.worker) < (?, ?)", *last.Key, last.Worker), true
	case unknown:
		return bun.SafeQuery("found.worker < ?", last.Worker), true
	}
	return nil, false
}

// few reports whether Postgres is told how to find the matches: by a part of the
// range, in its order, with two look-ups for each row. It would do so by itself, but
// think of all other ways first, which takes longer than the query.
func (w *Workers) few(filter HavingFilter) bool { return w.postgres && filter.Limit > 0 }

// beating joins the worker of a found row, if it is active and fresh. OFFSET 0 keeps
// the join from being turned round.
func (w *Workers) beating(filter HavingFilter) any {
	join := "JOIN ? AS worker ON worker.id = found.worker AND ? = 'active' AND ? AND ?"
	if w.few(filter) {
		join = `CROSS JOIN LATERAL (
			SELECT worker.name, worker.worker_role, worker.host, worker.port FROM ? AS worker
			WHERE worker.id = found.worker AND ? = 'active' AND ? AND ? OFFSET 0) AS worker`
	}
	return bun.SafeQuery(join, w.of("worker"), w.text("worker.status"), w.fresh("worker"), w.ofRole(filter.Role))
}

// none is that of what is wanted the worker has no better one. A scalar is not made a
// join of.
func (w *Workers) none(filter HavingFilter, wanted any) any {
	none := "NOT EXISTS (?)"
	if w.few(filter) {
		none = "coalesce((?), true)"
	}
	return bun.SafeQuery(none, bun.SafeQuery(`
				SELECT false FROM ? AS better
				WHERE better.worker = found.worker AND better.runtime_ref = found.runtime_ref
				  AND better.outcome = 'available' AND (?) AND ? LIMIT 1`,
		w.of("worker_runtime"), wanted, w.ahead(filter.Constraint != nil)))
}

// ofRole narrows to the workers of a role.
func (w *Workers) ofRole(role metadata.Role) any {
	if role == "" {
		return bun.Safe("true")
	}
	return bun.SafeQuery("? IN (?, ?)", w.text("worker.worker_role"), roleOf(role), schema.RoleHybrid)
}

// ahead tells the row of an installation that comes before the found one of the
// same worker and runtime. versioned: both have a version.
func (w *Workers) ahead(versioned bool) bun.Safe {
	newer, equal := "better.sort_key > found.sort_key", "better.sort_key = found.sort_key"
	if !versioned {
		newer += " OR better.sort_key IS NOT NULL AND found.sort_key IS NULL"
		equal = "(" + equal + " OR better.sort_key IS NULL AND found.sort_key IS NULL)"
	}
	path := string(w.bytewise("better.path")) + " < " + string(w.bytewise("found.path"))
	return bun.Safe("(" + newer + " OR " + equal + " AND (" + path + " OR better.path = found.path AND better.id < found.id))")
}
