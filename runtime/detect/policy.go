package detect

import (
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

// Commands are all commands of definitions as a policy knows them, those of
// their versions and locations included: what a host trusts when it trusts the
// definitions' pack.
func Commands(defs []metadata.Definition) []host.Command {
	var out []host.Command
	add := func(v *metadata.Verification) {
		if v == nil {
			return
		}
		for _, c := range v.Commands {
			out = append(out, host.Command{Binary: c.Binary, Args: c.Args})
			for _, location := range v.Locations {
				out = append(out, host.Command{Binary: c.Binary, Args: c.Args, Location: location})
			}
		}
	}
	for i := range defs {
		add(defs[i].Distributions.Verification)
		for j := range defs[i].Versions {
			add(defs[i].Versions[j].Distributions.Verification)
		}
	}
	return out
}

// StandardPolicy is the policy of a host whose owner says nothing beyond which
// commands he trusts: those of the packs that his program comes with.
func StandardPolicy(trusted []host.Command) *host.Policy {
	policy, err := host.NewPolicy(host.PolicyConfig{Trusted: trusted})
	if err != nil {
		panic(err) // there is no mode and no rule that could be wrong
	}
	return policy
}

// defaultPolicy trusts the embedded core pack, which is read for it: a generated
// detector brings its commands with it, and never comes here.
func defaultPolicy() *host.Policy { return StandardPolicy(Commands(packs.Core().Definitions)) }
