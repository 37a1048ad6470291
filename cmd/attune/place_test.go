package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/reports"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
	request "github.com/attune-go/attune/schema/requirement"
)

// placed runs attune place --json and checks the exit status.
func placed(t *testing.T, status int, args ...string) *placement.Answer {
	t.Helper()
	got := run(t, append([]string{"place", "--json"}, args...)...)
	var a placement.Answer
	if err := json.Unmarshal([]byte(got.out), &a); err != nil || got.status != status {
		t.Fatalf("%q: status %d, want %d, %v\n%s%s", args, got.status, status, err, got.out, got.errOut)
	}
	return &a
}

// placedNames returns the names of placed workers.
func placedNames(a *placement.Answer) []string {
	list := []string{}
	for _, p := range a.Placed {
		list = append(list, p.Name)
	}
	return list
}

func TestPlace(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		for _, c := range []struct {
			args []string
			want []string
		}{
			{[]string{"python", "--tolerate", "gpu", "--tolerate", "spot"}, []string{"web-2", "web-1", "declared"}},
			{[]string{"Python3@>=3.11,<4", "--tolerate", "gpu", "--tolerate", "spot"}, []string{"web-1"}},
			{[]string{"python@>=3.11,<4", "--tolerate", "gpu=a100:no_schedule", "--prereleases"}, []string{"web-2", "web-1"}},
			{[]string{"python", "--verified", "--tolerate", "gpu", "--tolerate", "spot", "--prefer", "zone=a"}, []string{"web-1", "web-2"}},
			{[]string{"python", "--tolerate", "gpu", "--tolerate", "spot", "--select", "zone=b"}, []string{"web-2"}},
			{[]string{"--tolerate", "gpu", "--tolerate", "spot", "--slots", "7"}, []string{"web-1", "web-2"}},
			{[]string{"python", "--tolerate", "gpu", "--tolerate", "spot", "--limit", "1"}, []string{"web-2"}},
			{[]string{"--role", "sensor"}, []string{"eye"}},
		} {
			got := placedNames(placed(t, 0, c.args...))
			if slices.Contains(c.args, "--slots") {
				slices.Sort(got)
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.args, diff)
			}
		}
		want(t, run(t, "place", "python@>=3.11,<4", "--tolerate", "gpu", "--tolerate", "spot"), 0, "1 of 7 workers fits\n", "NAME   ROLE    FREE  PYTHON", "web-1  worker     7  3.12.1 /usr/bin/python3")
		want(t, run(t, "place", "python", "--tolerate", "gpu", "--tolerate", "spot", "--limit", "1"), 0, "3 of 7 workers fit\n", "2 more; --limit 0 shows all")
		want(t, run(t, "place", "python@2.7"), 3, "none of 7 workers fits", "stale", "lost", "python could not be determined", "WHAT WOULD HELP")
		want(t, run(t, "place", "python@>=3.12", "--tolerate", "gpu", "--prefer", "zone=b:5"), 0, "WEIGHT", "-100")
		hosts := run(t, "place", "python@>=3.12", "--tolerate", "gpu", "--tolerate", "spot", "--hosts")
		want(t, hosts, 0, "1 of 7 workers fits", "web-1        yes\n", "web-2        no", "python is a pre-release, wanted >=3.12", "3.13.0-rc1")
		if lines := strings.Count(hosts.out, "\n"); lines != 2+7 {
			t.Errorf("%d lines, want one for each worker:\n%s", lines, hosts.out)
		}
	})
}

// TestPlaceJSON holds the keys of the answer against the contract.
func TestPlaceJSON(t *testing.T) {
	t.Parallel()
	fleet(t, testdb.SQLite(t))
	keys := func(args ...string) map[string]any {
		t.Helper()
		var document map[string]any
		got := run(t, append([]string{"place", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(got.out), &document); err != nil {
			t.Fatalf("%v\n%s%s", err, got.out, got.errOut)
		}
		return document
	}
	sorted := func(v any) []string {
		var list []string
		for key := range v.(map[string]any) {
			list = append(list, key)
		}
		slices.Sort(list)
		return list
	}
	first := func(v any) any { return v.([]any)[0] }
	fits := keys("python", "--tolerate", "gpu", "--tolerate", "spot", "--hosts")
	misses := keys("python@>=3.14", "--select", "zone=a", "--tolerate", "gpu", "--tolerate", "spot")
	for _, c := range []struct {
		name string
		of   any
		want string
	}{
		{"answer", misses, "fit fleet groups helps notes placed requirement"},
		{"answer with --hosts", fits, "fit fleet groups helps hosts notes placed requirement"},
		{"placed", first(fits["placed"]), "free name role runtimes weight worker"},
		{"runtime", first(first(fits["placed"]).(map[string]any)["runtimes"]), "path ref version"},
		{"group", first(misses["groups"]), "hosts nearest reasons"},
		{"reason", first(first(misses["groups"]).(map[string]any)["reasons"]), "kind passing runtime wanted"},
		{"nearest", first(misses["groups"]).(map[string]any)["nearest"], "name reasons worker"},
		{"nearest reason", first(first(misses["groups"]).(map[string]any)["nearest"].(map[string]any)["reasons"]), "actual kind passing runtime wanted"},
		{"host", first(fits["hosts"]), "fits name reasons worker"},
	} {
		if got := strings.Join(sorted(c.of), " "); got != c.want {
			t.Errorf("%s has %s, want %s", c.name, got, c.want)
		}
	}
	if got := sorted(fits["requirement"]); !reflect.DeepEqual(got, []string{"runtimes", "tolerations"}) {
		t.Errorf("the requirement has %v", got)
	}
}

// TestPlaceRequirement reads requirements from a file and from standard input.
func TestPlaceRequirement(t *testing.T) {
	fleet(t, testdb.SQLite(t))
	t.Chdir(t.TempDir())
	const text = `{"runtimes": {"Python3": ">=3.12"}, "tolerations": [{"key": "gpu", "operator": "exists"}],
		"affinity": {"required": [{"match_expressions": [{"key": "zone", "operator": "in", "values": ["a", "b"]}]}]}}`
	if err := os.WriteFile("need.json", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := placedNames(placed(t, 0, "--requirement", "need.json")); !slices.Equal(got, []string{"web-1"}) {
		t.Errorf("got %v", got)
	}
	from := func(input string) result {
		var out, errOut bytes.Buffer
		status := program().Run(t.Context(), []string{"place", "--requirement", "-"}, cli.Stdio{In: strings.NewReader(input), Out: &out, Err: &errOut, Environ: environ(t)})
		return result{status, out.String(), errOut.String()}
	}
	want(t, from(text), 0, "1 of 7 workers fits")
	want(t, from(""), 1, "standard input: must be a JSON object, got nothing")
	want(t, from(`{"selector": {"a": "`+strings.Repeat("x", 1<<20)+`"}}`), 1, "must have at most 65536 bytes")
	want(t, from(`{"selector": {"a": 5}, "affinity": {"preferred": [{"weight": 101, "term": {"match_labels": {"a": "b"}}}]}, "role": "boss"}`), 1,
		"/selector/a", "/affinity/preferred/0/weight: must be from 1 to 100, got 101", "/role")
	want(t, from(`{"runtimes": {"pyton": "*", "nope": "*"}}`), 1, `/runtimes/pyton: unknown runtime "pyton"; did you mean python?`, `unknown runtime "nope"`)
	want(t, run(t, "place", "--requirement", "none.json"), 1, "none.json", "no such file")
	want(t, run(t, "place", "python", "--requirement", "need.json"), 2, "--requirement are different questions")
}

// TestPlaceBadInput: every refusal names what is wrong.
func TestPlaceBadInput(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	fleet(t, db)
	long := strings.Repeat("k", 10_000)
	for _, c := range []struct {
		args   []string
		status int
		parts  []string
	}{
		{[]string{"pyton"}, 1, []string{`unknown runtime "pyton"; did you mean python?`, "`attune runtimes list` shows all"}},
		{[]string{"python>=3.12"}, 2, []string{"must have an @"}},
		{[]string{"python@"}, 2, []string{"outside of quotes a shell redirects"}},
		{[]string{"python@=>3"}, 2, []string{"constraint"}},
		{[]string{"python", "python@3"}, 2, []string{"must name each runtime once"}},
		{[]string{"python", "python3@3"}, 1, []string{`must name each runtime once: "python" is core.python too`}},
		{[]string{"--select", "zone"}, 2, []string{"must be KEY=VALUE"}},
		{[]string{"--select", "zone=a", "--select", "zone=b"}, 2, []string{`must not contradict "zone=a"`}},
		{[]string{"--prefer", "zone=b:101"}, 2, []string{"must be from 1 to 100, got 101"}},
		{[]string{"--prefer", "zone=b:0"}, 2, []string{"must be from 1 to 100, got 0"}},
		{[]string{"--role", "boss"}, 2, []string{"role", `"boss"`}},
		{[]string{"--slots", "0"}, 2, []string{"--slots must be at least 1, got 0"}},
		{[]string{"--slots", "1000000"}, 2, []string{"slots", "10000"}},
		{[]string{"--limit=-1"}, 2, []string{"--limit must be at least 0, got -1"}},
		{[]string{"--select", long + "=a"}, 2, []string{"must have at most 1024 characters"}},
		{[]string{"--select", "a=\x1b"}, 2, []string{"must not contain control characters"}},
		{[]string{"--all", "--limit", "3"}, 2, []string{"--limit is about one requirement"}},
		{[]string{"--action", ""}, 2, []string{"--action must not be empty: is the variable unset?"}},
		{[]string{"--sensor="}, 2, []string{"--sensor must not be empty"}},
		{[]string{"--requirement="}, 2, []string{"--requirement must not be empty"}},
		{[]string{"--all", "--pack="}, 2, []string{"--pack must not be empty"}},
		{[]string{"--sql", "--json"}, 2, []string{"--sql prints a statement only"}},
		{[]string{"--pack", "core", "python"}, 2, []string{"--pack goes with --all or --if"}},
		{[]string{"python@>=4,<3"}, 3, []string{"none of 7 workers fits", "no worker can fit: /runtimes/core.python: must be satisfied by some version"}},
		{[]string{"--select", `it's "100%" ?0 \`, "--tolerate", `a'b"`}, 2, []string{"must be KEY=VALUE"}},
		{[]string{"--select", `it's "100%" ?0 \=x`, "--tolerate", `a'b"`}, 3, []string{"none of 7 workers fits"}},
	} {
		want(t, run(t, append([]string{"place"}, c.args...)...), c.status, c.parts...)
	}
	setenv(t, "ATTUNE_DATABASE_URL", testdb.EmptySQLite(t).URL)
	want(t, run(t, "place", "python"), 1, "`attune migrate up`")
}

// TestPlaceHelpsCanBeTyped runs the commands that the answer suggests.
func TestPlaceHelpsCanBeTyped(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		fleet(t, db)
		seen := map[placement.HelpKind]bool{}
		want(t, run(t, "workers", "cordon", "web-1"), 0)
		for _, args := range [][]string{
			{"python@3.12", "--tolerate", "gpu"},
			{"python@>=3.14", "--tolerate", "gpu", "--tolerate", "spot"}, {"python@>=3.12", "--select", "zone=b", "--tolerate", "gpu", "--tolerate", "spot"}, {"python@3.12"},
			{"python", "--verified", "--select", "zone=it's", "--tolerate", "gpu", "--tolerate", "spot"}, {"python@2.7"}, {"python@3.1", "--role", "sensor"},
		} {
			a := placed(t, 3, args...)
			for _, h := range a.Helps {
				line, ok := strings.CutPrefix(h.Command, "attune ")
				if !ok {
					continue
				}
				seen[h.Kind] = true
				command := shellWords(line)
				got := run(t, command...)
				if command[0] != "place" {
					want(t, got, 0)
					continue
				}
				if a := placed(t, 0, command[1:]...); a.Fit < h.Workers {
					t.Errorf("%q: %d fit, want at least %d", h.Command, a.Fit, h.Workers)
				}
			}
		}
		for _, kind := range []placement.HelpKind{
			placement.Relax, placement.AllowPrereleases, placement.Tolerate, placement.Refresh, placement.Wait, placement.Uncordon,
		} {
			if !seen[kind] {
				t.Errorf("no command of the kind %s was typed", kind)
			}
		}
	})
}

// shellWords splits a line as a POSIX shell does, for words in single quotes.
func shellWords(line string) (words []string) {
	var word strings.Builder
	quoted, any := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\'':
			quoted, any = !quoted, true
		case quoted:
			word.WriteByte(c)
		case c == '\\':
			i++
			word.WriteByte(line[i])
		case c == ' ':
			if any || word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteByte(c)
		}
	}
	if any || word.Len() > 0 {
		words = append(words, word.String())
	}
	return words
}

// TestPlaceFitsAScreen: thousands of hosts are counted. A terminal of 80 columns and 24 lines shows the
// answer, and no line is wider.
func TestPlaceFitsAScreen(t *testing.T) {
	t.Parallel()
	index := metadata.NewIndex(core.Definitions())
	var crowd []placement.Facts
	for i := range 5000 {
		f := placement.Facts{Worker: int64(i), Name: fmt.Sprintf("build-host-%d.example.com", i), Role: "worker", Status: "active", Slots: 3, Spread: int64(i)}
		switch i % 12 {
		case 0:
			f.Cordoned, f.CordonReason = true, "the disk is failing, see the ticket of Monday"
		case 1:
			f.Stale = true
		case 2:
			f.Role = "sensor"
		}
		for j := range i % 5 {
			f.Taints = append(f.Taints, request.Taint{Key: fmt.Sprint("taint-", j), Effect: request.NoSchedule})
		}
		f.Installations = []placement.Installation{{Ref: core.RefPython, Path: "/usr/local/lib/pyenv/versions/bin/python3"}}
		crowd = append(crowd, f)
	}
	for _, c := range []struct {
		runtime string
		parts   []string
	}{
		{"core.python@>=3.14", []string{"none of 5000 workers fits", "more for other reasons; --json lists all", "WHAT WOULD HELP"}},
		{"core.python", []string{"of 5000 workers fit", "more; --limit 0 shows all"}},
	} {
		r, err := request.Terms{Runtimes: []string{c.runtime}, Role: "worker"}.Requirement()
		if err != nil {
			t.Fatal(err)
		}
		a := placement.Place(&r, crowd, 20)
		for _, width := range []int{80, 120} {
			var out bytes.Buffer
			p := placePrinter{&cli.Env{Out: &cli.Terminal{Writer: &out, Person: true, Width: width}, Err: &cli.Terminal{Writer: &out}}, index}
			p.print(&a)
			lines := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
			if len(lines) > 24 {
				t.Errorf("%s on %d columns has %d lines:\n%s", c.runtime, width, len(lines), out.String())
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > width && !strings.Contains(line, "attune place") {
					t.Errorf("on %d columns a line has %d: %q", width, n, line)
				}
			}
			for _, part := range c.parts {
				if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), part) {
					t.Errorf("on %d columns nothing says %q:\n%s", width, part, out.String())
				}
			}
		}
	}
}

// TestPlaceHelpsAreCounted: a terminal says how many helps it leaves out, and a pipe leaves out none.
func TestPlaceHelpsAreCounted(t *testing.T) {
	t.Parallel()
	a := placement.Answer{Fleet: 7, Groups: []placement.Group{}, Helps: []placement.Help{}}
	for i := range 7 {
		a.Helps = append(a.Helps, placement.Help{Kind: placement.Start, Workers: 7 - i, Text: fmt.Sprintf("start the service on build-%d", i)})
	}
	for person, want := range map[bool]string{true: "build-4\n         2 more would help; --json lists all\n", false: "start the service on build-6\n"} {
		var out bytes.Buffer
		p := placePrinter{&cli.Env{Out: &cli.Terminal{Writer: &out, Person: person, Width: 80}, Err: &cli.Terminal{Writer: &out}}, metadata.NewIndex(core.Definitions())}
		p.print(&a)
		if !strings.HasSuffix(out.String(), want) {
			t.Errorf("got\n%s\nwant it to end in %q", out.String(), want)
		}
	}
}

// An empty fleet has a clear answer too.
func TestPlaceWithoutWorkers(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	isolated(t)
	uses(t, db)
	want(t, run(t, "packs", "load", "core"), 0)
	want(t, run(t, "place", "python"), 3, "no workers\n")
	reports.Register(t, db, metadata.Worker, "w", &capability.Document{Detected: []capability.Installation{python("3.12.1", "/usr/bin/python3")}})
	want(t, run(t, "place", "python"), 0, "1 of 1 worker fits\n")
}
