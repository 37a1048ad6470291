package detect

import "slices"

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
