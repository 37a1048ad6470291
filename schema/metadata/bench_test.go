package metadata_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"sort"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	gojson "github.com/goccy/go-json"

	"github.com/attune-go/attune/schema/metadata"
)

// typical is typical metadata of a runtime, in the text that a database returns.
const typical = `{"min_version": "3.8", "recommended_version": "3.12", "verification": {"commands": [` +
	`{"args": ["--version"], "binary": "python3", "pattern": "(?m)^Python 3\\.", "priority": 1, "exit_code": 0}, ` +
	`{"args": ["--version"], "binary": "python", "pattern": "(?m)^Python 3\\.", "optional": true, "priority": 2, "exit_code": 0}, ` +
	`{"args": ["--version"], "binary": "/opt/python/bin/python3", "timeout": "20s", "optional": true}], ` +
	`"env": ["PYENV_ROOT"], "locations": ["/usr/bin/python3.[0-9]", "/opt/python*/bin/python3", "~/.pyenv/versions/*/bin/python3"]}}`

// The structs that somebody would write for encoding/json.
type (
	plainDistributions struct {
		Verification       *plainVerification `json:"verification"`
		MinVersion         string             `json:"min_version"`
		RecommendedVersion string             `json:"recommended_version"`
		Roles              []string           `json:"roles"`
	}
	plainVerification struct {
		AlwaysAvailable bool              `json:"always_available"`
		CheckRequired   *bool             `json:"check_required"`
		Commands        []plainCommand    `json:"commands"`
		Env             []string          `json:"env"`
		Locations       []string          `json:"locations"`
		VersionFile     *plainVersionFile `json:"version_file"`
	}
	plainCommand struct {
		Binary         string   `json:"binary"`
		Args           []string `json:"args"`
		ExitCode       int      `json:"exit_code"`
		Pattern        string   `json:"pattern"`
		Priority       *int     `json:"priority"`
		Optional       bool     `json:"optional"`
		VersionPattern string   `json:"version_pattern"`
		Timeout        string   `json:"timeout"`
	}
	plainVersionFile struct {
		Path    string `json:"path"`
		Pattern string `json:"pattern"`
	}
)

// A command is what a detector reads of each command.
type command struct {
	binary   string
	args     []string
	exitCode int
	pattern  string
	optional bool
	timeout  time.Duration
}

var sink []command

func generated(doc []byte) ([]command, error) {
	var d metadata.Distributions
	if err := d.UnmarshalJSON(doc); err != nil {
		return nil, err
	}
	ordered := d.Verification.Ordered()
	out := make([]command, len(ordered))
	for i := range ordered {
		c := &ordered[i]
		out[i] = command{c.Binary, c.Args, c.ExitCode, c.Pattern, c.Optional, c.TimeoutOrDefault()}
	}
	return out, nil
}

// structs reads into the structs above with another library.
func structs(unmarshal func([]byte, any) error) func([]byte) ([]command, error) {
	return func(doc []byte) ([]command, error) {
		var d plainDistributions
		if err := unmarshal(doc, &d); err != nil {
			return nil, err
		}
		list := d.Verification.Commands
		priority := func(i int) int {
			if p := list[i].Priority; p != nil {
				return *p
			}
			return 999
		}
		sort.SliceStable(list, func(i, j int) bool { return priority(i) < priority(j) })
		out := make([]command, len(list))
		for i := range list {
			c, timeout := &list[i], 10*time.Second
			if c.Timeout != "" {
				t, err := time.ParseDuration(c.Timeout)
				if err != nil {
					return nil, err
				}
				timeout = t
			}
			out[i] = command{c.Binary, c.Args, c.ExitCode, c.Pattern, c.Optional, timeout}
		}
		return out, nil
	}
}

// untyped reads a map key by key, as code without types does.
func untyped(doc []byte) ([]command, error) {
	var d map[string]any
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, err
	}
	verification, _ := d["verification"].(map[string]any)
	list, _ := verification["commands"].([]any)
	priority := func(i int) float64 {
		m, _ := list[i].(map[string]any)
		if p, ok := m["priority"].(float64); ok {
			return p
		}
		return 999
	}
	sort.SliceStable(list, func(i, j int) bool { return priority(i) < priority(j) })
	out := make([]command, len(list))
	for i := range list {
		m, _ := list[i].(map[string]any)
		c := &out[i]
		c.binary, _ = m["binary"].(string)
		args, _ := m["args"].([]any)
		for _, a := range args {
			s, _ := a.(string)
			c.args = append(c.args, s)
		}
		code, _ := m["exit_code"].(float64)
		c.exitCode = int(code)
		c.pattern, _ = m["pattern"].(string)
		c.optional, _ = m["optional"].(bool)
		c.timeout = 10 * time.Second
		if s, ok := m["timeout"].(string); ok {
			t, err := time.ParseDuration(s)
			if err != nil {
				return nil, err
			}
			c.timeout = t
		}
	}
	return out, nil
}

// readers lists the ways to get the commands of a document, ours first.
var readers = []struct {
	name string
	read func([]byte) ([]command, error)
}{
	{"generated", generated},
	{"encoding/json", structs(json.Unmarshal)},
	{"map", untyped},
	{"goccy/go-json", structs(gojson.Unmarshal)},
	{"json/v2", structs(func(doc []byte, v any) error { return jsonv2.Unmarshal(doc, v) })},
}

// TestReadersAgree: the benchmarked readers have the same results.
func TestReadersAgree(t *testing.T) {
	want, err := generated([]byte(typical))
	if err != nil || len(want) != 3 || want[2].timeout != 20*time.Second {
		t.Fatalf("%+v, %v", want, err)
	}
	for _, r := range readers {
		got, err := r.read([]byte(typical))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", r.name, got, err, want)
		}
	}
}

// A document is copied once, and its texts are slices of the copy. Apart from that, each slice, each object
// behind a pointer, and each text with an escape is one allocation.
func TestDecodeAllocations(t *testing.T) {
	doc := []byte(typical)
	const copied, objects, commands, lists, escaped = 1, 1, 1, 5, 2
	got := testing.AllocsPerRun(100, func() {
		var d metadata.Distributions
		if err := d.UnmarshalJSON(doc); err != nil {
			t.Fatal(err)
		}
	})
	if want := float64(copied + objects + commands + lists + escaped); got > want {
		t.Errorf("%v allocations, want %v", got, want)
	}
}

// BenchmarkCommands reads all commands of a typical definition, in the order in which they are tried.
func BenchmarkCommands(b *testing.B) {
	doc := []byte(typical)
	for _, r := range readers {
		b.Run(r.name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				out, err := r.read(doc)
				if err != nil {
					b.Fatal(err)
				}
				sink = out
			}
		})
	}
}

// BenchmarkCommandsSideBySide takes short turns, and reports the factors between the medians of ours and the
// others. Turns that other work on the machine lengthens do not matter then.
func BenchmarkCommandsSideBySide(b *testing.B) {
	doc := []byte(typical)
	const turn = 20
	spent := make([][]time.Duration, len(readers))
	for b.Loop() {
		for i, r := range readers {
			start := time.Now()
			for range turn {
				out, err := r.read(doc)
				if err != nil {
					b.Fatal(err)
				}
				sink = out
			}
			spent[i] = append(spent[i], time.Since(start))
		}
	}
	median := func(i int) float64 {
		slices.Sort(spent[i])
		return float64(spent[i][len(spent[i])/2].Nanoseconds()) / turn
	}
	ours := median(0)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours, "ns/generated")
	for i, r := range readers[1:] {
		b.ReportMetric(median(i+1)/ours, "x/"+r.name)
	}
}
