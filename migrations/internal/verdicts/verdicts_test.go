package verdicts_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/attune-go/attune/gen/testdata/kinds"
	"github.com/attune-go/attune/migrations/internal/verdicts"
	"github.com/attune-go/attune/schema/metadata"
)

// A document is a type of documents, for Go and for JSON Schema.
type document interface {
	UnmarshalJSON([]byte) error
	Validate() error
}

// judge returns the faults of a document, those of reading it first.
func judge(into document, doc []byte) metadata.Faults {
	var unread, invalid metadata.Faults
	errors.As(into.UnmarshalJSON(doc), &unread)
	errors.As(into.Validate(), &invalid)
	return append(unread, invalid...)
}

var caseLists = []struct {
	cases []verdicts.Case
	doc   func() document
	// def returns the schema's name of the type.
	def string
}{
	{verdicts.Distributions(), func() document { return new(metadata.Distributions) }, "Distributions"},
	{verdicts.Definitions(), func() document { return new(metadata.Definition) }, "Definition"},
	{verdicts.Kinds(), func() document { return new(kinds.Station) }, "Station"},
}

const (
	runtimeSchema = "docs/runtime.schema.json"
	stationSchema = "gen/testdata/kinds/station.schema.json"
)

func TestCases(t *testing.T) {
	for _, f := range caseLists {
		for _, c := range f.cases {
			faults := judge(f.doc(), c.Doc)
			switch {
			case c.SeenBy(verdicts.Go) != (len(faults) > 0) || len(c.Judges) > 0 && !c.SeenBy(verdicts.Go):
				t.Errorf("%s: a fault for %s, got %v", c.Doc, c.Judges, faults)
			case len(faults) > 0 && faults[0].Pointer != c.Pointer:
				t.Errorf("%s: want a fault at %q, got %v", c.Doc, c.Pointer, faults)
			}
		}
	}
}

// schemaFor compiles a schema, as a whole or for one type in it.
func schemaFor(t testing.TB, file, def string) *jsonschema.Schema {
	t.Helper()
	text, err := os.Open("../../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = text.Close() }()
	doc, err := jsonschema.UnmarshalJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	at := "schema.json"
	if def != "" {
		at += "#/$defs/" + def
	}
	schema, err := c.Compile(at) // also holds it to the meta-schema
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func accepts(t testing.TB, schema *jsonschema.Schema, doc []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return schema.Validate(value)
}

func TestCasesBySchema(t *testing.T) {
	for _, f := range caseLists {
		schemas := map[string]*jsonschema.Schema{"%s": schemaFor(t, runtimeSchema, "")}
		switch f.def {
		case "Station":
			schemas = map[string]*jsonschema.Schema{"%s": schemaFor(t, stationSchema, "")}
		case "Distributions":
			schemas = map[string]*jsonschema.Schema{
				"%s": schemaFor(t, runtimeSchema, f.def),
				`{"ref": "core.x", "name": "X", "distributions": %s}`:                               schemaFor(t, runtimeSchema, ""),
				`{"ref": "core.x", "name": "X", "versions": [{"version": 1, "distributions": %s}]}`: schemaFor(t, runtimeSchema, ""),
			}
		}
		for _, c := range f.cases {
			for around, schema := range schemas {
				err := accepts(t, schema, fmt.Appendf(nil, around, c.Doc))
				if (err != nil) != c.SeenBy(verdicts.Schema) {
					t.Errorf("%s: a fault for %s, got %v", c.Doc, c.Judges, err)
				}
			}
		}
	}
}

func TestSchemaOfPackFiles(t *testing.T) {
	schema := schemaFor(t, "docs/pack.schema.json", "")
	for doc, want := range map[string]bool{
		`{"ref": "lang", "version": "1.0"}`: true, `{"ref": "lang", "version": 1.0, "tags": ["a"], "x": 1, "label": null}`: true,
		`null`: false, `[]`: false, `{}`: false, `{"ref": "lang"}`: false, `{"ref": "Lang", "version": "1"}`: false,
		`{"ref": "lang", "version": ""}`: false, `{"ref": "lang", "version": "1", "label": 1}`: false, `{"ref": 1, "version": "1"}`: false,
	} {
		if err := accepts(t, schema, []byte(doc)); (err == nil) != want {
			t.Errorf("%s: %v", doc, err)
		}
		if faults := judge(new(metadata.PackFile), []byte(strings.Replace(doc, "1.0,", `"1.0",`, 1))); (len(faults) == 0) != want {
			t.Errorf("%s: %v", doc, faults)
		}
	}
}

// Go and JSON Schema agree on each character in a name and an alias.
func TestNamesBySchema(t *testing.T) {
	schema := schemaFor(t, runtimeSchema, "")
	for _, text := range verdicts.Texts() {
		for _, d := range []metadata.Definition{{Ref: "core.x", Name: text}, {Ref: "core.x", Name: "X", Aliases: metadata.Aliases{text}}} {
			doc, err := d.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if err := accepts(t, schema, doc); (err == nil) != (d.Validate() == nil) {
				t.Errorf("%s: Go says %v, the schema says %v", doc, d.Validate(), err)
			}
		}
	}
}

// Go and JSON Schema agree on random documents, whose values are drawn from good and bad ones.
func TestGeneratedDocumentsBySchema(t *testing.T) {
	schema := schemaFor(t, runtimeSchema, "Distributions")
	valid := 0
	compare := func(doc string, seed uint64) {
		faults := judge(new(metadata.Distributions), []byte(doc))
		if err := accepts(t, schema, []byte(doc)); (err == nil) != (len(faults) == 0) {
			t.Errorf("seed %d: Go says %v, the schema says %v\n%.3000s", seed, faults, err, doc)
		}
		if len(faults) == 0 {
			valid++
		}
	}
	for seed := range uint64(5000) {
		compare(verdicts.Random(rand.New(rand.NewPCG(seed, 1))), seed)
	}
	if valid < 500 || valid > 4500 {
		t.Errorf("%d of 5000 documents are valid: the test shows little", valid)
	}
	for seed := range uint64(25) {
		compare(verdicts.RandomLarge(rand.New(rand.NewPCG(seed, 1))), seed)
	}
}
