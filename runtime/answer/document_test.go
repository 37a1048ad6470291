package answer_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// TestDocumentOfAPlatform: what a platform's worker declares is read, whatever else is there.
func TestDocumentOfAPlatform(t *testing.T) {
	index := metadata.NewIndex([]metadata.Definition{{Ref: "core.python", Name: "Python", Aliases: metadata.Aliases{"python", "python3"}}})
	for text, want := range map[string][]string{
		`{"runtimes": ["Python3", "cobol"], "runtime_versions": {"PYTHON3": ["3.9", "3.12.1"], "cobol": "two"}}`: {
			" cobol ", "core.python python 3.12.1", "core.python python 3.9.0",
		},
		`{"runtimes": ["python", "PYTHON", null, 3, "", {"a": 1}], "runtime_versions": {"python": 20}}`:      {"core.python python 20.0.0"},
		`{"runtimes": ["python", "python3"], "runtime_versions": {"python3": "3.12"}}`:                       {"core.python python 3.12.0"},
		`{"runtimes": ["python", "python3"], "runtime_versions": {"python3": "3.12", "python": ["3.12.0"]}}`: {"core.python python 3.12.0"},
		`{"runtimes": ["python3", "python", "go"]}`:                                                          {" go ", "core.python python "},
		`{"runtimes": "python"}`: nil, `{}`: nil, `[1, 2]`: nil, `"none"`: nil, `{"runtimes": null, "runtime_versions": []}`: nil,
	} {
		doc, err := answer.Document(&schema.Worker{Capabilities: json.RawMessage(text)}, index)
		if err != nil || doc == nil {
			t.Errorf("%s: %v, %v", text, doc, err)
			continue
		}
		var got []string
		for _, d := range doc.Detected {
			got = append(got, d.Ref+" "+d.Name+" "+d.Version)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	identity := "action/x"
	if _, err := answer.Document(&schema.Worker{Identity: &identity, Capabilities: json.RawMessage(`{"runtimes": "x"}`)}, index); err == nil {
		t.Error("a document of attune's of another shape is read")
	}
	if doc, err := answer.Document(&schema.Worker{Capabilities: json.RawMessage("null")}, nil); doc != nil || err != nil {
		t.Errorf("no document: %v, %v", doc, err)
	}
}

// TestDocumentIsBounded: documents of more objects or values than a service writes are not
// read.
func TestDocumentIsBounded(t *testing.T) {
	for want, text := range map[string]string{
		"":                                  `{"detected": [{}` + strings.Repeat(",{}", 49_998) + `]}`,
		"at most 50000 objects, got 50001":  `{"detected": [{}` + strings.Repeat(",{}", 49_999) + `]}`,
		"at most 150000 values, got 150001": `{"detected": [], "x": [0` + strings.Repeat(",0", 150_000) + `]}`,
	} {
		_, err := answer.Document(&schema.Worker{Capabilities: json.RawMessage(text)}, nil)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
