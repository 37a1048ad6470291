package detect

import (
	"errors"
	"fmt"
	"strings"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// ErrUnknownName says that a name means no runtime, or none of the role.
var ErrUnknownName = errors.New("no runtime of this name")

// declaration is a list of runtimes that somebody wrote down.
type declaration struct {
	source capability.Source
	// where it is written, for messages.
	where string
	names []string
}

// declaration is the environment's, else the config file's; not ok is neither,
// and the host is verified.
func (d *Detector) declaration() (decl declaration, ok bool) {
	variable := EnvironmentVariable(d.cfg.Role)
	if names, ok := parseNames(d.cfg.Getenv(variable)); ok {
		return declaration{capability.SourceEnvironment, variable, names}, true
	}
	if d.cfg.Declared != nil {
		return declaration{capability.SourceConfig, string(d.cfg.Role) + ".capabilities.runtimes", d.cfg.Declared}, true
	}
	return declaration{}, false
}

// parseNames reads a comma-separated list. Blank is unset (not ok), and "none"
// alone is the empty list.
func parseNames(list string) (names []string, ok bool) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 1 && strings.EqualFold(names[0], "none") {
		return nil, true
	}
	return names, len(names) > 0
}

// declaredName is one runtime of a declaration.
type declaredName struct {
	// name is the capability name; of an unknown runtime what was written.
	name string
	// def is nil where no definition has the name.
	def     *definition
	warning string
}

// resolve finds the definitions that a declaration means, each once. A name
// that is unknown, or of a runtime that is not for the role, gets a warning; it
// is an error under Config.Strict.
func (d *Detector) resolve(decl declaration) ([]declaredName, error) {
	var out []declaredName
	var wrong []error
	seen := map[string]bool{}
	for _, written := range decl.names {
		written = strings.TrimSpace(written)
		name := declaredName{name: written}
		key := "name " + strings.ToLower(written)
		if meta, ok := d.index.Resolve(written); ok {
			name.def = d.byRef[meta.Ref]
			name.name, key = name.def.name, "ref "+meta.Ref
		}
		if written == "" || seen[key] {
			continue
		}
		seen[key] = true
		switch {
		case name.def == nil:
			name.warning = fmt.Sprintf("%s names %q, and no definition has that name%s", decl.where, written, d.didYouMean(written))
		case !name.def.HasRole(d.cfg.Role):
			name.warning = fmt.Sprintf("%s names %q, and %s is not for the role %s", decl.where, written, name.def.Ref, d.cfg.Role)
		}
		if name.warning != "" && d.cfg.Strict {
			wrong = append(wrong, fmt.Errorf("%w: %s", ErrUnknownName, name.warning))
		}
		out = append(out, name)
	}
	return out, errors.Join(wrong...)
}

// didYouMean is the end of a message about an unknown name: the name that is
// like it, or nothing.
func (d *Detector) didYouMean(name string) string {
	var known []string
	for _, def := range d.defs {
		known = append(known, def.Ref, def.name)
		if def.Aliases.Fault() == nil {
			known = append(known, def.Aliases...)
		}
	}
	if near := metadata.Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// declare takes a declaration as written.
func declare(c *capability.Document, names []declaredName) {
	for _, n := range names {
		in := capability.Installation{Name: n.name, Outcome: capability.Available, Source: capability.Declared}
		if n.def != nil {
			in.Ref = n.def.Ref
		}
		if n.warning != "" {
			in.Warnings = []string{n.warning}
		}
		c.Detected = append(c.Detected, in)
	}
}

// restrict is the definitions of a declaration that is to be verified. A name
// without a definition cannot be.
func restrict(c *capability.Document, names []declaredName) []*definition {
	var defs []*definition
	for _, n := range names {
		if n.warning != "" {
			c.Warnings = append(c.Warnings, n.warning)
		}
		if n.def != nil {
			defs = append(defs, n.def)
			continue
		}
		c.Undetected = append(c.Undetected, capability.Absence{
			Name: n.name, Outcome: capability.NoVerification, Detail: "no definition has this name",
			Hint: "correct the name, or load the pack that defines it",
		})
	}
	return defs
}
