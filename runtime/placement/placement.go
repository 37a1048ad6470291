// Package placement decides which workers can run something, which of them come first, and
// why the others cannot: it holds a requirement against what is known of each worker. It is
// pure: it knows no database and no clock.
//
// Evaluate judges one worker. Place judges a fleet in memory. A Tally groups the workers that
// do not fit by their reasons, Suggest says what would help, and WhatIf compares a fleet before
// and after changes.
package placement

import (
	"cmp"
	"slices"

	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// A Requirement is what an action, a sensor or a run needs of a host. Its runtimes must be
// resolved to refs.
type Requirement = requirement.Requirement

// A Reason is why a worker does not satisfy a requirement.
type Reason = requirement.Reason

// The data that the store shares.
type (
	// Facts holds what is known of a worker.
	Facts = requirement.Facts
	// An Installation is one executable of a runtime on a worker's host.
	Installation = requirement.Installation
	// A PlacedWorker is a worker that fits.
	PlacedWorker = requirement.PlacedWorker
	// A Choice is the installation that runs one of the runtimes.
	Choice = requirement.Choice
)

// Statuses of workers that may fit.
const (
	statusActive = "active"
	statusBusy   = "busy"
)

// free returns the number of free slots.
func free(f *Facts) int { return max(slots(f)-f.Used, 0) }

func slots(f *Facts) int { return max(f.Slots, 1) }

func isReportOnly(f *Facts) bool {
	return slices.ContainsFunc(f.Taints, func(t requirement.Taint) bool { return t.Key == requirement.ReportOnly })
}

// A Verdict is one worker held against one requirement.
type Verdict struct {
	Worker int64
	Name   string
	Role   requirement.Role
	// Reasons holds every reason why the worker does not fit. It fits without any.
	Reasons []Reason
	// Runtimes holds the installation chosen for each runtime of the requirement, in that
	// order. A runtime without one is left out.
	Runtimes []Choice
	// Weight is the sum of the preferences that match, less requirement.TaintWeight for each
	// taint that prefers no work.
	Weight int
	// Free is the number of free slots.
	Free int

	spread int64
	// slots is the number of slots, whether free or not, and wanted how many must be free.
	slots, wanted int
	// key is the sort key of the first runtime's version. It is empty for an unknown one.
	key string
	// distance is the greatest distance of a version from its constraint.
	distance version.Distance
}

// Fits reports whether the worker satisfies the requirement.
func (v *Verdict) Fits() bool { return len(v.Reasons) == 0 }

// Compare orders verdicts of one requirement that fit: by weight, then by the version of the
// first runtime, the newest first, then by spread from the requirement's start onward, then by
// the worker's ID.
func Compare(r *Requirement) func(a, b Verdict) int {
	start := r.Start()
	return func(a, b Verdict) int {
		return cmp.Or(
			cmp.Compare(b.Weight, a.Weight),
			cmp.Compare(b.key, a.key),
			cmp.Compare(after(a.spread, start), after(b.spread, start)),
			cmp.Compare(a.spread, b.spread),
			cmp.Compare(a.Worker, b.Worker))
	}
}

// after returns 0 for a spread from start onward, and 1 for the others, which follow.
func after(spread, start int64) int {
	if spread >= start {
		return 0
	}
	return 1
}

// fitting returns the verdicts that fit, in order.
func fitting(r *Requirement, verdicts []Verdict) []Verdict {
	var fit []Verdict
	for _, v := range verdicts {
		if v.Fits() {
			fit = append(fit, v)
		}
	}
	slices.SortFunc(fit, Compare(r))
	return fit
}
