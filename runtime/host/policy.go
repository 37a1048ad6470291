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

// PolicyConfig is what a host's owner says about what may run.
type PolicyConfig struct {
	// Mode; empty is ModeStandard.
	Mode Mode
	// Allow and Deny are command lines as CommandLine writes them. A last word *
	// stands for any further arguments. An entry whose first word is an absolute
	// path means that file: for Allow under this very path, for Deny under any
	// path or link. An entry of Deny that is one word denies it with any
	// arguments, and also the scripts that it runs.
	Allow, Deny []string
	// Programs are the executables that an entry of Deny stands for besides, where
	// it is the name of a runtime: names or absolute paths, by entry. They are
	// denied with any arguments, whatever version stands at the end of their names.
	Programs map[string][]string
	// Env names the variables that definitions outside the trusted packs may ask
	// for. Empty: none.
	Env []string
	// Trusted are the commands of the embedded core pack and of the packs that
	// the host trusts. A command is trusted by binary as written, arguments and
	// location together, whoever asks for it; and so is what the pack asks for
	// with it, and nothing else.
	Trusted []Command
}

// Policy decides which commands of definitions run on a host. Definitions come
// from a database, so whoever can write there must not thereby run programs on
// every host. The zero value is ModeStandard with nothing trusted, allowed or
// denied.
type Policy struct {
	mode        Mode
	allow, deny []rule
	env         []string
	trusted     grants
}

// Decision is a policy's answer.
type Decision struct {
	Allowed bool
	// Reason is why, in a few words.
	Reason string
	// Allow is the entry of policy.allow that would allow it; empty where it is
	// allowed, or where no entry would.
	Allow string
	// Replaceable: it is denied because others could replace the executable or what
	// runs it.
	Replaceable bool
}

// files is a host as far as a policy asks it: which file a path is, what runs
// it, and who can change it.
type files interface {
	Info() Info
	Resolve(path string) Candidate
	Writable(path string) (by string, bad bool)
	Program(path string) Program
}

// NewPolicy checks the mode and every entry; its error says which of them is
// wrong and how.
func NewPolicy(cfg PolicyConfig) (*Policy, error) {
	p := &Policy{mode: cfg.Mode, env: cfg.Env, trusted: grantsOf(cfg.Trusted)}
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
	for _, entry := range cfg.Deny {
		for _, program := range cfg.Programs[entry] {
			p.deny = append(p.deny, rule{line: entry, binary: program, more: true, versions: true})
		}
	}
	for i, name := range cfg.Env {
		if reason := RefusedEnv(name); reason != "" {
			return nil, fmt.Errorf("policy.env[%d]: %q is never passed to a command: %s", i, name, reason)
		}
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

// Consider decides what can be decided of a command before its executable is
// looked for. Where it denies, nothing of the command may be looked at; where it
// allows, Decide has the last word.
func (p *Policy) Consider(cmd Command) Decision { return p.consider(cmd, Candidate{}) }

func (p *Policy) consider(cmd Command, found Candidate) Decision {
	for _, r := range p.deny {
		if r.denies(cmd, Candidate{}, nil) {
			return denial(r)
		}
	}
	switch {
	case p.mode == ModeOpen:
		return Decision{Allowed: true, Reason: "policy.mode is open"}
	case p.Trusts(cmd):
		return Decision{Allowed: true, Reason: "a trusted pack has this command"}
	case p.mode == ModeStrict:
		return Decision{Reason: "policy.mode is strict, and neither the core pack nor a pack of policy.trusted_packs has this command"}
	case !versionQuestion(cmd.Args) && !slices.ContainsFunc(p.allow, func(r rule) bool { return r.couldAllow(cmd) }):
		return refuse(cmd, found, notVersion)
	}
	return Decision{Allowed: true, Reason: "it depends on the executable"}
}

const (
	stranger   = "it is in no trusted pack, and "
	notVersion = stranger + "its arguments are not --version or -version alone"
)

// Decide says whether a command may run on h with the executable that was found
// for it.
func (p *Policy) Decide(cmd Command, found Candidate, h files) Decision {
	if local, is := h.(*LocalHost); is {
		return Glance(local, func(h *LocalHost) Decision { return p.decide(cmd, found, h) })
	}
	return p.decide(cmd, found, h)
}

func (p *Policy) decide(cmd Command, found Candidate, h files) Decision {
	if d := p.consider(cmd, found); !d.Allowed || p.mode == ModeOpen && len(p.deny) == 0 {
		return d
	}
	if d := p.denied(cmd, found, h); d != nil {
		return *d
	}
	if p.mode == ModeOpen {
		return Decision{Allowed: true, Reason: "policy.mode is open"}
	}
	allowed := p.allowing(cmd, found)
	reason := "a trusted pack has this command"
	if allowed != nil {
		reason = fmt.Sprintf("policy.allow has %s", allowed.line)
	}
	switch {
	case allowed != nil && allowed.path():
		return Decision{Allowed: true, Reason: reason}
	case allowed != nil || p.Trusts(cmd):
		if guarded(cmd, found, h) {
			if by := replaceable(found, h.Program(found.Path), h); by != "" {
				return p.refusePath(cmd, found, by)
			}
		}
		return Decision{Allowed: true, Reason: reason}
	}
	return p.stranger(cmd, found, h)
}

// stranger decides on a command that is in no trusted pack and that no entry
// allows.
func (p *Policy) stranger(cmd Command, found Candidate, h files) Decision {
	if !versionQuestion(cmd.Args) {
		return refuse(cmd, found, notVersion)
	}
	// Only what others cannot change is opened.
	if by := replaceable(found, Program{}, h); by != "" {
		return p.refusePath(cmd, found, stranger+by)
	}
	program := h.Program(found.Path)
	switch {
	case program.Unknown != "":
		return refuse(cmd, found, stranger+program.Unknown)
	case !program.Native && (cmd.Location != "" || filepath.IsAbs(cmd.Binary)):
		return refuse(cmd, found, stranger+"it is a script that was not found by its name in PATH")
	}
	if by := replaceable(found, program, h); by != "" {
		return p.refusePath(cmd, found, stranger+by)
	}
	return Decision{Allowed: true, Reason: "a version question to an executable that others cannot change"}
}

// denied looks for an entry of policy.deny that means the executable or what
// runs it.
func (p *Policy) denied(cmd Command, found Candidate, h files) *Decision {
	if len(p.deny) == 0 {
		return nil
	}
	program := h.Program(found.Path)
	for _, r := range p.deny {
		if r.denies(cmd, found, h) {
			d := denial(r)
			return &d
		}
		for _, by := range program.By {
			if len(r.args) == 0 && (r.names(by.Path) || r.isFile(by, h)) {
				return &Decision{Reason: fmt.Sprintf("policy.deny has %s, and %s is a script that %s runs", r.line, found.Path, filepath.Base(by.Path))}
			}
		}
	}
	return nil
}

// allowing is the entry of policy.allow that allows a command, preferably by the
// executable's path; strict heeds none.
func (p *Policy) allowing(cmd Command, found Candidate) (by *rule) {
	if p.mode == ModeStrict {
		return nil
	}
	for i, r := range p.allow {
		if r.allows(cmd, found) && (by == nil || r.path()) {
			by = &p.allow[i]
		}
	}
	return by
}

// guarded reports whether others must not be able to replace the executable
// even of a trusted command: for root always; for everybody where it was found
// in a home folder, by a manager's variable, by what a shim may run or by a name
// that has a version behind the one that is written. These show files that no
// administrator has put into PATH.
func guarded(cmd Command, found Candidate, h files) bool {
	if h.Info().Root || cmd.Shimmed || strings.HasPrefix(cmd.Location, "$") {
		return true
	}
	if cmd.Location == "" {
		return filepath.Base(found.Path) != filepath.Base(cmd.Binary)
	}
	return strings.HasPrefix(cmd.Location, "~") || inHome(cmd.Location)
}

// homes are the folders that hold users' homes.
var homes = []string{"/home", "/Users", "/var/home", "/export/home"}

// inHome reports whether a path is below a user's home.
func inHome(path string) bool {
	path = filepath.Clean(path)
	return below(path, "/root") || slices.ContainsFunc(homes, func(folder string) bool { return below(path, folder) })
}

// replaceable says how others could have something else run in the place of an
// executable, or gives "". It names what is to be mended, and no more of what runs
// the executable: definitions that are not trusted are told it.
func replaceable(found Candidate, program Program, h files) string {
	if by, bad := h.Writable(found.Path); bad {
		return "others could replace the executable: " + by
	}
	for _, runs := range program.By {
		if by, bad := h.Writable(runs.Path); bad {
			return "others could replace what runs it: " + by
		}
	}
	return ""
}

func denial(r rule) Decision { return Decision{Reason: fmt.Sprintf("policy.deny has %s", r.line)} }

// refuse denies a command that an entry of policy.allow would allow.
func refuse(cmd Command, found Candidate, reason string) Decision {
	switch {
	case cmd.Location == "":
		return Decision{Reason: reason, Allow: CommandLine(cmd.Binary, cmd.Args)}
	case found.Path == "":
		return Decision{Reason: reason} // an entry has no wildcards
	}
	return Decision{Reason: reason, Allow: CommandLine(found.Path, cmd.Args)}
}

// refusePath denies a command that only an entry with the executable's path
// would allow, as a name may mean another file tomorrow.
func (p *Policy) refusePath(cmd Command, found Candidate, reason string) Decision {
	d := Decision{Reason: reason, Allow: CommandLine(found.Path, cmd.Args), Replaceable: true}
	if p.mode == ModeStrict {
		d.Allow = ""
	}
	return d
}

// versionQuestion says whether args do no more than ask for the version. Not
// -v and -V, which mean verbose to many programs; nor the bare word version:
// to mkdir or useradd it is what to make.
func versionQuestion(args []string) bool {
	return len(args) == 1 && (args[0] == "--version" || args[0] == "-version")
}
