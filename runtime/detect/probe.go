package detect

import (
	"cmp"
	"context"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/version"
)

// A probe is one attempt, and what the document needs besides its evidence.
type probe struct {
	capability.Attempt
	version version.Version
	// printed is the answer of the executable, for comparison with others.
	printed  versionAnswer
	warnings []string
	at       time.Time
	// remember remembers the answer once the outcome is final; nil if it cannot be.
	remember func()
	// listed holds the versions that a command with all_versions printed. more holds a probe
	// for each further installation among them.
	listed []version.Extraction
	more   []probe
	// further means that the executable is not the command's first one in PATH.
	further bool
	// location is the glob that matches the executable, or empty, and shimmed means that it
	// is the detector's own.
	location string
	shimmed  bool
	// versioned means that it was found by a name with a version.
	versioned bool
	// spare means that an earlier command succeeded; this one only explains.
	spare bool
	// mislabelled means that it failed only because it has not the declared version.
	mislabelled bool
}

// A versionAnswer is what an executable answered.
type versionAnswer struct {
	version version.Version
	raw     string // the version as it was printed
	text    string // the whole output
}

// counts reports whether a probe found an installation.
func (p *probe) counts() bool { return p.Outcome == capability.Available && !p.spare }

func (p *probe) identity() identity {
	return identityOf(host.Candidate{Path: p.Path, RealPath: p.RealPath})
}

// A lookup holds the candidates for a command's executable.
type lookup struct {
	candidates []host.Candidate
	// location is the glob that matches them, or empty for PATH.
	location string
	// shimmed means that the glob is the detector's own, for the versions of a shim's
	// manager.
	shimmed bool
	// versioned means that it was found in PATH by a name with a version.
	versioned bool
	// further means that the command's first executable in PATH is another one.
	further bool
}

// probe tries one command with the executable that was found for it.
func (r *round) probe(ctx context.Context, w *way, c *command, f lookup) probe {
	p := probe{
		Attempt: capability.Attempt{Command: c.argv, Pattern: c.Pattern, Optional: c.Optional},
		further: f.further, location: f.location, shimmed: f.shimmed, versioned: f.versioned,
	}
	exe, any := usable(f.candidates)
	p.Path, p.RealPath = exe.Path, exe.RealPath
	out, ok := r.answer(ctx, &p, w, c, f, exe, any)
	if ok && p.Outcome == capability.Available {
		p.judgeVersions(w, out)
	}
	if p.Outcome == capability.Available {
		r.checkInterpreter(&p, w, c.at(f), exe)
	}
	if !p.Remembered {
		p.at = r.cfg.Now().UTC().Truncate(time.Second)
	}
	p.learn()
	r.cfg.Logger.DebugContext(ctx, "probed", "ref", w.ref, "command", c.argv, "path", p.Path, "outcome", p.Outcome, "detail", p.Detail)
	return p
}

// answer starts the executable, and reads its version file if it answers. ok is false
// without an executable, or if policy denies it.
func (r *round) answer(ctx context.Context, p *probe, w *way, c *command, f lookup, exe host.Candidate, any bool) (out output, ok bool) {
	cmd := c.at(f)
	d := r.cfg.Policy.Consider(cmd)
	if d.Allowed && any && exe.Fault == "" {
		done := r.look(r.cfg.Policy.Trusts(cmd))
		d = r.cfg.Policy.Decide(cmd, exe, r.cfg.Host)
		done()
	}
	if !d.Allowed && any && exe.Fault == "" && r.cfg.Policy.Consider(cmd).Allowed {
		if unseen := cmp.Or(d.Unseen, r.unseenProgram(exe)); unseen != nil { // policy denied it for that alone
			outcome, hint := unseenOutcome(unseen)
			detail := "the executable or its interpreter could not be looked at"
			if r.cfg.Policy.Trusts(cmd) { // a script's first line is not for untrusted definitions
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
		detail, hint := capability.NotFoundIn(r.info.Path, c.Binary)
		p.end(capability.NotFound, detail, hint)
		return output{}, false
	case exe.Unseen() != nil:
		outcome, hint := unseenOutcome(exe.Unseen())
		p.Path, p.RealPath = "", "" // there may be no such file
		p.end(outcome, exe.Unseen().Error(), hint)
		return output{}, false
	case exe.Fault != "":
		p.end(capability.NotExecutable, exe.Path+" "+exe.Fault, faultHint(exe))
		return output{}, false
	}
	p.printed.version, out = r.ask(ctx, p, w, c, cmd, exe)
	p.version, p.printed.raw, p.printed.text = p.printed.version, p.VersionRaw, out.text
	if p.Outcome == capability.Available && !c.AllVersions {
		r.readVersionFile(ctx, p, w, cmd, exe)
	}
	return out, true
}

// allowHint returns the hint for a denial.
func allowHint(d host.Decision) string {
	const protect = "let only root and this service's user write it (chown, chmod go-w)"
	switch {
	case d.Replaceable && d.Allow == "":
		return protect
	case d.Replaceable:
		return protect + "; or, if it may run here, add to policy.allow: " + d.Allow
	case d.Allow == "":
		return "if it may run here, change the policy"
	}
	return "if it may run here, add to policy.allow: " + d.Allow
}

// faultHint returns the hint for a file that cannot be executed.
func faultHint(exe host.Candidate) string {
	switch exe.Fault {
	case host.FaultStub:
		return "install the real program, and put its folder before this one in this service's PATH"
	case host.FaultInstaller:
		return "install a version as this user: juliaup add release"
	case host.FaultHermit:
		return "name its real executable in the definition, or declare the runtime"
	case host.FaultNotExecutable:
		return "let this user execute it: chmod a+x " + exe.Path
	}
	return "repair or remove " + exe.Path
}

// readVersionFile reads the version of an executable that answered from a file of its
// installation. It passes on the parsed version alone, because definitions come from a
// database and must not publish files of the host. For trusted packs it passes on the
// matched text too.
func (r *round) readVersionFile(ctx context.Context, p *probe, w *way, cmd host.Command, exe host.Candidate) {
	if w.versionFile == nil || !r.cfg.Policy.MayRead(cmd) {
		return
	}
	trusted := r.cfg.Policy.TrustsFile(cmd)
	path, data, err := r.cfg.Host.ReadInstalled(host.InstalledFile{Executable: exe.RealPath, Path: w.versionFile.path, Public: !trusted})
	if err != nil {
		return
	}
	if err := r.matching.use(ctx, w.ref, trusted, w.versionFile.pattern, string(data), func(pattern *regexp.Regexp, text string) {
		v, _, ok := version.ExtractPattern(pattern, text)
		if !ok {
			return
		}
		raw := fileVersion(pattern, text)
		if !trusted {
			raw = v.String()
		}
		p.version, p.Version, p.VersionRaw, p.VersionFile = v, v.String(), raw, path
	}); err != nil {
		p.unmatched(err)
	}
}

// fileVersion returns the text of pattern's group "version", or else of its first group.
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

// milliseconds returns a duration for the document, rounded to a tenth.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*10) / 10
}
