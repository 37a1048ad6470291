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
	return unmatched(p.allow, commands, rule.mayAllow), unmatched(p.deny, commands, rule.mayDeny)
}

// unmatched returns the entries none of whose rules matches one of the commands.
func unmatched(rules []rule, commands []Command, matches func(rule, Command) bool) (lines []string) {
	matched := map[string]bool{}
	for _, r := range rules {
		matched[r.line] = matched[r.line] || slices.ContainsFunc(commands, func(c Command) bool { return r.matchArgs(c.Args) && matches(r, c) })
	}
	for _, r := range rules {
		if !matched[r.line] && !slices.Contains(lines, r.line) {
			lines = append(lines, r.line)
		}
	}
	return lines
}

// mayAllow reports whether allows does so for an executable that a host may have.
func (r rule) mayAllow(c Command) bool {
	if r.path() {
		return r.binary == c.Binary || c.shows(filepath.Base(r.binary))
	}
	return c.Location == "" && c.Binary == r.binary
}

// mayDeny is mayAllow for denies.
func (r rule) mayDeny(c Command) bool {
	return r.names(c.Binary) || c.shows(filepath.Base(r.binary))
}

// shows reports whether an executable of a name may be found for the command.
func (c Command) shows(name string) bool {
	if c.Location == "" {
		return filepath.Base(c.Binary) == name
	}
	ok, err := path.Match(path.Base(c.Location), name)
	return ok && err == nil
}
