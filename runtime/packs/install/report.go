package install

import (
	"fmt"
	"strings"
)

// Result says what a load did to one row.
type Result string

// The results.
const (
	Created   Result = "created"
	Updated   Result = "updated"
	Unchanged Result = "unchanged"
	// Kept: the row differs from the pack, and stays as the operator has it.
	Kept Result = "kept"
	// Orphaned: the pack no longer defines the row; it stays.
	Orphaned Result = "orphaned"
)

// Entry is one row of a Report.
type Entry struct {
	Ref    string `json:"ref"`
	Result Result `json:"result"`
	// Changed and Kept are JSON pointers into the definition: what the row got
	// from the pack, and what stays as an operator changed it.
	Changed []string `json:"changed,omitempty"`
	Kept    []string `json:"kept,omitempty"`
}

// Report says what a load did, or would do.
type Report struct {
	Pack string `json:"pack"`
	// Created: the pack's own row is new.
	Created bool `json:"created"`
	// DryRun: nothing was written.
	DryRun  bool    `json:"dry_run"`
	Entries []Entry `json:"entries"`
}

func (r *Report) add(e Entry) { r.Entries = append(r.Entries, e) }

// Count is how many rows ended so.
func (r *Report) Count(result Result) int {
	n := 0
	for _, e := range r.Entries {
		if e.Result == result {
			n++
		}
	}
	return n
}

// Summary is one line: 2 created, 18 unchanged.
func (r *Report) Summary() string {
	var parts []string
	for _, result := range []Result{Created, Updated, Kept, Orphaned, Unchanged} {
		if n := r.Count(result); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, result))
		}
	}
	if len(parts) == 0 {
		return "no definitions"
	}
	return strings.Join(parts, ", ")
}

// Changed is how many rows were, or would be, written.
func (r *Report) Changed() int { return r.Count(Created) + r.Count(Updated) }
