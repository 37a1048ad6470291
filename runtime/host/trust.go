package host

import "slices"

// Command is a command as a definition writes it, and what the definition asks
// for with it.
type Command struct {
	Binary string
	Args   []string
	// Location is the glob of verification.locations by which the executable
	// was found; empty where it is Binary itself, looked up in PATH.
	Location string
	// Shimmed: no definition names the location. The executable lies where a
	// version manager keeps what its shim named Binary runs.
	Shimmed bool
	// Env are the variables that are to be passed to the command.
	Env []string
	// VersionFile is what is read instead of running the command; the zero value
	// is nothing.
	VersionFile VersionFile
	// Interpreter is what is looked up to see that it is the executable; empty is
	// nothing.
	Interpreter string
}

// VersionFile is a file of an installation as a definition names it.
type VersionFile struct {
	// Path is relative to the folder in which the executable really lies.
	Path string
	// Pattern is the regular expression that finds the version.
	Pattern string
}

// grant is what trusted packs ask for with one command.
type grant struct {
	location string
	args     []string

	env, interpreters []string
	files             []VersionFile
}

// grants are those of trusted packs, by binary.
type grants map[string][]*grant

func grantsOf(commands []Command) grants {
	out := make(grants, len(commands))
	for _, c := range commands {
		g := out.of(c)
		if g == nil {
			g = &grant{location: c.Location, args: c.Args}
			out[c.Binary] = append(out[c.Binary], g)
		}
		g.env = append(g.env, c.Env...)
		g.interpreters = append(g.interpreters, c.Interpreter)
		g.files = append(g.files, c.VersionFile)
	}
	return out
}

// of returns the grant of exactly this command, or nil.
func (gs grants) of(c Command) *grant {
	for _, g := range gs[c.Binary] {
		if g.location == c.Location && slices.Equal(g.args, c.Args) {
			return g
		}
	}
	return nil
}

// granted is what a command is trusted with; nil is that it is not trusted. What
// a shim runs is asked what the shim was asked, except in strict mode, where a
// trusted pack must name the place.
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

// TrustsFile reports whether a trusted pack reads the command's version file, by
// the same pattern.
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

// Env splits the variables that a command asks for into those that it gets and
// those that are withheld, because neither a trusted pack asks for them with this
// command nor policy.env names them.
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

// Reveals reports whether a definition may be told that there is a file that
// cannot be run. Else a database could ask for every file of the host, by a
// command that names its path.
func (p *Policy) Reveals(cmd Command) bool {
	return p.mode == ModeOpen || p.Trusts(cmd) || p.allowing(cmd, Candidate{Path: cmd.Binary}) != nil
}
