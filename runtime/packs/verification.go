package packs

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

// verifications yields the verifications of a definition and its versions, by pointer.
func verifications(def *metadata.Definition) iter.Seq2[string, *metadata.Verification] {
	return func(yield func(string, *metadata.Verification) bool) {
		const at = "/distributions/verification"
		if v := def.Distributions.Verification; v != nil && !yield(at, v) {
			return
		}
		for i := range def.Versions {
			if v := def.Versions[i].Distributions.Verification; v != nil && !yield("/versions/"+strconv.Itoa(i)+at, v) {
				return
			}
		}
	}
}

// refusedEnv warns about variables that no host passes to a command.
func (l *loader) refusedEnv(d *loadedDefinition, at string, v *metadata.Verification) {
	for i, name := range v.Env {
		if why := host.RefusedEnv(name); why != "" {
			l.value(d, Warning, at+"/env/"+strconv.Itoa(i), fmt.Sprintf("no host passes %s to a command: %s", name, why))
		}
	}
}

// backspace warns about an expression with \b in double quotes: there YAML reads it as a
// backspace and not as the boundary of a word.
func (l *loader) backspace(d *loadedDefinition, at string, v *metadata.Verification) {
	for i, c := range v.Commands {
		for key, text := range map[string]string{"/pattern": c.Pattern, "/version_pattern": c.VersionPattern} {
			if strings.Contains(text, "\b") {
				l.value(d, Warning, at+"/commands/"+strconv.Itoa(i)+key,
					`contains a backspace: in double quotes \b is one; write it in single quotes`)
			}
		}
	}
}

// allVersions warns about all_versions without the expression whose matches it means.
func (l *loader) allVersions(d *loadedDefinition, at string, v *metadata.Verification) {
	for i, c := range v.Commands {
		if c.AllVersions && c.VersionPattern == "" {
			l.value(d, Warning, at+"/commands/"+strconv.Itoa(i)+"/all_versions",
				"has no effect without version_pattern, whose matches would be the installations")
		}
	}
}

// standardMode notes what a host in standard mode refuses of a pack that it does not
// trust.
func (l *loader) standardMode() {
	var trusted []host.Command
	core := Core()
	for i := range core.Definitions {
		for _, v := range verifications(&core.Definitions[i]) {
			for _, c := range v.Commands {
				trusted = append(trusted, host.Command{Binary: c.Binary, Args: c.Args})
			}
		}
	}
	policy, err := host.NewPolicy(host.PolicyConfig{Trusted: trusted})
	if err != nil {
		panic(err) // it has no mode and no rule that could be wrong
	}
	for _, d := range l.loaded {
		if d.failed {
			continue
		}
		for at, v := range verifications(&d.def) {
			l.refusedOf(d, at, v, policy)
		}
	}
}

// refusedOf notes what a policy refuses of one verification.
func (l *loader) refusedOf(d *loadedDefinition, at string, v *metadata.Verification, policy *host.Policy) {
	const trust = "unless policy.trusted_packs has this pack or policy."
	note := func(pointer, format string, args ...any) {
		l.value(d, Note, at+pointer, "refused in standard mode "+trust+fmt.Sprintf(format, args...))
	}
	for i, c := range v.Commands {
		if decision := policy.Consider(host.Command{Binary: c.Binary, Args: c.Args}); !decision.Allowed {
			note("/commands/"+strconv.Itoa(i), "allow has %q", decision.Allow)
		}
	}
	for i, name := range v.Env {
		if host.RefusedEnv(name) == "" {
			note("/env/"+strconv.Itoa(i), "env has %s", name)
		}
	}
	if v.VersionFile != nil {
		l.value(d, Note, at+"/version_file", "not read in standard mode unless policy.trusted_packs has this pack")
	}
}
