package packs

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/metadata"
)

// A Completion is what the embedded core pack adds to the definitions of a platform.
type Completion struct {
	// Definitions are the platform's and the core pack's, sorted by ref.
	Definitions []metadata.Definition
	// Notes explains, by ref, why a runtime of the core pack is verified by its embedded
	// definition instead of the platform's row.
	Notes map[string]string
	// Retired are the definitions that the platform has retired.
	Retired []metadata.Definition
}

// Complete completes the definitions of a platform that attune is a guest of. A runtime of
// the core pack is verified by its embedded definition if the platform's row is missing, or
// has no usable verification. It leaves out refs that the platform has retired.
// Other values of the platform's row stay.
func Complete(defs []metadata.Definition, retired []string) Completion {
	c := Completion{Definitions: slices.Clone(defs), Notes: map[string]string{}}
	for _, core := range Core().Definitions {
		i := slices.IndexFunc(c.Definitions, func(d metadata.Definition) bool { return d.Ref == core.Ref })
		switch {
		case i >= 0:
			if note := complete(&c.Definitions[i], &core); note != "" {
				c.Notes[core.Ref] = "verified by the embedded core definition: " + note
			}
		case !slices.Contains(retired, core.Ref):
			c.Definitions = append(c.Definitions, core)
			c.Notes[core.Ref] = "verified by the embedded core definition: the platform has no row of it"
		}
	}
	c.Retired = Retired(retired)
	slices.SortFunc(c.Definitions, func(a, b metadata.Definition) int { return strings.Compare(a.Ref, b.Ref) })
	return c
}

// Retired returns the definitions of retired refs. Those of the core pack have the names that they had.
func Retired(refs []string) (defs []metadata.Definition) {
	core := Core().Definitions
	for _, ref := range refs {
		d := metadata.Definition{Ref: ref}
		if i := slices.IndexFunc(core, func(d metadata.Definition) bool { return d.Ref == ref }); i >= 0 {
			d = core[i]
		}
		defs = append(defs, d)
	}
	return defs
}

// complete completes one definition with the core pack's, and returns the reason, or "" if
// nothing was missing.
func complete(d, core *metadata.Definition) (note string) {
	if d.NamesFault() != nil {
		d.Name, d.Aliases = core.Name, core.Aliases
	}
	d.Name = cmp.Or(d.Name, core.Name)
	if len(d.Aliases) == 0 {
		d.Aliases = core.Aliases
	}
	fault := errors.Join(d.Distributions.Fault(), d.ExecutionConfig.Fault())
	if fault == nil {
		fault = errors.Join(d.Distributions.Validate(), d.ExecutionConfig.Validate())
	}
	switch {
	case fault != nil:
		d.Distributions, d.ExecutionConfig = core.Distributions, core.ExecutionConfig
		first, _, _ := strings.Cut(fault.Error(), "\n")
		return "the platform's row is malformed: " + first
	case isVerifiable(d):
		return ""
	}
	d.Distributions.Verification = core.Distributions.Verification
	d.Distributions.MinVersion = cmp.Or(d.Distributions.MinVersion, core.Distributions.MinVersion)
	d.Distributions.RecommendedVersion = cmp.Or(d.Distributions.RecommendedVersion, core.Distributions.RecommendedVersion)
	if len(d.Distributions.Roles) == 0 {
		d.Distributions.Roles = core.Distributions.Roles
	}
	if d.ExecutionConfig.Interpreter == nil {
		d.ExecutionConfig.Interpreter = core.ExecutionConfig.Interpreter
	}
	return "the platform's row has no verification"
}

// isVerifiable reports whether a definition or one of its versions says how to verify it.
func isVerifiable(d *metadata.Definition) bool {
	return verifies(&d.Distributions) || slices.ContainsFunc(d.Versions, func(v metadata.VersionDefinition) bool {
		return v.Distributions.Fault() == nil && v.Distributions.Validate() == nil && verifies(&v.Distributions)
	})
}
