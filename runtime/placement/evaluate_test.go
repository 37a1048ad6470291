package placement_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// parse reads a requirement.
func parse(t *testing.T, text string) *placement.Requirement {
	t.Helper()
	r, err := requirement.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &r
}

// installed returns an installation of Python. An empty version is an unknown one.
func installed(t *testing.T, text string) placement.Installation {
	t.Helper()
	i := placement.Installation{Ref: "core.python", Path: "/usr/bin/python" + text}
	if text != "" {
		var err error
		if i.Version, err = version.Parse(text); err != nil {
			t.Fatal(err)
		}
	}
	return i
}

// worker returns a worker that fits, with versions of Python.
func worker(t *testing.T, versions ...string) *placement.Facts {
	t.Helper()
	f := &placement.Facts{Worker: 7, Name: "build-7", Role: requirement.Worker, Status: "active", Slots: 4, Used: 1}
	for _, v := range versions {
		f.Installations = append(f.Installations, installed(t, v))
	}
	return f
}

// TestReasons checks each reason with its data.
func TestReasons(t *testing.T) {
	t.Parallel()
	python := func(kind requirement.Kind, wanted, actual string) placement.Reason {
		return requirement.NewReason(kind, "core.python", wanted, actual)
	}
	other := func(kind requirement.Kind, wanted, actual string) placement.Reason {
		return requirement.NewReason(kind, "", wanted, actual)
	}
	for _, c := range []struct {
		name, requirement string
		change            func(f *placement.Facts)
		want              []placement.Reason
	}{
		{"fits", `{"role": "worker", "runtimes": {"core.python": ">=3.11"}, "slots": 3}`, nil, nil},
		{"role", `{"role": "sensor"}`, nil, []placement.Reason{other(requirement.WrongRole, "sensor", "worker")}},
		{"a hybrid is both", `{"role": "sensor"}`, func(f *placement.Facts) { f.Role = requirement.Hybrid }, nil},
		{"a worker is not a hybrid", `{"role": "hybrid"}`, nil, []placement.Reason{other(requirement.WrongRole, "hybrid", "worker")}},
		{"inactive", `{}`, func(f *placement.Facts) { f.Status, f.Stale = "inactive", true },
			[]placement.Reason{other(requirement.Inactive, "active", "inactive")}},
		{"error", `{}`, func(f *placement.Facts) { f.Status = "error" }, []placement.Reason{other(requirement.Inactive, "active", "error")}},
		{"without a status", `{}`, func(f *placement.Facts) { f.Status = "" },
			[]placement.Reason{other(requirement.Inactive, "active", "no status")}},
		{"stale", `{}`, func(f *placement.Facts) { f.Stale = true },
			[]placement.Reason{other(requirement.Stale, "a heartbeat", "missed three heartbeats")}},
		{"never reported", `{"runtimes": {"core.python": "*"}}`, func(f *placement.Facts) { f.NeverReported, f.Installations = true, nil },
			[]placement.Reason{other(requirement.NeverReported, "a report", "never reported")}},
		{"cordoned", `{}`, func(f *placement.Facts) { f.Cordoned = true },
			[]placement.Reason{other(requirement.Cordoned, "not cordoned", "cordoned")}},
		{"cordoned with a reason", `{}`, func(f *placement.Facts) { f.Cordoned, f.CordonReason = true, "disk is failing" },
			[]placement.Reason{other(requirement.Cordoned, "not cordoned", "disk is failing")}},
		{"taints of one key", `{}`, func(f *placement.Facts) {
			f.Taints = []requirement.Taint{
				{Key: "gpu", Value: "b", Effect: requirement.NoSchedule}, {Key: "gpu", Value: "a", Effect: requirement.NoSchedule},
				{Key: "spot", Effect: requirement.PreferNoSchedule}, {Key: requirement.ReportOnly, Effect: requirement.NoSchedule},
			}
		}, []placement.Reason{other(requirement.Tainted, "toleration of gpu", "gpu=a:no_schedule, gpu=b:no_schedule")}},
		{"selector", `{"selector": {"zone": "a", "disk": "ssd", "arch": "amd64"}}`, func(f *placement.Facts) {
			f.Labels = map[string]string{"zone": "b", "arch": "amd64"}
		}, []placement.Reason{other(requirement.NotSelected, "disk=ssd", "no label disk"), other(requirement.NotSelected, "zone=a", "zone=b")}},
		{"affinity", `{"affinity": {"required": [{"match_labels": {"zone": "a"}}, {"match_expressions": [{"key": "gpu", "operator": "exists"}]}],
			"anti_affinity": [{"match_expressions": [{"key": "zone", "operator": "in", "values": ["b", "c"]}]}]}}`, func(f *placement.Facts) {
			f.Labels = map[string]string{"zone": "b"}
		}, []placement.Reason{
			other(requirement.NotAffine, "zone=a or gpu exists", "no label gpu, zone=b"),
			other(requirement.NotAffine, "not (zone in (b, c))", "zone=b"),
		}},
		{"absent", `{"runtimes": {"core.python": ">=3.11"}}`, func(f *placement.Facts) { f.Installations = nil },
			[]placement.Reason{python(requirement.RuntimeAbsent, ">=3.11", "absent")}},
		{"lost", `{"runtimes": {"core.python": ">=3.11"}}`, func(f *placement.Facts) {
			f.Installations, f.Lost = nil, map[string]string{"core.python": "3.12.1"}
		}, []placement.Reason{python(requirement.RuntimeAbsent, ">=3.11", "absent; 3.12.1 was there before")}},
		{"lost, the version unknown", `{"runtimes": {"core.python": "*"}}`, func(f *placement.Facts) {
			f.Installations, f.Lost = nil, map[string]string{"core.python": ""}
		}, []placement.Reason{python(requirement.RuntimeAbsent, "*", "absent; it was there before")}},
		{"unknown", `{"runtimes": {"core.python": "*"}}`, func(f *placement.Facts) {
			f.Installations, f.Unknown = nil, []string{"core.python"}
		}, []placement.Reason{python(requirement.RuntimeUnknown, "*", "could not be determined")}},
		{"not reported", `{"runtimes": {"core.python": "*"}}`, func(f *placement.Facts) {
			f.Installations, f.NotReported = nil, []string{"core.python"}
		}, []placement.Reason{python(requirement.RuntimeUnknown, "*", "not in its last report")}},
		{"unknown beside an installation", `{"runtimes": {"core.python": "*"}}`, func(f *placement.Facts) { f.Unknown = []string{"core.python"} }, nil},
		{"version", `{"runtimes": {"core.python": ">=3.14"}}`, nil, []placement.Reason{python(requirement.WrongVersion, ">=3.14", "3.12.1")}},
		{"the nearest version", `{"runtimes": {"core.python": "3.11"}}`, nil, []placement.Reason{python(requirement.WrongVersion, "3.11", "3.12.1")}},
		{"version unknown", `{"runtimes": {"core.python": ">=3"}}`, func(f *placement.Facts) { f.Installations = []placement.Installation{installed(t, "")} },
			[]placement.Reason{python(requirement.VersionUnknown, ">=3", "unknown version")}},
		{"any version is also an unknown one", `{"runtimes": {"core.python": "*"}}`,
			func(f *placement.Facts) { f.Installations = []placement.Installation{installed(t, "")} }, nil},
		{"any version is also a pre-release", `{"runtimes": {"core.python": ""}}`,
			func(f *placement.Facts) { f.Installations = []placement.Installation{installed(t, "3.14.0rc1")} }, nil},
		{"pre-release", `{"runtimes": {"core.python": ">=3.13"}}`,
			func(f *placement.Facts) { f.Installations = append(f.Installations, installed(t, "3.14.0rc1")) },
			[]placement.Reason{python(requirement.Prerelease, ">=3.13", "3.14.0-rc1")}},
		{"pre-releases count", `{"runtimes": {"core.python": ">=3.13"}, "prereleases": true}`,
			func(f *placement.Facts) { f.Installations = append(f.Installations, installed(t, "3.14.0rc1")) }, nil},
		{"declared only", `{"runtimes": {"core.python": ">=3.11"}, "verified": true}`, func(f *placement.Facts) { f.Installations[0].Declared = true },
			[]placement.Reason{python(requirement.DeclaredOnly, "verified", "declared 3.12.1")}},
		{"declared, and another version", `{"runtimes": {"core.python": ">=3.14"}, "verified": true}`, func(f *placement.Facts) {
			f.Installations = []placement.Installation{{Ref: "core.python", Version: installed(t, "3.12.1").Version, Declared: true}}
		}, []placement.Reason{python(requirement.WrongVersion, ">=3.14", "3.12.1"), python(requirement.DeclaredOnly, "verified", "declared 3.12.1")}},
		{"declared counts by default", `{"runtimes": {"core.python": ">=3.12"}}`, func(f *placement.Facts) { f.Installations[0].Declared = true }, nil},
		{"unconfirmed counts", `{"runtimes": {"core.python": ">=3.12"}, "verified": true}`,
			func(f *placement.Facts) { f.Installations[0].Unconfirmed = true }, nil},
		{"a ref is not a name", `{"runtimes": {"python": "*"}}`, nil, []placement.Reason{requirement.NewReason(requirement.RuntimeAbsent, "python", "*", "absent")}},
		{"busy", `{}`, func(f *placement.Facts) { f.Used = 4 }, []placement.Reason{other(requirement.Busy, "1 free slot", "0 of 4 free")}},
		{"more used than there are", `{}`, func(f *placement.Facts) { f.Used = 9 }, []placement.Reason{other(requirement.Busy, "1 free slot", "0 of 4 free")}},
		{"one slot where none is said", `{"slots": 2}`, func(f *placement.Facts) { f.Slots, f.Used = 0, 0 },
			[]placement.Reason{other(requirement.Busy, "2 free slots", "1 of 1 free")}},
		{"busy by status", `{}`, func(f *placement.Facts) { f.Status = "busy" }, []placement.Reason{other(requirement.Busy, "1 free slot", "busy")}},
		{"stale by status busy", `{}`, func(f *placement.Facts) { f.Status, f.Stale = "busy", true }, []placement.Reason{
			other(requirement.Stale, "a heartbeat", "missed three heartbeats"), other(requirement.Busy, "1 free slot", "busy"),
		}},
		{"every reason", `{"role": "sensor", "runtimes": {"core.python": ">=4", "core.nodejs": "*"}, "selector": {"zone": "a"}, "slots": 9}`,
			func(f *placement.Facts) { f.Stale, f.Cordoned = true, true }, []placement.Reason{
				other(requirement.WrongRole, "sensor", "worker"),
				other(requirement.Stale, "a heartbeat", "missed three heartbeats"),
				other(requirement.Cordoned, "not cordoned", "cordoned"),
				other(requirement.NotSelected, "zone=a", "no label zone"),
				python(requirement.WrongVersion, ">=4", "3.12.1"),
				requirement.NewReason(requirement.RuntimeAbsent, "core.nodejs", "*", "absent"),
				other(requirement.Busy, "9 free slots", "3 of 4 free"),
			}},
	} {
		f := worker(t, "3.12.1", "3.9.2")
		if c.change != nil {
			c.change(f)
		}
		v := placement.Evaluate(parse(t, c.requirement), f)
		if !reflect.DeepEqual(v.Reasons, c.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.name, v.Reasons, c.want)
		}
	}
}

// Passing reasons end by themselves or by an operator's word; the others need a change to the
// host or to the requirement.
func TestPassing(t *testing.T) {
	t.Parallel()
	var passing []string
	for _, k := range requirement.Kinds {
		if requirement.NewReason(k, "", "", "").Passing {
			passing = append(passing, string(k))
		}
	}
	if got := strings.Join(passing, " "); got != "stale never_reported cordoned runtime_unknown busy" {
		t.Error(got)
	}
}

func TestReasonJSON(t *testing.T) {
	t.Parallel()
	v := placement.Evaluate(parse(t, `{"role": "sensor", "runtimes": {"core.python": "3.14"}}`), worker(t, "3.12.1"))
	got, err := json.Marshal(v.Host())
	want := `{"worker":7,"name":"build-7","fits":false,"reasons":[{"kind":"role","wanted":"sensor","actual":"worker","passing":false},` +
		`{"kind":"version","runtime":"core.python","wanted":"3.14","actual":"3.12.1","passing":false}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s (%v)\nwant %s", got, err, want)
	}
	v = placement.Evaluate(parse(t, `{"runtimes": {"core.python": "3.12"}}`), worker(t, "3.12.1", "3.12.0"))
	host, _ := json.Marshal(v.Host())
	placed, _ := json.Marshal(v.Placed())
	if string(host) != `{"worker":7,"name":"build-7","fits":true,"reasons":[]}` || string(placed) != `{"worker":7,"name":"build-7","role":"worker",`+
		`"weight":0,"free":3,"runtimes":[{"ref":"core.python","version":"3.12.1","path":"/usr/bin/python3.12.1"}]}` {
		t.Errorf("got %s and %s", host, placed)
	}
}

// TestOrder checks weight, version and spread, in that order.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := parse(t, `{"runtimes": {"core.python": "*", "core.go": "*"}, "affinity": {"preferred": [
		{"weight": 50, "term": {"match_labels": {"zone": "b"}}}, {"weight": 10, "term": {"match_labels": {"disk": "ssd"}}}]},
		"tolerations": [{"key": "calm", "operator": "exists"}]}`)
	start := r.Start()
	var fleet []placement.Facts
	add := func(name, python string, spread int64, change func(f *placement.Facts)) {
		f := worker(t, python)
		f.Worker, f.Name, f.Spread = int64(len(fleet)), name, spread
		f.Installations = append(f.Installations, placement.Installation{Ref: "core.go"})
		f.Labels = map[string]string{}
		if change != nil {
			change(f)
		}
		fleet = append(fleet, *f)
	}
	prefer := func(key string) requirement.Taint {
		return requirement.Taint{Key: key, Effect: requirement.PreferNoSchedule}
	}
	add("twice discouraged", "3.13.1", start, func(f *placement.Facts) { f.Taints = []requirement.Taint{prefer("a"), prefer("b")} })
	add("discouraged but preferred", "3.13.1", start, func(f *placement.Facts) {
		f.Taints, f.Labels["zone"] = []requirement.Taint{prefer("a")}, "b"
	})
	add("unknown", "", start, nil)
	add("old", "3.9.0", start, nil)
	add("before the start", "3.12.1", start-1, nil)
	add("behind the start", "3.12.1", start+5, nil)
	add("at the start", "3.12.1", start, nil)
	add("at the start, a greater number", "3.12.1", start, nil)
	add("pre-release", "3.13.0rc1", start, nil)
	add("tolerated", "3.13.0", start, func(f *placement.Facts) { f.Taints = []requirement.Taint{prefer("calm")} })
	add("preferred a little", "3.9.0", start, func(f *placement.Facts) { f.Labels["disk"] = "ssd" })
	add("preferred", "3.8.0", start, func(f *placement.Facts) { f.Labels["zone"], f.Labels["disk"] = "b", "ssd" })
	var got []string
	for _, p := range placement.Place(r, fleet, 0).Placed {
		got = append(got, p.Name)
	}
	want := []string{
		"preferred", "preferred a little", "tolerated", "pre-release", "at the start", "at the start, a greater number", "behind the start",
		"before the start", "old", "unknown", "discouraged but preferred", "twice discouraged",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if limited := placement.Place(r, fleet, 2); len(limited.Placed) != 2 || limited.Fit != len(fleet) || limited.Placed[0].Name != "preferred" {
		t.Errorf("with a limit: %+v", limited)
	}
}

// Different requirements begin at different workers.
func TestSpread(t *testing.T) {
	t.Parallel()
	first := map[int64]int{}
	var fleet []placement.Facts
	for i := range 10 {
		f := worker(t, "3.12.1")
		f.Worker, f.Spread = int64(i), int64(i)*(requirement.MaxSpread/10)
		fleet = append(fleet, *f)
	}
	for i := range 1000 {
		r := parse(t, `{"runtimes": {"core.python": "*"}, "tolerations": [{"key": "k`+strings.Repeat("x", i)+`"}]}`)
		first[placement.Place(r, fleet, 1).Placed[0].Worker]++
	}
	for id, n := range first {
		if n < 50 || n > 200 {
			t.Errorf("worker %d is first %d times of 1000", id, n)
		}
	}
	if len(first) != 10 {
		t.Errorf("only %d workers are ever first", len(first))
	}
}
