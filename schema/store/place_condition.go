package store

import (
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
)

// available returns the conditions that a worker satisfies a requirement but for its runtimes.
// They read the alias worker.
func (w *Workers) available(r *requirement.Requirement) []any {
	all := []any{
		bun.SafeQuery("? = 'active' AND ? AND worker.capabilities IS NOT NULL", w.text("worker.status"), w.isFresh("worker")),
		w.toleratesAll(r, requirement.NoSchedule),
		bun.SafeQuery("NOT ?", w.exists("SELECT 1 FROM ? AS cordon WHERE cordon.worker = worker.id", w.rows("worker_cordon"))),
	}
	if r.Role != "" {
		all = append(all, bun.SafeQuery("? IN (?, 'hybrid')", w.text("worker.worker_role"), storedRole(r.Role)))
	}
	for key, value := range r.Selector {
		all = append(all, w.hasLabel(Label{Key: key, Value: &value}))
	}
	if len(r.Affinity.Required) > 0 {
		var terms []any
		for _, t := range r.Affinity.Required {
			terms = append(terms, w.matchesTerm(t))
		}
		all = append(all, either(terms))
	}
	for _, t := range r.Affinity.Anti {
		all = append(all, bun.SafeQuery("NOT ?", w.matchesTerm(t)))
	}
	if slots := r.SlotsOrDefault(); slots > 1 {
		all = append(all, bun.SafeQuery("coalesce(?, 1) >= ?", w.slots(), slots))
	}
	return all
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

// matchesTerm returns the condition that a worker's labels match a term.
func (w *Workers) matchesTerm(t requirement.Term) any {
	var all []any
	for key, value := range t.MatchLabels {
		all = append(all, w.hasLabel(Label{Key: key, Value: &value}))
	}
	for _, e := range t.MatchExpressions {
		has := w.hasLabel(Label{Key: e.Key})
		switch e.Operator {
		case requirement.In, requirement.NotIn:
			var values []any
			for _, value := range e.Values {
				values = append(values, w.hasLabel(Label{Key: e.Key, Value: &value}))
			}
			has = either(values)
		}
		if e.Operator == requirement.NotIn || e.Operator == requirement.DoesNotExist {
			has = bun.SafeQuery("NOT (?)", has)
		}
		all = append(all, has)
	}
	return every(all)
}

// taintTables lists the tables with the taints of hosts and of operators.
var taintTables = []string{"worker_taint", "worker_operator_taint"}

// toleratesAll returns the condition that a requirement tolerates all taints with an effect.
func (w *Workers) toleratesAll(r *requirement.Requirement, effect requirement.Effect) any {
	var all []any
	for _, table := range taintTables {
		all = append(all, bun.SafeQuery("NOT ?", w.exists("?", w.untolerated(r, effect, table, "1"))))
	}
	return every(all)
}

// untolerated returns the query for the taints of one table with an effect that a requirement does
// not tolerate. selected is what it returns of each.
func (w *Workers) untolerated(r *requirement.Requirement, effect requirement.Effect, table string, selected bun.Safe) any {
	tolerated := []any{bun.SafeQuery("taint.key = ?", requirement.ReportOnly)}
	for _, t := range r.Tolerations {
		if t.Effect != "" && t.Effect != effect {
			continue
		}
		one := []any{bun.SafeQuery("taint.key = ?", t.Key)}
		if t.Operator != requirement.TolerateExists {
			one = append(one, bun.SafeQuery("coalesce(taint.value, '') = ?", t.Value))
		}
		tolerated = append(tolerated, every(one))
	}
	return bun.SafeQuery("SELECT ? FROM ? AS taint WHERE taint.worker = worker.id AND taint.effect = ? AND NOT ?",
		selected, w.rows(table), effect, either(tolerated))
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

// weight returns the rank of a worker by its labels and taints.
func (w *Workers) weight(r *requirement.Requirement) any {
	var sum []any
	for _, table := range taintTables {
		taints := w.untolerated(r, requirement.PreferNoSchedule, table, bun.Safe(w.pick("pg_catalog.count(1)", "count(1)")))
		// The database asks once whether there are taints at all, and for most fleets no more.
		sum = append(sum, bun.SafeQuery("CASE WHEN EXISTS (SELECT 1 FROM ? AS taint WHERE taint.effect = ?) THEN ? * (?) ELSE 0 END",
			w.rows(table), requirement.PreferNoSchedule, -requirement.TaintWeight, taints))
	}
	for _, p := range r.Affinity.Preferred {
		sum = append(sum, bun.SafeQuery("CASE WHEN ? THEN ? ELSE 0 END", w.matchesTerm(p.Term), p.Weight))
	}
	return joined(sum, " + ")
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
