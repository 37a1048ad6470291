//go:build unix

package packs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

const packYAML = "ref: lang\nlabel: Languages\nversion: 1.10\ndescription: d\n"

// definition returns a file without a fault, with rest at its end.
func definition(name, rest string) string {
	return "ref: lang." + name + "\nname: N\naliases: [lang-" + name + "]\ndistributions:\n  verification:\n    commands:\n" +
		"      - binary: " + name + "\n        args: [--version]\n" + rest
}

// pack returns the files of a pack. A name without a folder means a runtime.
func pack(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{"pack.yaml": {Data: []byte(packYAML)}}
	for name, text := range files {
		if name != "pack.yaml" && !strings.HasPrefix(name, "runtimes") {
			name = "runtimes/" + name + ".yaml"
		}
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func load(files fs.FS, cfg packs.Config) (*packs.Pack, []string) {
	p, faults := packs.Load(files, cfg)
	var lines []string
	for _, fault := range faults {
		lines = append(lines, fault.String())
	}
	return p, lines
}

func TestLoad(t *testing.T) {
	p, faults := load(pack(map[string]string{
		"pack.yaml": packYAML + "tags: [a, {b: 1.50}]\nextra: 1.10\n",
		"zig":       definition("zig", ""),
		"ada": "ref: lang.ada\npack_ref: lang\nname: Ada\naliases: [ada]\n" + `
distributions:
  verification: {always_available: true}
  min_version: 3.10
  recommended_version: 4
  serial: 0x1F
installation: {package_managers: [apt], since: 2024-01-02, size: 1_000, ratio: .5, big: 12345678901234567890, on: yes, n: ~}
versions:
  - {version: 3.10, distributions: {min_version: 3.10, recommended_version: 3.20}, is_default: true}
  - {version: 3.1, meta: {version: 3.10}}
`}), packs.Config{})
	if diff := cmp.Diff([]string{`pack.yaml:6:1: warning: /extra: unknown key "extra"`,
		`runtimes/ada.yaml:10:3: warning: /distributions/serial: unknown key "serial"`}, faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if p.Ref != "lang" || p.Label != "Languages" || p.Version != "1.10" || p.Description != "d" {
		t.Errorf("the pack is %+v", p)
	}
	if diff := cmp.Diff(metadata.Unknown{{Key: "extra", Value: []byte("1.10")}}, p.Unknown); diff != "" || string(p.Tags) != `["a",{"b":1.50}]` {
		t.Errorf("further keys of pack.yaml (-want +got):\n%s\ntags: %s", diff, p.Tags)
	}
	if len(p.Definitions) != 2 || p.Definitions[0].Ref != "lang.ada" || p.Definitions[1].PackRef != "lang" {
		t.Fatalf("definitions %+v", p.Definitions)
	}
	ada := p.Definitions[0]
	got := []string{ada.Distributions.MinVersion, ada.Distributions.RecommendedVersion, ada.Versions[0].Version,
		ada.Versions[0].Distributions.MinVersion, ada.Versions[0].Distributions.RecommendedVersion, ada.Versions[1].Version,
		string(ada.Versions[1].Meta), string(ada.Installation), string(ada.Distributions.Unknown[0].Value)}
	want := []string{"3.10", "4", "3.10", "3.10", "3.20", "3.1", `{"version":3.10}`, `{"package_managers":["apt"],"since":"2024-01-02",` +
		`"size":1000,"ratio":0.5,"big":12345678901234567890,"on":"yes","n":null}`, "31"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what was read (-want +got):\n%s", diff)
	}
	if want := map[string]string{"lang.ada": "runtimes/ada.yaml", "lang.zig": "runtimes/zig.yaml"}; !cmp.Equal(want, p.Files) {
		t.Errorf("files %v, want %v", p.Files, want)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"a syntax error", map[string]string{"x": "ref: lang.x\nname: [X\n"}, []string{
			"runtimes/x.yaml:2:7: error: not YAML: did not find expected ',' or ']': the [ begins a list; if it is text, write it in single quotes"}},
		{"a wrong indentation", map[string]string{"x": definition("x", "        pattern: x\n      timeout: 1s\n"+"description: d\n")}, []string{
			"runtimes/x.yaml:10:1: error: not YAML: did not find expected '-' indicator"}},
		{"a quote without end", map[string]string{"x": definition("x", "        pattern: 'x\ndescription: d\n")}, []string{
			"runtimes/x.yaml:9:1: error: not YAML: found unexpected end of stream"}},
		{"a tab", map[string]string{"x": definition("x", "\tdescription: d\n")}, []string{
			"runtimes/x.yaml:9:1: error: not YAML: found character that cannot start any token"}},
		{"no YAML at all", map[string]string{"x": "\x7fELF\x02\x01\x00\x00"}, []string{
			"runtimes/x.yaml:1:7: error: not YAML: the file is not UTF-8 text"}},
		{"another encoding", map[string]string{"x": "ref: lang.x\nname: caf\xe9\n"}, []string{
			"runtimes/x.yaml:2:10: error: not YAML: the file is not UTF-8 text"}},
		{"an empty file", map[string]string{"x": "", "y": "# nothing\n"}, []string{
			"runtimes/x.yaml:1:1: error: the file is empty", "runtimes/y.yaml:1:1: error: the file is empty"}},
		{"a list", map[string]string{"x": "- python3\n"}, []string{
			"runtimes/x.yaml:1:1: error: must be an object, got a list"}},
		{"two documents", map[string]string{"x": definition("x", "---\nref: lang.y\n")}, []string{
			"runtimes/x.yaml:9:1: error: a second YAML document begins: a file holds one definition"}},
		{"wrong types, every one", map[string]string{"x": `ref: lang.x
name: 7
aliases: x
distributions:
  roles: [worker, true]
  verification:
    always_available: "yes"
    commands:
      - binary: x
        args: [1]
        exit_code: 256
        priority: high
        timeout: 10
        optional: 1
`}, []string{
			"runtimes/x.yaml:2:7: error: /name: must be text, got a number: put it in quotes",
			"runtimes/x.yaml:3:10: error: /aliases: must be a list, got text",
			"runtimes/x.yaml:5:19: error: /distributions/roles/1: must be text, got true or false: put it in quotes",
			"runtimes/x.yaml:7:23: error: /distributions/verification/always_available: must be true or false, got text",
			"runtimes/x.yaml:10:16: error: /distributions/verification/commands/0/args/0: must be text, got a number: put it in quotes",
			"runtimes/x.yaml:11:20: error: /distributions/verification/commands/0/exit_code: must be a whole number from 0 to 255, got 256",
			"runtimes/x.yaml:12:19: error: /distributions/verification/commands/0/priority: must be a whole number, got text",
			"runtimes/x.yaml:13:18: error: /distributions/verification/commands/0/timeout: must be a duration such as 10s, got 10",
			"runtimes/x.yaml:14:19: error: /distributions/verification/commands/0/optional: must be true or false, got a number",
		}},
		{"faults of several files, sorted", map[string]string{
			"pack.yaml": "ref: lang\nlabel: L\nversion: 1\nauthro: me\ndescriptoin: d\n",
			"y":         definition("y", "        pattern: '(a'\n        version_pattern: v\n"),
			"x":         "name: X\ndistributions:\n  verification:\n    commands: [{args: [a]}]\n"}, []string{
			`pack.yaml:4:1: warning: /authro: unknown key "authro"`,
			`pack.yaml:5:1: warning: /descriptoin: unknown key "descriptoin"; did you mean "description"?`,
			`runtimes/x.yaml:1:1: error: /ref: is required: pack.name, such as "core.python"`,
			"runtimes/x.yaml:4:16: error: /distributions/verification/commands/0/binary: is required: a name that is looked up in PATH, or an absolute path",
			"runtimes/y.yaml:9:18: error: /distributions/verification/commands/0/pattern: missing closing )",
			`runtimes/y.yaml:10:26: error: /distributions/verification/commands/0/version_pattern: has no group: put the version in parentheses, as in "ruby ([0-9.]+)"`,
		}},
		{"duplicate keys", map[string]string{"x": definition("x", "        args: [-v]\nname: M\n")}, []string{
			`runtimes/x.yaml:9:9: error: /distributions/verification/commands/0: duplicate key "args": the first is in line 8`,
			`runtimes/x.yaml:10:1: error: duplicate key "name": the first is in line 2`}},
		{"unknown keys", map[string]string{"x": definition("x", "        patern: a\n        zzz: 1\nDistributions: {}\n")}, []string{
			`runtimes/x.yaml:9:9: warning: /distributions/verification/commands/0/patern: unknown key "patern"; did you mean "pattern"?`,
			`runtimes/x.yaml:10:9: warning: /distributions/verification/commands/0/zzz: unknown key "zzz"`,
			`runtimes/x.yaml:11:1: warning: /Distributions: unknown key "Distributions"; did you mean "distributions"?`}},
		{"one ref in two files", map[string]string{"a": definition("x", ""), "b": "# b\n" + definition("x", "")}, []string{
			"runtimes/b.yaml:2:6: error: /ref: duplicate ref lang.x: the first is in runtimes/a.yaml:1:6"}},
		{"one name for two", map[string]string{"a": definition("x", ""),
			"b": strings.Replace(definition("y", ""), "[lang-y]", "[why, Lang-X]", 1)}, []string{
			`runtimes/b.yaml:3:16: error: /aliases/1: duplicate name "lang-x": lang.x has it in runtimes/a.yaml:3:11`}},
		{"a name and a ref without aliases", map[string]string{"a": definition("x", ""),
			"b": "ref: lang.lang-x\nname: X\ndistributions: {verification: {always_available: true}}\n"}, []string{
			`runtimes/b.yaml:1:6: error: /ref: duplicate name "lang-x": lang.x has it in runtimes/a.yaml:3:11`}},
		{"another pack's ref", map[string]string{"a": "ref: core.x\npack_ref: lang\nname: X\naliases: [a]\ndistributions: {verification: {always_available: true}}\n",
			"b": "ref: lang.y\npack_ref: core\nname: Y\naliases: [b]\ndistributions: {verification: {always_available: true}}\n"}, []string{
			`runtimes/a.yaml:1:6: error: /ref: belongs to pack "core", but pack.yaml has ref "lang"`,
			`runtimes/a.yaml:2:11: error: /pack_ref: must be "core" as in ref, got "lang"`,
			`runtimes/b.yaml:2:11: error: /pack_ref: must be "lang" as in ref, got "core"`}},
		{"a name of the core pack", map[string]string{"x": "ref: lang.x\nname: X\naliases: [x, Python3]\ndistributions: {verification: {always_available: true}}\n",
			"go": "ref: lang.go\nname: X\ndistributions: {verification: {always_available: true}}\n"}, []string{
			`runtimes/go.yaml:1:6: warning: /ref: "go" means core.go, because the core pack comes first; to mean this one write lang.go`,
			`runtimes/x.yaml:3:14: warning: /aliases/1: "python3" means core.python, because the core pack comes first; to mean this one write lang.x`}},
		{"nothing verifies it", map[string]string{"x": "ref: lang.x\nname: X\n", "y": "ref: lang.y\nname: Y\ndistributions:\n  min_version: 1\n  verification: {commands: []}\n",
			"z": "ref: lang.z\nname: Z\nversions: [{version: 1, distributions: {verification: {commands: [{binary: z, args: [--version]}]}}}]\n"}, []string{
			"runtimes/x.yaml:1:1: warning: /distributions: no host will have this runtime, because nothing verifies it: add verification.commands or verification.always_available",
			"runtimes/y.yaml:3:1: warning: /distributions: no host will have this runtime, because nothing verifies it: add verification.commands or verification.always_available"}},
		{"an interpreter that nothing verifies", map[string]string{
			"a": definition("a", "execution_config:\n  interpreter:\n    binary: other\n"),
			"b": definition("b", "execution_config: {interpreter: {binary: /opt/b/bin/b}}\n"),
			"c": definition("c", "    locations: [\"/opt/*/c-[0-9]\"]\nexecution_config: {interpreter: {binary: c-1}}\n"),
			"d": definition("d", "versions:\n  - version: 1\n    execution_config: {interpreter: {binary: d1}}\n  - version: 2\n    distributions: {verification: {commands: [{binary: d2, args: [--version]}]}}\n    execution_config: {interpreter: {binary: d2}}\n"),
			"f": definition("f", "execution_config: {interpreter: {binary: f}}\nversions:\n  - version: 1\n    distributions: {verification: {commands: [{binary: f1, args: [--version]}]}}\n  - version: 2\n    distributions: {verification: {commands: [{binary: /opt/f2/f, args: [--version]}]}}\n"),
			"e": "ref: lang.e\nname: E\ndistributions: {verification: {check_required: false}}\nexecution_config: {interpreter: {binary: e}}\n",
		}, []string{
			`runtimes/a.yaml:11:13: warning: /execution_config/interpreter/binary: no command or location verifies the interpreter "other"`,
			`runtimes/d.yaml:11:46: warning: /versions/0/execution_config/interpreter/binary: no command or location verifies the interpreter "d1"`,
			`runtimes/f.yaml:11:5: warning: /versions/0: no command or location verifies the interpreter "f"`}},
		{"min above recommended", map[string]string{"x": definition("x", "  min_version: 3.10\n  recommended_version: 3.9\n")}, []string{
			"runtimes/x.yaml:10:24: warning: /distributions/recommended_version: must be at least min_version 3.10, got 3.9"}},
		{"values without a form in JSON", map[string]string{"x": definition("x", "installation:\n  a: .inf\n  b: !thing 1\n  c: !thing {}\n  ? [k]\n  : 1\n  d: \"\\0\"\n")}, []string{
			"runtimes/x.yaml:10:6: error: /installation/a: JSON has no number .inf",
			"runtimes/x.yaml:11:6: error: /installation/b: the tag !thing is not supported",
			"runtimes/x.yaml:12:6: error: /installation/c: the tag !thing is not supported",
			"runtimes/x.yaml:13:5: error: /installation: a key must be text",
			"runtimes/x.yaml:15:6: error: /installation/d: text must not contain NUL"}},
		{"nested too deep", map[string]string{"x": definition("x", "installation: "+strings.Repeat("[", 80)+strings.Repeat("]", 80)+"\n")}, []string{
			"runtimes/x.yaml:9:78: error: /installation" + strings.Repeat("/0", 63) + ": must be nested at most 64 deep"}},
		{"pack.yaml is wrong", map[string]string{"pack.yaml": "ref: Lang\nlabel: [a]\n"}, []string{
			`pack.yaml:1:1: error: /version: is required: the pack's version, such as "1.0.0"`,
			`pack.yaml:1:6: error: /ref: must be lower case letters, digits, _ and -, got "Lang"`,
			"pack.yaml:2:8: error: /label: must be text, got a list: write it in single quotes",
			"runtimes: warning: missing: without this folder the pack has no definitions"}},
		{"the ref of the pack that is embedded", map[string]string{"pack.yaml": "ref: core\nversion: \"1\"\n", "python": "ref: core.python\nname: P\naliases: [python]\ndistributions: {verification: {always_available: true}}\n"}, []string{
			`pack.yaml:1:6: error: /ref: "core" is the ref of the embedded core pack, which no folder can replace; choose another ref`}},
		{"pack.yaml lacks what is required", map[string]string{"pack.yaml": "label: L\n"}, []string{
			`pack.yaml:1:1: error: /ref: is required: the pack's name, such as "core"`,
			`pack.yaml:1:1: error: /version: is required: the pack's version, such as "1.0.0"`,
			"runtimes: warning: missing: without this folder the pack has no definitions"}},
		{"pack.yaml has no version", map[string]string{"pack.yaml": "ref: lang\n", "x": definition("x", "")}, []string{
			`pack.yaml:1:1: error: /version: is required: the pack's version, such as "1.0.0"`}},
		{"pack.yaml is a list", map[string]string{"pack.yaml": "[ref]\n", "x": definition("x", "")}, []string{
			"pack.yaml:1:1: error: must be an object, got a list"}},
		{"files that are not read", map[string]string{"x": definition("x", ""), "runtimes/README.md": "", "runtimes/.x.yaml.swp": "\x00",
			"runtimes/y.yml": definition("y", ""), "runtimes/z.yalm": "", "runtimes/more/z.yaml": ""}, []string{
			"runtimes/more: warning: not read: definitions are files directly in runtimes",
			"runtimes/z.yalm: warning: not read: a definition's file name must end in .yaml or .yml"}},
		{"a folder without files", map[string]string{"runtimes/README": ""}, []string{
			"runtimes: warning: the pack has no definitions: this folder has no .yaml or .yml file"}},
		{"a file too large", map[string]string{"x": "a: " + strings.Repeat("x", metadata.MaxSize)}, []string{
			"runtimes/x.yaml:1:1: error: the file must have at most 1048576 bytes, got 1048577"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, got := load(pack(tt.files), packs.Config{})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, d := range p.Definitions {
				for _, line := range got {
					if strings.HasPrefix(line, p.Files[d.Ref]+":") && strings.Contains(line, " error: ") {
						t.Errorf("%s is in the pack despite %s", d.Ref, line)
					}
				}
			}
		})
	}
}

func TestStrict(t *testing.T) {
	p, got := load(pack(map[string]string{"x": definition("x", "extra: 1\n")}), packs.Config{Strict: true})
	if diff := cmp.Diff([]string{`runtimes/x.yaml:9:1: error: /extra: unknown key "extra"`}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(p.Definitions) != 0 {
		t.Error("the definition is in the pack")
	}
}

func TestNoPackFile(t *testing.T) {
	_, got := load(fstest.MapFS{"README": {}}, packs.Config{})
	want := []string{"pack.yaml: error: missing: a pack's folder needs this file, beside the folder runtimes",
		"runtimes: warning: missing: without this folder the pack has no definitions"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestByteOrderMarkAndLineEnds checks that marks and line ends of other systems change nothing.
func TestByteOrderMarkAndLineEnds(t *testing.T) {
	plain, faults := packs.Load(pack(map[string]string{"x": definition("x", "description: |\n  a\n  b\n")}), packs.Config{})
	if faults != nil {
		t.Fatal(faults)
	}
	windows := strings.ReplaceAll("\ufeff"+definition("x", "description: |\n  a\n  b\n"), "\n", "\r\n")
	other, faults := packs.Load(pack(map[string]string{"x": windows}), packs.Config{})
	if faults != nil || len(other.Definitions) != 1 || other.Definitions[0].Digest() != plain.Definitions[0].Digest() {
		t.Errorf("read as %+v, %v", other.Definitions, faults)
	}
}

func TestAnchorsAndMergeKeys(t *testing.T) {
	p, got := load(pack(map[string]string{"x": `ref: lang.x
name: X
base: &base {binary: x, args: &args [--version], priority: 5}
more: &more {args: [-V], optional: true}
distributions:
  verification:
    commands:
      - *base
      - {<<: *base, priority: 6, exit_code: 300}
      - {<<: [*more, *base]}
      - <<: {binary: y}
        args: *args
`}), packs.Config{})
	want := []string{`runtimes/x.yaml:3:1: warning: /base: unknown key "base"`, `runtimes/x.yaml:4:1: warning: /more: unknown key "more"`,
		"runtimes/x.yaml:9:45: error: /distributions/verification/commands/1/exit_code: must be a whole number from 0 to 255, got 300"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_ = p
}

func TestAnchorsAndMergeKeysAreExpanded(t *testing.T) {
	p, faults := packs.Load(pack(map[string]string{"x": `ref: lang.x
name: X
distributions:
  verification:
    commands:
      - &base {binary: x, args: &args [--version], priority: 5}
      - {<<: *base, priority: 6}
      - {<<: [{args: [-V], optional: true}, *base]}
      - <<: {binary: y}
        args: *args
`}), packs.Config{})
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	five, six := metadata.Some(5), metadata.Some(6)
	version := []string{"--version"}
	want := []metadata.Command{{Binary: "x", Args: version, Priority: five}, {Binary: "x", Args: version, Priority: six},
		{Binary: "x", Args: []string{"-V"}, Optional: true, Priority: five}, {Binary: "y", Args: version}}
	if diff := cmp.Diff(want, p.Definitions[0].Distributions.Verification.Commands); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestHostileAliases checks that a small file which would fill the memory is an error.
func TestHostileAliases(t *testing.T) {
	laughs := "ref: lang.x\nname: X\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	merges := "ref: lang.x\nname: X\nm0: &m0 {a: 1, b: 2}\n"
	for i := range 20 {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
		merges += fmt.Sprintf("m%d: &m%d {<<: [%s]}\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*m%d, ", i), 10), ", "))
	}
	long := "ref: lang.x\nname: X\nt: &t " + strings.Repeat("x", 1000) + "\nl: [" + strings.Repeat("*t, ", 2000) + "]\n"
	for name, tt := range map[string]struct{ text, want string }{
		"a billion laughs":      {laughs, "aliases make the document too large"},
		"a billion merges":      {merges, "the merge key << adds too many keys"},
		"a long text, often":    {long, "aliases make the document too large"},
		"a list in itself":      {"ref: lang.x\nname: X\na: &a [*a]\n", "*a contains itself"},
		"a mapping in itself":   {"ref: lang.x\nname: X\na: &a {b: {c: *a}}\n", "*a contains itself"},
		"a merge with itself":   {"ref: lang.x\nname: X\na: &a {<<: *a}\n", "the merge key << adds too many keys, or the mapping around it"},
		"a merge with a text":   {"ref: lang.x\nname: X\n<<: x\n", "the merge key << needs a mapping"},
		"an alias to nothing":   {"ref: *nothing\n", "unknown anchor 'nothing' referenced"},
		"a key of great length": {"? " + strings.Repeat("k", 300) + "\n: 1\n", "a key must have at most 256 bytes, got 300"},
	} {
		t.Run(name, func(t *testing.T) {
			_, faults := packs.Load(pack(map[string]string{"x": tt.text}), packs.Config{})
			if err := faults.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %.500v\nwant %s", err, tt.want)
			}
			if len(faults) > 50 {
				t.Errorf("%d faults", len(faults))
			}
		})
	}
}

func TestLoadDir(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write("pack/pack.yaml", packYAML)
	write("pack/..data/in.yaml", definition("inside", ""))
	outside := write("outside.yaml", definition("outside", ""))
	write("pack/runtimes/good.yaml", definition("good", ""))
	runtimes := filepath.Join(dir, "pack/runtimes")
	must(os.Symlink("../..data/in.yaml", filepath.Join(runtimes, "inside.yaml")))
	must(os.Symlink(outside, filepath.Join(runtimes, "outside.yaml")))
	must(os.Symlink("../../outside.yaml", filepath.Join(runtimes, "outside2.yaml")))
	must(os.Symlink("nowhere.yaml", filepath.Join(runtimes, "dangling.yaml")))
	must(os.Symlink("loop.yaml", filepath.Join(runtimes, "loop.yaml")))
	must(os.Mkdir(filepath.Join(runtimes, "folder.yaml"), 0o755))
	must(syscall.Mkfifo(filepath.Join(runtimes, "pipe.yaml"), 0o644))

	p, faults := packs.LoadDir(filepath.Join(dir, "pack"), packs.Config{})
	var got []string
	for _, fault := range faults {
		got = append(got, strings.TrimPrefix(fault.String(), dir+"/"))
	}
	want := []string{
		"pack/runtimes/dangling.yaml: error: no such file or directory",
		"pack/runtimes/folder.yaml: error: not a regular file",
		"pack/runtimes/loop.yaml: error: too many levels of symbolic links",
		"pack/runtimes/outside.yaml: error: path escapes from parent",
		"pack/runtimes/outside2.yaml: error: path escapes from parent",
		"pack/runtimes/pipe.yaml: error: not a regular file",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var refs []string
	for _, d := range p.Definitions {
		refs = append(refs, d.Ref)
	}
	if diff := cmp.Diff([]string{"lang.good", "lang.inside"}, refs); diff != "" {
		t.Errorf("definitions (-want +got):\n%s", diff)
	}
	if file := p.Files["lang.good"]; file != filepath.Join(runtimes, "good.yaml") {
		t.Errorf("the file is %s", file)
	}
}

func TestLoadDirThatIsNone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "nothing"): ": error: open the pack's folder: no such file or directory",
		file:                          ": error: open the pack's folder: not a directory",
	} {
		p, faults := packs.LoadDir(path, packs.Config{})
		if err := faults.Err(); p == nil || err == nil || err.Error() != path+want {
			t.Errorf("got %v, want %s", err, path+want)
		}
	}
}

// TestRuntimesIsAFile checks that a file in the place of a folder is a fault.
func TestRuntimesIsAFile(t *testing.T) {
	_, faults := packs.Load(fstest.MapFS{"pack.yaml": {Data: []byte(packYAML)}, "runtimes": {Data: []byte("x")}}, packs.Config{})
	if err := faults.Err(); err == nil || !strings.HasPrefix(err.Error(), "runtimes: error: ") {
		t.Errorf("got %v", err)
	}
}
