package host

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Mode says how much a host lets definitions run.
type Mode string

// The modes.
const (
	// ModeStandard: trusted commands, and version questions to executables that
	// only root and the user can change.
	ModeStandard Mode = "standard"
	// ModeStrict: trusted commands only; Allow is not heeded.
	ModeStrict Mode = "strict"
	// ModeOpen: everything that is not denied.
	ModeOpen Mode = "open"
)

// Command is a command as a definition writes it.
type Command struct {
	Binary string
	Args   []string
	// Location is the glob of verification.locations by which the executable
	// was found; empty where it is Binary itself, looked up in PATH.
	Location string
}

// PolicyConfig is what a host's owner says about what may run.
type PolicyConfig struct {
	// Mode; empty is ModeStandard.
	Mode Mode
	// Allow and Deny are command lines as CommandLine writes them. A last word *
	// stands for any further arguments. An entry whose first word is an absolute
	// path means that file: for Allow under this very path, for Deny under any
	// path or link. An entry of Deny that is one word denies it with any
	// arguments.
	Allow, Deny []string
	// Trusted are the commands of the embedded core pack and of the packs that
	// the host trusts. A command is trusted by binary as written, arguments and
	// location together, whoever asks for it.
	Trusted []Command
}

// Policy decides which commands of definitions run on a host. Definitions come
// from a database, so whoever can write there must not thereby run programs on
// every host. The zero value is ModeStandard with nothing trusted, allowed or
// denied.
type Policy struct {
	mode        Mode
	allow, deny []rule
	trusted     map[string]bool
}

// Decision is a policy's answer.
type Decision struct {
	Allowed bool
	// Reason is why, in a few words.
	Reason string
	// Allow is the entry of policy.allow that would allow it; empty where it is
	// allowed, or where no entry would.
	Allow string
}

// files is a host as far as a policy asks it: which file a path is, and who can
// change it.
type files interface {
	Resolve(path string) Candidate
	Writable(path string) (by string, bad bool)
}

// NewPolicy checks the mode and every entry; its error says which of them is
// wrong and how.
func NewPolicy(cfg PolicyConfig) (*Policy, error) {
	p := &Policy{mode: cfg.Mode, trusted: make(map[string]bool, len(cfg.Trusted))}
	switch cfg.Mode {
	case "", ModeStandard, ModeStrict, ModeOpen:
	default:
		return nil, fmt.Errorf("policy.mode: %q is none of %s, %s, %s", cfg.Mode, ModeStandard, ModeStrict, ModeOpen)
	}
	var err error
	if p.allow, err = parseRules("policy.allow", cfg.Allow); err != nil {
		return nil, err
	}
	if p.deny, err = parseRules("policy.deny", cfg.Deny); err != nil {
		return nil, err
	}
	for i := range p.deny {
		p.deny[i].more = p.deny[i].more || len(p.deny[i].args) == 0
	}
	for _, c := range cfg.Trusted {
		p.trusted[c.key()] = true
	}
	return p, nil
}

// Mode is the mode in force.
func (p *Policy) Mode() Mode {
	if p.mode == "" {
		return ModeStandard
	}
	return p.mode
}

// Decide says whether a command may run on h with the executable that was found
// for it.
func (p *Policy) Decide(cmd Command, found Candidate, h files) Decision {
	for _, r := range p.deny {
		if r.denies(cmd, found, h) {
			return Decision{Reason: fmt.Sprintf("policy.deny has %s", r.line)}
		}
	}
	if p.mode == ModeOpen {
		return Decision{Allowed: true, Reason: "policy.mode is open"}
	}
	if p.trusted[cmd.key()] {
		return Decision{Allowed: true, Reason: "a trusted pack has this command"}
	}
	if p.mode == ModeStrict {
		return Decision{Reason: "policy.mode is strict, and neither the core pack nor a pack of policy.trusted_packs has this command"}
	}
	for _, r := range p.allow {
		if r.allows(cmd, found) {
			return Decision{Allowed: true, Reason: fmt.Sprintf("policy.allow has %s", r.line)}
		}
	}
	if !versionQuestion(cmd.Args) {
		return p.refuse(cmd, found, "it is in no trusted pack, and its arguments are not only a version question")
	}
	if by, bad := h.Writable(found.Path); bad {
		return p.refuse(cmd, found, "it is in no trusted pack, and others could replace the executable: "+by)
	}
	return Decision{Allowed: true, Reason: "a version question to an executable that others cannot change"}
}

// Trusts reports whether a trusted pack has a command.
func (p *Policy) Trusts(cmd Command) bool { return p.trusted[cmd.key()] }

// refuse denies a command that an entry of policy.allow would allow.
func (p *Policy) refuse(cmd Command, found Candidate, reason string) Decision {
	binary := cmd.Binary
	if cmd.Location != "" {
		binary = found.Path
	}
	return Decision{Reason: reason, Allow: CommandLine(binary, cmd.Args)}
}

// versionQuestion says whether args do no more than ask for the version. The bare
// word version is not among them: to mkdir or useradd it is what to make.
func versionQuestion(args []string) bool {
	return len(args) == 1 && slices.Contains([]string{"--version", "-version", "-V", "-v"}, args[0])
}

func (c Command) key() string { return fmt.Sprintf("%q %q %q", c.Binary, c.Location, c.Args) }

// rule is one entry of allow or deny.
type rule struct {
	line   string
	binary string
	args   []string
	more   bool // any further arguments too
}

func parseRules(key string, lines []string) ([]rule, error) {
	rules := make([]rule, 0, len(lines))
	for i, line := range lines {
		r, err := parseRule(line)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %q: %w", key, i, line, err)
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
		return rule{}, fmt.Errorf("it names no command")
	}
	r := rule{line: line, binary: words[0].text}
	if strings.Contains(r.binary, "/") && !filepath.IsAbs(r.binary) {
		return rule{}, fmt.Errorf("%s is neither a name nor an absolute path", r.binary)
	}
	if !words[0].quoted && strings.ContainsAny(r.binary, "*?[") {
		return rule{}, fmt.Errorf("the command cannot have wildcards; name it, or set policy.mode to open to allow everything")
	}
	for i, w := range words[1:] {
		star := w.text == "*" && !w.quoted
		switch {
		case star && i == len(words)-2:
			r.more = true
		case star:
			return rule{}, fmt.Errorf("* stands for further arguments and must be the last word; write '*' for an argument that is a star")
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

// allows is narrow: a name allows what PATH gives for this name, a path that
// path. Not its real path, for that of sh may be that of every other command.
func (r rule) allows(cmd Command, found Candidate) bool {
	if !r.matchArgs(cmd.Args) {
		return false
	}
	if filepath.IsAbs(r.binary) {
		// As text: to the kernel, /a/../b need not be /b.
		return found.Path == r.binary
	}
	return cmd.Location == "" && cmd.Binary == r.binary
}

// denies is wide: a name denies what is written so, found so, or so called
// behind its links; a path denies the file that it is, whatever leads there.
func (r rule) denies(cmd Command, found Candidate, h files) bool {
	if !r.matchArgs(cmd.Args) {
		return false
	}
	if !filepath.IsAbs(r.binary) {
		return r.binary == cmd.Binary || r.binary == filepath.Base(cmd.Binary) ||
			r.binary == filepath.Base(found.Path) || r.binary == filepath.Base(found.RealPath)
	}
	path := filepath.Clean(r.binary)
	if path == filepath.Clean(cmd.Binary) || path == filepath.Clean(found.Path) || path == found.RealPath {
		return true
	}
	real := h.Resolve(path).RealPath
	return real != "" && real == found.RealPath
}
