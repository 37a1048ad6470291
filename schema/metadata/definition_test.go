package metadata_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/metadata"
)

func TestOrdered(t *testing.T) {
	v := metadata.Verification{Commands: []metadata.Command{
		{Binary: "default"}, {Binary: "999", Priority: metadata.Some(999)}, {Binary: "2", Priority: metadata.Some(2)},
		{Binary: "0", Priority: metadata.Some(0)}, {Binary: "-1", Priority: metadata.Some(-1)}, {Binary: "2 again", Priority: metadata.Some(2)},
		{Binary: "1000", Priority: metadata.Some(1000)},
	}}
	var got []string
	for _, c := range v.Ordered() {
		got = append(got, c.Binary)
	}
	want := []string{"-1", "0", "2", "2 again", "default", "999", "1000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if v.Commands[0].Binary != "default" {
		t.Error("Ordered changed the commands")
	}
}

func TestDefaults(t *testing.T) {
	var c metadata.Command
	if c.PriorityOrDefault() != 999 || c.TimeoutOrDefault() != 10*time.Second || c.ExitCode != 0 {
		t.Errorf("defaults are %d, %s and %d", c.PriorityOrDefault(), c.TimeoutOrDefault(), c.ExitCode)
	}
	for doc, want := range map[string]bool{`{}`: true, `{"check_required": true}`: true, `{"check_required": false}`: false,
		`{"always_available": true}`: false} {
		var v metadata.Verification
		if err := v.UnmarshalJSON([]byte(doc)); err != nil || v.MustCheck() != want {
			t.Errorf("%s: must check %t, %v", doc, v.MustCheck(), err)
		}
	}
}

func TestCapabilityName(t *testing.T) {
	for want, d := range map[string]metadata.Definition{
		"node":    {Ref: "core.nodejs", Aliases: metadata.Aliases{"Node", "nodejs"}},
		"ruby":    {Ref: "core.ruby"},
		"builtin": {Ref: "core.sensor.builtin"},
	} {
		if got := d.CapabilityName(); got != want {
			t.Errorf("%s: got %q, want %q", d.Ref, got, want)
		}
	}
}

func TestHasRole(t *testing.T) {
	both := metadata.Definition{}
	sensor := metadata.Definition{Distributions: metadata.Distributions{Roles: []metadata.Role{metadata.Sensor}}}
	if !both.HasRole(metadata.Worker) || !both.HasRole(metadata.Sensor) {
		t.Error("without roles it is for both")
	}
	if sensor.HasRole(metadata.Worker) || !sensor.HasRole(metadata.Sensor) {
		t.Error("with one role it is for that one")
	}
}

func TestDigestForgivesOrderOfVersions(t *testing.T) {
	a := decodeDefinition(t, `{"ref": "a.x", "name": "X", "versions": [{"version": "1"}, {"version": "2", "is_default": true}]}`)
	b := decodeDefinition(t, `{"ref": "a.x", "name": "X", "versions": [{"version": "2", "is_default": true}, {"version": "1"}]}`)
	if a.Digest() != b.Digest() {
		t.Error("the order of versions makes another digest; a database gives them back newest first")
	}
	if a.Versions[0].Version != "1" {
		t.Error("Digest reordered the definition itself")
	}
}

func TestDigestForgivesSpelling(t *testing.T) {
	base := `{"ref": "a.x", "pack_ref": "a", "name": "Xé", "installation": {"a": 1, "b": [1.0, "<"]}, "k": 10,
		"distributions": {"roles": ["worker", "sensor"], "min_version": "1.2", "verification": {"check_required": true,
		"commands": [{"binary": "x", "priority": 999, "timeout": "10s", "exit_code": 0, "args": [], "optional": false}]}}}`
	d := decodeDefinition(t, base)
	same := []string{
		`{"k": 1e1, "distributions": {"verification": {"commands": [{"args": null, "binary": "\u0078"}]}, "min_version": "1.2"},
			"installation": {"b": [1, "\u003c"], "a": 1.00}, "name": "X\u00e9", "ref": "a.x"}`,
		`{"ref":"a.x","k":100e-1,"name":"Xé","installation":{"a":1,"b":[1,"<"]},"versions":[],"distributions":{"roles":["sensor","worker"],
			"verification":{"commands":[{"binary":"x","timeout":"10000ms"}]},"min_version":"1.2"}}`,
	}
	for _, doc := range same {
		if got := decodeDefinition(t, doc); got.Digest() != d.Digest() {
			t.Errorf("another digest for %s", doc)
		}
	}
	other := []string{
		`{"ref": "a.x", "name": "X"}`,
		`{"ref": "a.x", "name": "X", "distributions": {"min_version": "1"}}`,
		`{"ref": "a.x", "name": "X", "distributions": {"min_version": "1.0"}}`,
		`{"ref": "a.x", "name": "X", "distributions": {"roles": ["worker"]}}`,
		`{"ref": "a.x", "name": "X", "distributions": {"verification": {}}}`,
		`{"ref": "a.x", "name": "X", "distributions": {"verification": {"check_required": false}}}`,
		`{"ref": "a.x", "name": "X", "distributions": {"verification": {"commands": [{"binary": "a"}, {"binary": "b"}]}}}`,
		`{"ref": "a.x", "name": "X", "distributions": {"verification": {"commands": [{"binary": "b"}, {"binary": "a"}]}}}`,
		`{"ref": "a.x", "name": "X", "k": 1}`, `{"ref": "a.x", "name": "X", "k": -1}`, `{"ref": "a.x", "name": "X", "k": "1"}`,
		`{"ref": "a.x", "name": "X", "versions": [{"version": "3.1"}]}`, `{"ref": "a.x", "name": "X", "versions": [{"version": "3.10"}]}`,
		`{"ref": "a.x", "name": "X", "aliases": ["a"]}`, `{"ref": "a.x", "name": "X", "aliases": ["a", "b"]}`,
	}
	seen := map[string]string{d.Digest(): base}
	for _, doc := range other {
		got := decodeDefinition(t, doc)
		if first, ok := seen[got.Digest()]; ok {
			t.Errorf("one digest for %s and %s", first, doc)
		}
		seen[got.Digest()] = doc
	}
	if len(d.Digest()) != 64 {
		t.Errorf("a digest is %q", d.Digest())
	}
}

func TestEqual(t *testing.T) {
	scan := func(s string) (d metadata.Distributions) {
		if err := d.Scan(s); err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		a, b string
		want bool
	}{
		{`{}`, `{"roles": []}`, true},
		{`{"a": 1, "b": 2}`, `{"b": 2.0, "a": 1}`, true},
		{`{"a": 1}`, `{"a": 2}`, false},
		{`[1]`, `[1]`, true},
		{`[1]`, `[1, 2]`, false},
		{`[1]`, `{}`, false},
	}
	for _, tt := range tests {
		if got := scan(tt.a).Equal(scan(tt.b)); got != tt.want {
			t.Errorf("%s and %s: equal %t", tt.a, tt.b, got)
		}
	}
}

func TestIndexResolve(t *testing.T) {
	defs := []metadata.Definition{
		{Ref: "zoo.ruby", Name: "Ruby", Aliases: metadata.Aliases{"ruby"}},
		{Ref: "acme.ruby", Name: "Ruby", Aliases: metadata.Aliases{"ruby", "jruby"}},
		{Ref: "core.nodejs", Name: "Node.js", Aliases: metadata.Aliases{"node", "nodejs"}},
		{Ref: "acme.node", Name: "Another", Aliases: metadata.Aliases{"core.nodejs", "acme-node"}},
		{Ref: "acme.js", Name: "nodejs", Aliases: metadata.Aliases{"js"}},
		{Ref: "core.python", Name: "Python", Aliases: metadata.Aliases{"python", "python3"}},
		{Ref: "acme.python3", Name: "Python 3"},
		{Ref: "core.sensor.builtin", Name: "Builtin"},
		{Ref: "core.python", Name: "A second row of one ref"},
	}
	x := metadata.NewIndex(defs)
	for name, want := range map[string]string{
		"core.nodejs": "core.nodejs", "CORE.NodeJS": "core.nodejs", "node": "core.nodejs", " NODEJS ": "core.nodejs", "Node.js": "core.nodejs",
		"ruby": "acme.ruby", "zoo.ruby": "zoo.ruby", "jruby": "acme.ruby", "js": "acme.js", "acme-node": "acme.node",
		"python3": "acme.python3", // a capability name comes before another's alias
		"Python":  "core.python", "builtin": "core.sensor.builtin", "another": "acme.node",
		"perl": "", "": "", "core": "",
	} {
		got := ""
		if d, ok := x.Resolve(name); ok {
			got = d.Ref
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if d, _ := x.Resolve("core.python"); d != &defs[5] {
		t.Errorf("of two rows of one ref the first counts; got %q", d.Name)
	}
}

// TestIndexCoreFirst: the core pack takes precedence, although its ref is not the lowest.
func TestIndexCoreFirst(t *testing.T) {
	x := metadata.NewIndex([]metadata.Definition{{Ref: "acme.go", Name: "Go"}, {Ref: "core.go", Name: "Go"}})
	if d, ok := x.Resolve("GO"); !ok || d.Ref != "core.go" {
		t.Errorf("got %+v", d)
	}
}
