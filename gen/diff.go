package gen

import (
	"bytes"

	"github.com/rogpeppe/go-internal/diff"
)

// unifiedDiff returns the unified diff of two versions of a file.
func unifiedDiff(name string, before, after []byte, missing bool) []byte {
	from := "a/" + name
	if missing {
		from = "/dev/null"
	}
	out := diff.Diff(from, before, "b/"+name, after)
	_, out, _ = bytes.Cut(out, []byte("\n")) // diff a/name b/name
	return out
}
