package detect

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// ErrUnknownName is wrapped by errors about a name that no definition, or none of the
// role, has.
var ErrUnknownName = errors.New("no runtime of this name")

// A declaration is the list of runtimes in a variable or the config file.
type declaration struct {
	source capability.Source
	// where names the variable or key for messages.
	where string
	names []string
}

// declaration returns the environment's declaration, or else the config file's. ok is
// false if there is neither.
func (d *Detector) declaration() (decl declaration, ok bool) {
	variable := EnvironmentVariable(d.cfg.Role)
	if names, ok := parseNames(d.cfg.Getenv(variable)); ok {
		return declaration{capability.SourceEnvironment, variable, names}, true
	}
	if d.cfg.Declared != nil {
		where := cmp.Or(d.cfg.DeclaredAt, string(d.cfg.Role)+".capabilities.runtimes")
		return declaration{capability.SourceConfig, where, d.cfg.Declared}, true
	}
	return declaration{}, false
}

// parseNames parses a comma-separated list. ok is false for a blank list. "none" alone is
// the empty list.
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

// A declaredName is one runtime of a declaration.
type declaredName struct {
	// name is the capability name, or the written name of an unknown runtime.
	name string
	// def is nil if no definition has the name.
	def     *definition
	warning string
}

// resolve returns the runtimes of a declaration, each once. An unknown name, or one of
// another role, causes a warning, or an error under Config.Strict.
func (d *Detector) resolve(decl declaration) ([]declaredName, error) {
	var out []declaredName
	var errs []error
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
			errs = append(errs, fmt.Errorf("%w: %s", ErrUnknownName, name.warning))
		}
		out = append(out, name)
	}
	return out, errors.Join(errs...)
}

// didYouMean returns the end of a message about an unknown name: the nearest known name,
// or nothing.
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

// declare adds the runtimes of a declaration to a document without verifying them.
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

// restrict returns the definitions of a declaration. It adds unknown names to the
// document as undetected.
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
