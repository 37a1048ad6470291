package placement_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/naive"
	"github.com/attune-go/attune/runtime/placement"
)

// TestEvaluateProperty holds Evaluate against the naive evaluator, 10,000 times.
func TestEvaluateProperty(t *testing.T) {
	t.Parallel()
	g := naive.World{Rand: rand.New(rand.NewPCG(3, 4))}
	fits, kinds := 0, map[string]int{}
	for i := range 10_000 {
		r, w := g.Requirement(), g.Worker(int64(i))
		request, facts := r.Request(), w.Known()
		if err := request.Validate(); err != nil {
			t.Fatal(err)
		}
		got, want := placement.Evaluate(&request, &facts), naive.Evaluate(r, w)
		var paths []string
		for _, chosen := range got.Runtimes {
			paths = append(paths, chosen.Path)
		}
		if !slices.Equal(naive.Texts(got.Reasons), want.Reasons) || got.Weight != want.Weight ||
			got.Fits() && !slices.Equal(paths, want.Paths) {
			text, _ := request.MarshalJSON()
			t.Fatalf("%s\non %+v:\ngot  %v %d %v\nwant %v %d %v",
				text, facts, naive.Texts(got.Reasons), got.Weight, paths, want.Reasons, want.Weight, want.Paths)
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
	g := naive.World{Rand: rand.New(rand.NewPCG(5, 6))}
	placed, grouped := 0, 0
	for range 2000 {
		r := g.Requirement()
		request := r.Request()
		var workers []*naive.Worker
		var fleet []placement.Facts
		for i := range 40 {
			workers = append(workers, g.Worker(int64(i)))
			fleet = append(fleet, workers[i].Known())
		}
		got := placement.Place(&request, fleet, 0)
		wantOrder, wantGroups := naive.Place(r, request.Start(), workers)
		var order []int64
		for _, p := range got.Placed {
			order = append(order, p.Worker)
		}
		groups := map[string]string{}
		hosts := 0
		for _, group := range got.Groups {
			groups[strings.Join(naive.Texts(group.Reasons), " ")] = fmt.Sprintf("%d, nearest %d", group.Hosts, group.Nearest.Worker)
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
		listed := placement.Hosts(&request, fleet)
		g.Shuffle(len(fleet), func(i, j int) { fleet[i], fleet[j] = fleet[j], fleet[i] })
		if again := placement.Hosts(&request, fleet); !reflect.DeepEqual(listed, again) {
			t.Fatalf("%s: another order of the same fleet gives other hosts:\n%+v\n%+v", text, listed, again)
		}
		for i, h := range listed {
			if i < len(order) && h.Worker != order[i] || i > 0 && len(h.Reasons) < len(listed[i-1].Reasons) {
				t.Fatalf("%s: host %d is %+v, the order is %v", text, i, h, order)
			}
		}
		placed += len(order)
		grouped += len(groups)
	}
	if placed < 1000 || grouped < 1000 {
		t.Errorf("%d placed and %d groups do not test much", placed, grouped)
	}
}
