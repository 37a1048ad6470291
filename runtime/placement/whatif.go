package placement

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// A ChangeKind is a kind of change to a fleet.
type ChangeKind string

// The kinds of change, with their texts.
const (
	// MinVersion raises the least version of a runtime: RUNTIME min VERSION.
	MinVersion ChangeKind = "min_version"
	// WithoutVersion removes the installations of a version: RUNTIME without VERSION.
	WithoutVersion ChangeKind = "without_version"
	// WithoutWorkers removes workers: without WORKER…
	WithoutWorkers ChangeKind = "without_workers"
	// RuntimeRemoved removes the definition of a runtime: runtime REF removed.
	RuntimeRemoved ChangeKind = "runtime_removed"
)

// A Change is a change to a fleet that was not made.
type Change struct {
	Kind ChangeKind
	// Runtime is a ref once the change is resolved. It is empty for WithoutWorkers.
	Runtime string
	// Version is the least version, for MinVersion.
	Version version.Version
	// Constraint matches the versions that go, for WithoutVersion. A bare 3.8 is every 3.8.x.
	Constraint version.Constraint
	// Workers holds names, for WithoutWorkers.
	Workers []string
}

const changeForms = "must be RUNTIME min VERSION, RUNTIME without VERSION, without WORKER…, or runtime REF removed"

// ParseChange reads a change, in one of the forms that the kinds name.
func ParseChange(text string) (Change, error) {
	c, err := parseChange(strings.Fields(text))
	if err != nil {
		return Change{}, fmt.Errorf("change %q: %w", document.Excerpt(text), err)
	}
	return c, nil
}

func parseChange(words []string) (Change, error) {
	last := len(words) - 1
	switch {
	case last < 1:
		return Change{}, fmt.Errorf("%s", changeForms)
	case last > 1 && words[last-1] == "min":
		v, err := version.Parse(words[last])
		return Change{Kind: MinVersion, Runtime: strings.Join(words[:last-1], " "), Version: v}, err
	case words[0] == "without":
		return Change{Kind: WithoutWorkers, Workers: words[1:]}, nil
	case words[0] == "runtime" && words[last] == "removed" && last > 1:
		return Change{Kind: RuntimeRemoved, Runtime: strings.Join(words[1:last], " ")}, nil
	}
	i := slices.Index(words, "without")
	if i < 0 || i == last {
		return Change{}, fmt.Errorf("%s", changeForms)
	}
	constraint, err := version.ParseConstraint(strings.Join(words[i+1:], " "))
	if err == nil && len(constraint.Ranges(true)) == 0 {
		err = fmt.Errorf("must be satisfied by some version, got %q", constraint)
	}
	return Change{Kind: WithoutVersion, Runtime: strings.Join(words[:i], " "), Constraint: constraint}, err
}

// String returns the change as ParseChange reads it.
func (c Change) String() string {
	switch c.Kind {
	case MinVersion:
		return c.Runtime + " min " + c.Version.String()
	case WithoutVersion:
		return c.Runtime + " without " + c.Constraint.String()
	case WithoutWorkers:
		return "without " + strings.Join(c.Workers, " ")
	case RuntimeRemoved:
		return "runtime " + c.Runtime + " removed"
	}
	return string(c.Kind)
}

// Resolve returns the change with the ref of its runtime in place of a name.
func (c Change) Resolve(index *metadata.Index) (Change, error) {
	if c.Kind == WithoutWorkers {
		return c, nil
	}
	r := Requirement{Runtimes: []requirement.Runtime{{Name: c.Runtime}}}
	resolved, err := r.Resolve(index)
	if err != nil {
		return c, fmt.Errorf("change %q: %w", document.Excerpt(c.String()), err)
	}
	c.Runtime = resolved.Runtimes[0].Name
	return c, nil
}

// Apply returns the facts of a worker after changes. ok is false if the worker is gone. The
// facts given are not changed.
func Apply(changes []Change, f Facts) (after Facts, ok bool) {
	for _, c := range changes {
		if c.Kind == WithoutWorkers {
			if slices.Contains(c.Workers, f.Name) {
				return f, false
			}
			continue
		}
		f = c.apply(f)
	}
	return f, true
}

func (c Change) apply(f Facts) Facts {
	unknown := false
	f.Installations = slices.DeleteFunc(slices.Clone(f.Installations), func(i Installation) bool {
		if i.Ref != c.Runtime {
			return false
		}
		known := i.Version != version.Version{}
		switch c.Kind {
		case MinVersion:
			// A host cannot tell whether an unknown version is high enough. What is only
			// declared is not looked at.
			if !known && !i.Declared {
				unknown = true
				return true
			}
			return known && i.Version.Compare(c.Version) < 0
		case WithoutVersion:
			return c.Constraint.Match(i.Version, true)
		}
		return true // RuntimeRemoved
	})
	switch {
	case c.Kind == RuntimeRemoved:
		isRemoved := func(ref string) bool { return ref == c.Runtime }
		f.Unknown = slices.DeleteFunc(slices.Clone(f.Unknown), isRemoved)
		f.NotReported = slices.DeleteFunc(slices.Clone(f.NotReported), isRemoved)
	case unknown && !slices.Contains(f.Unknown, c.Runtime):
		f.Unknown = append(slices.Clone(f.Unknown), c.Runtime)
	}
	return f
}

// UnknownWorkers returns the names in changes that no worker of a fleet has.
func UnknownWorkers(changes []Change, known []string) []string {
	var unknown []string
	for _, c := range changes {
		for _, name := range c.Workers {
			if !slices.Contains(known, name) && !slices.Contains(unknown, name) {
				unknown = append(unknown, name)
			}
		}
	}
	return unknown
}

// A Subject is something that has a requirement, such as an action.
type Subject struct {
	// Kind is action or sensor, or what the caller calls it.
	Kind        string
	Ref         string
	Requirement Requirement
}

// An Effect is what changes do to a subject.
type Effect struct {
	Kind string `json:"kind"`
	Ref  string `json:"ref"`
	// Before and After are the numbers of workers that fit.
	Before int `json:"before"`
	After  int `json:"after"`
	// Stranded reports that workers fit before and none does after.
	Stranded bool `json:"stranded"`
}

// WhatIf returns how many workers fit each subject before and after the changes, in the order
// of the subjects.
//
// Only the workers that the changes alter are held against a requirement again, and only if it names
// a runtime of the changes or workers are gone.
func WhatIf(subjects []Subject, fleet []Facts, changes []Change) []Effect {
	var old, altered []Facts // the altered workers, before and after
	gone := false
	for i := range fleet {
		after, ok := Apply(changes, fleet[i])
		if ok && !isAltered(&fleet[i], &after) {
			continue
		}
		old, gone = append(old, fleet[i]), gone || !ok
		if ok {
			altered = append(altered, after)
		}
	}
	var concerned []Subject
	var at []int
	for i := range subjects {
		if gone || concerns(changes, &subjects[i].Requirement) {
			concerned, at = append(concerned, subjects[i]), append(at, i)
		}
	}
	before, lost, gained := Count(subjects, fleet), Count(concerned, old), Count(concerned, altered)
	effects := make([]Effect, len(subjects))
	for i, s := range subjects {
		effects[i] = Effect{Kind: s.Kind, Ref: s.Ref, Before: before[i], After: before[i]}
	}
	for i, j := range at {
		e := &effects[j]
		e.After += gained[i] - lost[i]
		e.Stranded = e.Before > 0 && e.After == 0
	}
	return effects
}

// isAltered reports whether changes altered a worker. They remove installations, and add or remove what
// is unknown.
func isAltered(before, after *Facts) bool {
	return len(before.Installations) != len(after.Installations) || len(before.Unknown) != len(after.Unknown) ||
		len(before.NotReported) != len(after.NotReported)
}

// concerns reports whether a requirement names a runtime of the changes.
func concerns(changes []Change, r *Requirement) bool {
	return slices.ContainsFunc(changes, func(c Change) bool {
		return slices.ContainsFunc(r.Runtimes, func(runtime requirement.Runtime) bool { return runtime.Name == c.Runtime })
	})
}

// Count returns how many workers fit each subject, in the order of the subjects. Equal requirements
// are evaluated once.
func Count(subjects []Subject, fleet []Facts) []int {
	counts := make([]int, len(subjects))
	known := map[string]int{}
	for i := range subjects {
		r := &subjects[i].Requirement
		digest := r.Digest()
		n, ok := known[digest]
		if !ok {
			for j := range fleet {
				if Fits(r, &fleet[j]) {
					n++
				}
			}
			known[digest] = n
		}
		counts[i] = n
	}
	return counts
}
