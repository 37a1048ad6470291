package capability

// A Runtime holds the entries of a document for one runtime.
type Runtime struct {
	// Installation has the newest version. If the host has none, only Ref, Name and
	// Outcome are set.
	Installation
	// Installations holds all of them, newest version first.
	Installations []Installation
	// Absence explains why the host does not have the runtime. It is nil if the host
	// has it, or if the document does not mention it.
	Absence *Absence
}

// Runtime returns the entries for ref and whether the host has that runtime. A nil
// document has no entries.
func (d *Document) Runtime(ref string) (Runtime, bool) {
	out := Runtime{Installation: Installation{Ref: ref}}
	if d == nil {
		return out, false
	}
	for i := range d.Detected {
		if d.Detected[i].Ref == ref {
			out.Installations = append(out.Installations, d.Detected[i])
		}
	}
	if len(out.Installations) > 0 {
		out.Installation = out.Installations[0]
		return out, true
	}
	for i := range d.Undetected {
		if a := &d.Undetected[i]; a.Ref == ref {
			out.Name, out.Outcome, out.Absence = a.Name, a.Outcome, a
			break
		}
	}
	return out, false
}
