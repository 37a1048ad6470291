package host

import (
	"path"
	"path/filepath"
	"slices"
)

// Unmatched returns the entries of allow and deny, as written, that cannot match any of the
// commands on any host. Such an entry is probably a mistake.
func (p *Policy) Unmatched(commands []Command) (allow, deny []string) {
	return unmatched(p.allow, commands, rule.mayAllow), unmatched(p.deny, commands, rule.mayDeny)
}

// unmatched returns the entries without a rule that matches one of the commands.
func unmatched(rules []rule, commands []Command, matches func(rule, Command) bool) (lines []string) {
	matched := map[string]bool{}
	for _, r := range rules {
		matched[r.line] = matched[r.line] || slices.ContainsFunc(commands, func(c Command) bool {
			return r.matchArgs(c.Args) && matches(r, c)
		})
	}
	for _, r := range rules {
		if !matched[r.line] && !slices.Contains(lines, r.line) {
			lines = append(lines, r.line)
		}
	}
	return lines
}

// mayAllow reports whether the entry allows the command with some executable.
func (r rule) mayAllow(c Command) bool {
	if r.path() {
		return r.binary == c.Binary || c.shows(filepath.Base(r.binary))
	}
	return c.Location == "" && c.Binary == r.binary
}

// mayDeny reports whether the entry denies the command with some executable.
func (r rule) mayDeny(c Command) bool {
	return r.names(c.Binary) || c.shows(filepath.Base(r.binary))
}

// shows reports whether the command may have an executable of this name.
func (c Command) shows(name string) bool {
	if c.Location == "" {
		return filepath.Base(c.Binary) == name
	}
	ok, err := path.Match(path.Base(c.Location), name)
	return ok && err == nil
}
