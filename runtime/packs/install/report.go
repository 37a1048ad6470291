package install

import (
	"fmt"
	"strings"
)

// A Result is what a load did with one row.
type Result string

// The results.
const (
	Created   Result = "created"
	Updated   Result = "updated"
	Unchanged Result = "unchanged"
	// Kept means that the row differs from the pack and stays as the operator has it.
	Kept Result = "kept"
	// Orphaned means that the pack no longer defines the row. The row stays.
	Orphaned Result = "orphaned"
	// Foreign means that the row is a platform's, and stays.
	Foreign Result = "foreign"
)

// An Entry reports one row.
type Entry struct {
	Ref    string `json:"ref"`
	Result Result `json:"result"`
	// Changed and Kept hold JSON pointers into the definition: values that the row got
	// from the pack, and values that stay as an operator changed them.
	Changed []string `json:"changed,omitempty"`
	Kept    []string `json:"kept,omitempty"`
}

// A Report lists what a load did, or would do.
type Report struct {
	Pack string `json:"pack"`
	// Created reports whether the pack's own row is new.
	Created bool `json:"created"`
	// DryRun reports that nothing was written.
	DryRun bool `json:"dry_run"`
	// Foreign reports that the pack is a platform's, so that nothing is written.
	Foreign bool    `json:"foreign,omitempty"`
	Entries []Entry `json:"entries"`
}

func (r *Report) add(e Entry) { r.Entries = append(r.Entries, e) }

// Count returns the number of rows with a result.
func (r *Report) Count(result Result) int {
	n := 0
	for _, e := range r.Entries {
		if e.Result == result {
			n++
		}
	}
	return n
}

// Summary returns the counts on one line, such as "2 created, 18 unchanged".
func (r *Report) Summary() string {
	var parts []string
	for _, result := range []Result{Created, Updated, Kept, Orphaned, Foreign, Unchanged} {
		if n := r.Count(result); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, result))
		}
	}
	if len(parts) == 0 {
		return "no definitions"
	}
	return strings.Join(parts, ", ")
}

// Writes returns the number of rows that the load wrote, or would write.
func (r *Report) Writes() int { return r.Count(Created) + r.Count(Updated) }
