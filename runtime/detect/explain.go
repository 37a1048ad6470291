package detect

import (
	"context"
	"fmt"
	"slices"

	"github.com/attune-go/attune/schema/capability"
)

// An Explanation holds all evidence of one runtime on a host.
type Explanation struct {
	Ref  string `json:"ref"`
	Name string `json:"name"`
	// Outcome is the outcome of the runtime. Detail and Hint are empty if it is
	// available.
	Outcome capability.Outcome `json:"outcome"`
	Detail  string             `json:"detail,omitempty"`
	Hint    string             `json:"hint,omitempty"`
	// Detected lists the installations, newest first.
	Detected []capability.Installation `json:"detected"`
	// Attempts lists every command, including those after the first success, and
	// every executable at the definition's locations.
	Attempts []capability.Attempt `json:"attempts"`
	// Warnings include how a declaration makes the answer of Detect differ.
	Warnings []string `json:"warnings"`
}

// Explain verifies one runtime, by any of its names, and tries every command. It
// ignores declarations. The error for an unknown name wraps ErrUnknownName; other
// errors are those of Detect.
func (d *Detector) Explain(ctx context.Context, name string) (*Explanation, error) {
	meta, ok := d.index.Resolve(name)
	if !ok {
		return nil, fmt.Errorf("explain %q: %w%s", name, ErrUnknownName, d.didYouMean(name))
	}
	def := d.byRef[meta.Ref]
	findings, err := d.newRound(true).verifyAll(ctx, []*definition{def}, nil)
	if err != nil {
		return nil, err
	}
	f := findings[0]
	var doc capability.Document
	addFinding(&doc, f, false)
	doc.Arrange()
	e := &Explanation{
		Ref: def.Ref, Name: def.name, Outcome: f.outcome(), Detected: doc.Detected,
		Attempts: notNil(f.attempts), Warnings: slices.Concat(d.differs(def), hostWarnings(d.cfg.Host), f.warnings),
	}
	if a := f.absence; a != nil {
		e.Detail, e.Hint = a.Detail, a.Hint
	}
	return e, nil
}

// differs returns the reasons why Detect answers differently from Explain.
func (d *Detector) differs(def *definition) []string {
	out := []string{}
	if !def.HasRole(d.cfg.Role) {
		out = append(out, fmt.Sprintf("%s is not for the role %s: it is detected only where it is declared", def.Ref, d.cfg.Role))
	}
	decl, ok := d.declaration()
	if !ok {
		return out
	}
	names, err := d.resolve(decl)
	if err != nil {
		return append(out, err.Error())
	}
	listed := false
	for _, n := range names {
		listed = listed || n.def == def
	}
	switch {
	case !listed:
		out = append(out, fmt.Sprintf("%s does not name it, so detection leaves it out", decl.where))
	case !d.cfg.VerifyDeclared:
		out = append(out, fmt.Sprintf("%s declares it, so detection takes it as available without verifying", decl.where))
	}
	return out
}
