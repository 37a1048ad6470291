package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// A HelpKind is a kind of change that would make workers fit.
type HelpKind string

// The kinds of help.
const (
	// Install a runtime, or a version of it, on a host.
	Install HelpKind = "install"
	// Relax the constraint of a runtime.
	Relax HelpKind = "relax"
	// AllowPrereleases and AcceptDeclared ask for less of an installation.
	AllowPrereleases HelpKind = "prereleases"
	AcceptDeclared   HelpKind = "declared"
	Uncordon         HelpKind = "uncordon"
	Tolerate         HelpKind = "tolerate"
	// LeaveOut removes a label from the selector, or terms of affinity.
	LeaveOut HelpKind = "leave_out"
	// Refresh makes workers verify again.
	Refresh HelpKind = "refresh"
	// Start the service of a worker.
	Start HelpKind = "start"
	// Wait until a worker has free slots or sends its heartbeat.
	Wait HelpKind = "wait"
	// Several changes are needed together.
	Several HelpKind = "several"
)

// A Help is a change that would make workers fit.
type Help struct {
	Kind HelpKind `json:"kind"`
	// Workers is how many workers would fit then in addition, at least.
	Workers int `json:"workers"`
	// Text describes the change.
	Text string `json:"text"`
	// Command is the command line for it, or for the relaxed requirement. It is empty if
	// attune has none.
	Command string `json:"command,omitempty"`
}

// Suggest returns what would help the workers of the groups. Each help is a single change that
// suffices for its workers. If every worker needs several changes, there is one help: all changes
// that the first group needs.
//
// Workers that are only busy or cordoned come first, because they have everything. Then nothing is
// to be installed. Otherwise the most workers come first.
func Suggest(r *Requirement, groups []Group) []Help {
	var ready, helps []Help
	for i := range groups {
		switch g := &groups[i]; {
		case isReady(g) && len(g.Reasons) == 1:
			ready = append(ready, suggest(r, g, g.Reasons[0])...)
		case isReady(g):
			ready = append(ready, several(r, g)...)
		case needsOneChange(g):
			helps = merge(helps, suggest(r, g, g.Reasons[0]))
		}
	}
	switch {
	case len(ready) > 0:
		helps = slices.DeleteFunc(helps, func(h Help) bool { return h.Kind == Install })
	case len(helps) == 0 && len(groups) > 0:
		helps = several(r, &groups[0])
	}
	for _, list := range [][]Help{ready, helps} {
		slices.SortStableFunc(list, func(a, b Help) int { return cmp.Compare(b.Workers, a.Workers) })
	}
	return append(ready, helps...)
}

// isReady reports whether the workers of a group would fit if they were free and not cordoned, and some have
// enough slots for that.
func isReady(g *Group) bool {
	for _, reason := range g.Reasons {
		if reason.Kind != requirement.Cordoned && (reason.Kind != requirement.Busy || g.waiting.enough.n == 0) {
			return false
		}
	}
	return true
}

// needsOneChange reports whether one change suffices for the workers of a group.
func needsOneChange(g *Group) bool {
	first := g.Reasons[0].Kind
	for _, reason := range g.Reasons[1:] {
		if reason.Kind != first || first != requirement.Prerelease && first != requirement.DeclaredOnly {
			return false
		}
	}
	return true
}

// merge appends helps. Those that change the whole requirement alike become one.
func merge(helps, more []Help) []Help {
	for _, h := range more {
		i := slices.IndexFunc(helps, func(o Help) bool { return o.Text == h.Text })
		if i >= 0 {
			helps[i].Workers += h.Workers
		} else {
			helps = append(helps, h)
		}
	}
	return helps
}

// several joins what each reason of a group needs.
func several(r *Requirement, g *Group) []Help {
	var texts []string
	workers := g.Hosts
	for _, reason := range g.Reasons {
		one := suggest(r, g, reason)
		if len(one) == 0 {
			one = awaitFewer(g, reason)
		}
		if len(one) == 0 {
			return nil // nothing helps against one of the reasons
		}
		texts = append(texts, one[0].Text)
		workers = min(workers, one[0].Workers)
	}
	if len(texts) == 0 {
		return nil
	}
	return []Help{{Kind: Several, Workers: workers, Text: strings.Join(texts, ", and ")}}
}

// suggest returns what would help the workers of a group against one of its reasons.
func suggest(r *Requirement, g *Group, reason Reason) []Help {
	one := Help{Workers: g.Hosts}
	name := g.Nearest.Name
	relaxed := clone(r)
	switch reason.Kind {
	case requirement.Inactive:
		one.Kind, one.Text = Start, "start the service on "+others(name, g.Hosts)
	case requirement.Stale:
		one.Kind, one.Text = Wait, "see why "+others(name, g.Hosts)+" sent no heartbeat"
		one.Command = command("attune", "workers", "show", name)
	case requirement.NeverReported:
		one.Kind, one.Text = Start, "start the service on "+others(name, g.Hosts)+", which never reported"
	case requirement.Cordoned:
		one.Kind, one.Text = Uncordon, "uncordon "+others(name, g.Hosts)
		one.Command = command("attune", "workers", "uncordon", name)
	case requirement.Tainted:
		key := strings.TrimPrefix(reason.Wanted, "toleration of ")
		relaxed.Tolerations = append(relaxed.Tolerations, requirement.Toleration{Key: key, Operator: requirement.TolerateExists})
		one.Kind, one.Text, one.Command = Tolerate, "tolerate the taint "+key, Command(&relaxed)
	case requirement.NotSelected:
		key, _, _ := strings.Cut(reason.Wanted, "=")
		for k, v := range r.Selector {
			if k+"="+v == reason.Wanted {
				key = k
			}
		}
		delete(relaxed.Selector, key)
		one.Kind, one.Text, one.Command = LeaveOut, "leave out the label "+reason.Wanted, Command(&relaxed)
	case requirement.NotAffine:
		one.Kind, one.Text = LeaveOut, "leave out the affinity "+reason.Wanted
	case requirement.RuntimeAbsent:
		if impossible(r, reason.Runtime) {
			return nil
		}
		one.Kind, one.Text = Install, "install "+wantedRuntime(reason)+" on "+others(name, g.Hosts)
	case requirement.RuntimeUnknown, requirement.VersionUnknown:
		one.Kind, one.Text = Refresh, "verify "+reason.Runtime+" again on "+others(name, g.Hosts)
		one.Command = command("attune", "workers", "refresh", name)
	case requirement.WrongVersion:
		install := Help{Kind: Install, Workers: g.Hosts, Text: "install " + wantedRuntime(reason) + " on " + others(name, g.Hosts)}
		if relax, ok := relax(r, g, reason); ok {
			if impossible(r, reason.Runtime) {
				return []Help{relax}
			}
			return []Help{relax, install}
		}
		if impossible(r, reason.Runtime) {
			return nil
		}
		return []Help{install}
	case requirement.Prerelease:
		relaxed.Prereleases = true
		one.Kind, one.Text, one.Command = AllowPrereleases, "let pre-releases satisfy constraints", Command(&relaxed)
	case requirement.DeclaredOnly:
		relaxed.Verified = false
		one.Kind, one.Text, one.Command = AcceptDeclared, "accept what is only declared", Command(&relaxed)
	case requirement.Busy:
		return await(r, g, reason)
	default:
		return nil // a worker keeps its role
	}
	return []Help{one}
}

// await advises to wait for the busy workers that have enough slots, and to ask the others for fewer slots.
func await(r *Requirement, g *Group, reason Reason) (helps []Help) {
	if w := g.waiting.enough; w.n > 0 {
		helps = append(helps, Help{Kind: Wait, Workers: w.n, Text: "wait until " + oneOf(w) + " has " + reason.Wanted})
	}
	if n := g.waiting.most; n > 0 {
		relaxed := clone(r)
		relaxed.Slots = n
		helps = append(helps, Help{
			Kind: Relax, Workers: g.waiting.hosts, Text: "ask for " + freeSlots(n) + " in place of " + reason.Wanted, Command: Command(&relaxed),
		})
	}
	return helps
}

// awaitFewer returns for which workers to wait that have fewer slots than wanted, and how many to ask for.
func awaitFewer(g *Group, reason Reason) []Help {
	w := g.waiting.full
	if reason.Kind != requirement.Busy || w.n == 0 {
		return nil
	}
	slots := freeSlots(g.waiting.slots)
	text := "ask for " + slots + " in place of " + reason.Wanted + ", and wait until " + oneOf(w) + " has " + slots
	return []Help{{Workers: w.n, Text: text}}
}

// oneOf names the first of some workers and counts the others, where one of them is enough.
func oneOf(workers counted) string {
	names := workers.names
	if more := workers.n - len(names); more > 0 {
		names = append(slices.Clone(names), fmt.Sprintf("one of %d more workers", more))
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// impossible reports whether no version satisfies the constraint of a runtime.
func impossible(r *Requirement, ref string) bool {
	return slices.ContainsFunc(r.Runtimes, func(rt requirement.Runtime) bool {
		return rt.Name == ref && rt.Constraint != nil && len(rt.Constraint.Ranges(true)) == 0
	})
}

// others names a worker and counts the further ones.
func others(name string, hosts int) string {
	switch hosts {
	case 1:
		return name
	case 2:
		return name + " or one more worker"
	}
	return fmt.Sprintf("%s or %d more workers", name, hosts-1)
}

func wantedRuntime(reason Reason) string {
	if reason.Wanted == "*" {
		return reason.Runtime
	}
	return reason.Runtime + " " + reason.Wanted
}

// relax widens the constraint of a runtime to the minor version that most workers of the group
// have.
func relax(r *Requirement, g *Group, reason Reason) (Help, bool) {
	i := slices.IndexFunc(r.Runtimes, func(rt requirement.Runtime) bool { return rt.Name == reason.Runtime })
	if i < 0 || len(g.Versions) == 0 {
		return Help{}, false
	}
	minor, ok := mostFrequent(g.Versions)
	if !ok {
		return Help{}, false
	}
	wider, err := requirement.ParseConstraint(widened(r.Runtimes[i].Constraint, minor))
	if err != nil || wider == nil {
		return Help{}, false
	}
	relaxed := clone(r)
	relaxed.Runtimes[i].Constraint = wider
	workers := 0
	for _, v := range g.Versions {
		if wider.Match(v.parsed, r.Prereleases) {
			workers += v.Hosts
		}
	}
	return Help{
		Kind: Relax, Workers: workers, Command: Command(&relaxed),
		Text: fmt.Sprintf("relax %s to %s", reason.Runtime, wider),
	}, workers > 0
}

// mostFrequent returns the first two numbers that most workers have in their version; among
// equals, the newest.
func mostFrequent(versions []VersionCount) (minor string, ok bool) {
	counts := map[string]int{}
	newest := map[string]version.Version{}
	for _, v := range versions {
		if v.parsed.IsPrerelease() {
			continue
		}
		parts := strings.SplitN(v.Version, ".", 3)
		key := parts[0] + "." + parts[1]
		counts[key] += v.Hosts
		if v.parsed.Compare(newest[key]) > 0 {
			newest[key] = v.parsed
		}
	}
	for key, hosts := range counts {
		if !ok || hosts > counts[minor] || hosts == counts[minor] && newest[key].Compare(newest[minor]) > 0 {
			minor, ok = key, true
		}
	}
	return minor, ok
}

// widened returns a constraint that also accepts a minor version. A constraint with nothing but
// a lower bound gets a lower one.
func widened(c *version.Constraint, minor string) string {
	ranges := c.Ranges(true)
	lowest, err := version.Parse(minor + ".0")
	if err == nil && len(ranges) == 1 && ranges[0].To == "" && lowest.Key() < ranges[0].From {
		return ">=" + minor
	}
	return c.String() + " || " + minor
}

// clone returns a requirement whose runtimes, selector and tolerations can be changed.
func clone(r *Requirement) Requirement {
	c := *r
	c.Runtimes = slices.Clone(r.Runtimes)
	c.Tolerations = slices.Clone(r.Tolerations)
	c.Selector = make(map[string]string, len(r.Selector))
	for k, v := range r.Selector {
		c.Selector[k] = v
	}
	return c
}
