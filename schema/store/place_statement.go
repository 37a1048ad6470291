package store

import (
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
)

// PlaceStatement returns one statement of SQL that selects what Place returns, for psql or sqlite3.
// Each runtime has a column with its version, named by its ref, and one with its path. Values are
// literals. It asks nothing of the database. Errors: ErrInvalid for a requirement with faults.
func (w *Workers) PlaceStatement(r *requirement.Requirement, limit int) (string, error) {
	if err := r.Validate(); err != nil {
		return "", fmt.Errorf("%w requirement: %w", ErrInvalid, err)
	}
	q := placing{Workers: w, r: r, limit: limit, start: r.Start()}
	text := q.ranking(q.described(), bun.SafeQuery("1 = 1")).String()
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	text = strings.Join(lines, "\n") + ";\n"
	if w.postgres && strings.Contains(text, `\`) {
		text = "SET standard_conforming_strings = on;\n" + text
	}
	return text, nil
}

// described returns the columns of a placed worker but for its weight.
func (q *placing) described() any {
	slots := q.slots()
	columns := []any{
		bun.SafeQuery("worker.id AS worker"),
		bun.SafeQuery("worker.name"),
		bun.SafeQuery("CASE ?0 WHEN 'action' THEN 'worker' ELSE ?0 END AS role", q.text("worker.worker_role")),
		bun.SafeQuery("CASE WHEN ?0 >= 2 THEN ?1 ELSE 1 END AS free", slots,
			bun.Safe(q.pick("pg_catalog.trunc("+string(slots)+")", "CAST("+string(slots)+" AS INTEGER)"))),
	}
	for _, runtime := range q.r.Runtimes {
		had, _ := q.satisfying(q.r, runtime)
		for _, column := range []struct {
			name string
			of   bun.Safe
		}{{runtime.Name, "had.version"}, {runtime.Name + " path", "had.path"}} {
			columns = append(columns, bun.SafeQuery("(SELECT ? FROM ? AS had WHERE had.worker = worker.id AND ? ORDER BY ? DESC ?, ? LIMIT 1) AS ?",
				column.of, q.rows("worker_runtime"), had, q.bytewise("had.sort_key"), q.unknownLast(), q.bytewise("had.path"), bun.Name(column.name)))
		}
	}
	return bun.SafeQuery(strings.Repeat("?,\n", len(columns)-1)+"?", columns...)
}
