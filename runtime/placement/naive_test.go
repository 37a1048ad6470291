package placement_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// The naive evaluator shares no code with the package: versions are numbers, constraints are
// lists of comparisons, reasons are lines of text.

type naiveVersion struct {
	n   [3]int
	pre string
}

func (v naiveVersion) String() string {
	s := fmt.Sprintf("%d.%d.%d", v.n[0], v.n[1], v.n[2])
	if v.pre != "" {
		s += "-" + v.pre
	}
	return s
}

// less compares full versions; a pre-release is below its release.
func (v naiveVersion) less(o naiveVersion) bool {
	if v.n != o.n {
		return slices.Compare(v.n[:], o.n[:]) < 0
	}
	return v.pre != o.pre && (o.pre == "" || v.pre != "" && v.pre < o.pre)
}

// A naiveTerm is an operator with one to three numbers.
type naiveTerm struct {
	op  string // >=, <, or empty
	n   []int
	pre string
}

func (t naiveTerm) String() string {
	var parts []string
	for _, n := range t.n {
		parts = append(parts, strconv.Itoa(n))
	}
	s := t.op + strings.Join(parts, ".")
	if t.pre != "" {
		s += "-" + t.pre
	}
	return s
}

func (t naiveTerm) match(v naiveVersion) bool {
	c := slices.Compare(v.n[:len(t.n)], t.n)
	if len(t.n) == 3 && c == 0 {
		full := naiveVersion{n: [3]int(t.n), pre: t.pre}
		switch {
		case v.less(full):
			c = -1
		case full.less(v):
			c = 1
		}
	}
	switch t.op {
	case ">=":
		return c >= 0
	case "<":
		return c < 0
	}
	return c == 0
}

// A naiveConstraint is a list of alternatives. Nil accepts everything.
type naiveConstraint [][]naiveTerm

func (c naiveConstraint) String() string {
	var alternatives []string
	for _, terms := range c {
		var parts []string
		for _, t := range terms {
			parts = append(parts, t.String())
		}
		alternatives = append(alternatives, strings.Join(parts, ","))
	}
	if len(alternatives) == 0 {
		return "*"
	}
	return strings.Join(alternatives, " || ")
}

func (c naiveConstraint) match(v naiveVersion, prereleases bool) bool {
	for _, terms := range c {
		all, named := true, false
		for _, t := range terms {
			all = all && t.match(v)
			named = named || t.pre != "" && [3]int(t.n) == v.n
		}
		if all && (v.pre == "" || prereleases || named) {
			return true
		}
	}
	return len(c) == 0
}

// An interval has a fourth number, which ends an interval right behind a full version.
type interval struct{ from, to [4]int }

var most = [4]int{1 << 30}

// bounds returns the numbers at which acceptance begins and ends.
func (c naiveConstraint) bounds() (out [][4]int) {
	var all []interval
	for _, terms := range c {
		one := interval{to: most}
		for _, t := range terms {
			var low, next [4]int
			copy(low[:], t.n)
			copy(next[:], t.n)
			if len(t.n) == 3 {
				next[3] = 1
			} else {
				next[len(t.n)-1]++
			}
			switch {
			case t.op == ">=" && slices.Compare(low[:], one.from[:]) > 0:
				one.from = low
			case t.op == "<" && slices.Compare(low[:], one.to[:]) < 0:
				one.to = low
			case t.op == "":
				if slices.Compare(low[:], one.from[:]) > 0 {
					one.from = low
				}
				if slices.Compare(next[:], one.to[:]) < 0 {
					one.to = next
				}
			}
		}
		if slices.Compare(one.from[:], one.to[:]) < 0 {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b interval) int { return slices.Compare(a.from[:], b.from[:]) })
	var merged []interval
	for _, i := range all {
		if n := len(merged); n > 0 && slices.Compare(i.from[:], merged[n-1].to[:]) <= 0 {
			if slices.Compare(i.to[:], merged[n-1].to[:]) > 0 {
				merged[n-1].to = i.to
			}
			continue
		}
		merged = append(merged, i)
	}
	for _, i := range merged {
		if i.from != ([4]int{}) {
			out = append(out, i.from)
		}
		if i.to != most {
			out = append(out, i.to)
		}
	}
	return out
}

// distance returns a number that grows with the distance.
func (c naiveConstraint) distance(v naiveVersion) int {
	least := 1 << 30
	for _, b := range c.bounds() {
		d := 0
		for i, weight := range []int{1_000_000, 1_000, 1} {
			if v.n[i] != b[i] {
				d = weight * max(v.n[i]-b[i], b[i]-v.n[i])
				break
			}
		}
		least = min(least, d)
	}
	return least
}

type naiveInstallation struct {
	ref      string
	version  *naiveVersion
	path     string
	declared bool
}

type naiveRuntime struct {
	ref        string
	constraint naiveConstraint
}

type naiveRequirement struct {
	requirement.Requirement // all but Runtimes is read from it

	runtimes []naiveRuntime
}

type naiveWorker struct {
	placement.Facts // all but Installations is read from it

	installations []naiveInstallation
}

func (w *naiveWorker) facts() placement.Facts {
	f := w.Facts
	f.Installations = nil
	for _, i := range w.installations {
		one := placement.Installation{Ref: i.ref, Path: i.path, Declared: i.declared}
		if i.version != nil {
			one.Version, _ = version.Parse(i.version.String())
		}
		f.Installations = append(f.Installations, one)
	}
	return f
}

func (r *naiveRequirement) requirement() requirement.Requirement {
	out := r.Requirement
	for _, runtime := range r.runtimes {
		c, err := requirement.ParseConstraint(runtime.constraint.String())
		if err != nil {
			panic(err)
		}
		out.Runtimes = append(out.Runtimes, requirement.Runtime{Name: runtime.ref, Constraint: c})
	}
	return out
}

// A naiveVerdict holds reasons as kind, runtime and wanted, and what it takes to order workers.
type naiveVerdict struct {
	reasons  []string
	weight   int
	first    *naiveVersion
	paths    []string
	distance int
}

func matchesTerm(t requirement.Term, labels map[string]string) bool {
	for k, v := range t.MatchLabels {
		if have, ok := labels[k]; !ok || have != v {
			return false
		}
	}
	for _, e := range t.MatchExpressions {
		have, ok := labels[e.Key]
		among := false
		for _, v := range e.Values {
			among = among || v == have
		}
		good := map[requirement.Operator]bool{
			requirement.In: ok && among, requirement.NotIn: !ok || !among, requirement.Exists: ok, requirement.DoesNotExist: !ok,
		}[e.Operator]
		if !good {
			return false
		}
	}
	return true
}

func tolerated(r *naiveRequirement, taint requirement.Taint) bool {
	if taint.Key == "attune/report-only" {
		return true
	}
	for _, t := range r.Tolerations {
		value := t.Operator == "exists" || t.Value == taint.Value
		if t.Key == taint.Key && value && (t.Effect == "" || t.Effect == taint.Effect) {
			return true
		}
	}
	return false
}

func naiveEvaluate(r *naiveRequirement, w *naiveWorker) (v naiveVerdict) {
	add := func(kind, runtime, wanted string) { v.reasons = append(v.reasons, kind+"|"+runtime+"|"+wanted) }
	if r.Role != "" && w.Role != r.Role && w.Role != "hybrid" {
		add("role", "", string(r.Role))
	}
	if w.Status != "active" && w.Status != "busy" {
		add("inactive", "", "active")
	} else if w.Stale {
		add("stale", "", "a heartbeat")
	}
	if w.NeverReported {
		add("never_reported", "", "a report")
	}
	if w.Cordoned {
		add("cordoned", "", "not cordoned")
	}
	keys := map[string]bool{}
	for _, taint := range w.Taints {
		if tolerated(r, taint) {
			continue
		}
		if taint.Effect == "prefer_no_schedule" {
			v.weight -= 100
		} else if !keys[taint.Key] {
			keys[taint.Key] = true
			add("taint", "", "toleration of "+taint.Key)
		}
	}
	for k, want := range r.Selector {
		if have, ok := w.Labels[k]; !ok || have != want {
			add("selector", "", k+"="+want)
		}
	}
	if len(r.Affinity.Required) > 0 {
		one := false
		words := []string{}
		for _, t := range r.Affinity.Required {
			one = one || matchesTerm(t, w.Labels)
			words = append(words, t.String())
		}
		if !one {
			add("affinity", "", strings.Join(words, " or "))
		}
	}
	for _, t := range r.Affinity.Anti {
		if matchesTerm(t, w.Labels) {
			add("affinity", "", "not ("+t.String()+")")
		}
	}
	for _, p := range r.Affinity.Preferred {
		if matchesTerm(p.Term, w.Labels) {
			v.weight += p.Weight
		}
	}
	for i, runtime := range r.runtimes {
		if w.NeverReported {
			break
		}
		naiveRuntimeReasons(r, w, runtime, i == 0, &v, add)
	}
	if free := max(max(w.Slots, 1)-w.Used, 0); w.Status == "busy" || free < max(r.Slots, 1) {
		words := "1 free slot"
		if r.Slots > 1 {
			words = fmt.Sprintf("%d free slots", r.Slots)
		}
		add("busy", "", words)
	}
	slices.Sort(v.reasons)
	return v
}

// naiveRuntimeReasons looks for the best installation by trying one rule after the other.
func naiveRuntimeReasons(r *naiveRequirement, w *naiveWorker, runtime naiveRuntime, first bool, v *naiveVerdict, add func(kind, runtime, wanted string)) {
	wanted := runtime.constraint.String()
	var own []naiveInstallation
	for _, i := range w.installations {
		if i.ref == runtime.ref {
			own = append(own, i)
		}
	}
	if len(own) == 0 {
		if slices.Contains(w.Unknown, runtime.ref) || slices.Contains(w.NotReported, runtime.ref) {
			add("runtime_unknown", runtime.ref, wanted)
		} else {
			add("runtime_absent", runtime.ref, wanted)
		}
		return
	}
	fault := func(i naiveInstallation) string {
		switch {
		case len(runtime.constraint) == 0:
			return ""
		case i.version == nil:
			return "version_unknown"
		case runtime.constraint.match(*i.version, r.Prereleases):
			return ""
		case runtime.constraint.match(*i.version, true):
			return "prerelease"
		}
		return "version"
	}
	for _, rule := range []struct {
		fault    string
		declared bool
	}{
		{"", false}, {"", true}, {"prerelease", false}, {"version_unknown", false}, {"version", false},
		{"prerelease", true}, {"version_unknown", true}, {"version", true},
	} {
		var fits []naiveInstallation
		for _, i := range own {
			if fault(i) == rule.fault && (r.Verified && i.declared) == rule.declared {
				fits = append(fits, i)
			}
		}
		if len(fits) == 0 {
			continue
		}
		if rule.fault == "version" {
			least := 1 << 30
			for _, i := range fits {
				least = min(least, runtime.constraint.distance(*i.version))
			}
			v.distance = max(v.distance, least)
		}
		if rule.fault != "" {
			add(rule.fault, runtime.ref, wanted)
		}
		if rule.declared {
			add("declared_only", runtime.ref, "verified")
		}
		if rule.fault == "" && !rule.declared {
			best := fits[0]
			for _, i := range fits[1:] {
				newer := i.version != nil && (best.version == nil || best.version.less(*i.version))
				same := i.version == nil && best.version == nil || i.version != nil && best.version != nil && *i.version == *best.version
				if newer || same && i.path < best.path {
					best = i
				}
			}
			if first {
				v.first = best.version
			}
			v.paths = append(v.paths, best.path)
		}
		return
	}
}

// A world makes random workers and requirements.
type world struct{ *rand.Rand }

func (g world) one(of ...string) string { return of[g.IntN(len(of))] }

func (g world) chance(percent int) bool { return g.IntN(100) < percent }

func (g world) version() naiveVersion {
	v := naiveVersion{n: [3]int{2 + g.IntN(2), g.IntN(4), g.IntN(3)}}
	if g.chance(15) {
		v.pre = g.one("beta1", "rc1", "rc2")
	}
	return v
}

func (g world) constraint() (c naiveConstraint) {
	if g.chance(20) {
		return nil
	}
	for range 1 + g.IntN(2) {
		var terms []naiveTerm
		for range 1 + g.IntN(2) {
			v := g.version()
			t := naiveTerm{op: g.one(">=", ">=", "<", ""), n: v.n[:1+g.IntN(3)]}
			if len(t.n) == 3 && g.chance(20) {
				t.pre = v.pre
			}
			terms = append(terms, t)
		}
		c = append(c, terms)
	}
	return c
}

var refs = []string{"core.python", "core.nodejs", "acme.tool"}

func (g world) term() (t requirement.Term) {
	if g.chance(50) {
		t.MatchLabels = map[string]string{g.one("zone", "disk"): g.one("a", "b")}
	}
	if g.chance(50) || t.MatchLabels == nil {
		e := requirement.Expression{Key: g.one("zone", "disk", "gpu"), Operator: requirement.Operator(g.one("in", "not_in", "exists", "does_not_exist"))}
		if e.Operator == requirement.In || e.Operator == requirement.NotIn {
			e.Values = []string{g.one("a", "b"), g.one("c", "d")}
		}
		t.MatchExpressions = []requirement.Expression{e}
	}
	return t
}

func (g world) requirement() *naiveRequirement {
	r := &naiveRequirement{}
	r.Role = requirement.Role(g.one("", "worker", "", "sensor", "", "hybrid", ""))
	r.Prereleases, r.Verified = g.chance(20), g.chance(20)
	for _, i := range g.Perm(len(refs))[:g.IntN(3)] {
		r.runtimes = append(r.runtimes, naiveRuntime{refs[i], g.constraint()})
	}
	if g.chance(30) {
		r.Selector = map[string]string{g.one("zone", "disk"): g.one("a", "b"), "arch": "amd64"}
	}
	for g.chance(20) {
		r.Affinity.Required = append(r.Affinity.Required, g.term())
	}
	for g.chance(20) {
		r.Affinity.Anti = append(r.Affinity.Anti, g.term())
	}
	for g.chance(30) {
		r.Affinity.Preferred = append(r.Affinity.Preferred, requirement.Preference{Weight: 1 + g.IntN(100), Term: g.term()})
	}
	for g.chance(30) {
		t := requirement.Toleration{Key: g.one("gpu", "spot"), Operator: requirement.TolerationOperator(g.one("", "equal", "exists")),
			Effect: requirement.Effect(g.one("", "no_schedule", "prefer_no_schedule"))}
		if t.Operator != requirement.TolerateExists {
			t.Value = g.one("", "a")
		}
		r.Tolerations = append(r.Tolerations, t)
	}
	if g.chance(20) {
		r.Slots = 1 + g.IntN(3)
	}
	return r
}

func (g world) worker(id int64) *naiveWorker {
	w := &naiveWorker{}
	w.Worker, w.Name = id, fmt.Sprintf("host-%d", g.IntN(20))
	w.Role = requirement.Role(g.one("worker", "worker", "sensor", "hybrid"))
	w.Status = g.one("active", "active", "active", "active", "active", "active", "active", "busy", "inactive", "error", "")
	w.Stale, w.NeverReported, w.Cordoned = g.chance(10), g.chance(5), g.chance(10)
	w.Labels = map[string]string{"arch": "amd64"}
	for _, key := range []string{"zone", "disk", "gpu"} {
		if g.chance(60) {
			w.Labels[key] = g.one("a", "b", "c")
		}
	}
	for g.chance(25) {
		w.Taints = append(w.Taints, requirement.Taint{Key: g.one("gpu", "spot", "attune/report-only"), Value: g.one("", "a", "b"),
			Effect: requirement.Effect(g.one("no_schedule", "prefer_no_schedule"))})
	}
	for _, ref := range refs {
		for g.chance(60) {
			i := naiveInstallation{ref: ref, path: "/bin/" + strconv.Itoa(g.IntN(100)), declared: g.chance(25)}
			if g.chance(90) {
				v := g.version()
				i.version = &v
			}
			w.installations = append(w.installations, i)
		}
		switch unknown := g.chance(15); {
		case unknown && id%3 == 0:
			w.NotReported = append(w.NotReported, ref)
		case unknown:
			w.Unknown = append(w.Unknown, ref)
		}
	}
	w.Slots, w.Used = g.IntN(4), g.IntN(2)
	w.Spread = g.Int64N(4) << 30
	return w
}
