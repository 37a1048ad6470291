package detect

import (
	"slices"
	"strings"
)

// With is a copy of the document that has further installations too. Lists that
// it does not change are shared with c.
func (c *Capabilities) With(more ...Detection) *Capabilities {
	out := *c
	out.Detected = append(slices.Clone(c.Detected), more...)
	out.Undetected, out.Failed = slices.Clone(c.Undetected), slices.Clone(c.Failed)
	out.Runtimes, out.RuntimeVersions = nil, map[string][]string{}
	out.arrange()
	return &out
}

// Instead is a copy of the document that says of the runtimes of refs what from
// says of them. Of those of which that says nothing it says what it did.
func (c *Capabilities) Instead(refs []string, from *Capabilities) *Capabilities {
	said := map[string]bool{}
	for _, d := range from.Detected {
		said[d.Ref] = true
	}
	for _, a := range from.Undetected {
		said[a.Ref] = true
	}
	instead := func(ref string) bool { return said[ref] && slices.Contains(refs, ref) }
	warns := func(w string) bool {
		ref, _, ok := strings.Cut(w, ": ")
		return ok && instead(ref)
	}
	out := *c
	out.Detected = merged(c.Detected, from.Detected, func(d Detection) bool { return instead(d.Ref) })
	out.Undetected = merged(c.Undetected, from.Undetected, func(a Absence) bool { return instead(a.Ref) })
	out.Failed = merged(c.Failed, from.Failed, func(f Failure) bool { return instead(f.Ref) })
	out.Warnings = merged(c.Warnings, from.Warnings, warns)
	out.Runtimes, out.RuntimeVersions = nil, map[string][]string{}
	out.arrange()
	return &out
}

// merged are all but the others of own, and those of from.
func merged[T any](own, from []T, others func(T) bool) []T {
	out := slices.DeleteFunc(slices.Clone(own), others)
	for _, v := range from {
		if others(v) {
			out = append(out, v)
		}
	}
	return out
}
