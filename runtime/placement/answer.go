package placement

import (
	"errors"
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/requirement"
)

// An Answer is which workers of a fleet satisfy a requirement, and why the others do not.
type Answer struct {
	Requirement Requirement `json:"requirement"`
	// Fleet is the number of workers, and Fit the number of workers that fit.
	Fleet int `json:"fleet"`
	Fit   int `json:"fit"`
	// Placed holds the first workers that fit, in order.
	Placed []PlacedWorker `json:"placed"`
	// Groups holds the workers that do not fit.
	Groups []Group  `json:"groups"`
	Helps  []Help   `json:"helps"`
	Notes  []string `json:"notes"`
	// Hosts holds every worker with its verdict. Place leaves it nil; see Hosts.
	Hosts []Host `json:"hosts,omitzero"`
}

// Place holds a fleet against a requirement. At most limit workers are placed; zero places
// all that fit.
func Place(r *Requirement, fleet []Facts, limit int) Answer {
	a := Answer{Requirement: *r, Placed: []PlacedWorker{}, Helps: []Help{}, Notes: []string{}}
	var tally Tally
	verdicts := make([]Verdict, len(fleet))
	reportOnly := 0
	for i := range fleet {
		verdicts[i] = Evaluate(r, &fleet[i])
		tally.Add(verdicts[i])
		if verdicts[i].Fits() && isReportOnly(&fleet[i]) {
			reportOnly++
		}
	}
	fit := fitting(r, verdicts)
	if limit > 0 && len(fit) > limit {
		fit = fit[:limit]
	}
	for i := range fit {
		a.Placed = append(a.Placed, fit[i].Placed())
	}
	a.Fleet, a.Fit, a.Groups = tally.Fleet, tally.Fit, tally.Groups()
	a.Helps = append(a.Helps, Suggest(r, a.Groups)...)
	a.Notes = append(a.Notes, notes(r, reportOnly)...)
	return a
}

// notes returns what an answer should say beside its figures. reportOnly is the number of
// workers that fit and have the taint requirement.ReportOnly.
func notes(r *Requirement, reportOnly int) []string {
	var out []string
	var faults document.Faults
	if errors.As(r.Contradictions(), &faults) {
		for _, f := range faults {
			out = append(out, "no worker can fit: "+f.Error())
		}
	}
	if reportOnly > 0 {
		out = append(out, fmt.Sprintf("%d of the workers that fit have the taint %s, which keeps the platform's own scheduler away "+
			"and is tolerated here", reportOnly, requirement.ReportOnly))
	}
	return out
}

// Placed returns the verdict of a worker that fits as data.
func (v *Verdict) Placed() PlacedWorker {
	p := PlacedWorker{Worker: v.Worker, Name: v.Name, Role: v.Role, Weight: v.Weight, Free: v.Free, Runtimes: v.Runtimes}
	if p.Runtimes == nil {
		p.Runtimes = []Choice{}
	}
	return p
}

// A Host is a worker with its verdict.
type Host struct {
	Worker  int64    `json:"worker"`
	Name    string   `json:"name"`
	Fits    bool     `json:"fits"`
	Reasons []Reason `json:"reasons"`
}

// Hosts holds every worker of a fleet against a requirement. Workers that fit come first, in order;
// the nearest of the others follow.
func Hosts(r *Requirement, fleet []Facts) []Host {
	verdicts := make([]Verdict, len(fleet))
	for i := range fleet {
		verdicts[i] = Evaluate(r, &fleet[i])
	}
	before := Compare(r)
	slices.SortFunc(verdicts, func(a, b Verdict) int {
		if a.Fits() && b.Fits() {
			return before(a, b)
		}
		return nearer(&a, &b)
	})
	hosts := make([]Host, len(verdicts))
	for i := range verdicts {
		hosts[i] = verdicts[i].Host()
	}
	return hosts
}

// Host returns the verdict as data.
func (v *Verdict) Host() Host {
	h := Host{Worker: v.Worker, Name: v.Name, Fits: v.Fits(), Reasons: v.Reasons}
	if h.Reasons == nil {
		h.Reasons = []Reason{}
	}
	return h
}
