package metadata_test

import (
	"testing"

	"github.com/attune-go/attune/schema/metadata"
)

// typical is the metadata of a runtime as packs have it, in the text that a database
// returns.
const typical = `{"min_version": "3.8", "recommended_version": "3.12", "verification": {"commands": [` +
	`{"args": ["--version"], "binary": "python3", "pattern": "(?m)^Python 3\\.", "priority": 1, "exit_code": 0}, ` +
	`{"args": ["--version"], "binary": "python", "pattern": "(?m)^Python 3\\.", "optional": true, "priority": 2, "exit_code": 0}, ` +
	`{"args": ["--version"], "binary": "/opt/python/bin/python3", "timeout": "20s", "optional": true}], ` +
	`"env": ["PYENV_ROOT"], "locations": ["/usr/bin/python3.[0-9]", "/opt/python*/bin/python3", "~/.pyenv/versions/*/bin/python3"]}}`

// TestDecodeAllocations checks that a document is copied once, and that its texts are
// parts of the copy. Each slice, each object behind a pointer, and each text with an
// escape is one allocation more.
func TestDecodeAllocations(t *testing.T) {
	doc := []byte(typical)
	const copied, objects, commands, lists, escaped = 1, 1, 1, 5, 2
	got := testing.AllocsPerRun(100, func() {
		var d metadata.Distributions
		if err := d.UnmarshalJSON(doc); err != nil {
			t.Fatal(err)
		}
	})
	if want := float64(copied + objects + commands + lists + escaped); got > want {
		t.Errorf("%v allocations, want %v", got, want)
	}
}
