package schema

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/version"
)

// BeforeAppendModel refuses a wrong RuntimeVersionConstraint before bun writes
// it; bun calls it. The error wraps a *version.SyntaxError.
func (a *Action) BeforeAppendModel(_ context.Context, query bun.Query) error {
	return checkConstraint(query, "action", a.Ref, a.RuntimeVersionConstraint)
}

// BeforeAppendModel refuses a wrong RuntimeVersionConstraint before bun writes
// it; bun calls it. The error wraps a *version.SyntaxError.
func (s *Sensor) BeforeAppendModel(_ context.Context, query bun.Query) error {
	return checkConstraint(query, "sensor", s.Ref, s.RuntimeVersionConstraint)
}

func checkConstraint(query bun.Query, noun, ref string, constraint *string) error {
	switch query.(type) {
	case *bun.InsertQuery, *bun.UpdateQuery, *bun.ValuesQuery:
	default:
		return nil // what is there already can be read and deleted
	}
	if constraint == nil {
		return nil
	}
	if _, err := version.ParseConstraint(*constraint); err != nil {
		return fmt.Errorf("%s %q: runtime_version_constraint: %w", noun, ref, err)
	}
	return nil
}
