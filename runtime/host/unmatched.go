package host

import (
	"path"
	"path/filepath"
	"slices"
)

// Unmatched returns the entries of allow and deny, as they were written, that
// match none of the commands, whatever executable a host has for them. A host's
// owner who wrote such an entry has probably meant another.
func (p *Policy) Unmatched(commands []Command) (allow, deny []string) {
	pick := func(rules []rule, matches func(rule, Command) bool) (lines []string) {
		for _, r := range rules {
			if !slices.ContainsFunc(commands, func(c Command) bool { return r.matchArgs(c.Args) && matches(r, c) }) {
				lines = append(lines, r.line)
			}
		}
		return lines
	}
	return pick(p.allow, rule.mayAllow), pick(p.deny, rule.mayDeny)
}

// mayAllow reports whether an executable exists perhaps for which allows does.
func (r rule) mayAllow(c Command) bool {
	if filepath.IsAbs(r.binary) {
		return r.binary == c.Binary || c.shows(filepath.Base(r.binary))
	}
	return c.Location == "" && c.Binary == r.binary
}

// mayDeny is mayAllow for denies.
func (r rule) mayDeny(c Command) bool {
	return r.binary == c.Binary || c.shows(filepath.Base(r.binary))
}

// shows reports whether an executable of a name may be found for the command.
func (c Command) shows(name string) bool {
	if c.Location == "" {
		return filepath.Base(c.Binary) == name
	}
	ok, err := path.Match(path.Base(c.Location), name)
	return ok && err == nil
}
