package metadata_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/metadata"
)

// TestReadStored reads definitions whose columns are malformed, and writes them unchanged.
func TestReadStored(t *testing.T) {
	for text, faults := range map[string][3]string{
		`{"ref": "a.b", "name": "B", "distributions": {"min_version": "3"}}`: {},
		`{"ref": "a.b", "name": "B", "distributions": 7}`:                    {"", "must be an object, got a number", ""},
		`{"ref": "a.b", "name": "B", "aliases": {"x": 1}, "execution_config": [],
			"versions": [{"version": "3.12", "distributions": "x"}, {"version": "3.11"}]}`: {"list", "", "must be an object, got a list"},
	} {
		d, err := metadata.ReadStored([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for i, fault := range []error{d.Aliases.Fault(), d.Distributions.Fault(), d.ExecutionConfig.Fault()} {
			if (fault == nil) != (faults[i] == "") {
				t.Errorf("%s: the fault is %v, want %q", text, fault, faults[i])
			}
		}
		written, err := json.Marshal(d)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var want, got any
		if json.Unmarshal([]byte(text), &want) != nil || json.Unmarshal(written, &got) != nil {
			t.Fatal("not JSON")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("it is not written as it was read (-want +got):\n%s", diff)
		}
	}
	for _, text := range []string{`[]`, `{"ref": 7}`, `{"ref": "a.b", "name": "B", "versions": 7}`, `{`} {
		if d, err := metadata.ReadStored([]byte(text)); err == nil {
			t.Errorf("%s: %+v", text, d)
		}
	}
}
