package placement_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/placement"
)

// reasonTexts returns reasons as the naive evaluator has them.
func reasonTexts(reasons []placement.Reason) []string {
	var out []string
	for _, r := range reasons {
		out = append(out, string(r.Kind)+"|"+r.Runtime+"|"+r.Wanted)
	}
	slices.Sort(out)
	return out
}

// TestEvaluateProperty holds Evaluate against the naive evaluator, 10,000 times.
func TestEvaluateProperty(t *testing.T) {
	t.Parallel()
	g := world{rand.New(rand.NewPCG(3, 4))}
	fits, kinds := 0, map[string]int{}
	for i := range 10_000 {
		r, w := g.requirement(), g.worker(int64(i))
		request, facts := r.requirement(), w.facts()
		if err := request.Validate(); err != nil {
			t.Fatal(err)
		}
		got, want := placement.Evaluate(&request, &facts), naiveEvaluate(r, w)
		var paths []string
		for _, chosen := range got.Runtimes {
			paths = append(paths, chosen.Path)
		}
		if !slices.Equal(reasonTexts(got.Reasons), want.reasons) || got.Weight != want.weight ||
			got.Fits() && !slices.Equal(paths, want.paths) {
			text, _ := request.MarshalJSON()
			t.Fatalf("%s\non %+v:\ngot  %v %d %v\nwant %v %d %v",
				text, facts, reasonTexts(got.Reasons), got.Weight, paths, want.reasons, want.weight, want.paths)
		}
		if placement.Fits(&request, &facts) != got.Fits() {
			t.Fatalf("Fits is not Evaluate for %+v", facts)
		}
		if got.Fits() {
			fits++
		}
		for _, reason := range got.Reasons {
			kinds[string(reason.Kind)]++
			if reason.Actual == "" || reason.Passing != reason.Kind.Passing() {
				t.Fatalf("%+v is not complete", reason)
			}
		}
	}
	if fits < 500 || len(kinds) != 15 {
		t.Errorf("%d fits and the reasons %v do not test much", fits, kinds)
	}
	for kind, n := range kinds {
		if n < 50 {
			t.Errorf("only %d verdicts with %s", n, kind)
		}
	}
}

// TestPlaceProperty holds order, groups and nearest misses of random fleets against the naive
// evaluator.
func TestPlaceProperty(t *testing.T) {
	t.Parallel()
	g := world{rand.New(rand.NewPCG(5, 6))}
	placed, grouped := 0, 0
	for range 500 {
		r := g.requirement()
		request := r.requirement()
		var workers []*naiveWorker
		var fleet []placement.Facts
		for i := range 40 {
			workers = append(workers, g.worker(int64(i)))
			fleet = append(fleet, workers[i].facts())
		}
		got := placement.Place(&request, fleet, 0)
		wantOrder, wantGroups := naivePlace(r, request.Start(), workers)
		var order []int64
		for _, p := range got.Placed {
			order = append(order, p.Worker)
		}
		groups := map[string]string{}
		hosts := 0
		for _, group := range got.Groups {
			groups[strings.Join(reasonTexts(group.Reasons), " ")] = fmt.Sprintf("%d, nearest %d", group.Hosts, group.Nearest.Worker)
			hosts += group.Hosts
			versions := 0
			for _, v := range group.Versions {
				versions += v.Hosts
			}
			if versions != 0 && versions != group.Hosts {
				t.Fatalf("%+v counts %d versions", group, versions)
			}
		}
		if got.Fleet != 40 || got.Fit != len(order) || hosts+got.Fit != 40 {
			t.Fatalf("%d and %d do not add up to %d", got.Fit, hosts, got.Fleet)
		}
		text, _ := request.MarshalJSON()
		if !slices.Equal(order, wantOrder) {
			t.Fatalf("%s:\ngot  %v\nwant %v", text, order, wantOrder)
		}
		if fmt.Sprint(groups) != fmt.Sprint(wantGroups) {
			t.Fatalf("%s:\ngot  %v\nwant %v", text, groups, wantGroups)
		}
		placed += len(order)
		grouped += len(groups)
	}
	if placed < 1000 || grouped < 1000 {
		t.Errorf("%d placed and %d groups do not test much", placed, grouped)
	}
}

// naivePlace returns the order of the fitting workers, and size and nearest miss of each group.
func naivePlace(r *naiveRequirement, start int64, workers []*naiveWorker) (order []int64, groups map[string]string) {
	type judged struct {
		*naiveWorker
		naiveVerdict
	}
	before := func(a, b judged) bool {
		switch {
		case a.weight != b.weight:
			return a.weight > b.weight
		case (a.first == nil) != (b.first == nil):
			return a.first != nil
		case a.first != nil && *a.first != *b.first:
			return b.first.less(*a.first)
		}
		// uint32 makes what is below start come last.
		x, y := uint32(a.Spread-start), uint32(b.Spread-start)
		if x != y {
			return x < y
		}
		return a.Worker < b.Worker
	}
	var fit []judged
	groups = map[string]string{}
	sizes, nearest := map[string]int{}, map[string]judged{}
	for _, w := range workers {
		j := judged{w, naiveEvaluate(r, w)}
		if len(j.reasons) == 0 {
			at := 0
			for at < len(fit) && !before(j, fit[at]) {
				at++
			}
			fit = slices.Insert(fit, at, j)
			continue
		}
		key := strings.Join(j.reasons, " ")
		sizes[key]++
		if n, ok := nearest[key]; !ok || j.distance < n.distance ||
			j.distance == n.distance && (j.Name < n.Name || j.Name == n.Name && j.Worker < n.Worker) {
			nearest[key] = j
		}
	}
	for _, j := range fit {
		order = append(order, j.Worker)
	}
	for key, n := range sizes {
		groups[key] = fmt.Sprintf("%d, nearest %d", n, nearest[key].Worker)
	}
	return order, groups
}
