package service

import (
	"fmt"
	"slices"
	"time"

	"github.com/attune-go/attune/schema/capability"
)

// logNews logs the warnings of a document that the previous one did not have, and why
// runtimes that were found do not count.
func (v *verification) logNews(before, now *capability.Document) {
	old := map[string]bool{}
	for _, line := range news(before) {
		old[line.key()] = true
	}
	for _, line := range news(now) {
		if !old[line.key()] {
			v.log.Warn(line.text, line.attrs()...)
		}
	}
}

// A piece is a piece of news about a runtime, or about the document if it has no ref.
type piece struct {
	ref     string
	outcome capability.Outcome
	text    string
}

// key identifies the piece. It leaves out the text of an outcome, which can differ each time.
func (p *piece) key() string {
	if p.outcome != capability.Available {
		return fmt.Sprintf("%q %q", p.ref, p.outcome)
	}
	return fmt.Sprintf("%q %q", p.ref, p.text)
}

func (p *piece) attrs() (attrs []any) {
	if p.ref != "" {
		attrs = append(attrs, "ref", p.ref)
	}
	if p.outcome != capability.Available {
		attrs = append(attrs, "outcome", p.outcome)
	}
	return attrs
}

// news returns what is worth a log line. A runtime that was not found is not.
func news(caps *capability.Document) []piece {
	if caps == nil {
		return nil
	}
	var out []piece
	for _, w := range caps.Warnings {
		out = append(out, piece{outcome: capability.Available, text: w})
	}
	for _, d := range caps.Detected {
		for _, w := range d.Warnings {
			out = append(out, piece{d.Ref, capability.Available, w})
		}
	}
	for _, a := range caps.Undetected {
		if a.Outcome != capability.NotFound && a.Outcome != capability.NoVerification {
			out = append(out, piece{a.Ref, a.Outcome, a.Detail})
		}
	}
	return out
}

// logUnconfirmed logs the installations that could no longer be determined.
func (v *verification) logUnconfirmed(before, now *capability.Document) {
	n := 0
	for _, d := range now.Detected {
		if d.UnconfirmedSince.IsZero() {
			continue
		}
		n++
		if !slices.ContainsFunc(before.Detected, func(b capability.Installation) bool {
			return sameInstallation(b, d) && !b.UnconfirmedSince.IsZero()
		}) {
			until := d.UnconfirmedSince.Add(v.cfg.UnconfirmedFor).Format(time.RFC3339)
			v.log.Warn("runtime could not be confirmed; keeping it for now",
				"runtime", d.Name, "ref", d.Ref, "version", d.Version, "path", d.Path, "until", until)
		}
	}
	v.cfg.Metrics.SetUnconfirmed(n)
}
