//go:build unix

package packs_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/packs"
)

// command returns a definition with one command that asks for the version, and more at
// the command's end: the first line of it is line 9, and a key begins in column 9.
func command(more string) string { return definition("x", more) }

// TestSlips checks that common mistakes in YAML are reported at the mistake, with the
// remedy.
func TestSlips(t *testing.T) {
	const (
		escape  = ": in double quotes a backslash begins an escape; write it in single quotes"
		list    = ": the [ begins a list; if it is text, write it in single quotes"
		mapping = ": the { begins a mapping; if it is text, write it in single quotes"
		at      = "/distributions/verification/commands/0"
	)
	for name, c := range map[string]struct{ more, want string }{
		"a backslash":          {"        pattern: \"^ruby \\d\"\n", "9:25: error: not YAML: found unknown escape character" + escape},
		"behind an escape":     {"        pattern: \"\\\\n\\t\\.\"\n", "9:24: error: not YAML: found unknown escape character" + escape},
		"behind single quotes": {"        more: {a: '\\d', b: \"é \\d\"}\n", "9:31: error: not YAML: found unknown escape character" + escape},
		"on a further line":    {"        pattern: \"a\n          \\d\"\n", "10:11: error: not YAML: found unknown escape character" + escape},
		"not an ASCII letter":  {"        pattern: \"\\é\"\n", "9:19: error: not YAML: found unknown escape character" + escape},
		"without hex digits":   {"        pattern: \"\\xyz\"\n", "9:19: error: not YAML: did not find expected hexdecimal number" + escape},
		"a backspace": {"        pattern: \"\\bruby\\b\"\n",
			"9:18: warning: " + at + "/pattern: contains a backspace: in double quotes \\b is one; write it in single quotes"},
		"all versions of no pattern": {"        all_versions: true\n",
			"9:23: warning: " + at + "/all_versions: has no effect without version_pattern, whose matches would be the installations"},
		"text after a bracket":    {"        pattern: [0-9.]+\n", "9:18: error: not YAML: did not find expected key" + list},
		"a bracket without end":   {"        pattern: [0-9.+\n        priority: 1\n", "9:18: error: not YAML: did not find expected ',' or ']'" + list},
		"a bracket in a mapping":  {"        more: {a: b, pattern: ^v[0-9]}\n", "9:33: error: not YAML: did not find expected ',' or '}'" + list},
		"a bracket in a list":     {"        more: [--version, [0-9]+]\n", "9:27: error: not YAML: did not find expected ',' or ']'" + list},
		"a brace":                 {"        pattern: {x}+\n", "9:18: error: not YAML: did not find expected key" + mapping},
		"a percent sign":          {"        pattern: %x\n", "9:18: error: not YAML: found character that cannot start any token: text cannot begin with % here; write it in single quotes"},
		"a star":                  {"        pattern: *x\n", "9:18: error: not YAML: unknown anchor 'x' referenced: text cannot begin with * here; write it in single quotes"},
		"a whole bracket":         {"        pattern: [a-z]\n", "9:18: error: " + at + "/pattern: must be text, got a list: write it in single quotes"},
		"a list":                  {"        pattern:\n          - a\n", "10:11: error: " + at + "/pattern: must be text, got a list"},
		"a number for a duration": {"        timeout: 5\n", "9:18: error: " + at + "/timeout: must be a duration such as 10s, got 5"},
		"quotes and comments":     {"        more: ['a]', \"b\\\"]\", c] # it's [\n       x: 1\n", "10:1: error: not YAML: did not find expected '-' indicator"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := load(pack(map[string]string{"x": command(c.more)}), packs.Config{})
			if diff := cmp.Diff([]string{"runtimes/x.yaml:" + c.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMisplacedKeys checks that a key in the wrong object is reported with its place.
func TestMisplacedKeys(t *testing.T) {
	t.Parallel()
	_, got := load(pack(map[string]string{"x": `ref: lang.x
name: X
commands: []
distributions:
  commands: []
  name: X
  verification:
    always_available: true
    timeout: 10s
    min_version: "1"
    commands:
      - {binary: x, args: [--version], env: [X]}
  file_extension: .x
execution_config:
  binary: x
versions:
  - version: "1"
    verification: {}
    distributions: {commands: [], path: x, ref: x}
site: 1
`}), packs.Config{})
	const x = "runtimes/x.yaml:"
	want := []string{
		x + `3:1: warning: /commands: unknown key "commands" here; did you mean distributions.verification.commands?`,
		x + `5:3: warning: /distributions/commands: unknown key "commands" here; did you mean verification.commands?`,
		x + `6:3: warning: /distributions/name: unknown key "name" here; did you mean name at the top level?`,
		x + `9:5: warning: /distributions/verification/timeout: unknown key "timeout" here; did you mean commands[].timeout?`,
		x + `10:5: warning: /distributions/verification/min_version: unknown key "min_version" here; did you mean distributions.min_version?`,
		x + `12:40: warning: /distributions/verification/commands/0/env: unknown key "env" here; did you mean distributions.verification.env?`,
		x + `13:3: warning: /distributions/file_extension: unknown key "file_extension" here; did you mean execution_config.interpreter.file_extension?`,
		x + `15:3: warning: /execution_config/binary: unknown key "binary" here; did you mean interpreter.binary?`,
		x + `18:5: warning: /versions/0/verification: unknown key "verification" here; did you mean distributions.verification?`,
		x + `19:21: warning: /versions/0/distributions/commands: unknown key "commands" here; did you mean verification.commands?`,
		x + `19:35: warning: /versions/0/distributions/path: unknown key "path" here; did you mean verification.version_file.path?`,
		x + `19:44: warning: /versions/0/distributions/ref: unknown key "ref"`,
		x + `20:1: warning: /site: unknown key "site"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRefusedVariables checks the warning about variables that no host passes on.
func TestRefusedVariables(t *testing.T) {
	t.Parallel()
	_, got := load(pack(map[string]string{"x": command("    env: [PATH, API_TOKEN]\n")}), packs.Config{})
	want := []string{
		"runtimes/x.yaml:9:11: warning: /distributions/verification/env/0: no host passes PATH to a command: every probe gets it with a fixed value",
		"runtimes/x.yaml:9:17: warning: /distributions/verification/env/1: no host passes API_TOKEN to a command: its name says that it is secret",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStandardMode checks the notes about what a host in standard mode refuses of a pack
// that it does not trust. Commands of the core pack are trusted everywhere.
func TestStandardMode(t *testing.T) {
	t.Parallel()
	const text = `ref: lang.x
name: X
distributions:
  verification:
    env: [X_HOME, PATH]
    version_file: {path: ../release, pattern: '([0-9.]+)'}
    commands:
      - {binary: x, args: [--version]}
      - {binary: x, args: [-version]}
      - {binary: lua, args: [-e, print(1)]}
      - {binary: go, args: [version]}
versions:
  - version: "1"
    distributions: {verification: {commands: [{binary: sh, args: [-c, exit 0]}]}}
`
	_, got := load(pack(map[string]string{"x": text}), packs.Config{})
	const x, refused = "runtimes/x.yaml:", "refused in standard mode unless policy.trusted_packs has this pack or policy."
	want := []string{
		x + "5:11: note: /distributions/verification/env/0: " + refused + "env has X_HOME",
		x + "5:19: warning: /distributions/verification/env/1: no host passes PATH to a command: every probe gets it with a fixed value",
		x + "6:19: note: /distributions/verification/version_file: not read in standard mode unless policy.trusted_packs has this pack",
		x + "10:9: note: /distributions/verification/commands/2: " + refused + "allow has \"lua -e 'print(1)'\"",
		x + "14:47: note: /versions/0/distributions/verification/commands/0: " + refused + "allow has \"sh -c 'exit 0'\"",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPackYml checks that pack.yml is reported by the name that it needs.
func TestPackYml(t *testing.T) {
	t.Parallel()
	_, faults := packs.Load(fstest.MapFS{"pack.yml": {Data: []byte(packYAML)}}, packs.Config{})
	if err := faults.Err(); err == nil || err.Error() != "pack.yml: error: must be named pack.yaml" {
		t.Errorf("got %v", err)
	}
}
