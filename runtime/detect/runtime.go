package detect

// Runtime is what a capability document says of one runtime.
type Runtime struct {
	// Detection is the best installation: the one of the newest version. Where
	// the host has none, only Ref, Name and Outcome say something.
	Detection
	// Installations are all of them, newest version first.
	Installations []Detection
	// Absence is why the host does not have it, or that it could not tell; nil
	// where it has, and where the document does not mention the runtime.
	Absence *Absence
}

// Runtime is what the document says of the runtime of this ref; false where the
// host does not have it. A nil document says nothing of any.
func (c *Capabilities) Runtime(ref string) (Runtime, bool) {
	out := Runtime{Detection: Detection{Ref: ref}}
	if c == nil {
		return out, false
	}
	for i := range c.Detected {
		if c.Detected[i].Ref == ref {
			out.Installations = append(out.Installations, c.Detected[i])
		}
	}
	if len(out.Installations) > 0 {
		out.Detection = out.Installations[0]
		return out, true
	}
	for i := range c.Undetected {
		if a := &c.Undetected[i]; a.Ref == ref {
			out.Name, out.Outcome, out.Absence = a.Name, a.Outcome, a
			break
		}
	}
	return out, false
}
