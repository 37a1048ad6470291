package reading

import doc "github.com/attune-go/attune/schema/document"

// Part of a T.
//
//attune:document check
type Part struct {
	ID   string      `json:"id"`
	More doc.Unknown `json:"-"`
}

func (p *Part) check(*doc.Checker) {}

func twins(list []Part) func(c *doc.Checker, i int) {
	return func(c *doc.Checker, i int) { c.At("id", "") }
}
