package metadata_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp/syntax"
	"testing"

	"github.com/attune-go/attune/schema/metadata"
)

func seeds(f *testing.F) {
	for _, doc := range []string{full, `{}`, `null`, `[]`, `7`, `"x"`, `{"verification": {"commands": [{"binary": "a b", "pattern": "("}]}}`,
		`{"ref": "core.x", "name": "X", "aliases": ["x", "X"], "versions": [{"version": "3.10"}, {"version": "3.10"}]}`,
		`{"x": "\ud83d\ude00\u0001", "y": 1e-400, "z": [[[{}]]]}`, `{"a": 1, "\u0061": 2}`, "{\"a\": \"\xff\"}", `{"x": "\u0000"}`} {
		f.Add([]byte(doc))
	}
}

// FuzzDecode: no document makes the decoder panic. What it reads is JSON, and stays the same after a round
// through the encoder.
func FuzzDecode(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d metadata.Definition
		if err := d.UnmarshalJSON(doc); err != nil {
			if !errors.As(err, new(metadata.Faults)) {
				t.Errorf("the error is a %T", err)
			}
			return
		}
		if !json.Valid(doc) {
			t.Fatalf("read invalid JSON: %q", doc)
		}
		text, err := d.MarshalJSON()
		if err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		var again metadata.Definition
		if err := again.UnmarshalJSON(text); err != nil {
			t.Fatalf("written, but not read again: %v\n%s", err, text)
		}
		if !reflect.DeepEqual(d, again) {
			t.Errorf("decode(encode(d)) differs\n got %+v\nwant %+v", again, d)
		}
		// The standard encoder and jsonb do not change the meaning.
		std, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.UnmarshalJSON(std); err != nil || again.Digest() != d.Digest() {
			t.Errorf("json.Marshal changed the meaning: %v\n%s", err, std)
		}
	})
}

// FuzzValidate: no document makes the validator or its callers panic, and a column accepts exactly the documents
// without faults.
func FuzzValidate(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d metadata.Definition
		faulty := d.UnmarshalJSON(doc) != nil // what could be read is judged too
		invalid := d.Validate()
		if invalid != nil && len(invalid.Error()) == 0 {
			t.Error("a fault without words")
		}
		_, _ = d.CapabilityName(), d.UnknownKeys()
		if d.Distributions.Verification != nil {
			d.Distributions.Verification.Ordered()
		}
		if _, err := d.Distributions.Value(); !faulty && (err == nil) != (d.Distributions.Validate() == nil) {
			t.Errorf("value says %v, validate says %v", err, d.Distributions.Validate())
		}
		var column metadata.Distributions
		if err := column.Scan(doc); err != nil {
			t.Errorf("scan: %v", err)
		}
		if v, err := column.Value(); column.Fault() != nil && (err != nil || v != string(doc)) {
			t.Errorf("a malformed column became %q, %v", v, err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	doc := []byte(full)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		var d metadata.Definition
		if err := d.UnmarshalJSON(doc); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeMap decodes the same document without types, for comparison.
func BenchmarkDecodeMap(b *testing.B) {
	doc := []byte(full)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		var d map[string]any
		if err := json.Unmarshal(doc, &d); err != nil {
			b.Fatal(err)
		}
	}
}

// The size of an expression is known without compiling it. It is too low at most by the instructions around each
// program.
func FuzzProgramSize(f *testing.F) {
	for _, pattern := range []string{"", "a", "(a{0,31}){0,30}", `(?i)python ([0-9.]+)`, "a|b|", "(a*)*", `\pL{3,}`, "x{0}", "(?:){9}"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		size := metadata.ProgramSize(pattern)
		if size == 0 || size > 10*metadata.MaxProgram {
			return
		}
		re, err := syntax.Parse(pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if len(prog.Inst) > size+10 {
			t.Errorf("%q: %d instructions, counted %d", pattern, len(prog.Inst), size)
		}
	})
}
