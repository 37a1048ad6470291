package placement

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// Evaluate holds a worker against a requirement. It returns every reason that holds, in the
// order of requirement.Kinds; those about runtimes are in the order of the requirement.
func Evaluate(r *Requirement, f *Facts) Verdict {
	e := evaluation{r: r, f: f, v: Verdict{
		Worker: f.Worker, Name: f.Name, Role: f.Role, Weight: r.Weight(f.Labels, f.Taints), Free: free(f),
		spread: f.Spread, slots: slots(f), wanted: r.SlotsOrDefault(), distance: satisfied,
	}}
	e.standing()
	e.taints()
	e.labels()
	if !f.NeverReported {
		for _, runtime := range r.Runtimes {
			e.runtime(runtime)
		}
	}
	e.busy()
	return e.v
}

// Fits reports whether a worker satisfies a requirement. It does what Evaluate does without
// collecting reasons, and so takes a fraction of the time.
func Fits(r *Requirement, f *Facts) bool {
	if !f.Role.Satisfies(r.Role) || f.Status != statusActive || f.Stale || f.NeverReported || f.Cordoned || free(f) < r.SlotsOrDefault() {
		return false
	}
	for key, value := range r.Selector {
		if have, ok := f.Labels[key]; !ok || have != value {
			return false
		}
	}
	for _, taint := range f.Taints {
		if taint.Effect == requirement.NoSchedule && !r.Tolerates(taint) {
			return false
		}
	}
	matches := func(t requirement.Term) bool { return t.Matches(f.Labels) }
	if required := r.Affinity.Required; len(required) > 0 && !slices.ContainsFunc(required, matches) {
		return false
	}
	if slices.ContainsFunc(r.Affinity.Anti, matches) {
		return false
	}
	for _, wanted := range r.Runtimes {
		satisfies := func(i Installation) bool {
			return i.Ref == wanted.Name && !(r.Verified && i.Declared) &&
				(wanted.Constraint == nil || wanted.Constraint.Match(i.Version, r.Prereleases))
		}
		if !slices.ContainsFunc(f.Installations, satisfies) {
			return false
		}
	}
	return true
}

var satisfied = version.Distance{Depth: math.MaxInt}

type evaluation struct {
	r *Requirement
	f *Facts
	v Verdict
}

func (e *evaluation) add(kind requirement.Kind, ref, wanted, actual string) {
	e.v.Reasons = append(e.v.Reasons, requirement.NewReason(kind, ref, wanted, actual))
}

func (e *evaluation) standing() {
	if !e.f.Role.Satisfies(e.r.Role) {
		e.add(requirement.WrongRole, "", string(e.r.Role), string(e.f.Role))
	}
	switch {
	case e.f.Status != statusActive && e.f.Status != statusBusy:
		e.add(requirement.Inactive, "", statusActive, cmp.Or(e.f.Status, "no status"))
	case e.f.Stale:
		e.add(requirement.Stale, "", "a heartbeat", "missed three heartbeats")
	}
	if e.f.NeverReported {
		e.add(requirement.NeverReported, "", "a report", "never reported")
	}
	if e.f.Cordoned {
		e.add(requirement.Cordoned, "", "not cordoned", cmp.Or(e.f.CordonReason, "cordoned"))
	}
}

// taints adds one reason for each key, because a toleration of the key would help.
func (e *evaluation) taints() {
	actual := map[string][]string{}
	for _, taint := range e.f.Taints {
		if taint.Effect == requirement.NoSchedule && !e.r.Tolerates(taint) {
			actual[taint.Key] = append(actual[taint.Key], taint.String())
		}
	}
	for _, key := range slices.Sorted(maps.Keys(actual)) {
		slices.Sort(actual[key])
		e.add(requirement.Tainted, "", "toleration of "+key, strings.Join(slices.Compact(actual[key]), ", "))
	}
}

func (e *evaluation) labels() {
	for _, key := range slices.Sorted(maps.Keys(e.r.Selector)) {
		want := e.r.Selector[key]
		if have, ok := e.f.Labels[key]; !ok || have != want {
			e.add(requirement.NotSelected, "", key+"="+want, e.label(key))
		}
	}
	required := e.r.Affinity.Required
	if len(required) > 0 && !slices.ContainsFunc(required, func(t requirement.Term) bool { return t.Matches(e.f.Labels) }) {
		var words []string
		for _, t := range required {
			words = append(words, t.String())
		}
		e.add(requirement.NotAffine, "", strings.Join(words, " or "), e.labelsOf(required...))
	}
	for _, t := range e.r.Affinity.Anti {
		if t.Matches(e.f.Labels) {
			e.add(requirement.NotAffine, "", "not ("+t.String()+")", e.labelsOf(t))
		}
	}
}

func (e *evaluation) label(key string) string {
	if have, ok := e.f.Labels[key]; ok {
		return key + "=" + have
	}
	return "no label " + key
}

func (e *evaluation) labelsOf(terms ...requirement.Term) string {
	var have []string
	for _, key := range requirement.Keys(terms...) {
		have = append(have, e.label(key))
	}
	return strings.Join(have, ", ")
}

func (e *evaluation) busy() {
	wanted := e.r.SlotsOrDefault()
	switch {
	case e.f.Status == statusBusy:
		e.add(requirement.Busy, "", freeSlots(wanted), statusBusy)
	case free(e.f) < wanted:
		e.add(requirement.Busy, "", freeSlots(wanted), fmt.Sprintf("%d of %d free", free(e.f), slots(e.f)))
	}
}

func freeSlots(n int) string {
	if n == 1 {
		return "1 free slot"
	}
	return fmt.Sprintf("%d free slots", n)
}

// runtime chooses the installation that comes nearest to what is needed, and adds its reasons.
func (e *evaluation) runtime(wanted requirement.Runtime) {
	var best *candidate
	for i := range e.f.Installations {
		if e.f.Installations[i].Ref == wanted.Name {
			c := judge(e.r, wanted, &e.f.Installations[i])
			if best == nil || c.compare(best) < 0 {
				best = c
			}
		}
	}
	switch {
	case best != nil:
		e.installation(wanted, best)
	case slices.Contains(e.f.Unknown, wanted.Name):
		e.add(requirement.RuntimeUnknown, wanted.Name, wanted.Wanted(), "could not be determined")
	case slices.Contains(e.f.NotReported, wanted.Name):
		e.add(requirement.RuntimeUnknown, wanted.Name, wanted.Wanted(), "not in its last report")
	default:
		e.add(requirement.RuntimeAbsent, wanted.Name, wanted.Wanted(), e.absent(wanted.Name))
	}
}

// absent returns the state of a missing runtime in words, with the version that was there before.
func (e *evaluation) absent(ref string) string {
	switch last, ok := e.f.Lost[ref]; {
	case !ok:
		return "absent"
	case last == "":
		return "absent; it was there before"
	default:
		return "absent; " + last + " was there before"
	}
}

func (e *evaluation) installation(wanted requirement.Runtime, c *candidate) {
	v := c.installation.Version
	if c.kind != "" {
		e.add(c.kind, wanted.Name, wanted.Wanted(), cmp.Or(v.String(), "unknown version"))
	}
	if c.declared {
		e.add(requirement.DeclaredOnly, wanted.Name, "verified", strings.TrimSpace("declared "+v.String()))
	}
	if c.kind == requirement.WrongVersion && c.distance.Compare(e.v.distance) > 0 {
		e.v.distance = c.distance
	}
	if c.kind == "" && !c.declared {
		if len(e.v.Runtimes) == 0 {
			e.v.key = v.Key()
		}
		e.v.Runtimes = append(e.v.Runtimes, Choice{Ref: wanted.Name, Version: v.String(), Path: c.installation.Path})
	}
}

// A candidate is an installation held against what is wanted of its runtime.
type candidate struct {
	installation *Installation
	// kind is why the version does not satisfy, or empty.
	kind requirement.Kind
	// declared reports that the requirement wants a verified installation, and this one is declared.
	declared bool
	distance version.Distance
}

func judge(r *Requirement, wanted requirement.Runtime, i *Installation) *candidate {
	c := &candidate{installation: i, declared: r.Verified && i.Declared}
	switch {
	case wanted.Constraint == nil || wanted.Constraint.Match(i.Version, r.Prereleases):
	case i.Version == version.Version{}:
		c.kind = requirement.VersionUnknown
	case wanted.Constraint.Match(i.Version, true):
		c.kind = requirement.Prerelease
	default:
		c.kind = requirement.WrongVersion
		c.distance = wanted.Constraint.Distance(i.Version)
	}
	return c
}

// nearness orders what may be wrong with a version, the easiest to mend first.
var nearness = []requirement.Kind{"", requirement.Prerelease, requirement.VersionUnknown, requirement.WrongVersion}

// compare orders candidates: by the number of reasons, then a declared one before one of
// another version, then by distance, then the newest version, then the path.
func (c *candidate) compare(o *candidate) int {
	return cmp.Or(
		cmp.Compare(c.reasons(), o.reasons()),
		cmp.Compare(slices.Index(nearness, c.kind), slices.Index(nearness, o.kind)),
		c.distance.Compare(o.distance),
		o.installation.Version.Compare(c.installation.Version),
		cmp.Compare(c.installation.Path, o.installation.Path))
}

func (c *candidate) reasons() (n int) {
	if c.kind != "" {
		n++
	}
	if c.declared {
		n++
	}
	return n
}
