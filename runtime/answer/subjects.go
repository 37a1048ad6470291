package answer

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// A PlaceSubject is an action or a sensor with its requirement.
type PlaceSubject struct {
	Kind store.SubjectKind `json:"kind"`
	Ref  string            `json:"ref"`
	// Requirement is resolved. It is nil if the subject has a Fault.
	Requirement *placement.Requirement `json:"requirement,omitempty"`
	// Fault says what is wrong with the columns. Then no worker fits.
	Fault string `json:"fault,omitempty"`
	// Note says what may surprise in a requirement without faults.
	Note string `json:"note,omitempty"`
}

// An UnknownSubjectError reports a ref that no action or no sensor has.
type UnknownSubjectError struct {
	Kind store.SubjectKind
	Ref  string
	// Near is the ref that is probably meant, or empty.
	Near string
	// Other reports that a subject of the other kind has the ref.
	Other bool
}

func (e *UnknownSubjectError) Error() string { return fmt.Sprintf("no %s %q", e.Kind, e.Ref) }

// FindSubject returns an action or a sensor with its requirement. Index resolves the names of
// runtimes. Errors: *UnknownSubjectError.
func FindSubject(ctx context.Context, st *store.Store, index *metadata.Index, kind store.SubjectKind, ref string) (*PlaceSubject, error) {
	found, err := st.Subjects.List(ctx, store.SubjectQuery{Kind: kind, Ref: ref})
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		s := placeSubjectOf(&found[0], index)
		return &s, nil
	}
	all, err := st.Subjects.List(ctx, store.SubjectQuery{Kind: kind})
	if err != nil {
		return nil, err
	}
	refs := make([]string, len(all))
	for i, s := range all {
		refs[i] = s.Ref
	}
	other, err := st.Subjects.List(ctx, store.SubjectQuery{Kind: kind.Other(), Ref: ref})
	if err != nil {
		return nil, err
	}
	return nil, &UnknownSubjectError{Kind: kind, Ref: ref, Near: metadata.Nearest(ref, refs), Other: len(other) > 0}
}

// placeSubjectOf reads the requirement of a subject.
func placeSubjectOf(row *store.Subject, index *metadata.Index) PlaceSubject {
	s := PlaceSubject{Kind: row.Kind, Ref: row.Ref}
	switch c := &row.Columns; {
	case c.Runtime != "":
	case row.HasRuntime:
		s.Fault = "/runtime: the runtime was deleted"
		return s
	case c.Constraint != "":
		s.Note = fmt.Sprintf("its constraint %q applies to no runtime: none was set, or it was deleted", c.Constraint)
	default:
		s.Note = "it has no runtime, so workers need none to run it"
	}
	r, err := row.Columns.Requirement(index)
	if err != nil {
		s.Note, s.Fault = "", err.Error()
		return s
	}
	s.Requirement = &r
	if c := &row.Columns; len(r.Runtimes) > 0 && c.Runtime == "" && c.Constraint == "" {
		s.Note = "" // other columns name runtimes
	}
	return s
}

// A SubjectCount is a subject with the number of workers that fit.
type SubjectCount struct {
	PlaceSubject
	Fit int `json:"fit"`
}

// SubjectCounts says how many workers fit each subject.
type SubjectCounts struct {
	// Fleet is the number of workers.
	Fleet int `json:"fleet"`
	// Subjects are sorted by the number of workers that fit, the fewest first, then by ref.
	Subjects []SubjectCount `json:"subjects"`
}

// CountSubjects returns how many workers fit each action and sensor of a query. Equal requirements
// are evaluated once.
func CountSubjects(ctx context.Context, st *store.Store, index *metadata.Index, q store.SubjectQuery) (*SubjectCounts, error) {
	all, sound, err := readSubjects(ctx, st, index, q)
	if err != nil {
		return nil, err
	}
	fleet, err := factsFor(ctx, st, sound)
	if err != nil {
		return nil, err
	}
	counts := SubjectCounts{Fleet: len(fleet), Subjects: make([]SubjectCount, len(all))}
	fits := placement.Count(sound, fleet)
	for i, s := range all {
		counts.Subjects[i].PlaceSubject = s
		if s.Fault == "" {
			counts.Subjects[i].Fit, fits = fits[0], fits[1:]
		}
	}
	slices.SortStableFunc(counts.Subjects, func(a, b SubjectCount) int { return cmp.Compare(a.Fit, b.Fit) })
	return &counts, nil
}

// readSubjects returns the subjects of a query, and those without faults for package placement.
func readSubjects(
	ctx context.Context, st *store.Store, index *metadata.Index, q store.SubjectQuery,
) (all []PlaceSubject, sound []placement.Subject, err error) {
	rows, err := st.Subjects.List(ctx, q)
	for i := range rows {
		s := placeSubjectOf(&rows[i], index)
		all = append(all, s)
		if s.Fault == "" {
			sound = append(sound, placement.Subject{Kind: string(s.Kind), Ref: s.Ref, Requirement: *s.Requirement})
		}
	}
	return all, sound, err
}

// factsFor reads what the requirements of subjects ask about.
func factsFor(ctx context.Context, st *store.Store, subjects []placement.Subject) ([]placement.Facts, error) {
	all := make([]*placement.Requirement, len(subjects))
	oneSlot := true
	for i := range subjects {
		all[i] = &subjects[i].Requirement
		oneSlot = oneSlot && all[i].SlotsOrDefault() == 1
	}
	query := store.FactsFor(all...)
	query.OneSlot = oneSlot
	return st.Workers.Facts(ctx, query)
}

// Consequences says what changes do to actions and sensors.
type Consequences struct {
	// Changes are the texts of the changes, with refs.
	Changes []string `json:"changes"`
	// Effects has an entry for each subject without faults: the stranded ones first, then those
	// that lose the most workers, then by ref.
	Effects []placement.Effect `json:"effects"`
	// Faulty holds the other subjects. No worker fits them.
	Faulty []PlaceSubject `json:"faulty"`
}

// WhatIfSubjects answers what changes do to the actions and sensors of a query. The changes must be
// resolved. Errors: UnknownWorkers.
func WhatIfSubjects(
	ctx context.Context, st *store.Store, index *metadata.Index, q store.SubjectQuery, changes []placement.Change,
) (*Consequences, error) {
	all, sound, err := readSubjects(ctx, st, index, q)
	if err != nil {
		return nil, err
	}
	c := Consequences{Faulty: []PlaceSubject{}}
	for _, change := range changes {
		c.Changes = append(c.Changes, change.String())
	}
	for _, s := range all {
		if s.Fault != "" {
			c.Faulty = append(c.Faulty, s)
		}
	}
	if c.Effects, err = WhatIf(ctx, st, sound, changes); err != nil {
		return nil, err
	}
	slices.SortStableFunc(c.Effects, func(a, b placement.Effect) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(b.Before-b.After, a.Before-a.After))
	})
	return &c, nil
}

// rank orders effects: stranded subjects rank before others.
func rank(e placement.Effect) int {
	if e.Stranded {
		return 1
	}
	return 0
}

// UnknownWorkers reports names of changes that no worker has. errors.Is finds store.ErrNotFound.
type UnknownWorkers []*UnknownWorkerError

func (e UnknownWorkers) Error() string {
	text := "no worker"
	for i, one := range e {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %q", one.Value)
	}
	return text
}

// Unwrap returns store.ErrNotFound.
func (e UnknownWorkers) Unwrap() error { return store.ErrNotFound }
