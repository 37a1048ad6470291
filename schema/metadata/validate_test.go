package metadata_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/metadata"
)

func TestValidateDefinition(t *testing.T) {
	const cmd1 = "/distributions/verification/commands/1"
	dist := func(s string) string { return `{"ref": "core.x", "name": "X", "distributions": ` + s + `}` }
	verify := func(s string) string { return dist(`{"verification": ` + s + `}`) }
	command := func(s string) string { return verify(`{"commands": [{"binary": "x"}, ` + s + `]}`) }
	binary := func(s string) string { return command(`{"binary": "` + s + `"}`) }
	tests := []struct{ name, doc, want string }{
		{"minimal", `{"ref": "core.x", "name": "X"}`, ""},
		{"full", full, ""},
		{"builtin", `{"ref": "core.sensor.builtin", "pack_ref": "core", "name": "Builtin"}`, ""},
		{"nothing", `{}`, `/ref: is required: pack.name, such as "core.python"; /name: is required: the name for people`},
		{"ref of three parts", `{"ref": "core.action.x", "name": "X"}`,
			`/ref: must be pack.name in lower case, two parts of letters, digits, _ and -, got "core.action.x"`},
		{"another pack's builtin", `{"ref": "a.sensor.builtin", "name": "X"}`,
			`/ref: must be pack.name in lower case, two parts of letters, digits, _ and -, got "a.sensor.builtin"`},
		{"ref in capitals", `{"ref": "Core.x", "name": "X"}`,
			`/ref: must be pack.name in lower case, two parts of letters, digits, _ and -, got "Core.x"`},
		{"pack_ref of another pack", `{"ref": "core.x", "pack_ref": "lang", "name": "X"}`,
			`/pack_ref: must be "core" as in ref, got "lang"`},
		{"blank name", `{"ref": "core.x", "name": " "}`, "/name: is required: the name for people"},

		{"alias blank", `{"ref": "core.x", "name": "X", "aliases": ["x", " "]}`, "/aliases/1: must not be blank"},
		{"alias twice", `{"ref": "core.x", "name": "X", "aliases": ["node", "js", "Node"]}`,
			`/aliases/2: duplicate "Node" in another case: the first is /aliases/0`},
		{"alias with blanks", `{"ref": "core.x", "name": "X", "aliases": [" x"]}`, `/aliases/0: must not begin or end with a blank, got " x"`},
		{"alias with a comma", `{"ref": "core.x", "name": "X", "aliases": ["a,b", "a@b"]}`,
			`/aliases/0: must not contain a comma, an @ or a control character, got "a,b"; ` +
				`/aliases/1: must not contain a comma, an @ or a control character, got "a@b"`},
		{"alias none", `{"ref": "core.x", "name": "X", "aliases": ["None"]}`,
			`/aliases/0: must not be none, which means the empty list of runtimes, got "None"`},

		{"binary missing", command(`{"args": ["a"]}`), cmd1 + "/binary: is required: a name that is looked up in PATH, or an absolute path"},
		{"binary absolute", binary("/usr/bin/g++"), ""},
		{"binary with a version", binary("python3.12"), ""},
		{"binary shell line", binary("x --version"), cmd1 + `/binary: must not contain blanks, got "x --version": commands are not shell lines, so put arguments into args`},
		{"binary absolute shell line", binary("/bin/x -v"), cmd1 + `/binary: must not contain blanks, got "/bin/x -v": commands are not shell lines, so put arguments into args`},
		{"binary pipe", binary("x|y"), cmd1 + `/binary: must not contain characters of shell syntax, got "x|y"`},
		{"binary variable", binary("$HOME"), cmd1 + `/binary: must not contain characters of shell syntax, got "$HOME"`},
		{"binary home", binary("~/bin/x"), cmd1 + `/binary: must not contain characters of shell syntax, got "~/bin/x"`},
		{"binary relative", binary("bin/x"), cmd1 + `/binary: must be a name that is looked up in PATH, or an absolute path, got "bin/x"`},
		{"binary with dots", binary("/usr/../x"), cmd1 + `/binary: must be an absolute path without ., .. and doubled slashes, got "/usr/../x"`},
		{"binary folder", binary("/usr/bin/"), cmd1 + `/binary: must be an absolute path without ., .. and doubled slashes, got "/usr/bin/"`},
		{"binary root", binary("/"), cmd1 + `/binary: must be an absolute path without ., .. and doubled slashes, got "/"`},
		{"binary here", binary(".."), cmd1 + `/binary: must be the name of an executable, got ".."`},
		{"binary option", binary("-x"), cmd1 + `/binary: must be the name of an executable, got "-x"`},

		{"pattern", command(`{"binary": "x", "pattern": "(a"}`), cmd1 + "/pattern: missing closing )"},
		{"pattern, many classes", command(`{"binary": "x", "pattern": "` + strings.Repeat(`\\pL`, 17) + `"}`),
			cmd1 + `/pattern: has more than 16 classes \p or \P`},
		{"pattern, some classes", command(`{"binary": "x", "pattern": "` + strings.Repeat(`\\pL`, 16) + `"}`), ""},
		{"pattern, many folded ranges", command(`{"binary": "x", "pattern": "(?i:` + strings.Repeat(`[!-\\x{1ffff}]`, 5) + `)"}`),
			cmd1 + `/pattern: has more than 4 ranges beyond ASCII under the flag i`},
		{"pattern, a few folded ranges", command(`{"binary": "x", "pattern": "(?i)[a-zà-ÿ]+` + strings.Repeat(`[a-z0-9]`, 40) + `"}`), ""},
		{"pattern, many ranges", command(`{"binary": "x", "pattern": "` + strings.Repeat(`[!-\\x{1ffff}]`, 40) + `"}`), ""},
		{"pattern, part of it", command(`{"binary": "x", "pattern": "a\\q"}`), cmd1 + `/pattern: invalid escape sequence: \q`},
		{"pattern of another dialect", command(`{"binary": "x", "pattern": "a(?=b)"}`), cmd1 + `/pattern: invalid or unsupported Perl syntax: (?=`},
		{"pattern too large", command(`{"binary": "x", "pattern": "((a{100}){100}){100}"}`), cmd1 + `/pattern: invalid repeat count: {100}`},
		{"version_pattern", command(`{"binary": "x", "version_pattern": "[0-9"}`), cmd1 + "/version_pattern: missing closing ]"},
		{"version_pattern without group", command(`{"binary": "x", "version_pattern": "v[0-9]+"}`),
			cmd1 + `/version_pattern: has no group: put the version in parentheses, as in "ruby ([0-9.]+)"`},
		{"version_pattern with a group that gives nothing", command(`{"binary": "x", "version_pattern": "(?:v)"}`),
			cmd1 + `/version_pattern: has no group: put the version in parentheses, as in "ruby ([0-9.]+)"`},
		{"timeout zero", command(`{"binary": "x", "timeout": "0s"}`), cmd1 + "/timeout: must be greater than 0s and at most 5m0s, got 0s"},
		{"timeout negative", command(`{"binary": "x", "timeout": "-1s"}`), cmd1 + "/timeout: must be greater than 0s and at most 5m0s, got -1s"},
		{"timeout long", command(`{"binary": "x", "timeout": "5m1s"}`), cmd1 + "/timeout: must be greater than 0s and at most 5m0s, got 5m1s"},
		{"timeout longest", command(`{"binary": "x", "timeout": "300s"}`), ""},
		{"every fault of a command", command(`{"binary": "a b", "pattern": "(", "version_pattern": "a", "timeout": "1h"}`),
			cmd1 + `/binary: must not contain blanks, got "a b": commands are not shell lines, so put arguments into args; ` +
				cmd1 + `/pattern: missing closing ); ` +
				cmd1 + `/version_pattern: has no group: put the version in parentheses, as in "ruby ([0-9.]+)"; ` +
				cmd1 + `/timeout: must be greater than 0s and at most 5m0s, got 1h0m0s`},

		{"env", verify(`{"env": ["A_1", "1A", "A=B", ""]}`),
			`/distributions/verification/env/1: must be the name of an environment variable, got "1A"; ` +
				`/distributions/verification/env/2: must be the name of an environment variable, got "A=B"; ` +
				`/distributions/verification/env/3: must be the name of an environment variable, got ""`},
		{"locations", verify(`{"locations": ["/a/*/b", "~/x", "x/y", "~other/x", "/a[", "", "$PYENV_ROOT/x", "$HOME/x"]}`),
			`/distributions/verification/locations/2: must begin with /, ~/ or a variable such as $PYENV_ROOT/, got "x/y"; ` +
				`/distributions/verification/locations/3: must begin with /, ~/ or a variable such as $PYENV_ROOT/, got "~other/x"; ` +
				`/distributions/verification/locations/4: must not have an unclosed bracket or a trailing backslash, got "/a["; ` +
				`/distributions/verification/locations/5: must begin with /, ~/ or a variable such as $PYENV_ROOT/, got ""; ` +
				`/distributions/verification/locations/7: must begin with one of the variables ASDF_DATA_DIR, DOTNET_ROOT, FNM_DIR, ` +
				`GOENV_ROOT, JAVA_HOME, JENV_ROOT, JULIAUP_DEPOT_PATH, MISE_DATA_DIR, NODENV_ROOT, NVM_DIR, PHPENV_ROOT, PLENV_ROOT, PYENV_ROOT, ` +
				`RBENV_ROOT, RUSTUP_HOME, SDKMAN_DIR, UV_PYTHON_INSTALL_DIR, VOLTA_HOME, XDG_DATA_HOME, got "$HOME/x"`},
		{"version_file", verify(`{"version_file": {"path": "/etc/x", "pattern": "v"}}`),
			`/distributions/verification/version_file/path: must be relative to the executable's folder, got "/etc/x"; ` +
				`/distributions/verification/version_file/pattern: has no group: put the version in parentheses, as in "ruby ([0-9.]+)"`},
		{"version_file empty", verify(`{"version_file": {}}`),
			`/distributions/verification/version_file/path: is required: a path from the executable's folder, such as ../release; ` +
				`/distributions/verification/version_file/pattern: is required: an expression with a group for the version`},
		{"versions of the metadata", dist(`{"min_version": "3.12", "recommended_version": "new"}`),
			`/distributions/recommended_version: version "new": position 1: a version must begin with a number`},
		{"roles", dist(`{"roles": ["worker", "action", "worker"]}`),
			`/distributions/roles/1: must be worker or sensor, got "action"; /distributions/roles/2: duplicate "worker"`},

		{"versions", `{"ref": "core.x", "name": "X", "versions": [{"version": "3.10", "is_default": true}, {}, {"version": "x"},
			{"version": "3.10", "is_default": true}, {"version": "3.1", "distributions": {"roles": ["x"]}}]}`,
			`/versions/1/version: is required: a version such as "3.12"; ` +
				`/versions/2/version: version "x": position 1: a version must begin with a number; ` +
				`/versions/4/distributions/roles/0: must be worker or sensor, got "x"; ` +
				`/versions/3/version: duplicate version 3.10: the first is /versions/0; ` +
				`/versions/3/is_default: duplicate default version: the first is 3.10`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := decodeDefinition(t, tt.doc)
			var got []string
			for _, err := range []error{d.Validate(), d.Contradictions()} {
				if err == nil {
					continue
				}
				got = append(got, err.Error())
				if !errors.As(err, new(metadata.Faults)) {
					t.Errorf("the error is a %T, not Faults", err)
				}
			}
			if diff := cmp.Diff(strings.Split(tt.want, "; "), strings.Split(strings.Join(got, "; "), "; ")); diff != "" {
				t.Errorf("validate %s (-want +got):\n%s", tt.doc, diff)
			}
		})
	}
}

// Names are also checked alone, for rows that were written by SQL. Only dangerous ones are
// faults there.
func TestNamesFault(t *testing.T) {
	for doc, want := range map[string]string{
		`{"ref": "core.x\u0007", "name": "X"}`:                                                                           `/ref: must not contain control characters, got "core.x\a"`,
		`{"ref": "core.x", "name": "a\nb"}`:                                                                              `/name: must not contain control characters, got "a\nb"`,
		`{"ref": "core.x", "name": "X", "aliases": ["x", "\u001b[1m"]}`:                                                  `/aliases/1: must not contain a comma, an @ or a control character, got "\x1b[1m"`,
		`{"ref": "core.x", "name": "X", "aliases": ["x\u0085y"]}`:                                                        `/aliases/0: must not contain a comma, an @ or a control character, got "x\u0085y"`,
		`{"ref": "Acme.My Tool", "name": "Émile's tool", "aliases": ["my tool"], "distributions": {"min_version": "x"}}`: "",
	} {
		d, got := decodeDefinition(t, doc), ""
		if err := d.NamesFault(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", doc, got, want)
		}
	}
}

// What Go code builds is checked like what is read.
func TestValidateWhatNoDocumentHolds(t *testing.T) {
	c := metadata.Command{Binary: "x", ExitCode: 256, Priority: metadata.Some(1 << 40)}
	want := "/exit_code: must be from 0 to 255, got 256; /priority: must fit into 32 bits, got 1099511627776"
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestUnknownKeys(t *testing.T) {
	d := decodeDefinition(t, full)
	var got []string
	for _, u := range d.UnknownKeys() {
		got = append(got, u.Pointer)
		for _, known := range u.Known {
			if known == u.Key {
				t.Errorf("%s is unknown and known", u.Pointer)
			}
		}
	}
	want := []string{"/x-definition", "/Ref", "/distributions/x-distributions", "/distributions/verification/x-verification",
		"/distributions/verification/commands/0/x-command", "/distributions/verification/version_file/x-file",
		"/execution_config/x-execution", "/execution_config/interpreter/x-interpreter", "/versions/0/x-version"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Each key that a did-you-mean can name is a key that the decoders read.
func TestKnownKeysAreRead(t *testing.T) {
	d := decodeDefinition(t, full)
	for _, u := range d.UnknownKeys() {
		parent := u.Pointer[:strings.LastIndex(u.Pointer, "/")]
		doc := "{"
		for i, key := range u.Known {
			if i > 0 {
				doc += ","
			}
			doc += `"` + key + `": null`
		}
		doc = wrap(parent, doc+"}")
		for _, unknown := range ptr(decodeDefinition(t, doc)).UnknownKeys() {
			t.Errorf("%s is listed as known, but not read", unknown.Pointer)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// wrap puts doc into a definition at pointer.
func wrap(pointer, doc string) string {
	parts := strings.Split(pointer, "/")
	for i := len(parts) - 1; i > 0; i-- {
		if parts[i] == "0" {
			doc = "[" + doc + "]"
		} else {
			doc = `{"` + parts[i] + `": ` + doc + `}`
		}
	}
	return doc
}

func TestNearest(t *testing.T) {
	known := []string{"binary", "args", "exit_code", "pattern", "priority", "version_pattern", "timeout"}
	for word, want := range map[string]string{
		"Binary": "binary", "exit-code": "exit_code", "exitcode": "exit_code", "patern": "pattern", "prioirty": "priority",
		"arg": "args", "versionPattern": "version_pattern", "timout": "timeout", "tags": "", "x": "", "": "", "command": "",
		strings.Repeat("binary", 20): "",
	} {
		if got := metadata.Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
