package detect

import (
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

// Commands returns all commands of definitions for host.PolicyConfig.Trusted. They
// include the commands of versions and locations, with variables, version files and
// interpreters.
func Commands(defs []metadata.Definition) []host.Command {
	var out []host.Command
	add := func(v *metadata.Verification, exec ...metadata.ExecutionConfig) {
		if v == nil {
			return
		}
		for _, c := range v.Commands {
			cmd := commandOf(v, c)
			cmd.Versioned = c.VersionedNames
			for _, e := range exec {
				if e.Interpreter != nil && cmd.Interpreter == "" {
					cmd.Interpreter = e.Interpreter.Binary
				}
			}
			out = append(out, cmd)
			cmd.Versioned = false
			for _, cmd.Location = range v.Locations {
				out = append(out, cmd)
			}
		}
	}
	for i := range defs {
		add(defs[i].Distributions.Verification, defs[i].ExecutionConfig)
		for j := range defs[i].Versions {
			v := &defs[i].Versions[j]
			add(v.Distributions.Verification, v.ExecutionConfig, defs[i].ExecutionConfig)
		}
	}
	return out
}

// commandOf returns a command with its patterns, and its verification's variables and version
// file.
func commandOf(v *metadata.Verification, c metadata.Command) host.Command {
	cmd := host.Command{Binary: c.Binary, Args: c.Args, Env: v.Env, Patterns: []string{c.Pattern, c.VersionPattern}}
	if f := v.VersionFile; f != nil {
		cmd.VersionFile = host.VersionFile{Path: f.Path, Pattern: f.Pattern}
	}
	return cmd
}

// StandardPolicy returns a policy of mode standard that trusts the given commands.
// Commands returns the commands of definitions.
func StandardPolicy(trusted []host.Command) *host.Policy {
	policy, err := host.NewPolicy(host.PolicyConfig{Trusted: trusted})
	if err != nil {
		panic(err) // cannot happen: the config has neither a mode nor rules
	}
	return policy
}
