package metadata_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/metadata"
)

const full = `{
 "ref": "lang.ruby", "pack_ref": "lang", "name": "Ruby", "aliases": ["ruby", "rb"], "description": "Ruby <3",
 "distributions": {
  "verification": {
   "always_available": true, "check_required": false,
   "commands": [
    {"binary": "ruby", "args": ["--version"], "exit_code": 1.0, "pattern": "^ruby <\\d>", "priority": 1e1,
     "optional": true, "version_pattern": "ruby (?P<version>[0-9.]+)", "timeout": "1m30s", "x-command": 1.50},
    {"binary": "/opt/ruby/bin/ruby", "priority": -2}
   ],
   "env": ["RBENV_ROOT"], "locations": ["~/.rbenv/versions/*/bin/ruby"],
   "version_file": {"path": "../release", "pattern": "V=(.*)", "x-file": null},
   "x-verification": {"b": 1, "a": [true, null]}
  },
  "min_version": "3.1", "recommended_version": "3.10", "roles": ["worker"],
  "x-distributions": 12345678901234567890.00
 },
 "installation": {"package_managers": ["gem"]},
 "execution_config": {
  "interpreter": {"binary": "ruby", "args": ["-w"], "file_extension": ".rb", "x-interpreter": "\u00e9"},
  "environment": {"e": 1}, "dependencies": {"d": 1}, "env_vars": {"A": "b"}, "x-execution": false
 },
 "versions": [
  {"version": "3.10", "is_default": true, "distributions": {"roles": ["sensor"]},
   "execution_config": {"interpreter": {}}, "meta": {"m": 1}, "x-version": []}
 ],
 "x-definition": "kept", "Ref": "another key"
}`

func decodeDefinition(t testing.TB, doc string) metadata.Definition {
	t.Helper()
	var d metadata.Definition
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		t.Fatalf("decode %s: %v", doc, err)
	}
	return d
}

func TestDecodeReadsEveryKey(t *testing.T) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	want := metadata.Definition{
		Ref: "lang.ruby", PackRef: "lang", Name: "Ruby", Aliases: metadata.Aliases{"ruby", "rb"}, Description: "Ruby <3",
		Distributions: metadata.Distributions{
			Verification: &metadata.Verification{
				AlwaysAvailable: true,
				CheckRequired:   metadata.Some(false),
				Commands: []metadata.Command{{
					Binary: "ruby", Args: []string{"--version"}, ExitCode: 1, Pattern: `^ruby <\d>`, Priority: metadata.Some(10),
					Optional: true, VersionPattern: `ruby (?P<version>[0-9.]+)`, Timeout: metadata.Some(metadata.Duration(90 * time.Second)),
					Unknown: metadata.Unknown{{Key: "x-command", Value: raw("1.50")}},
				}, {Binary: "/opt/ruby/bin/ruby", Priority: metadata.Some(-2)}},
				Env: []string{"RBENV_ROOT"}, Locations: []string{"~/.rbenv/versions/*/bin/ruby"},
				VersionFile: &metadata.VersionFile{Path: "../release", Pattern: "V=(.*)",
					Unknown: metadata.Unknown{{Key: "x-file", Value: raw("null")}}},
				Unknown: metadata.Unknown{{Key: "x-verification", Value: raw(`{"b": 1, "a": [true, null]}`)}},
			},
			MinVersion: "3.1", RecommendedVersion: "3.10", Roles: []metadata.Role{metadata.Worker},
			Unknown: metadata.Unknown{{Key: "x-distributions", Value: raw("12345678901234567890.00")}},
		},
		Installation: raw(`{"package_managers": ["gem"]}`),
		ExecutionConfig: metadata.ExecutionConfig{
			Interpreter: &metadata.Interpreter{Binary: "ruby", Args: []string{"-w"}, FileExtension: ".rb",
				Unknown: metadata.Unknown{{Key: "x-interpreter", Value: raw(`"\u00e9"`)}}},
			Environment: raw(`{"e": 1}`), Dependencies: raw(`{"d": 1}`), EnvVars: raw(`{"A": "b"}`),
			Unknown: metadata.Unknown{{Key: "x-execution", Value: raw("false")}},
		},
		Versions: []metadata.VersionDefinition{{
			Version: "3.10", IsDefault: true,
			Distributions:   metadata.Distributions{Roles: []metadata.Role{metadata.Sensor}},
			ExecutionConfig: metadata.ExecutionConfig{Interpreter: &metadata.Interpreter{}},
			Meta:            raw(`{"m": 1}`),
			Unknown:         metadata.Unknown{{Key: "x-version", Value: raw("[]")}},
		}},
		Unknown: metadata.Unknown{{Key: "x-definition", Value: raw(`"kept"`)}, {Key: "Ref", Value: raw(`"another key"`)}},
	}
	mustEqual(t, want, decodeDefinition(t, full))
}

func TestEncodeGivesTheDocumentBack(t *testing.T) {
	d := decodeDefinition(t, full)
	text, err := d.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{`"x-command":1.50`, `"x-distributions":12345678901234567890.00`, `"x-interpreter":"\u00e9"`,
		`"description":"Ruby <3"`, `"x-file":null`, `"x-verification":{"b": 1, "a": [true, null]}`} {
		if !strings.Contains(string(text), kept) {
			t.Errorf("encoded %s\nwithout %s", text, kept)
		}
	}
	var again metadata.Definition
	if err := again.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, d, again)
	// The standard encoder compacts the result. The meaning stays.
	std, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if viaStd := decodeDefinition(t, string(std)); viaStd.Digest() != d.Digest() {
		t.Errorf("json.Marshal changed the meaning: %s", std)
	}
}

// mustEqual compares field by field, because Equal and Digest ignore differences that a decoder must not make.
func mustEqual(t testing.TB, want, got metadata.Definition) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		w, _ := want.MarshalJSON()
		g, _ := got.MarshalJSON()
		t.Errorf("documents differ\n got %s\nwant %s\nin fields\n got %+v\nwant %+v", g, w, got, want)
	}
}

func TestDecodeNullIsLeftOut(t *testing.T) {
	got := decodeDefinition(t, `{"ref": "core.x", "name": null, "aliases": null, "distributions": {"verification": null,
		"min_version": null, "roles": null, "recommended_version": null}, "installation": null, "versions": null,
		"execution_config": {"interpreter": {"binary": null, "args": null, "file_extension": null}, "environment": null}}`)
	want := metadata.Definition{Ref: "core.x", ExecutionConfig: metadata.ExecutionConfig{Interpreter: &metadata.Interpreter{}}}
	mustEqual(t, want, got)
}

var syntaxError = regexp.MustCompile(`^not JSON: .* \(byte`)

func TestDecodeFaults(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	command := func(s string) string { return `{"verification": {"commands": [{"binary": "x"}, ` + s + `]}}` }
	const at = "/verification/commands/1"
	tests := []struct {
		name, doc string
		want      metadata.Faults
	}{
		{"empty", ``, metadata.Faults{{Pointer: "", Message: "not JSON: unexpected end of the document (byte 0)"}}},
		{"scalar", `7`, metadata.Faults{{Pointer: "", Message: "must be an object, got a number"}}},
		{"bare list", `["python3"]`, metadata.Faults{{Pointer: "", Message: "must be an object, got a list"}}},
		{"text", `"python3"`, metadata.Faults{{Pointer: "", Message: "must be an object, got text"}}},
		{"truth", `true`, metadata.Faults{{Pointer: "", Message: "must be an object, got true or false"}}},
		{"every wrong type is told", `{"min_version": 3.1, "roles": "worker", "verification": {"env": [1, "A", null],
			"commands": [null, {"binary": 1, "optional": "yes", "exit_code": "0", "timeout": 10}]}}`,
			metadata.Faults{
				{Pointer: "/min_version", Message: "must be text, got a number"},
				{Pointer: "/roles", Message: "must be a list, got text"},
				{Pointer: "/verification/env/0", Message: "must be text, got a number"},
				{Pointer: "/verification/env/2", Message: "must be text, got null"},
				{Pointer: "/verification/commands/0", Message: "must be an object, got null"},
				{Pointer: at + "/binary", Message: "must be text, got a number"},
				{Pointer: at + "/optional", Message: "must be true or false, got text"},
				{Pointer: at + "/exit_code", Message: "must be a whole number, got text"},
				{Pointer: at + "/timeout", Message: "must be text, got a number"},
			}},
		{"fraction", command(`{"exit_code": 1.5}`), metadata.Faults{{Pointer: at + "/exit_code", Message: "must be a whole number from 0 to 255, got 1.5"}}},
		{"out of range", command(`{"exit_code": 256}`), metadata.Faults{{Pointer: at + "/exit_code", Message: "must be a whole number from 0 to 255, got 256"}}},
		{"huge", command(`{"priority": 1e999}`), metadata.Faults{{Pointer: at + "/priority",
			Message: "must be a whole number from -2147483648 to 2147483647, got 1e999"}}},
		{"tiny", command(`{"priority": 1e-999}`), metadata.Faults{{Pointer: at + "/priority",
			Message: "must be a whole number from -2147483648 to 2147483647, got 1e-999"}}},
		{"duration", command(`{"timeout": "ten"}`), metadata.Faults{{Pointer: at + "/timeout", Message: `must be a duration such as "10s", got "ten"`}}},
		{"duplicate key", `{"roles": [], "x/y": {"a~": 1, "a~": 2}, "roles": []}`,
			metadata.Faults{{Pointer: "/x~1y/a~0", Message: "duplicate key"}, {Pointer: "/roles", Message: "duplicate key"}}},
		{"duplicate key, escaped", `{"a": 1, "\u0061": 2}`, metadata.Faults{{Pointer: "/a", Message: "duplicate key"}}},
		{"NUL", `{"x": "a\u0000b"}`, metadata.Faults{{Pointer: "/x", Message: "must not contain NUL"}}},
		{"raw control", "{\"x\": \"a\nb\"}", metadata.Faults{{Pointer: "/x", Message: "not JSON: * (byte 8)"}}},
		{"half a surrogate", `{"x": "\ud800"}`, metadata.Faults{{Pointer: "/x", Message: "not JSON: * (byte 7)"}}},
		{"wrong escape", `{"x": "\q"}`, metadata.Faults{{Pointer: "/x", Message: "not JSON: * (byte 7)"}}},
		{"invalid UTF-8", "{\"x\": \"\xff\"}", metadata.Faults{{Pointer: "/x", Message: "not JSON: * (byte 7)"}}},
		{"deep", `{"x": ` + deep(63) + `}`, nil},
		{"too deep", `{"x": ` + deep(64) + `}`, metadata.Faults{{Pointer: "/x" + strings.Repeat("/0", 63), Message: "not JSON: must be nested at most 64 deep (byte 69)"}}},
		{"trailing", `{} {}`, metadata.Faults{{Pointer: "", Message: "not JSON: unexpected data after the document (byte 2)"}}},
		{"trailing comma", `{"x": 1,}`, metadata.Faults{{Pointer: "", Message: "not JSON: * (byte 7)"}}},
		{"no comma", `{"x": [1 2]}`, metadata.Faults{{Pointer: "/x", Message: "not JSON: * (byte 9)"}}},
		{"no end", `{"x": [1`, metadata.Faults{{Pointer: "/x", Message: "not JSON: * (byte 8)"}}},
		{"leading zero", `{"x": 01}`, metadata.Faults{{Pointer: "", Message: "not JSON: * (byte 7)"}}},
		{"no number", `{"x": -}`, metadata.Faults{{Pointer: "/x", Message: "not JSON: * (byte 7)"}}},
		{"NaN", `{"x": NaN}`, metadata.Faults{{Pointer: "/x", Message: "not JSON: * (byte 6)"}}},
		{"byte order mark", "\ufeff{}", metadata.Faults{{Pointer: "", Message: "not JSON: * (byte 0)"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d metadata.Distributions
			err := d.UnmarshalJSON([]byte(tt.doc))
			var got metadata.Faults
			errors.As(err, &got)
			for i, f := range got { // the library's words may change
				if !strings.Contains(f.Message, "nested") && !strings.Contains(f.Message, "the document") {
					got[i].Message = syntaxError.ReplaceAllString(f.Message, "not JSON: * (byte")
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("decode %s (-want +got):\n%s", tt.doc, diff)
			}
		})
	}
}

// A database does not make a document larger than the one that Go read: blanks do not
// count, and numbers count without their exponents.
func TestDecodeSizeIsBounded(t *testing.T) {
	const most = metadata.MaxSize
	text := func(size int) string { return `{"x":"` + strings.Repeat("a", size-8) + `"}` }
	list := func(element string, n int) string {
		return `{"x":[` + strings.Repeat(element+",", n-1) + element + `]}`
	}
	for _, c := range []struct {
		name string
		doc  string
		// fits means that it can be read and written, kept that it can be read from a column.
		fits, kept bool
	}{
		{"a text that fits", text(most), true, true},
		{"a text that does not", text(most + 1), false, true},
		{"blanks", strings.Repeat("\n", most) + text(most), true, true},
		{"too many blanks", strings.Repeat("\n", most+1) + text(most), false, false},
		{"blanks in a text", `{"\"\\ \\":"` + strings.Repeat(" ", most-14) + `"}`, true, true},
		{"too many blanks in a text", `{"\"\\ \\":"` + strings.Repeat(" ", most-13) + `"}`, false, true},
		{"spaced as Postgres does", list("1, 1", most/4-2), true, true},
		{"numbers that fit", list("1e99", most/101-1), true, true},
		{"numbers that do not", list("1e99", most/101+1), false, true},
		{"small numbers that fit", list("-1.5E-98", most/103-1), true, true},
		{"small numbers that do not", list("-1.5E-98", most/103+1), false, true},
	} {
		var d metadata.Distributions
		if err := d.UnmarshalJSON([]byte(c.doc)); (err == nil) != c.fits {
			t.Errorf("%s: a document of %d bytes: %v", c.name, len(c.doc), err)
		}
		if err := d.Scan(c.doc); err != nil || (d.Fault() == nil) != c.kept {
			t.Errorf("%s: a column of %d bytes: %v, %v", c.name, len(c.doc), err, d.Fault())
		} else if _, err := d.Value(); c.kept && (err == nil) != c.fits {
			t.Errorf("%s: a column of %d bytes is written: %v", c.name, len(c.doc), err)
		}
	}
}

func TestDecodeNumbersAreBounded(t *testing.T) {
	digits := strings.Repeat("7", metadata.MaxDigits)
	for number, fits := range map[string]bool{
		digits: true, "-" + digits: true, digits + "0": false, digits[1:] + ".0": true, digits + ".0": false,
		"1e999": true, "1E+1000": false, "-1.5e999": true, "1e-999": true, "1e-1000": false, "0e-1000": false, "0e9": true,
		"1.7976931348623157e308": true, "4.9406564584124654e-324": true,
		"1e99999999999999999999": false, "1e-99999999999999999999": false,
	} {
		for _, doc := range []string{`{"x": ` + number + `}`, `{"verification": {"commands": [{"binary": "x", "x": {"y": [` + number + `]}}]}}`} {
			var d metadata.Distributions
			if err := d.UnmarshalJSON([]byte(doc)); (err == nil) != fits {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
	var d metadata.Distributions
	err := d.UnmarshalJSON([]byte(`{"verification": {"commands": [{"binary": "x", "exit_code": 1e1000, "priority": "x"}]}, "x": [1e-1000]}`))
	want := "/verification/commands/0/exit_code: must have at most 1000 digits without an exponent; " +
		"/verification/commands/0/priority: must be a whole number, got text; /x/0: must have at most 1000 digits without an exponent"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// A hostile document may have a fault in every other byte, and keys as long as itself. The faults that are kept
// stay small.
func TestFaultsAreBounded(t *testing.T) {
	doc := `{"` + strings.Repeat("k", 400_000) + `": {` + strings.Repeat(`"a":0,`, 50_000) + `"a":0}}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var d metadata.Distributions
	err := d.UnmarshalJSON([]byte(doc))
	runtime.ReadMemStats(&after)
	// A pointer is built only for faults that are listed.
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
		t.Errorf("%d bytes were allocated", used)
	}
	var faults metadata.Faults
	if !errors.As(err, &faults) || len(faults) < 100 || len(faults) > 101 || len(err.Error()) > 100_000 {
		t.Errorf("%d faults, %d bytes of message", len(faults), len(err.Error()))
	}
}

func TestEncodeRefusesWhatCannotBeReadBack(t *testing.T) {
	for name, d := range map[string]metadata.Definition{
		"not UTF-8":             {Ref: "core.x", Name: "\xff"},
		"NUL":                   {Ref: "core.x", Name: "a\x00"},
		"known key as unknown":  {Ref: "core.x", Unknown: metadata.Unknown{{Key: "ref", Value: []byte("1")}}},
		"unknown that is empty": {Ref: "core.x", Unknown: metadata.Unknown{{Key: "a", Value: []byte{}}}},
		"raw and not JSON":      {Ref: "core.x", Installation: []byte("{")},
	} {
		if text, err := d.MarshalJSON(); err == nil {
			t.Errorf("%s: encoded as %s", name, text)
		}
	}
}
