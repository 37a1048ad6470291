package host

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A rule is one entry of policy.allow or policy.deny.
type rule struct {
	line   string
	binary string
	args   []string
	more   bool // allows further arguments
	// versions means that a version at the end of a name does not count.
	versions bool
}

func parseRules(key string, lines []string) ([]rule, error) {
	rules := make([]rule, 0, len(lines))
	for i, line := range lines {
		r, err := parseRule(line)
		if err != nil {
			return nil, &PolicyError{fmt.Sprintf("%s[%d]", key, i), fmt.Errorf("%q: %w", line, err)}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func parseRule(line string) (rule, error) {
	words, err := splitWords(line)
	if err != nil {
		return rule{}, err
	}
	if len(words) == 0 || words[0].text == "" {
		return rule{}, errors.New("missing command")
	}
	r := rule{line: line, binary: words[0].text}
	if strings.Contains(r.binary, "/") && !filepath.IsAbs(r.binary) {
		return rule{}, fmt.Errorf("the command must be a name or an absolute path, got %s", r.binary)
	}
	if !words[0].quoted && strings.ContainsAny(r.binary, "*?[") {
		return rule{}, fmt.Errorf("the command must not have wildcards; name it, or set policy.mode to open to allow everything")
	}
	for i, w := range words[1:] {
		star := w.text == "*" && !w.quoted
		switch {
		case star && i == len(words)-2:
			r.more = true
		case star:
			return rule{}, fmt.Errorf("* stands for further arguments and must be the last word; write '*' for a literal star")
		default:
			r.args = append(r.args, w.text)
		}
	}
	return r, nil
}

func (r rule) matchArgs(args []string) bool {
	if r.more {
		return len(args) >= len(r.args) && slices.Equal(r.args, args[:len(r.args)])
	}
	return slices.Equal(r.args, args)
}

// allows reports whether the entry allows a command. It is narrow: a name allows the
// executable of that name in PATH, and a path this path only. The real path does not count,
// because many commands can link to one file, as in busybox.
func (r rule) allows(cmd Command, found Candidate) bool {
	if !r.matchArgs(cmd.Args) {
		return false
	}
	if filepath.IsAbs(r.binary) {
		// Not cleaned: to the kernel, /a/../b need not be /b.
		return found.Path == r.binary
	}
	return cmd.Location == "" && !cmd.Versioned && cmd.Binary == r.binary
}

// couldAllow reports whether the entry may allow a command, depending on its executable.
func (r rule) couldAllow(cmd Command) bool {
	switch {
	case !r.matchArgs(cmd.Args):
		return false
	case cmd.Location != "" || cmd.Versioned:
		return r.path()
	}
	return r.binary == cmd.Binary || r.path() && filepath.Base(r.binary) == cmd.Binary
}

// path reports whether the entry has a path instead of a name.
func (r rule) path() bool { return filepath.IsAbs(r.binary) }

// denies reports whether the entry denies a command. It is wide: a name denies what is
// written so, found so, or links to a file of that name, and a path denies the file by any
// path. found is empty before the executable is looked for.
func (r rule) denies(cmd Command, found Candidate, h Files) bool {
	return r.matchArgs(cmd.Args) && (r.names(cmd.Binary) || r.isFile(found, h))
}

// names reports whether the entry has the name or path.
func (r rule) names(binary string) bool {
	if r.path() {
		return filepath.Clean(r.binary) == filepath.Clean(binary)
	}
	return r.called(binary) || r.called(filepath.Base(binary))
}

// called reports whether the entry has the name in any case, as on macOS.
func (r rule) called(name string) bool {
	if strings.EqualFold(r.binary, name) {
		return true
	}
	stem := Stem(r.binary)
	return r.versions && stem != "" && strings.EqualFold(stem, Stem(name))
}

// isFile reports whether the entry matches an executable that was found.
func (r rule) isFile(found Candidate, h Files) bool {
	switch {
	case found.Path == "":
		return false
	case !r.path():
		return r.called(filepath.Base(found.Path)) || r.called(filepath.Base(found.RealPath))
	case r.names(found.Path), r.names(found.RealPath):
		return true
	}
	denied := h.Resolve(filepath.Clean(r.binary)).RealPath
	if denied == "" {
		return false
	}
	// A hard link is the file too.
	id := h.Program(denied).file
	return denied == found.RealPath || id != fileID{} && id == h.Program(found.Path).file
}
