package service

import (
	"encoding/json"
	"fmt"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// Bounds of what one host writes, whatever definitions make it find.
const (
	// maxDocument is how many bytes the entries of a capability document have, and
	// maxWarnings those of its warnings.
	maxDocument = 4 << 20
	maxWarnings = 256 << 10
	// maxEvidence is how many bytes of attempts are stored in sum, and maxAttempts
	// how many attempts of one row.
	maxEvidence = 8 << 20
	maxAttempts = 50
)

// budget is how much may still be written.
type budget struct {
	left int
	// out counts what did not fit.
	out int
}

// take reports whether so many bytes fit.
func (b *budget) take(size int) bool {
	if size > b.left {
		b.out++
		return false
	}
	b.left -= size
	return true
}

// bound is a copy of a document of which no more is kept than is written: what the host has before what it has not, and of both the core pack's
// first. What does not fit is counted in a warning.
func bound(caps *capability.Document) *capability.Document {
	slim := *caps
	b := &budget{left: maxDocument}
	slim.Detected = fitting(b, caps.Detected, func(d *capability.Installation) string { d.Attempts = nil; return d.Ref })
	slim.Undetected = fitting(b, caps.Undetected, func(a *capability.Absence) string { a.Attempts = nil; return a.Ref })
	slim.Failed = fitting(b, mostTelling(caps.Failed), func(f *capability.Failure) string { f.Attempts = nil; return f.Ref })
	w := &budget{left: maxWarnings}
	slim.Warnings = make([]string, 0, len(caps.Warnings))
	for _, text := range caps.Warnings {
		if w.take(len(text)) {
			slim.Warnings = append(slim.Warnings, text)
		}
	}
	if w.out > 0 {
		slim.Warnings = append(slim.Warnings, fmt.Sprintf("%d more warnings are left out: they have more than %d KiB", w.out, maxWarnings>>10))
	}
	if b.out > 0 {
		slim.Warnings = append(slim.Warnings, fmt.Sprintf("%d entries are left out of this document: it would have more than %d MiB", b.out, maxDocument>>20))
	}
	return &slim
}

// fitting are the entries that fit, in their order, the core pack's being taken
// first. strip takes away what the document does not have and returns the entry's
// ref.
func fitting[E any](b *budget, all []E, strip func(*E) string) []E {
	keep := make([]bool, len(all))
	for _, core := range []bool{true, false} {
		for i, e := range all {
			if (metadata.PackOf(strip(&e)) == metadata.CorePack) == core {
				text, err := json.Marshal(e)
				keep[i] = err != nil || b.take(len(text)) // an error is told where all is encoded
			}
		}
	}
	out := make([]E, 0, len(all))
	for i := range all {
		if keep[i] {
			out = append(out, all[i])
		}
	}
	return out
}
