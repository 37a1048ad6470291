package capability

import "slices"

// A Diff lists the changes from one document of a host to the next, by capability name.
type Diff struct {
	// Gained and Lost are sorted.
	Gained []string `json:"gained"`
	Lost   []string `json:"lost"`
	// Unconfirmed holds the names that were there before and could not be determined
	// this time, sorted. They are not lost.
	Unconfirmed []string `json:"unconfirmed"`
	// Changed holds the names whose versions changed, sorted.
	Changed []VersionChange `json:"changed"`
}

// A VersionChange is a capability name whose versions changed.
type VersionChange struct {
	Name string `json:"name"`
	// Old and New hold the versions, newest first; empty if none was known.
	Old []string `json:"old"`
	New []string `json:"new"`
}

// Compare returns the changes from before to after. A nil before stands for a host that
// was never registered.
func Compare(before, after *Document) Diff {
	if before == nil {
		before = &Document{}
	}
	diff := Diff{Gained: []string{}, Lost: []string{}, Unconfirmed: []string{}, Changed: []VersionChange{}}
	for _, name := range sortedNames(after.Runtimes) {
		if !slices.Contains(before.Runtimes, name) {
			diff.Gained = append(diff.Gained, name)
			continue
		}
		old, current := before.RuntimeVersions[name], after.RuntimeVersions[name]
		if !slices.Equal(old, current) {
			diff.Changed = append(diff.Changed, VersionChange{Name: name, Old: notNil(old), New: notNil(current)})
		}
	}
	for _, name := range sortedNames(before.Runtimes) {
		switch {
		case slices.Contains(after.Runtimes, name):
		case unconfirmed(name, before, after):
			diff.Unconfirmed = append(diff.Unconfirmed, name)
		default:
			diff.Lost = append(diff.Lost, name)
		}
	}
	return diff
}

// Empty reports whether nothing changed.
func (d Diff) Empty() bool {
	return len(d.Gained)+len(d.Lost)+len(d.Unconfirmed)+len(d.Changed) == 0
}

// unconfirmed reports whether the runtime behind name could not be determined in after.
// It compares refs too, because a definition may have got another capability name.
func unconfirmed(name string, before, after *Document) bool {
	for _, absence := range after.Undetected {
		if !absence.Outcome.CouldNotTell() {
			continue
		}
		if absence.Name == name || slices.ContainsFunc(before.Detected, func(d Installation) bool {
			return d.Name == name && d.Ref == absence.Ref
		}) {
			return true
		}
	}
	return false
}
