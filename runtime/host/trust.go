package host

import "slices"

// A Command is a command of a definition, with everything that the definition requests for
// it.
type Command struct {
	Binary string
	Args   []string
	// Location is the glob of verification.locations that matches the executable. It is
	// empty if Binary was looked up in PATH.
	Location string
	// Shimmed means that Location is not from a definition: a version manager has the
	// executable as a possible target of its shim Binary.
	Shimmed bool
	// Versioned means that the executable was found in PATH by Binary with a version behind
	// it. A trusted command with Versioned trusts those executables too.
	Versioned bool
	// Env names the variables for the command.
	Env []string
	// Patterns are the regular expressions that match its output.
	Patterns []string
	// VersionFile is read for the version, unless it is zero.
	VersionFile VersionFile
	// Interpreter is the program that must belong to the executable's installation, or
	// empty.
	Interpreter string
}

// A VersionFile names a file of an installation with its version.
type VersionFile struct {
	// Path is relative to the executable's real folder.
	Path string
	// Pattern is the regular expression that matches the version.
	Pattern string
}

// A grant holds the requests of trusted packs for one command.
type grant struct {
	location  string
	args      []string
	versioned bool

	env, patterns, interpreters []string
	files                       []VersionFile
}

// grants holds the grants of trusted packs by binary.
type grants map[string][]*grant

func grantsOf(commands []Command) grants {
	out := make(grants, len(commands))
	for _, c := range commands {
		plain := c
		plain.Versioned = false
		g := out.of(plain)
		if g == nil {
			g = &grant{location: c.Location, args: c.Args}
			out[c.Binary] = append(out[c.Binary], g)
		}
		g.versioned = g.versioned || c.Versioned
		g.env = append(g.env, c.Env...)
		g.patterns = append(g.patterns, c.Patterns...)
		g.interpreters = append(g.interpreters, c.Interpreter)
		g.files = append(g.files, c.VersionFile)
	}
	return out
}

// of returns the grant with the command's arguments and location, or nil.
func (gs grants) of(c Command) *grant {
	for _, g := range gs[c.Binary] {
		if g.location == c.Location && slices.Equal(g.args, c.Args) && (g.versioned || !c.Versioned) {
			return g
		}
	}
	return nil
}

// granted returns the grant of a trusted command, or nil. The target of a trusted shim is
// trusted too, except in strict mode, where a trusted pack must have the location.
func (p *Policy) granted(cmd Command) *grant {
	g := p.trusted.of(cmd)
	if g == nil && cmd.Shimmed && p.mode != ModeStrict {
		cmd.Location = ""
		g = p.trusted.of(cmd)
	}
	return g
}

// Trusts reports whether a trusted pack has a command.
func (p *Policy) Trusts(cmd Command) bool { return p.granted(cmd) != nil }

// TrustsPattern reports whether a trusted pack has the command with a pattern for its output.
func (p *Policy) TrustsPattern(cmd Command, pattern string) bool {
	g := p.granted(cmd)
	return g != nil && slices.Contains(g.patterns, pattern)
}

// TrustsFile reports whether a trusted pack has the command with this version file and
// pattern.
func (p *Policy) TrustsFile(cmd Command) bool {
	g := p.granted(cmd)
	return g != nil && slices.Contains(g.files, cmd.VersionFile)
}

// MayRead reports whether the command's version file may be read. The command
// must be allowed besides.
func (p *Policy) MayRead(cmd Command) bool { return p.mode == ModeOpen || p.TrustsFile(cmd) }

// MayLookUp reports whether the command's interpreter may be looked for.
func (p *Policy) MayLookUp(cmd Command) bool {
	if p.mode != ModeStrict {
		return true
	}
	g := p.granted(cmd)
	return g != nil && slices.Contains(g.interpreters, cmd.Interpreter)
}

// Env splits the variables of a command into those that it gets and those that it does not
// get. It gets those in policy.env, and those that a trusted pack requests for it.
func (p *Policy) Env(cmd Command) (passed, withheld []string) {
	g := p.granted(cmd)
	for _, name := range cmd.Env {
		if slices.Contains(p.env, name) || g != nil && slices.Contains(g.env, name) {
			passed = append(passed, name)
		} else {
			withheld = append(withheld, name)
		}
	}
	return passed, withheld
}

// Reveals reports whether a definition may learn that a file exists but cannot be run.
// Otherwise a database could probe for any file of the host by commands with its path.
func (p *Policy) Reveals(cmd Command) bool {
	return p.mode == ModeOpen || p.Trusts(cmd) || p.allowing(cmd, Candidate{Path: cmd.Binary}) != nil
}
