package reading

import doc "github.com/attune-go/attune/schema/document"

// Part of a T.
//
//attune:document
type Part struct {
	ID   string      `json:"id"`
	More doc.Unknown `json:"-"`
}
