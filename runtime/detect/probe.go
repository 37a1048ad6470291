package detect

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/version"
)

// probed is one attempt, and what the document needs besides its evidence.
type probed struct {
	capability.Attempt
	version  version.Version
	warnings []string
	at       time.Time
	// further: the executable is not the one that PATH gives for the command.
	further bool
	// located: a location showed the executable.
	located bool
	// spare: a command before it had succeeded, and it was tried only to explain.
	spare bool
	// mislabelled: it failed only as it is another version than the way's.
	mislabelled bool
}

// counts reports whether a probe found an installation.
func (p *probed) counts() bool { return p.Outcome == capability.Available && !p.spare }

func (p *probed) identity() identity {
	return identityOf(host.Candidate{Path: p.Path, RealPath: p.RealPath})
}

// found is where a command's executable was looked for.
type found struct {
	candidates []host.Candidate
	// location is the glob that gave them; empty is PATH.
	location string
	// shimmed: the detector made the glob, of where a shim's manager keeps versions.
	shimmed bool
	// further: PATH gives another one for the command, or none.
	further bool
}

// probe tries one command with the executable that was found for it.
func (r *round) probe(ctx context.Context, w *way, c *command, f found) probed {
	p := probed{
		Attempt: capability.Attempt{Command: c.argv, Pattern: c.Pattern, Optional: c.Optional},
		further: f.further,
		located: f.location != "",
	}
	exe, any := usable(f.candidates)
	p.Path, p.RealPath = exe.Path, exe.RealPath
	out, asked := r.ask(ctx, &p, w, c, f, exe, any)
	if asked && p.Outcome == capability.Available && !w.label.fits(p.version, p.VersionRaw) {
		p.mislabelled = true
		p.end(capability.PatternMismatch, fmt.Sprintf("it is %s, and the definition declares it as %s", p.version, w.label.text),
			fmt.Sprintf("install %s, or correct the command or the version that is declared with it", w.label.text))
	}
	if asked && p.Outcome == capability.Available {
		if warning := p.limit(w, p.version, out); warning != "" {
			p.warnings = append(p.warnings, warning)
		}
	}
	if p.Outcome == capability.Available {
		r.interpreted(&p, w, c.at(f), exe)
	}
	p.at = r.cfg.Now().UTC().Truncate(time.Second)
	r.cfg.Logger.DebugContext(ctx, "probe", "ref", w.ref, "command", c.argv, "path", p.Path, "outcome", p.Outcome, "detail", p.Detail)
	return p
}

// ask gets the executable's answer: from its version file, else by running it.
// asked is false where there was nothing to ask or no leave to.
func (r *round) ask(ctx context.Context, p *probed, w *way, c *command, f found, exe host.Candidate, any bool) (out output, asked bool) {
	cmd := c.at(f)
	d := r.cfg.Policy.Consider(cmd)
	if d.Allowed && any && exe.Fault == "" {
		d = r.cfg.Policy.Decide(cmd, exe, r.cfg.Host)
	}
	if !d.Allowed && any && exe.Fault == "" && r.cfg.Policy.Consider(cmd).Allowed {
		if unseen := r.unseenProgram(exe); unseen != nil { // policy judged what nobody can look at
			outcome, hint := unseenOutcome(unseen)
			detail := "what runs it could not be looked at"
			if r.cfg.Policy.Trusts(cmd) { // else it is told nothing of a script's first line
				detail += ": " + unseen.Error()
			}
			p.end(outcome, detail, hint)
			return output{}, false
		}
	}
	switch {
	case !d.Allowed:
		p.end(capability.DeniedByPolicy, "the host's policy denies "+c.line()+": "+d.Reason, allowHint(d))
		return output{}, false
	case !any:
		detail, hint := r.missing(c.Binary)
		p.end(capability.NotFound, detail, hint)
		return output{}, false
	case exe.Unseen() != nil:
		outcome, hint := unseenOutcome(exe.Unseen())
		p.Path, p.RealPath = "", "" // nobody knows what is there
		p.end(outcome, exe.Unseen().Error(), hint)
		return output{}, false
	case exe.Fault != "":
		p.end(capability.NotExecutable, exe.Path+" "+exe.Fault, faultHint(exe))
		return output{}, false
	case r.readVersionFile(p, w, cmd, exe):
		return output{}, true
	}
	env, _ := r.cfg.Policy.Env(cmd)
	res := r.run(ctx, w, cmd, host.Invocation{Path: exe.Path, Args: c.Args, Env: env, Timeout: c.timeout})
	p.version, out = p.judge(c, res)
	return out, true
}

// run runs one command when it has its turn.
func (r *round) run(ctx context.Context, w *way, cmd host.Command, inv host.Invocation) host.Result {
	asked := r.turns.ask(w.ref, r.cfg.Policy.Trusts(cmd), inv)
	res := r.memo.Run(ctx, inv)
	if res.Err != nil && ctx.Err() != nil && !r.turns.hadTurn(asked) {
		res.Err = fmt.Errorf("run %s: %w", inv.Path, errNotReached)
	}
	return res
}

func allowHint(d host.Decision) string {
	const protect = "let only root and this service's user write it (chown, chmod go-w)"
	switch {
	case d.Replaceable && d.Allow == "":
		return protect
	case d.Replaceable:
		return protect + "; or, if it may run here, add to policy.allow: " + d.Allow
	case d.Allow == "":
		return "if it may run here, change what the policy says of it"
	}
	return "if it may run here, add to policy.allow: " + d.Allow
}

// faultHint is what would make a file an executable.
func faultHint(exe host.Candidate) string {
	switch exe.Fault {
	case host.FaultStub:
		return "install what it stands for, and put its folder before this one in this service's PATH"
	case host.FaultNotExecutable:
		return "let this user execute it: chmod a+x " + exe.Path
	}
	return "repair or remove " + exe.Path
}

// missing says where binaries were looked for.
func (r *round) missing(binaries ...string) (detail, hint string) {
	var details, names []string
	for _, b := range binaries {
		if filepath.IsAbs(b) {
			details = append(details, "there is no executable "+b)
		} else {
			names = append(names, b)
		}
	}
	list, verb := strings.Join(names, ", "), "are"
	switch len(names) {
	case 0:
		return strings.Join(details, "; "), "install it"
	case 1:
		verb, hint = "is", "install "+list
	default:
		hint = "install one of them"
	}
	where := fmt.Sprintf("in none of the %d folders of PATH", len(r.info.Path))
	if len(r.info.Path) == 0 {
		where = "not found: PATH is empty"
	}
	details = append([]string{fmt.Sprintf("%s %s %s", list, verb, where)}, details...)
	return strings.Join(details, "; "), hint + ", or add its folder to this service's PATH"
}

// readVersionFile reads the version beside the executable, so that nothing has
// to be run. Nothing but the version goes on: a definition comes from a database,
// and must not make a host read its files to others. Only a trusted pack's
// pattern, which was not made for that, may say it in the file's own words.
func (r *round) readVersionFile(p *probed, w *way, cmd host.Command, exe host.Candidate) bool {
	if w.versionFile == nil || !r.cfg.Policy.MayRead(cmd) {
		return false
	}
	trusted := r.cfg.Policy.TrustsFile(cmd)
	path, data, err := r.cfg.Host.ReadInstalled(host.InstalledFile{Executable: exe.RealPath, Path: w.versionFile.path, Public: !trusted})
	if err != nil {
		return false
	}
	raw := fileVersion(w.versionFile.pattern.regexp(), w.versionFile.pattern.cut(string(data)))
	v, err := version.Parse(raw)
	if err != nil {
		return false
	}
	if !trusted {
		raw = v.String()
	}
	p.version, p.Version, p.VersionRaw, p.VersionFile = v, v.String(), raw, path
	// The pattern is for what the command prints, and it prints nothing.
	p.Outcome, p.Pattern = capability.Available, ""
	return true
}

// fileVersion is the text of pattern's group "version", else its first group.
func fileVersion(pattern *regexp.Regexp, text string) string {
	match := pattern.FindStringSubmatch(text)
	if match == nil {
		return ""
	}
	if i := pattern.SubexpIndex("version"); i >= 0 {
		return strings.TrimSpace(match[i])
	}
	return strings.TrimSpace(match[min(1, len(match)-1)])
}

// milliseconds is a duration for the document, to a tenth.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*10) / 10
}
