package requirement_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/requirement"
)

func FuzzParse(f *testing.F) {
	for _, c := range canonicalForms {
		f.Add([]byte(c.text))
	}
	for _, c := range wrongRequirements {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := requirement.Parse(text)
		var faults document.Faults
		if err != nil {
			if !errors.As(err, &faults) || len(faults) == 0 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		canonical, err := r.MarshalJSON()
		if err != nil {
			t.Fatalf("%q was read and cannot be written: %v", text, err)
		}
		again, err := requirement.Parse(canonical)
		if err != nil || again.Digest() != r.Digest() {
			t.Fatalf("%q was written as %s, and that read as %+v (%v)", text, canonical, again, err)
		}
		if twice, _ := again.MarshalJSON(); string(twice) != string(canonical) {
			t.Fatalf("%s was written again as %s", canonical, twice)
		}
		_ = r.Contradictions()
		roundTrip(t, r)
	})
}

func FuzzTerms(f *testing.F) {
	f.Add("python@>=3.11", "zone=a", "gpu=a100:no_schedule", "zone=b:50")
	f.Add("node", "k=", "a:b", "image=repo:5:50")
	f.Fuzz(func(t *testing.T, runtime, selected, tolerate, prefer string) {
		r, err := requirement.Terms{
			Runtimes: []string{runtime}, Select: []string{selected}, Tolerate: []string{tolerate}, Prefer: []string{prefer},
		}.Requirement()
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Fatal("an error without text")
			}
			return
		}
		if _, ok := r.Terms(); !ok {
			t.Fatalf("%q %q %q %q cannot be written", runtime, selected, tolerate, prefer)
		}
		roundTrip(t, r)
	})
}
