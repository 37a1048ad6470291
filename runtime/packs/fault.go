package packs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Severity grades a fault.
type Severity string

// The severities.
const (
	// Error keeps a pack from being loaded.
	Error Severity = "error"
	// Warning is probably a mistake; the pack can be loaded.
	Warning Severity = "warning"
	// Note is not a mistake. It names what a host in its standard mode refuses as long as
	// it does not trust the pack.
	Note Severity = "note"
)

// A Fault is something in a pack's files that is wrong or needs a look.
type Fault struct {
	// File is the file's path as it was opened, with slashes.
	File string `json:"file"`
	// Line and Column count from 1. Zero means the file as a whole.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Ref identifies the definition. Empty if the file has no readable ref.
	Ref string `json:"ref,omitempty"`
	// Pointer is the JSON pointer to the place in the document.
	Pointer  string   `json:"pointer,omitempty"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
}

// String formats the fault on one line that editors can follow:
// runtimes/ruby.yaml:12:7: error: /distributions/…/pattern: missing closing ).
func (f Fault) String() string { return f.line(string(f.Severity) + ": ") }

// Unlabeled formats the fault without its severity, for callers that say it themselves.
func (f Fault) Unlabeled() string { return f.line("") }

func (f Fault) line(label string) string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	b.WriteString(": " + label)
	if f.Pointer != "" {
		b.WriteString(f.Pointer + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Faults holds all faults of a pack, sorted by file, line and column.
type Faults []Fault

// Err returns a LoadError with the faults of severity Error, or nil without any.
func (fs Faults) Err() error {
	if errs := fs.Only(Error); len(errs) > 0 {
		return &LoadError{errs}
	}
	return nil
}

// Only returns the faults of one severity.
func (fs Faults) Only(s Severity) Faults {
	var out Faults
	for _, f := range fs {
		if f.Severity == s {
			out = append(out, f)
		}
	}
	return out
}

func (fs Faults) sort() {
	slices.SortStableFunc(fs, func(a, b Fault) int {
		// pack.yaml comes before the files in its subfolder.
		return cmp.Or(cmp.Compare(strings.Count(a.File, "/"), strings.Count(b.File, "/")),
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// A LoadError reports why a pack cannot be loaded.
type LoadError struct{ Faults Faults }

// Error returns the faults, one per line.
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
