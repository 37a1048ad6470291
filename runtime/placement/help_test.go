package placement_test

import (
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/naive"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/requirement"
)

// fleetOf returns workers with a version of Python each.
func fleetOf(t *testing.T, versions string, change func(f *placement.Facts)) (fleet []placement.Facts) {
	t.Helper()
	for i, v := range strings.Fields(versions) {
		f := worker(t, strings.TrimPrefix(v, "-"))
		f.Worker, f.Name = int64(i), "build-"+strconv.Itoa(i)
		if v == "-" {
			f.Installations = nil
		}
		if change != nil {
			change(f)
		}
		fleet = append(fleet, *f)
	}
	return fleet
}

func TestHelps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, requirement, versions string
		change                      func(f *placement.Facts)
		want                        []placement.Help
	}{
		{"relax to what most have", `{"runtimes": {"core.python": ">=3.14"}}`, "3.11.2 3.11.4 3.12.1 3.9.0 2.7.18", nil, []placement.Help{
			{Kind: placement.Install, Workers: 5, Text: "install core.python >=3.14 on build-2 or 4 more workers"},
			{Kind: placement.Relax, Workers: 3, Text: "relax core.python to >=3.11", Command: "attune place 'core.python@>=3.11'"},
		}},
		{"relax a constraint with an upper bound", `{"runtimes": {"core.python": ">=3.13,<4"}, "role": "worker"}`, "3.11.2 3.11.4 3.12.1", nil, []placement.Help{
			{Kind: placement.Install, Workers: 3, Text: "install core.python >=3.13,<4 on build-2 or 2 more workers"},
			{
				Kind: placement.Relax, Workers: 2, Text: "relax core.python to >=3.13,<4 || 3.11",
				Command: "attune place 'core.python@>=3.13,<4 || 3.11' --role worker",
			},
		}},
		{"relax what no version satisfies", `{"runtimes": {"core.python": ">=4,<3"}}`, "3.12.1", nil, []placement.Help{
			{
				Kind: placement.Relax, Workers: 1, Text: "relax core.python to >=4,<3 || 3.12",
				Command: "attune place 'core.python@>=4,<3 || 3.12'",
			},
		}},
		{"no installation satisfies it", `{"runtimes": {"core.python": ">=4,<3"}}`, "-", nil, []placement.Help{}},
		{"a label that begins with a hyphen", `{"selector": {"--x": "y", "zone": "b"}}`, "3.12.1", func(f *placement.Facts) {
			f.Labels = map[string]string{"--x": "y"}
		}, []placement.Help{
			{Kind: placement.LeaveOut, Workers: 1, Text: "leave out the label zone=b", Command: "attune place --select=--x=y"},
		}},
		{"install", `{"runtimes": {"core.python": "*"}}`, "- -", nil, []placement.Help{
			{Kind: placement.Install, Workers: 2, Text: "install core.python on build-0 or one more worker"},
		}},
		{"uncordon", `{"runtimes": {"core.python": "3.12"}}`, "3.12.1", func(f *placement.Facts) { f.Name, f.Cordoned = "it's", true }, []placement.Help{
			{Kind: placement.Uncordon, Workers: 1, Text: "uncordon it's", Command: `attune workers uncordon 'it'\''s'`},
		}},
		{"tolerate", `{"selector": {"zone": "a b"}}`, "3.12.1", func(f *placement.Facts) {
			f.Labels = map[string]string{"zone": "a b"}
			f.Taints = []requirement.Taint{{Key: "gpu", Value: "a100", Effect: requirement.NoSchedule}}
		}, []placement.Help{
			{Kind: placement.Tolerate, Workers: 1, Text: "tolerate the taint gpu", Command: "attune place --select 'zone=a b' --tolerate gpu"},
		}},
		{"leave out a label", `{"selector": {"zone": "a", "disk": "ssd"}, "slots": 2, "affinity": {"preferred": [{"weight": 5, "term": {"match_labels": {"x": "y"}}}]}}`,
			"3.12.1", func(f *placement.Facts) { f.Labels = map[string]string{"disk": "ssd"} }, []placement.Help{
				{
					Kind: placement.LeaveOut, Workers: 1, Text: "leave out the label zone=a",
					Command: "attune place --select disk=ssd --prefer x=y:5 --slots 2",
				},
			}},
		{"affinity has no terms", `{"affinity": {"required": [{"match_labels": {"zone": "a"}}]}}`, "3.12.1", nil, []placement.Help{
			{Kind: placement.LeaveOut, Workers: 1, Text: "leave out the affinity zone=a"},
		}},
		{"pre-releases, also of two runtimes", `{"runtimes": {"core.python": ">=3", "core.go": ">=1"}}`, "3.13.0rc1 3.12.1", func(f *placement.Facts) {
			goCompiler := installed(t, "1.27.0rc1")
			goCompiler.Ref = "core.go"
			f.Installations = append(f.Installations, goCompiler)
		}, []placement.Help{
			{
				Kind: placement.AllowPrereleases, Workers: 2, Text: "let pre-releases satisfy constraints",
				Command: "attune place 'core.python@>=3' 'core.go@>=1' --prereleases",
			},
		}},
		{"declared", `{"runtimes": {"core.python": ">=3"}, "verified": true}`, "3.12.1", func(f *placement.Facts) { f.Installations[0].Declared = true },
			[]placement.Help{{
				Kind: placement.AcceptDeclared, Workers: 1, Text: "accept what is only declared", Command: "attune place 'core.python@>=3'",
			}}},
		{"unknown", `{"runtimes": {"core.python": ">=3"}}`, "-", func(f *placement.Facts) { f.Unknown = []string{"core.python"} },
			[]placement.Help{{
				Kind: placement.Refresh, Workers: 1, Text: "verify core.python again on build-0", Command: "attune workers refresh build-0",
			}}},
		{"stale", `{}`, "3.12.1", func(f *placement.Facts) { f.Stale = true },
			[]placement.Help{{
				Kind: placement.Wait, Workers: 1, Text: "see why build-0 sent no heartbeat", Command: "attune workers show build-0",
			}}},
		{"inactive", `{}`, "3.12.1", func(f *placement.Facts) { f.Status = "inactive" },
			[]placement.Help{{Kind: placement.Start, Workers: 1, Text: "start the service on build-0"}}},
		{"never reported", `{}`, "3.12.1", func(f *placement.Facts) { f.NeverReported = true },
			[]placement.Help{{Kind: placement.Start, Workers: 1, Text: "start the service on build-0, which never reported"}}},
		{"busy", `{}`, "3.12.1", func(f *placement.Facts) { f.Used = 4 },
			[]placement.Help{{Kind: placement.Wait, Workers: 1, Text: "wait until build-0 has 1 free slot"}}},
		{"busy workers are waited for, and nothing is installed elsewhere", `{"runtimes": {"core.python": "3.12"}}`,
			"3.12.1 3.12.4 3.11.1 3.11.2 3.11.3", func(f *placement.Facts) { f.Status = "busy" }, []placement.Help{
				{Kind: placement.Wait, Workers: 2, Text: "wait until build-0 or build-1 has 1 free slot"},
			}},
		{"who is busy", `{"runtimes": {"core.python": "3.12"}}`, "3.12.1 3.12.1 3.12.1 3.12.1 3.12.1 3.11.1", func(f *placement.Facts) {
			if f.Worker < 5 {
				f.Name, f.Used = "build-"+strconv.Itoa(5-int(f.Worker)), 4
			}
		}, []placement.Help{
			{Kind: placement.Wait, Workers: 5, Text: "wait until build-1, build-2, build-3 or one of 2 more workers has 1 free slot"},
			{Kind: placement.Relax, Workers: 1, Text: "relax core.python to 3.12 || 3.11", Command: "attune place 'core.python@3.12 || 3.11'"},
		}},
		{"full and cordoned", `{}`, "3.12.1", func(f *placement.Facts) { f.Cordoned, f.Used = true, 4 }, []placement.Help{
			{Kind: placement.Several, Workers: 1, Text: "uncordon build-0, and wait until build-0 has 1 free slot"},
		}},
		{"a cordoned worker has everything", `{"runtimes": {"core.python": "3.12"}}`, "3.12.1 - -", func(f *placement.Facts) { f.Cordoned = f.Worker == 0 },
			[]placement.Help{{Kind: placement.Uncordon, Workers: 1, Text: "uncordon build-0", Command: "attune workers uncordon build-0"}}},
		{"nobody has so many slots", `{"slots": 6, "role": "worker"}`, "3.12.1 3.12.1 3.12.1", func(f *placement.Facts) { f.Used = int(f.Worker+1) / 2 },
			[]placement.Help{{Kind: placement.Relax, Workers: 1, Text: "ask for 4 free slots in place of 6 free slots", Command: "attune place --role worker --slots 4"}}},
		{"some have so many slots, and are full", `{"slots": 6}`, "3.12.1 3.12.1 3.12.1", func(f *placement.Facts) {
			f.Used = 1
			if f.Worker == 1 {
				f.Slots, f.Used = 8, 8
			}
		}, []placement.Help{
			{Kind: placement.Relax, Workers: 2, Text: "ask for 3 free slots in place of 6 free slots", Command: "attune place --slots 3"},
			{Kind: placement.Wait, Workers: 1, Text: "wait until build-1 has 6 free slots"},
		}},
		{"nobody has so many slots, and all are busy", `{"slots": 6}`, "3.12.1 3.12.1 3.12.1 3.12.1", func(f *placement.Facts) {
			switch f.Worker {
			case 0:
				f.Slots, f.Used = 2, 2
			case 1:
				f.Used = 4
			default:
				f.Status = "busy"
			}
		}, []placement.Help{
			{Kind: placement.Several, Workers: 3, Text: "ask for 4 free slots in place of 6 free slots, and wait until build-1, build-2 or build-3 has 4 free slots"},
		}},
		{"few slots, busy and cordoned", `{"slots": 6}`, "3.12.1", func(f *placement.Facts) { f.Status, f.Cordoned = "busy", true }, []placement.Help{
			{Kind: placement.Several, Workers: 1, Text: "uncordon build-0, and ask for 4 free slots in place of 6 free slots, and wait until build-0 has 4 free slots"},
		}},
		{"some have few slots and are busy, others have fewer that are free", `{"slots": 6}`, "3.12.1 3.12.1", func(f *placement.Facts) {
			if f.Worker == 0 {
				f.Status = "busy"
			} else {
				f.Used = 3
			}
		}, []placement.Help{
			{Kind: placement.Relax, Workers: 1, Text: "ask for 1 free slot in place of 6 free slots", Command: "attune place"},
		}},
		{"a role cannot be helped", `{"role": "sensor"}`, "3.12.1", nil, []placement.Help{}},
		{"several", `{"runtimes": {"core.python": ">=3.14"}}`, "3.12.1 3.9.0", func(f *placement.Facts) { f.Cordoned = true }, []placement.Help{
			{Kind: placement.Several, Workers: 2, Text: "uncordon build-0 or one more worker, and install core.python >=3.14 on build-0 or one more worker"},
		}},
		{"nothing to help", `{}`, "3.12.1", nil, []placement.Help{}},
		{"an empty fleet", `{}`, "", nil, []placement.Help{}},
	} {
		got := placement.Place(parse(t, c.requirement), fleetOf(t, c.versions, c.change), 0).Helps
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.name, got, c.want)
		}
	}
}

// TestHelpsHold follows the advice that changes the requirement: then at least as many more
// workers fit.
func TestHelpsHold(t *testing.T) {
	t.Parallel()
	g := naive.World{Rand: rand.New(rand.NewPCG(7, 8))}
	followed := map[placement.HelpKind]int{}
	for range 800 {
		r := g.Requirement()
		request := r.Request()
		var fleet []placement.Facts
		for i := range 20 {
			fleet = append(fleet, g.Worker(int64(i)).Known())
		}
		before := placement.Place(&request, fleet, 0)
		for _, h := range before.Helps {
			line, ok := strings.CutPrefix(h.Command, "attune place")
			if !ok {
				continue
			}
			relaxed := parseCommand(t, line)
			after := placement.Place(&relaxed, fleet, 0)
			if after.Fit < before.Fit+h.Workers {
				text, _ := request.MarshalJSON()
				t.Fatalf("%s: %+v, but %d fit before and %d after", text, h, before.Fit, after.Fit)
			}
			followed[h.Kind]++
		}
	}
	for _, kind := range []placement.HelpKind{
		placement.Relax, placement.Tolerate, placement.LeaveOut, placement.AllowPrereleases, placement.AcceptDeclared,
	} {
		if followed[kind] < 5 {
			t.Errorf("%s was followed %d times only", kind, followed[kind])
		}
	}
}

// parseCommand reads the words behind "attune place".
func parseCommand(t *testing.T, line string) placement.Requirement {
	t.Helper()
	var terms requirement.Terms
	words := shellWords(line)
	for i := 0; i < len(words); i++ {
		value := func() string { i++; return words[i] }
		switch words[i] {
		case "--select":
			terms.Select = append(terms.Select, value())
		case "--tolerate":
			terms.Tolerate = append(terms.Tolerate, value())
		case "--prefer":
			terms.Prefer = append(terms.Prefer, value())
		case "--role":
			terms.Role = value()
		case "--slots":
			terms.Slots, _ = strconv.Atoi(value())
		case "--prereleases":
			terms.Prereleases = true
		case "--verified":
			terms.Verified = true
		default:
			terms.Runtimes = append(terms.Runtimes, words[i])
		}
	}
	r, err := terms.Requirement()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return r
}

// shellWords splits a line whose only syntax is single quotes around whole words.
func shellWords(line string) (words []string) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		end := strings.IndexByte(line+" ", ' ')
		if line[0] == '\'' {
			end = 1 + strings.IndexByte(line[1:], '\'') + 1
		}
		words = append(words, strings.Trim(line[:end], "'"))
		line = line[end:]
	}
	return words
}

// A shell reads the words of a command as they were meant.
func TestCommandIsQuoted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain-1.example", "two words", "it's", `"$(touch x)"`, "a;b", "*", "~", "#", `back\slash`, "ü", "%s"} {
		help := placement.Place(&placement.Requirement{}, fleetOf(t, "3.12.1", func(f *placement.Facts) { f.Name, f.Cordoned = name, true }), 0).Helps
		line, ok := strings.CutPrefix(help[0].Command, "attune workers uncordon ")
		if !ok {
			t.Fatalf("got %+v", help)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+line).Output()
		if err != nil || string(out) != name {
			t.Errorf("%s is read as %q (%v)", line, out, err)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	fleet := fleetOf(t, "3.12.1 3.12.1 3.9.0", func(f *placement.Facts) {
		if f.Worker > 0 {
			f.Taints = []requirement.Taint{{Key: requirement.ReportOnly, Effect: requirement.NoSchedule}}
		}
	})
	for text, want := range map[string][]string{
		`{"runtimes": {"core.python": ">=3.12"}}`: {"1 of the workers that fit have the taint attune/report-only, which keeps the platform's own " +
			"scheduler away and is tolerated here"},
		`{"runtimes": {"core.python": ">=4"}}`:    {},
		`{"runtimes": {"core.python": ">=4,<3"}}`: {`no worker can fit: /runtimes/core.python: must be satisfied by some version, got ">=4,<3"`},
	} {
		if got := placement.Place(parse(t, text), fleet, 0).Notes; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestNearest checks the order of misses over all groups.
func TestNearest(t *testing.T) {
	t.Parallel()
	r := parse(t, `{"runtimes": {"core.python": ">=3.14"}}`)
	var tally placement.Tally
	if _, ok := tally.Nearest(); ok {
		t.Error("an empty tally has a nearest miss")
	}
	add := func(name, versions string, change func(f *placement.Facts)) {
		for _, f := range fleetOf(t, versions, change) {
			f.Name = name
			tally.Add(placement.Evaluate(r, &f))
			if nearest, ok := tally.Nearest(); !ok || nearest.Name != name {
				t.Errorf("%s is not nearer than %s", name, nearest.Name)
			}
		}
	}
	add("three reasons", "3.13.9", func(f *placement.Facts) { f.Cordoned, f.Stale = true, true })
	add("two reasons", "3.13.9", func(f *placement.Facts) { f.Cordoned = true })
	add("another major", "2.99.0", nil)
	add("another minor", "3.9.0", nil)
	add("next minor", "3.13.0", nil)
	add("absent has no distance", "-", nil)
	add("a name before", "-", func(f *placement.Facts) { f.Cordoned, f.Installations = true, worker(t, "3.14.0").Installations })
	if groups := tally.Groups(); groups[0].Hosts != 3 || groups[0].Nearest.Name != "next minor" || len(groups[0].Versions) != 3 {
		t.Errorf("got %+v", groups[0])
	}
}
