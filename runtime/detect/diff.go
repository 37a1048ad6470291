package detect

import "slices"

// Diff is what changed from one capability document of a host to the next, by
// capability name.
type Diff struct {
	// Gained and Lost are names that came and went, sorted.
	Gained []string `json:"gained"`
	Lost   []string `json:"lost"`
	// Unconfirmed are names that were there and of which the host could not
	// tell this time, sorted: they are not lost.
	Unconfirmed []string `json:"unconfirmed"`
	// Changed are names that stayed, with other versions; sorted by name.
	Changed []VersionChange `json:"changed"`
}

// VersionChange is a name whose versions are others than before.
type VersionChange struct {
	Name string `json:"name"`
	// Old and New are the versions, newest first; empty where none was known.
	Old []string `json:"old"`
	New []string `json:"new"`
}

// Compare tells what changed from before to after. A nil before, a host that
// was never registered, had nothing.
func Compare(before, after *Capabilities) Diff {
	if before == nil {
		before = &Capabilities{}
	}
	diff := Diff{Gained: []string{}, Lost: []string{}, Unconfirmed: []string{}, Changed: []VersionChange{}}
	for _, name := range sortedNames(after.Runtimes) {
		if !slices.Contains(before.Runtimes, name) {
			diff.Gained = append(diff.Gained, name)
			continue
		}
		was, is := before.RuntimeVersions[name], after.RuntimeVersions[name]
		if !slices.Equal(was, is) {
			diff.Changed = append(diff.Changed, VersionChange{Name: name, Old: notNil(was), New: notNil(is)})
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

// unconfirmed reports whether a runtime that gave the name before is one that
// the host could not tell of now. The ref is asked too, since a definition may
// have been given another capability name in between.
func unconfirmed(name string, before, after *Capabilities) bool {
	for _, gone := range after.Undetected {
		if !gone.Outcome.CouldNotTell() {
			continue
		}
		if gone.Name == name || slices.ContainsFunc(before.Detected, func(d Detection) bool {
			return d.Name == name && d.Ref == gone.Ref
		}) {
			return true
		}
	}
	return false
}

func sortedNames(names []string) []string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
