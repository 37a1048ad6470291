package schema

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// BeforeAppendModel refuses a wrong requirement before bun writes it; bun calls it. The error wraps
// a *version.SyntaxError for RuntimeVersionConstraint, and document.Faults for the other columns.
func (a *Action) BeforeAppendModel(_ context.Context, query bun.Query) error {
	return checkRequirement(query, "action", a.Ref, a.RuntimeVersionConstraint, requirement.Columns{
		Runtimes: a.RequiredWorkerRuntimes, Selector: a.WorkerSelector, Tolerations: a.WorkerTolerations, Affinity: a.WorkerAffinity,
	})
}

// BeforeAppendModel refuses a wrong requirement before bun writes it; bun calls it. The error wraps
// a *version.SyntaxError for RuntimeVersionConstraint, and document.Faults for the other columns.
func (s *Sensor) BeforeAppendModel(_ context.Context, query bun.Query) error {
	return checkRequirement(query, "sensor", s.Ref, s.RuntimeVersionConstraint, requirement.Columns{
		Runtimes: s.RequiredWorkerRuntimes, Selector: s.WorkerSelector, Tolerations: s.WorkerTolerations, Affinity: s.WorkerAffinity,
	})
}

func checkRequirement(query bun.Query, noun, ref string, constraint *string, columns requirement.Columns) error {
	switch query.(type) {
	case *bun.InsertQuery, *bun.UpdateQuery, *bun.ValuesQuery:
	default:
		return nil // what is there already can be read and deleted
	}
	if constraint != nil {
		if _, err := version.ParseConstraint(*constraint); err != nil {
			return fmt.Errorf("%s %q: runtime_version_constraint: %w", noun, ref, err)
		}
	}
	if err := columns.Validate(); err != nil {
		return fmt.Errorf("%s %q: %w", noun, ref, err)
	}
	return nil
}
