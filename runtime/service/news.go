package service

import (
	"fmt"
	"slices"
	"time"

	"github.com/attune-go/attune/schema/capability"
)

// logNews logs the warnings of a document that the one before did not have, and
// what became of runtimes that are not there and why: what policy denied, say.
func (s *Service) logNews(before, now *capability.Document) {
	old := map[string]bool{}
	for _, line := range news(before) {
		old[line.key()] = true
	}
	for _, line := range news(now) {
		if !old[line.key()] {
			s.log.Warn(line.text, line.attrs()...)
		}
	}
}

// piece is a piece of news about a runtime, or about the document where it has no ref.
type piece struct {
	ref     string
	outcome capability.Outcome
	text    string
}

// key leaves out the text of an outcome, which may hold what differs each time.
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

// news are what is worth a line: not that a runtime is not there, but what was
// found and does not count.
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

// logDoubt says of what the host cannot tell any more.
func (s *Service) logDoubt(before, now *capability.Document) {
	n := 0
	for _, d := range now.Detected {
		if d.UnconfirmedSince.IsZero() {
			continue
		}
		n++
		if !slices.ContainsFunc(before.Detected, func(b capability.Installation) bool {
			return sameInstallation(b, d) && !b.UnconfirmedSince.IsZero()
		}) {
			s.log.Warn("this host cannot tell whether a runtime is still there; it is kept for now",
				"runtime", d.Name, "ref", d.Ref, "version", d.Version, "path", d.Path, "until", d.UnconfirmedSince.Add(s.cfg.UnconfirmedFor).Format(time.RFC3339))
		}
	}
	s.cfg.Metrics.unconfirmed.Set(float64(n))
}
