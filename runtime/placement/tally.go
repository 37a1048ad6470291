package placement

import (
	"cmp"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// A Group is all workers that do not fit for the same reasons.
type Group struct {
	// Reasons holds the reasons without their Actual.
	Reasons []Reason `json:"reasons"`
	Hosts   int      `json:"hosts"`
	// Nearest is the worker that comes nearest to fitting.
	Nearest Miss `json:"nearest"`
	// Versions counts the workers by the version they have, the most frequent first. It is
	// set if the only reason is a version.
	Versions []VersionCount `json:"-"`

	waiting waiting
}

// A waiting is the workers of a group by their slots. It counts those that are busy.
type waiting struct {
	// enough holds those that have as many slots as wanted once these are free.
	enough counted
	// most is the greatest number of slots that are free on one of the others, and hosts how many have that.
	most, hosts int
	// slots is the greatest number of slots of a worker without a free one, and full holds the workers with that many.
	slots int
	full  counted
}

// mostNames is the number of workers that a help names.
const mostNames = 3

// A counted is a number of workers, with the first names.
type counted struct {
	n     int
	names []string
}

func (c *counted) add(name string) {
	c.n++
	at, _ := slices.BinarySearch(c.names, name)
	c.names = slices.Insert(c.names, at, name)
	c.names = c.names[:min(len(c.names), mostNames)]
}

// add counts a worker. status reports that the worker's own status says that it is busy.
func (w *waiting) add(v *Verdict, wanted int, status bool) {
	switch {
	case v.slots >= wanted:
		w.enough.add(v.Name)
	case status || v.Free < 1:
		if v.slots > w.slots {
			w.slots, w.full = v.slots, counted{}
		}
		if v.slots == w.slots {
			w.full.add(v.Name)
		}
	case v.Free > w.most:
		w.most, w.hosts = v.Free, 1
	case v.Free == w.most:
		w.hosts++
	}
}

// A Miss is a worker that does not fit.
type Miss struct {
	Worker  int64    `json:"worker"`
	Name    string   `json:"name"`
	Reasons []Reason `json:"reasons"`
}

// A VersionCount is a version and how many workers have it.
type VersionCount struct {
	Version string `json:"version"`
	Hosts   int    `json:"hosts"`

	parsed version.Version
}

// A Tally counts verdicts of one requirement. The zero Tally is ready for Add.
type Tally struct {
	// Fleet is the number of verdicts, and Fit the number of fitting ones.
	Fleet, Fit int

	groups map[string]*groupTally
}

type groupTally struct {
	Group
	nearest  Verdict
	versions map[string]int
}

// Add counts a verdict.
func (t *Tally) Add(v Verdict) {
	t.Fleet++
	if v.Fits() {
		t.Fit++
		return
	}
	key := groupKey(v.Reasons)
	g := t.groups[key]
	if g == nil {
		if t.groups == nil {
			t.groups = map[string]*groupTally{}
		}
		g = &groupTally{nearest: v, versions: map[string]int{}}
		for _, r := range v.Reasons {
			g.Reasons = append(g.Reasons, r.Shared())
		}
		t.groups[key] = g
	}
	g.Hosts++
	for _, r := range v.Reasons {
		if r.Kind == requirement.Busy {
			g.waiting.add(&v, v.wanted, r.Actual == statusBusy)
		}
	}
	if len(v.Reasons) == 1 && v.Reasons[0].Kind == requirement.WrongVersion {
		g.versions[v.Reasons[0].Actual]++
	}
	if nearer(&v, &g.nearest) < 0 {
		g.nearest = v
	}
}

// groupKey returns a text that verdicts with the same reasons share.
func groupKey(reasons []Reason) string {
	var key strings.Builder
	for _, r := range reasons {
		for _, part := range []string{string(r.Kind), r.Runtime, r.Wanted} {
			key.WriteString(part)
			key.WriteByte(0) // no part contains NUL
		}
	}
	return key.String()
}

// nearer orders misses: the fewest reasons first, then the least distance of a version, then
// the name, then the ID.
func nearer(a, b *Verdict) int {
	return cmp.Or(
		cmp.Compare(len(a.Reasons), len(b.Reasons)),
		a.distance.Compare(b.distance),
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Worker, b.Worker))
}

// Groups returns the groups: those with the fewest reasons first, then the largest, then in the
// order of their reasons. Their Hosts and Fit add up to Fleet.
func (t *Tally) Groups() []Group {
	out := make([]Group, 0, len(t.groups))
	for _, g := range t.groups {
		g.Nearest = Miss{Worker: g.nearest.Worker, Name: g.nearest.Name, Reasons: g.nearest.Reasons}
		g.Versions = nil
		for text, hosts := range g.versions {
			v, _ := version.Parse(text) // it is the text of a Version
			g.Versions = append(g.Versions, VersionCount{Version: text, Hosts: hosts, parsed: v})
		}
		slices.SortFunc(g.Versions, func(a, b VersionCount) int {
			return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), b.parsed.Compare(a.parsed))
		})
		out = append(out, g.Group)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(
			cmp.Compare(len(a.Reasons), len(b.Reasons)),
			cmp.Compare(b.Hosts, a.Hosts),
			slices.CompareFunc(a.Reasons, b.Reasons, compareReasons))
	})
	return out
}

// Nearest returns the worker of all groups that comes nearest to fitting. ok is false if every
// worker fits.
func (t *Tally) Nearest() (nearest Miss, ok bool) {
	var best *Verdict
	for _, g := range t.groups {
		if best == nil || nearer(&g.nearest, best) < 0 {
			best = &g.nearest
		}
	}
	if best == nil {
		return Miss{}, false
	}
	return Miss{Worker: best.Worker, Name: best.Name, Reasons: best.Reasons}, true
}

func compareReasons(a, b Reason) int {
	return cmp.Or(
		cmp.Compare(slices.Index(requirement.Kinds, a.Kind), slices.Index(requirement.Kinds, b.Kind)),
		cmp.Compare(a.Runtime, b.Runtime),
		cmp.Compare(a.Wanted, b.Wanted))
}
