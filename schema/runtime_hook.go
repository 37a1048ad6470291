package schema

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/document"
)

// BeforeAppendModel refuses wrong documents before bun writes them; bun calls it. The error
// wraps document.Faults.
func (r *Runtime) BeforeAppendModel(_ context.Context, query bun.Query) error {
	err := document.BeforeAppend(query, map[string]document.Checked{
		"aliases": r.Aliases, "distributions": r.Distributions, "execution_config": r.ExecutionConfig,
	})
	if err != nil {
		return fmt.Errorf("runtime %q: %w", r.Ref, err)
	}
	return nil
}

// BeforeAppendModel refuses wrong documents before bun writes them; bun calls it. The error
// wraps document.Faults.
func (v *RuntimeVersion) BeforeAppendModel(_ context.Context, query bun.Query) error {
	err := document.BeforeAppend(query, map[string]document.Checked{
		"distributions": v.Distributions, "execution_config": v.ExecutionConfig,
	})
	if err != nil {
		return fmt.Errorf("version %q of runtime %d: %w", v.Version, v.Runtime, err)
	}
	return nil
}
