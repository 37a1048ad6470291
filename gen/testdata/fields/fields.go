// Package fields has columns of JSON that are keys of one document, and no Go code for them.
package fields

import "github.com/attune-go/attune/schema/document"

// Columns holds the columns of a table.
//
//attune:document
type Columns struct {
	// Labels are a column of their own.
	Labels map[string]string `json:"labels,omitempty" attune:"most=2,length=4,guard=site.labels"`
	// Groups maps names to lists.
	Groups map[string][]string `json:"groups,omitempty" attune:"length=4,guard=site.groups"`
	// Limits maps names to numbers.
	Limits map[string]int `json:"limits,omitempty" attune:"min=1,guard=site.limits"`
	// Rules is a list of documents in two columns.
	Rules []Rule `json:"rules,omitempty" attune:"most=2,guard=site.rules site.more"`
	// Main is a document.
	Main    Rule             `json:"main,omitzero" attune:"guard=site.main"`
	Unknown document.Unknown `json:"-"`
}

// A Rule is in a list.
//
//attune:document
type Rule struct {
	// Key is needed.
	Key     string           `json:"key" attune:"required"`
	Unknown document.Unknown `json:"-"`
}
