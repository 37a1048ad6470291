package capability

import (
	"cmp"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/version"
)

// With returns a copy of d that has further installations. It shares unchanged lists
// with d.
func (d *Document) With(more ...Installation) *Document {
	out := *d
	out.Detected = append(slices.Clone(d.Detected), more...)
	out.Undetected, out.Failed = slices.Clone(d.Undetected), slices.Clone(d.Failed)
	out.Arrange()
	return &out
}

// WithRefs returns a copy of d in which the entries for refs are replaced by those of
// from. Refs that from does not mention keep their entries.
func (d *Document) WithRefs(refs []string, from *Document) *Document {
	mentioned := map[string]bool{}
	for _, in := range from.Detected {
		mentioned[in.Ref] = true
	}
	for _, a := range from.Undetected {
		mentioned[a.Ref] = true
	}
	replaced := func(ref string) bool { return mentioned[ref] && slices.Contains(refs, ref) }
	replacedWarning := func(w string) bool {
		ref, _, ok := strings.Cut(w, ": ")
		return ok && replaced(ref)
	}
	out := *d
	out.Detected = replace(d.Detected, from.Detected, func(in Installation) bool { return replaced(in.Ref) })
	out.Undetected = replace(d.Undetected, from.Undetected, func(a Absence) bool { return replaced(a.Ref) })
	out.Failed = replace(d.Failed, from.Failed, func(f Failure) bool { return replaced(f.Ref) })
	out.Warnings = replace(d.Warnings, from.Warnings, replacedWarning)
	out.Arrange()
	return &out
}

// replace returns old without the elements that match, followed by those of new that do.
func replace[T any](old, new []T, match func(T) bool) []T {
	out := slices.DeleteFunc(slices.Clone(old), match)
	for _, v := range new {
		if match(v) {
			out = append(out, v)
		}
	}
	return out
}

// Arrange sorts the entries of d in place and sets Runtimes and RuntimeVersions from
// them.
func (d *Document) Arrange() {
	parsed := map[string]version.Version{}
	newest := func(a, b string) int { return parsed[b].Compare(parsed[a]) }
	names, versions := []string{}, map[string][]string{}
	for i := range d.Detected {
		in := &d.Detected[i]
		in.Warnings = notNil(in.Warnings)
		names = append(names, in.Name)
		if in.Version != "" {
			parsed[in.Version], _ = version.Parse(in.Version)
			versions[in.Name] = append(versions[in.Name], in.Version)
		}
	}
	for name, vs := range versions {
		slices.SortFunc(vs, newest)
		versions[name] = slices.Compact(vs)
	}
	d.Runtimes, d.RuntimeVersions = sortedNames(names), versions
	slices.SortStableFunc(d.Detected, func(a, b Installation) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), newest(a.Version, b.Version), defaultFirst(a, b),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Path, b.Path))
	})
	slices.SortStableFunc(d.Undetected, func(a, b Absence) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), strings.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(d.Failed, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Path, b.Path), strings.Compare(a.Declared, b.Declared))
	})
	d.Detected, d.Undetected = notNil(d.Detected), notNil(d.Undetected)
}

func defaultFirst(a, b Installation) int {
	switch {
	case a.Default == b.Default:
		return 0
	case a.Default:
		return -1
	}
	return 1
}

func sortedNames(names []string) []string {
	sorted := append([]string{}, names...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
