package service

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

// CapabilitiesOf converts a capability document to the form that the store writes: the document
// without attempts, and matching rows with the attempts as evidence, if detect.Config.Explain
// is set. A runtime that was not found has no entry if the document names its definitions; its row
// explains a loss. now is the time of the host's clock, at which negative results were verified.
func CapabilitiesOf(caps *capability.Document, now time.Time) (*store.Capabilities, error) {
	out := &store.Capabilities{At: now}
	slim, left := bound(caps), &budget{left: maxEvidence}
	for i, d := range slim.Detected {
		slim.Detected[i].Attempts = nil
		row, err := left.withEvidence(schema.WorkerRuntime{
			RuntimeRef: d.Ref, Name: d.Name, Outcome: string(d.Outcome), Source: string(d.Source),
			Version: d.Version, VersionRaw: plain(d.VersionRaw), Path: plain(d.Path), RealPath: plain(d.RealPath),
		}, d.Attempts, d.Attempt(), caps.Host.Path)
		if err != nil {
			return nil, err
		}
		if !d.VerifiedAt.IsZero() {
			row.VerifiedAt = &d.VerifiedAt
		}
		if !d.UnconfirmedSince.IsZero() {
			row.UnconfirmedSince = &d.UnconfirmedSince
		}
		out.Runtimes = append(out.Runtimes, row)
	}
	entries := slim.Undetected[:0]
	for _, a := range slim.Undetected {
		row, err := left.withEvidence(schema.WorkerRuntime{
			RuntimeRef: a.Ref, Name: a.Name, Outcome: string(a.Outcome), Detail: orNull(a.Detail), Hint: orNull(a.Hint),
			VerifiedAt: &now,
		}, a.Attempts, a.Attempt(), caps.Host.Path)
		if err != nil {
			return nil, err
		}
		out.Runtimes = append(out.Runtimes, row)
		if a.Attempts = nil; !slim.OmitsNotFound() || a.Outcome != capability.NotFound {
			entries = append(entries, a)
		}
	}
	slim.Undetected = entries
	for i, f := range slim.Failed {
		slim.Failed[i].Attempts = nil
		if hasOtherRow(&f, caps) {
			continue
		}
		row, err := left.withEvidence(schema.WorkerRuntime{
			RuntimeRef: f.Ref, Name: f.Name, Outcome: string(f.Outcome), Source: string(capability.Verified),
			Detail: orNull(f.Detail), Hint: orNull(f.Hint),
			Version: f.Version, VersionRaw: plain(f.Declared), Path: plain(f.Path), RealPath: plain(f.RealPath), VerifiedAt: &now,
		}, f.Attempts, f.Attempt(), caps.Host.Path)
		if err != nil {
			return nil, err
		}
		if !f.VerifiedAt.IsZero() {
			row.VerifiedAt = &f.VerifiedAt
		}
		out.Runtimes = append(out.Runtimes, row)
	}
	if left.dropped > 0 {
		slim.Warnings = append(slim.Warnings,
			fmt.Sprintf("the evidence on %d entries is left out: together it exceeds %d MiB", left.dropped, maxEvidence>>20))
	}
	doc, err := json.Marshal(slim)
	if err != nil {
		return nil, fmt.Errorf("encode capabilities: %w", err)
	}
	out.Document = withoutNUL(doc)
	return out, nil
}

// maxFailed is the maximum number of stored failures of one runtime, so that a definition
// with wide locations cannot fill the table.
const maxFailed = 20

// limitFailures returns at most maxFailed failures of each runtime. Failures that could not be
// determined come before absent ones.
func limitFailures(all []capability.Failure) []capability.Failure {
	var out []capability.Failure
	count := map[string]int{}
	for _, undetermined := range []bool{true, false} {
		for _, f := range all {
			if f.Outcome.CouldNotTell() == undetermined && count[f.Ref] < maxFailed {
				count[f.Ref]++
				out = append(out, f)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b capability.Failure) int { return cmp.Compare(a.Ref, b.Ref) })
	return out
}

// hasOtherRow reports whether another row has a failure's evidence: the runtime's negative
// result, or an installation that is kept.
func hasOtherRow(f *capability.Failure, caps *capability.Document) bool {
	return slices.ContainsFunc(caps.Undetected, func(a capability.Absence) bool { return a.Ref == f.Ref }) ||
		slices.ContainsFunc(caps.Detected, func(d capability.Installation) bool {
			return d.Ref == f.Ref && f.Path != "" && d.Path == f.Path
		})
}

// withEvidence adds the first attempts to a row, if they fit, without what the row, the document's
// entry and the host's PATH say as well. like is what the entry says.
func (b *budget) withEvidence(
	row schema.WorkerRuntime, attempts []capability.Attempt, like capability.Attempt, path []string,
) (schema.WorkerRuntime, error) {
	attempts = explaining(attempts, row.Outcome)
	attempts = attempts[:min(maxAttempts, len(attempts))]
	evidence, err := capability.EncodeAttempts(attempts, like, path)
	if err != nil {
		return row, fmt.Errorf("%s: %w", row.Name, err)
	}
	if len(evidence) > 0 && b.take(len(evidence)) {
		row.Evidence = withoutNUL(evidence)
	}
	return row, nil
}

// explaining returns the attempts that explain a row. That another command of the definition was not
// found explains no installation. The pattern is the definition's, and where it matched says nothing.
func explaining(attempts []capability.Attempt, outcome string) []capability.Attempt {
	var out []capability.Attempt
	for _, a := range attempts {
		if outcome == schema.OutcomeAvailable && a.Outcome == capability.NotFound && a.Path == "" {
			continue
		}
		if a.Outcome == capability.Available {
			a.Pattern, a.PatternMatched = "", nil
		}
		out = append(out, a)
	}
	return out
}

// plain replaces what no database stores: NUL characters that a tool printed, and bytes of a
// path that are not UTF-8.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// withoutNUL replaces NUL characters in the strings of a JSON document, in place.
func withoutNUL(doc json.RawMessage) json.RawMessage {
	for i := 0; i < len(doc); i++ {
		if doc[i] != '\\' {
			continue
		}
		if i++; bytes.HasPrefix(doc[i:], []byte("u0000")) {
			copy(doc[i:], "ufffd")
		}
	}
	return doc
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	s = plain(s)
	return &s
}
