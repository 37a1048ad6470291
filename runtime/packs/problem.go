package packs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a problem keeps a pack from being loaded.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Problem is one thing that is wrong with a pack's files, or should be looked
// at.
type Problem struct {
	// File is the file's path as it was opened, with slashes.
	File string `json:"file"`
	// Line and Column count from 1; zero is the file as a whole.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Ref is the definition's, where the file has one that can be read.
	Ref string `json:"ref,omitempty"`
	// Pointer is the JSON pointer to the place in the document.
	Pointer  string   `json:"pointer,omitempty"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
}

// String is the problem on one line, as editors read it:
// runtimes/ruby.yaml:12:7: error: /distributions/…/pattern: missing closing ).
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	fmt.Fprintf(&b, ": %s: ", p.Severity)
	if p.Pointer != "" {
		b.WriteString(p.Pointer + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are all of a pack's problems, sorted by file, line and column.
type Problems []Problem

// Err is an error that lists the problems of severity Error; nil when there are
// none.
func (ps Problems) Err() error {
	if errs := ps.Of(Error); len(errs) > 0 {
		return &LoadError{errs}
	}
	return nil
}

// Of gives the problems of one severity.
func (ps Problems) Of(s Severity) Problems {
	var out Problems
	for _, p := range ps {
		if p.Severity == s {
			out = append(out, p)
		}
	}
	return out
}

// LoadError is a pack that cannot be loaded.
type LoadError struct{ Problems Problems }

func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		// pack.yaml lies above the folder of definitions.
		return cmp.Or(cmp.Compare(strings.Count(a.File, "/"), strings.Count(b.File, "/")),
			cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
