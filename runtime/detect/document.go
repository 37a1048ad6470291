package detect

import (
	"cmp"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/version"
)

// add puts one runtime's finding into the document.
func (c *Capabilities) add(f finding, explain bool) {
	c.Warnings = append(c.Warnings, f.warnings...)
	for _, in := range f.installations {
		if !explain {
			in.Attempts = nil
		}
		c.Detected = append(c.Detected, in)
	}
	for _, failed := range f.failed {
		if !explain {
			failed.Attempts = nil
		}
		c.Failed = append(c.Failed, failed)
	}
	if f.absence != nil {
		a := *f.absence
		if !explain {
			a.Attempts = nil
		}
		c.Undetected = append(c.Undetected, a)
	}
}

// arrange sorts the document and makes its summaries.
func (c *Capabilities) arrange() {
	parsed := map[string]version.Version{}
	newest := func(a, b string) int { return parsed[b].Compare(parsed[a]) }
	for i := range c.Detected {
		in := &c.Detected[i]
		in.Warnings = notNil(in.Warnings)
		c.Runtimes = append(c.Runtimes, in.Name)
		if in.Version != "" {
			parsed[in.Version], _ = version.Parse(in.Version)
			c.RuntimeVersions[in.Name] = append(c.RuntimeVersions[in.Name], in.Version)
		}
	}
	c.Runtimes = notNil(sortedNames(c.Runtimes))
	for name, versions := range c.RuntimeVersions {
		slices.SortFunc(versions, newest)
		c.RuntimeVersions[name] = slices.Compact(versions)
	}
	slices.SortStableFunc(c.Detected, func(a, b Detection) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), newest(a.Version, b.Version), defaultFirst(a, b), strings.Compare(a.Name, b.Name), strings.Compare(a.Path, b.Path))
	})
	slices.SortStableFunc(c.Undetected, func(a, b Absence) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), strings.Compare(a.Name, b.Name))
	})
	slices.SortStableFunc(c.Failed, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Ref, b.Ref), strings.Compare(a.Name, b.Name), strings.Compare(a.Path, b.Path), strings.Compare(a.Declared, b.Declared))
	})
	c.Detected, c.Undetected = notNil(c.Detected), notNil(c.Undetected)
}

func defaultFirst(a, b Detection) int {
	switch {
	case a.Default == b.Default:
		return 0
	case a.Default:
		return -1
	}
	return 1
}
