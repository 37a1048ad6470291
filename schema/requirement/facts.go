package requirement

import "github.com/attune-go/attune/schema/version"

// Facts holds what is known of a worker.
type Facts struct {
	Worker int64
	Name   string
	Role   Role
	// Status is the status of the row. Workers that are neither active nor busy do not fit.
	Status string
	// Stale reports that an active or busy worker missed three heartbeats.
	Stale bool
	// NeverReported reports that the worker's runtimes are not known at all.
	NeverReported bool
	Cordoned      bool
	// CordonReason is the operator's text, which may be empty.
	CordonReason string
	Labels       map[string]string
	Taints       []Taint
	// Installations holds the installations that count.
	Installations []Installation
	// Unknown holds the refs of runtimes that could not be determined.
	Unknown []string
	// NotReported holds the refs of runtimes that the last report is not about, because they were
	// defined after it or are for the other role. A runtime in none of these lists is absent.
	NotReported []string
	// Lost holds the last version of runtimes that the worker had once, by ref. The version is
	// empty if it was not known.
	Lost map[string]string
	// Slots is the number of executions that may run at once. Zero stands for 1. Used is how
	// many do.
	Slots, Used int
	// Spread orders workers that are equal otherwise: a number from 0 to MaxSpread
	// that follows from the ID.
	Spread int64
}

// An Installation is one executable of a runtime on a worker's host.
type Installation struct {
	Ref string
	// Version is the zero Version if it is not known.
	Version version.Version
	Path    string
	// Declared reports that it was declared and not verified.
	Declared bool
	// Unconfirmed reports that the last rounds could not determine whether it is still there.
	// It counts nevertheless.
	Unconfirmed bool
}

// A PlacedWorker is a worker that satisfies a requirement.
type PlacedWorker struct {
	Worker int64  `json:"worker"`
	Name   string `json:"name"`
	Role   Role   `json:"role"`
	// Weight is the sum of the preferences that match, less TaintWeight for each taint that
	// prefers no work.
	Weight int `json:"weight"`
	// Free is the number of free slots.
	Free int `json:"free"`
	// Runtimes holds the installation chosen for each runtime, in the requirement's order.
	Runtimes []Choice `json:"runtimes"`
}

// A Choice is the installation that runs a runtime of a requirement: the newest version that
// satisfies it and, among equals, the path that sorts first by bytes.
type Choice struct {
	Ref string `json:"ref"`
	// Version is canonical. It is empty if it is not known.
	Version string `json:"version"`
	Path    string `json:"path"`
}
