package api

import (
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/capability"
)

// Documents and evidence need the scope operate. Details may quote the output of a command, so that a principal without
// it gets them without the quote.

// needsOperate returns an error unless the principal may see documents and evidence.
func (c *call) needsOperate(include string) error {
	if c.principal.May(Operate) {
		return nil
	}
	return &problem{kind: Forbidden, detail: "include=" + include + " needs the scope operate"}
}

// withoutOutput removes what a detail quotes, unless the principal may see it.
func (c *call) withoutOutput(detail *string) *string {
	if detail == nil || c.principal.May(Operate) {
		return detail
	}
	return new(capability.WithoutOutput(*detail))
}

// explained removes from an explanation the attempts, unless they were asked for, and what the principal may not see.
func (c *call) explained(e *answer.Explanation, attempts bool) {
	none := []capability.Attempt{}
	for i := range e.Installations {
		if !attempts {
			e.Installations[i].Attempts = none
		}
	}
	for i := range e.Failed {
		if !attempts {
			e.Failed[i].Attempts = none
		}
		e.Failed[i].Detail = *c.withoutOutput(&e.Failed[i].Detail)
	}
	if e.Negative != nil {
		if !attempts {
			e.Negative.Attempts = none
		}
		e.Negative.Detail = *c.withoutOutput(&e.Negative.Detail)
	}
	e.Why = *c.withoutOutput(&e.Why)
	if !c.principal.May(Operate) {
		e.Host = nil
	}
}
