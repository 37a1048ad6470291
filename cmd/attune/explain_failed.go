package main

import (
	"fmt"
	"slices"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/version"
)

// mindFailed adds failures to the answer if no installation satisfies the constraint:
// a failure may be the version that was asked for.
func (a *account) mindFailed(r *requirement) {
	var matches []*failure
	for i := range a.Failed {
		if f := &a.Failed[i]; f.maySatisfy(r) {
			matches = append(matches, f)
			a.help(f.Hint)
			if f.bySettings(a.declared()) {
				a.help(a.reload())
			}
		}
	}
	if len(matches) == 0 {
		return
	}
	about, seem := "one more does not count: ", "they do not count"
	if slices.ContainsFunc(matches, func(f *failure) bool { return f.Outcome.CouldNotTell() }) {
		a.Answer, a.Why = answerUnknown, "none of its known versions satisfies "+a.Constraint
		about, seem = "one could not be determined: ", "some of them could not be determined"
	}
	if len(matches) == 1 {
		a.Why += "; " + about + string(matches[0].Outcome) + ": " + matches[0].Detail
	} else {
		a.Why += fmt.Sprintf("; there are %d more, and %s: see below", len(matches), seem)
	}
}

// maySatisfy reports whether the version of a failure satisfies the requirement or is
// unknown.
func (f *failure) maySatisfy(r *requirement) bool {
	switch {
	case r.Constraint == nil:
		return true
	case f.Declared != "":
		declared, err := version.ParseConstraint(f.Declared)
		return err != nil || overlap(declared.Ranges(true), r.Constraint.Ranges(r.Prereleases))
	}
	return f.Version == "" || satisfies(r, f.Version)
}

func overlap(some, others []version.Range) bool {
	return slices.ContainsFunc(some, func(a version.Range) bool {
		return slices.ContainsFunc(others, func(b version.Range) bool {
			return (a.To == "" || b.From < a.To) && (b.To == "" || a.From < b.To)
		})
	})
}

// doubts returns remedies for installations that the host could not determine.
func (a *account) doubts() (hints []string) {
	for _, in := range a.Installations {
		for _, attempt := range in.Attempts {
			if in.UnconfirmedSince != nil && attempt.Outcome.CouldNotTell() {
				hints = append(hints, attempt.Hint)
			}
		}
	}
	for _, f := range a.Failed {
		if f.Outcome == capability.InvalidMetadata {
			hints = append(hints, f.Hint)
		}
	}
	return hints
}

// placeOf returns what a failure is about.
func placeOf(path, declared string) string {
	switch {
	case path != "":
		return path
	case declared != "":
		return "declared version " + declared
	}
	return "locations"
}

func printFailure(out *cli.Terminal, f *failure) {
	out.Printf("%s  %s: %s\n", out.Paint(cli.Bold, "does not count"), cli.Clean(placeOf(f.Path, f.Declared)),
		out.Paint(cli.Yellow, cli.Clean(string(f.Outcome))))
	field := cli.NewFields(out, "  ")
	if f.RealPath != f.Path {
		field("really", f.RealPath)
	}
	field("version", f.Version)
	if f.VerifiedAt != nil {
		field("verified", "at "+stamp(*f.VerifiedAt))
	}
	if len(f.Attempts) == 0 { // else they say it
		field("why", f.Detail)
		field("helps", f.Hint)
	}
	printAttempts(out, f.Attempts)
}
