package store

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
)

// available returns the conditions on a row of worker: that it can run something now, and its role and
// slots. It reads the alias worker.
func (w *Workers) available(r *requirement.Requirement) []any {
	active := w.text("worker.status") + " = 'active'"
	if w.postgres && w.layout.Own {
		active = "worker.status OPERATOR(pg_catalog.=) 'active'" // of a text, the planner has no statistics
	}
	all := []any{bun.SafeQuery("? AND ? AND worker.capabilities IS NOT NULL", active, w.isFresh("worker"))}
	if r.Role != "" {
		all = append(all, bun.SafeQuery("? IN (?, 'hybrid')", w.text("worker.worker_role"), storedRole(r.Role)))
	}
	if slots := r.SlotsOrDefault(); slots > 1 {
		all = append(all, bun.SafeQuery("coalesce(?, 1) >= ?", w.slots(), w.float(slots)))
	}
	return all
}

// labelled returns the conditions that a worker's labels satisfy a requirement. They read worker.id alone.
func (w *Workers) labelled(r *requirement.Requirement) (all []any) {
	for _, key := range slices.Sorted(maps.Keys(r.Selector)) {
		all = append(all, w.hasLabel(Label{Key: key, Value: new(r.Selector[key])}))
	}
	if len(r.Affinity.Required) > 0 {
		var terms []any
		for _, t := range r.Affinity.Required {
			terms = append(terms, matchesTerm(t, w.hasLabel))
		}
		all = append(all, either(terms))
	}
	for _, t := range r.Affinity.Anti {
		all = append(all, bun.SafeQuery("NOT ?", matchesTerm(t, w.hasLabel)))
	}
	return all
}

// open returns the conditions that a worker is not cordoned, and has no taint with one of the effects
// that a requirement does not tolerate. They read worker.id alone.
func (w *Workers) open(r *requirement.Requirement, effects ...requirement.Effect) (all []any) {
	for _, table := range taintTables {
		all = append(all, bun.SafeQuery("NOT ?", w.exists("?", w.untolerated(r, table, "1", effects...))))
	}
	return append(all, bun.SafeQuery("NOT ?", w.exists("SELECT 1 FROM ? AS cordon WHERE cordon.worker = worker.id", w.rows("worker_cordon"))))
}

// exists returns the condition that a query has rows. Postgres plans several of them together as joins,
// which pays for many workers and takes longer than the look-ups of a few.
func (w *Workers) exists(query string, args ...any) any {
	if w.lookups && w.postgres {
		query += " OFFSET 0" // such a query is not made a join of
	}
	return bun.SafeQuery("EXISTS ("+query+")", args...)
}

// storedRole converts a role to its value in SQL.
func storedRole(role requirement.Role) string {
	if role == requirement.Worker {
		return "action"
	}
	return string(role)
}

// either returns the condition that one of several holds, and every that all of them do.
func either(conditions []any) any { return joined(conditions, " OR ") }
func every(conditions []any) any  { return joined(conditions, " AND ") }

func joined(conditions []any, operator string) any {
	return bun.SafeQuery("("+strings.Repeat("(?)"+operator, len(conditions)-1)+"(?))", conditions...)
}

// matchesTerm returns the condition that a worker's labels match a term. has returns the condition that a
// worker has a label.
func matchesTerm(t requirement.Term, has func(Label) any) any {
	var all []any
	for key, value := range t.MatchLabels {
		all = append(all, has(Label{Key: key, Value: &value}))
	}
	for _, e := range t.MatchExpressions {
		matches := has(Label{Key: e.Key})
		switch e.Operator {
		case requirement.In, requirement.NotIn:
			var values []any
			for _, value := range e.Values {
				values = append(values, has(Label{Key: e.Key, Value: &value}))
			}
			matches = either(values)
		}
		if e.Operator == requirement.NotIn || e.Operator == requirement.DoesNotExist {
			matches = bun.SafeQuery("NOT (?)", matches)
		}
		all = append(all, matches)
	}
	return every(all)
}

// hashedLabels is the number of workers with a label that a statement reads at once. Postgres puts so many into a hash
// table even with a work_mem of 1 MB. If they did not fit, it would search a list for each worker.
var hashedLabels = 30_000

// hashedLabel is hasLabel for every worker of a fleet. It reads the workers with the label once, and looks up those
// beyond hashedLabels.
func (w *Workers) hashedLabel(l Label) any {
	if !w.layout.Migrated {
		return w.hasLabel(l)
	}
	with := bun.SafeQuery("SELECT label.worker FROM ? AS label WHERE ? ORDER BY label.worker", w.rows("worker_label"), isLabel(l))
	return bun.SafeQuery("CASE WHEN worker.id IN (?0 LIMIT ?1) THEN 1 = 1 WHEN worker.id >= (?0 LIMIT 1 OFFSET ?1) THEN ?2 ELSE 1 = 0 END",
		with, hashedLabels, w.hasLabel(l))
}

// taintTables lists the tables with the taints of hosts and of operators.
var taintTables = []string{"worker_taint", "worker_operator_taint"}

// untolerated returns the query for the taints of one table, with one of several effects, that a
// requirement does not tolerate. selected is what it returns of each.
func (w *Workers) untolerated(r *requirement.Requirement, table string, selected bun.Safe, effects ...requirement.Effect) any {
	return bun.SafeQuery("SELECT ? FROM ? AS taint WHERE taint.worker = worker.id AND ?",
		selected, w.rows(table), isUntolerated(r, effects...))
}

// isUntolerated returns the condition that a requirement does not tolerate a taint with one of several
// effects.
func isUntolerated(r *requirement.Requirement, effects ...requirement.Effect) any {
	tolerated := []any{bun.SafeQuery("taint.key = ?", requirement.ReportOnly)}
	for _, t := range r.Tolerations {
		one := []any{bun.SafeQuery("taint.key = ?", t.Key)}
		if t.Effect != "" {
			one = append(one, bun.SafeQuery("taint.effect = ?", t.Effect))
		}
		if t.Operator != requirement.TolerateExists {
			one = append(one, bun.SafeQuery("coalesce(taint.value, '') = ?", t.Value))
		}
		tolerated = append(tolerated, every(one))
	}
	return bun.SafeQuery("taint.effect IN (?) AND NOT ?", bun.List(effects), either(tolerated))
}

// slots returns the number of executions that a worker runs at once, which is NULL where its
// document has none.
func (w *Workers) slots() bun.Safe {
	if w.postgres {
		const slots = `worker.capabilities -> CAST('max_concurrent_executions' AS pg_catalog.text)`
		return `CASE WHEN pg_catalog.jsonb_typeof(` + slots + `) = 'number'
			THEN CAST(CAST(` + slots + ` AS pg_catalog.numeric) AS pg_catalog.float8) END`
	}
	return `CASE WHEN json_type(worker.capabilities, '$.max_concurrent_executions') IN ('integer', 'real')
		THEN CAST(json_extract(worker.capabilities, '$.max_concurrent_executions') AS REAL) END`
}

// float returns a number to compare a float with. Between a float and an integer, Postgres would prefer the
// operator of a login to its own.
func (w *Workers) float(n int) bun.Safe {
	if w.postgres {
		return bun.Safe(fmt.Sprintf("CAST('%d' AS pg_catalog.float8)", n))
	}
	return bun.Safe(strconv.Itoa(n))
}

// weight returns the rank of a worker by its labels and taints, and the joins that it reads. Taints are
// counted once for all workers, or looked up for a few.
func (w *Workers) weight(r *requirement.Requirement) (weight, joins any) {
	var sum, counts []any
	has := w.hashedLabel
	if w.lookups {
		has = w.hasLabel
	}
	number := bun.Safe(w.pick("pg_catalog.count(1)", "count(1)"))
	for i, table := range taintTables {
		if w.lookups {
			sum = append(sum, bun.SafeQuery("? * (?)", -requirement.TaintWeight, w.untolerated(r, table, number, requirement.PreferNoSchedule)))
			continue
		}
		count := bun.Safe(fmt.Sprint("taints", i))
		counts = append(counts, bun.SafeQuery(`LEFT JOIN (SELECT taint.worker, ?0 AS n FROM ?1 AS taint WHERE ?2 GROUP BY taint.worker) AS ?3
			ON ?3.worker = worker.id`, number, w.rows(table), isUntolerated(r, requirement.PreferNoSchedule), count))
		sum = append(sum, bun.SafeQuery("? * coalesce(?.n, 0)", -requirement.TaintWeight, count))
	}
	for _, p := range r.Affinity.Preferred {
		sum = append(sum, bun.SafeQuery("CASE WHEN ? THEN ? ELSE 0 END", matchesTerm(p.Term, has), p.Weight))
	}
	return joined(sum, " + "), bun.SafeQuery(strings.Repeat("? ", len(counts)), counts...)
}

// satisfying returns the condition that an installation in the row had satisfies a requirement.
// ok is false if no version does.
func (w *Workers) satisfying(r *requirement.Requirement, runtime requirement.Runtime) (condition any, ok bool) {
	all := []any{bun.SafeQuery("had.runtime_ref = ? AND had.active AND had.outcome = 'available'", runtime.Name)}
	if r.Verified {
		all = append(all, bun.Safe("had.source <> 'declared'"))
	}
	if runtime.Constraint != nil {
		var versions []any
		for _, p := range partsOf(HavingFilter{Constraint: runtime.Constraint, Prereleases: r.Prereleases}) {
			versions = append(versions, bun.SafeQuery(strings.ReplaceAll(p.condition, "@", "had"), p.args...))
		}
		if versions == nil {
			return bun.SafeQuery("1 = 0"), false
		}
		all = append(all, either(versions))
	}
	return every(all), true
}
