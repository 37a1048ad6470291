package store

import (
	"fmt"
	"strings"

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
	text := w.db.NewRaw("?", q.ranked(nil)).String()
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
