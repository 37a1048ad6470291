package host

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Mode decides how much definitions may run on a host.
type Mode string

// The modes.
const (
	// ModeStandard allows trusted commands, and version queries of executables that only
	// root and the user can change.
	ModeStandard Mode = "standard"
	// ModeStrict allows trusted commands only, and ignores PolicyConfig.Allow.
	ModeStrict Mode = "strict"
	// ModeOpen allows everything that is not denied.
	ModeOpen Mode = "open"
)

// A PolicyConfig configures a Policy.
type PolicyConfig struct {
	// Mode defaults to ModeStandard.
	Mode Mode
	// Allow and Deny hold command lines in the form of CommandLine. A last word *
	// matches any further arguments. An entry that begins with an absolute path matches
	// that file: in Allow by this path only, in Deny by any path or link. A single word
	// in Deny matches any arguments, and scripts that the program interprets.
	Allow, Deny []string
	// Programs maps entries of Deny that are names of runtimes to their executables, as
	// names or absolute paths. They are denied with any arguments, and with any version
	// at the end of their names.
	Programs map[string][]string
	// Env names the variables that definitions outside of trusted packs may get.
	Env []string
	// Trusted holds the commands of the core pack and of the packs that the host trusts.
	// A command is trusted if binary, arguments and location are equal, in any
	// definition. It gets the variables, version file and interpreter that are listed
	// with it, and no others.
	Trusted []Command
}

// A Policy decides which commands of definitions run on a host. Definitions come from a
// database, and writing to it must not mean running programs on every host. The zero value
// is ModeStandard with nothing trusted, allowed or denied.
type Policy struct {
	mode        Mode
	allow, deny []rule
	env         []string
	trusted     grants
	digest      string
}

// A Decision is a policy's answer.
type Decision struct {
	Allowed bool
	// Reason explains the decision in a few words.
	Reason string
	// Allow is the entry of policy.allow that would allow a denied command, or empty.
	Allow string
	// Replaceable means that it is denied because other users could replace the
	// executable or its interpreter.
	Replaceable bool
	// Unseen is why a command is denied only until a place on the way to its executable
	// or interpreter answers. It wraps ErrHangs, or is nil.
	Unseen error
}

// Files is the part of a host that a policy examines: which file a path names, what runs
// it, and who can change it. LocalHost, RecordedHost and Recorder implement it.
type Files interface {
	Info() Info
	Resolve(path string) Candidate
	Writable(path string) (by string, bad bool)
	Program(path string) Program
}

// A PolicyError reports an invalid value of a PolicyConfig.
type PolicyError struct {
	// Key is the key of the configuration: policy.mode, or policy.allow[1].
	Key string
	// Err names the value.
	Err error
}

func (e *PolicyError) Error() string { return fmt.Sprintf("%s: %v", e.Key, e.Err) }

func (e *PolicyError) Unwrap() error { return e.Err }

// NewPolicy returns a policy. Errors: *PolicyError.
func NewPolicy(cfg PolicyConfig) (*Policy, error) {
	p := &Policy{mode: cfg.Mode, env: cfg.Env, trusted: grantsOf(cfg.Trusted), digest: digestOf(cfg)}
	switch cfg.Mode {
	case "", ModeStandard, ModeStrict, ModeOpen:
	default:
		return nil, &PolicyError{"policy.mode", fmt.Errorf("must be %s, %s or %s, got %q", ModeStandard, ModeStrict, ModeOpen, cfg.Mode)}
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
			return nil, &PolicyError{fmt.Sprintf("policy.env[%d]", i), fmt.Errorf("%q is never passed to a command: %s", name, reason)}
		}
	}
	return p, nil
}

// digestOf returns a checksum of a policy's configuration.
func digestOf(cfg PolicyConfig) string {
	text, err := json.Marshal(cfg)
	if err != nil {
		panic(err) // cannot happen: it consists of texts
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Digest returns a text that differs between policies with different configurations. It is
// empty for the zero value.
func (p *Policy) Digest() string { return p.digest }

// Mode returns the mode in force.
func (p *Policy) Mode() Mode {
	if p.mode == "" {
		return ModeStandard
	}
	return p.mode
}

// Consider decides on a command before its executable is looked for. If it denies the
// command, the host must not look for the executable. If it allows it, Decide has the last
// word.
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
	case !versionQuery(cmd.Args) && !slices.ContainsFunc(p.allow, func(r rule) bool { return r.couldAllow(cmd) }):
		return refuse(cmd, found, notVersion)
	}
	return Decision{Allowed: true, Reason: "it depends on the executable"}
}

const (
	untrusted  = "it is not in a trusted pack, and "
	notVersion = untrusted + "its arguments are not --version or -version alone"
)

// Decide decides whether a command may run on h with the executable that was found for it.
func (p *Policy) Decide(cmd Command, found Candidate, h Files) Decision {
	if local, is := h.(*LocalHost); is {
		return Glance(local, func(h *LocalHost) Decision { return p.decide(cmd, found, h) })
	}
	return p.decide(cmd, found, h)
}

func (p *Policy) decide(cmd Command, found Candidate, h Files) Decision {
	if d := p.consider(cmd, found); !d.Allowed || p.mode == ModeOpen && len(p.deny) == 0 {
		return d
	}
	if d := p.denied(cmd, found, h); d != nil {
		return *d
	}
	hung := new(error)
	if local, is := h.(*LocalHost); is {
		hung = local.hung()
		*hung = nil
	}
	d := p.decideFound(cmd, found, h)
	if !d.Allowed {
		d.Unseen = *hung
	}
	return d
}

// decideFound decides on a command that no entry of policy.deny matches.
func (p *Policy) decideFound(cmd Command, found Candidate, h Files) Decision {
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
	return p.decideUntrusted(cmd, found, h)
}

// decideUntrusted decides on a command without a trusted pack or an entry of policy.allow.
func (p *Policy) decideUntrusted(cmd Command, found Candidate, h Files) Decision {
	if !versionQuery(cmd.Args) {
		return refuse(cmd, found, notVersion)
	}
	// Files that others can change are not opened.
	if by := replaceable(found, Program{}, h); by != "" {
		return p.refusePath(cmd, found, untrusted+by)
	}
	program := h.Program(found.Path)
	switch {
	case program.Unknown != "":
		return refuse(cmd, found, untrusted+program.Unknown)
	case !program.Native && (cmd.Location != "" || filepath.IsAbs(cmd.Binary)):
		return refuse(cmd, found, untrusted+"it is a script that was not found by its name in PATH")
	}
	if by := replaceable(found, program, h); by != "" {
		return p.refusePath(cmd, found, untrusted+by)
	}
	return Decision{Allowed: true, Reason: "a version query of an executable that others cannot change"}
}

// denied returns the denial by an entry of policy.deny that matches the executable or its
// interpreter, or nil.
func (p *Policy) denied(cmd Command, found Candidate, h Files) *Decision {
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
				reason := fmt.Sprintf("policy.deny has %s, and %s is a script that %s runs", r.line, found.Path, filepath.Base(by.Path))
				return &Decision{Reason: reason}
			}
		}
	}
	return nil
}

// allowing returns the entry of policy.allow that allows a command, preferably one with the
// executable's path, or nil.
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

// guarded reports whether the executable of a trusted command must be protected from other
// users. For root it always must. For other users it must if the executable was found in a
// home folder, through a manager's variable, as a shim's target, or by a versioned name: an
// administrator has not put such files into PATH.
func guarded(cmd Command, found Candidate, h Files) bool {
	if h.Info().Root || cmd.Shimmed || cmd.Versioned || strings.HasPrefix(cmd.Location, "$") {
		return true
	}
	if cmd.Location == "" {
		return filepath.Base(found.Path) != filepath.Base(cmd.Binary)
	}
	return strings.HasPrefix(cmd.Location, "~") || inHome(cmd.Location)
}

// homes lists the folders of users' homes.
var homes = []string{"/home", "/Users", "/var/home", "/export/home"}

// inHome reports whether a path is below a user's home.
func inHome(path string) bool {
	path = filepath.Clean(path)
	return below(path, "/root") || slices.ContainsFunc(homes, func(folder string) bool { return below(path, folder) })
}

// replaceable returns how other users could replace an executable or its interpreter, or
// "". Untrusted definitions get this text, so it names only what must be repaired.
func replaceable(found Candidate, program Program, h Files) string {
	if by, bad := h.Writable(found.Path); bad {
		return "others could replace the executable: " + by
	}
	for _, runs := range program.By {
		if by, bad := h.Writable(runs.Path); bad {
			return "others could replace its interpreter: " + by
		}
	}
	return ""
}

func denial(r rule) Decision { return Decision{Reason: fmt.Sprintf("policy.deny has %s", r.line)} }

// refuse denies a command, with the entry of policy.allow that would allow it.
func refuse(cmd Command, found Candidate, reason string) Decision {
	switch {
	case cmd.Location == "" && !cmd.Versioned:
		return Decision{Reason: reason, Allow: CommandLine(cmd.Binary, cmd.Args)}
	case found.Path == "":
		return Decision{Reason: reason} // entries have no wildcards
	}
	return Decision{Reason: reason, Allow: CommandLine(found.Path, cmd.Args)}
}

// refusePath denies a command that only an entry with the executable's path would allow. A
// name could mean another file later.
func (p *Policy) refusePath(cmd Command, found Candidate, reason string) Decision {
	d := Decision{Reason: reason, Allow: CommandLine(found.Path, cmd.Args), Replaceable: true}
	if p.mode == ModeStrict {
		d.Allow = ""
	}
	return d
}

// versionQuery reports whether args only ask for the version. -v and -V mean verbose to
// many programs, and version is an ordinary argument to mkdir or useradd.
func versionQuery(args []string) bool {
	return len(args) == 1 && (args[0] == "--version" || args[0] == "-version")
}
