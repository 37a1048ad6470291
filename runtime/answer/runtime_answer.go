package answer

import (
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/store"
)

// A RuntimeAnswer is what a worker last reported about one runtime.
type RuntimeAnswer struct {
	State ReportedState `json:"state"`
	// Installations are those that satisfy the constraint, or all of a worker where none does.
	Installations []AnsweredInstallation `json:"installations,omitempty"`
	// Outcome says why the worker does not have the runtime. It is empty with installations.
	Outcome capability.Outcome `json:"outcome,omitempty"`
}

// An ReportedState sums up a RuntimeAnswer.
type ReportedState string

// The states.
const (
	// AnswerFits means that installations satisfy the constraint.
	AnswerFits ReportedState = "fits"
	// AnswerOther means that all installations have other versions, and AnswerUnknown that one
	// of them may satisfy the constraint.
	AnswerOther   ReportedState = "other"
	AnswerUnknown ReportedState = "unknown"
	// AnswerAbsent means that the worker does not have the runtime, or could not tell.
	AnswerAbsent ReportedState = "absent"
	// AnswerUnasked means that the worker did not look for the runtime.
	AnswerUnasked ReportedState = "unasked"
)

// An AnsweredInstallation is an installation of a RuntimeAnswer. Version is empty if unknown.
type AnsweredInstallation struct {
	Version     string           `json:"version"`
	Source      capability.Basis `json:"source"`
	Unconfirmed bool             `json:"unconfirmed"`
}

// answerOf returns what a worker reported about a runtime.
func answerOf(r *RuntimeTerm, w *WorkerItem) RuntimeAnswer {
	var fit, other []AnsweredInstallation
	var absent capability.Outcome
	unknown := false
	for i := range w.Reported {
		row := &w.Reported[i]
		switch {
		case row.RuntimeRef != r.Ref || r.Ref == "" && row.Name != r.Name:
		case row.Outcome == capability.Available && Satisfies(&r.RuntimeFilter, row.Version):
			fit = append(fit, installationOf(row))
		case row.Outcome == capability.Available:
			other = append(other, installationOf(row))
			unknown = unknown || row.Version == ""
		case !row.Found:
			absent = row.Outcome
		default: // it does not count
			declared := ""
			if row.Path == "" {
				declared = row.VersionRaw
			}
			unknown = unknown || row.Outcome.CouldNotTell() && maySatisfy(&r.RuntimeFilter, declared, row.Version)
		}
	}
	switch {
	case fit != nil:
		return RuntimeAnswer{State: AnswerFits, Installations: fit}
	case other != nil && unknown:
		return RuntimeAnswer{State: AnswerUnknown, Installations: other}
	case other != nil:
		return RuntimeAnswer{State: AnswerOther, Installations: other}
	case absent != "":
		return RuntimeAnswer{State: AnswerAbsent, Outcome: absent}
	case w.Document.NotFound(r.Definition, definitionRole(w.WorkerRole), r.Created) != nil:
		return RuntimeAnswer{State: AnswerAbsent, Outcome: capability.NotFound}
	}
	return RuntimeAnswer{State: AnswerUnasked}
}

func installationOf(row *store.ReportRow) AnsweredInstallation {
	return AnsweredInstallation{row.Version, row.Source, row.UnconfirmedSince != nil}
}
