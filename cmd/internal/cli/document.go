package cli

import (
	"fmt"
	"path"
	"strings"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// PrintDetected prints the table of what a host has.
func PrintDetected(out *Terminal, caps *capability.Document) {
	if len(caps.Detected) == 0 {
		out.Printf("no runtimes\n")
		return
	}
	t := NewTable("RUNTIME", "VERSION", "PATH", "KNOWN BY", "TIME")
	t.Right = map[int]bool{4: true}
	t.Shrink, t.Drop = 2, []int{4, 3}
	several := map[string]int{}
	for i := range caps.Detected {
		several[caps.Detected[i].Ref]++
	}
	marked := false
	for i := range caps.Detected {
		d := &caps.Detected[i]
		version := Or(d.Version, "-")
		if d.Default && several[d.Ref] > 1 {
			version += " *"
			marked = true
		}
		t.Row(Cell{Text: d.Name, Style: Cyan}, Cell{Text: version, Style: Green}, Cell{Text: Or(d.Path, "-")},
			knownBy(d), Cell{Text: milliseconds(d), Style: Dim})
	}
	t.Print(out)
	if marked {
		out.Printf("%s\n", out.Paint(Dim, "* the one that PATH leads to"))
	}
}

func knownBy(d *capability.Installation) Cell {
	switch d.Source {
	case capability.Verified:
		if len(d.Command) == 0 { // reported by a release that did not start what had a version file
			return Cell{Text: "file " + path.Base(d.VersionFile)}
		}
		return Cell{Text: Brief(d.Command)}
	case capability.AlwaysAvailable:
		return Cell{Text: "always available", Style: Dim}
	case capability.Declared:
		return Cell{Text: "declared", Style: Yellow}
	default:
		return Cell{Text: string(d.Source), Style: Yellow}
	}
}

// briefLimit is how wide a command may be in a table; explain and JSON show it
// whole.
const briefLimit = 32

// Brief returns a command cut off after the last word that fits.
func Brief(command []string) string {
	line := host.CommandLine(command[0], command[1:])
	for n := len(command) - 1; n >= 1 && len(line) > briefLimit; n-- {
		line = host.CommandLine(command[0], command[1:n]) + " …"
	}
	return line
}

func milliseconds(d *capability.Installation) string {
	if d.Remembered {
		return "remembered"
	}
	if d.Source != capability.Verified {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", d.DurationMS)
}

// PrintAbsent prints what a host does not have, a line for each kind, and then
// the hint if there was any. A name that several packs share stands as its refs.
func PrintAbsent(out *Terminal, caps *capability.Document, hint string) {
	refs := map[string]int{}
	for _, name := range caps.Runtimes {
		refs[name]++
	}
	for i := range caps.Undetected {
		refs[caps.Undetected[i].Name]++
	}
	var missing, untold, other []string
	for i := range caps.Undetected {
		a := &caps.Undetected[i]
		name := Clean(a.Name)
		if refs[a.Name] > 1 && a.Ref != "" {
			name = Clean(a.Ref)
		}
		switch {
		case a.Outcome.CouldNotTell():
			untold = append(untold, name+" ("+string(a.Outcome)+")")
		case a.Outcome == capability.NotFound:
			missing = append(missing, name)
		default:
			other = append(other, name+" ("+string(a.Outcome)+")")
		}
	}
	line := func(style Style, label string, names []string) {
		if len(names) > 0 {
			out.PrintProse(style, label, len(label)+1, strings.Join(names, ", "))
		}
	}
	line(Red, "could not tell:", untold)
	line(Yellow, "not usable:", other)
	line(Dim, "not found:", missing)
	if hint != "" && len(caps.Undetected) > 0 {
		out.Printf("%s\n", hint)
	}
}

// PrintWarnings prints every warning of the document on the terminal for
// errors, the runtime's name first.
func (e *Env) PrintWarnings(caps *capability.Document) {
	for _, w := range caps.Warnings {
		e.Warn(w)
	}
	for i := range caps.Detected {
		d := &caps.Detected[i]
		for _, w := range d.Warnings {
			e.Warn(Or(d.Ref, d.Name) + ": " + w)
		}
	}
}
