package detect

import (
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

// Commands are all commands of definitions as a policy knows them, those of
// their versions and locations included, with what is asked for beside them: what
// a host trusts when it trusts the definitions' pack.
func Commands(defs []metadata.Definition) []host.Command {
	var out []host.Command
	add := func(v *metadata.Verification, exec ...metadata.ExecutionConfig) {
		if v == nil {
			return
		}
		for _, c := range v.Commands {
			cmd := commandOf(v, c)
			for _, e := range exec {
				if e.Interpreter != nil && cmd.Interpreter == "" {
					cmd.Interpreter = e.Interpreter.Binary
				}
			}
			out = append(out, cmd)
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

// commandOf is a command with what its verification asks for beside it.
func commandOf(v *metadata.Verification, c metadata.Command) host.Command {
	cmd := host.Command{Binary: c.Binary, Args: c.Args, Env: v.Env}
	if f := v.VersionFile; f != nil {
		cmd.VersionFile = host.VersionFile{Path: f.Path, Pattern: f.Pattern}
	}
	return cmd
}

// StandardPolicy returns a policy of mode standard that trusts the given commands, as
// Commands returns them for definitions.
func StandardPolicy(trusted []host.Command) *host.Policy {
	policy, err := host.NewPolicy(host.PolicyConfig{Trusted: trusted})
	if err != nil {
		panic(err) // there is no mode and no rule that could be wrong
	}
	return policy
}
