package service

import (
	"encoding/json"
	"fmt"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// Bounds on what one host writes, whatever its definitions make it find.
const (
	// maxDocument is the size of the entries of a capability document in bytes, and
	// maxWarnings the size of its warnings.
	maxDocument = 4 << 20
	maxWarnings = 256 << 10
	// maxEvidence is the size of all stored attempts in bytes, and maxAttempts the number of
	// attempts in one row.
	maxEvidence = 8 << 20
	maxAttempts = 50
)

// A budget is an amount of bytes to write.
type budget struct {
	left    int
	dropped int // entries that did not fit
}

// take reports whether size bytes fit, and subtracts them.
func (b *budget) take(size int) bool {
	if size > b.left {
		b.dropped++
		return false
	}
	b.left -= size
	return true
}

// bound returns a copy of a document without attempts that keeps within the bounds.
// Installations come before absences and failures, and the core pack before others. A warning
// counts what does not fit.
func bound(caps *capability.Document) *capability.Document {
	slim := *caps
	b := &budget{left: maxDocument}
	slim.Detected = fit(b, caps.Detected, func(d *capability.Installation) string { d.Attempts = nil; return d.Ref })
	slim.Undetected = fit(b, caps.Undetected, func(a *capability.Absence) string { a.Attempts = nil; return a.Ref })
	slim.Failed = fit(b, limitFailures(caps.Failed), func(f *capability.Failure) string { f.Attempts = nil; return f.Ref })
	w := &budget{left: maxWarnings}
	slim.Warnings = make([]string, 0, len(caps.Warnings))
	for _, text := range caps.Warnings {
		if w.take(len(text)) {
			slim.Warnings = append(slim.Warnings, text)
		}
	}
	if w.dropped > 0 {
		slim.Warnings = append(slim.Warnings,
			fmt.Sprintf("%d more warnings are left out: together they exceed %d KiB", w.dropped, maxWarnings>>10))
	}
	if b.dropped > 0 {
		slim.Definitions = nil // an entry that is left out does not mean that the runtime was not found
		slim.Arrange()         // its lists of names and versions follow its entries
		slim.Warnings = append(slim.Warnings,
			fmt.Sprintf("%d entries are left out: the document would exceed %d MiB", b.dropped, maxDocument>>20))
	}
	return &slim
}

// fit returns the entries that fit, in their order. It takes the core pack's entries first.
// strip removes the attempts and returns the entry's ref.
func fit[E any](b *budget, all []E, strip func(*E) string) []E {
	keep := make([]bool, len(all))
	for _, core := range []bool{true, false} {
		for i, e := range all {
			if (metadata.PackOf(strip(&e)) == metadata.CorePack) == core {
				text, err := json.Marshal(e)
				keep[i] = err != nil || b.take(len(text)) // encoding the document returns the error
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
