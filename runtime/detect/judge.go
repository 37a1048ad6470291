package detect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/version"
)

// An output is a command's standard output, a newline and its standard error.
type output struct {
	text string
	// excerpt is the part of text that documents have.
	excerpt string
	// unreadable says how text differs from what was printed; empty means that it does
	// not.
	unreadable string
}

func outputOf(res host.Result) output {
	raw := string(res.Stdout) + "\n" + string(res.Stderr)
	// Postgres refuses NUL in a document.
	o := output{text: strings.ReplaceAll(strings.ToValidUTF8(raw, "\uFFFD"), "\x00", "\uFFFD")}
	switch {
	case o.text != raw:
		o.unreadable = "it is not UTF-8 text"
	case res.Truncated:
		o.unreadable = fmt.Sprintf("it is longer than the limit of %d KiB", host.OutputLimit>>10)
	}
	o.excerpt = excerpt(o.text, capability.ExcerptLimit)
	return o
}

// excerpt returns at most limit bytes of text, cut between characters.
func excerpt(text string, limit int) string {
	text = strings.Trim(text, "\r\n")
	if len(text) <= limit {
		return text
	}
	cut := limit - len("…")
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// firstLine returns the first line that is not blank, for a message.
func (o output) firstLine() string {
	for line := range strings.Lines(o.text) {
		if line = strings.TrimSpace(line); line != "" {
			return excerpt(line, 120)
		}
	}
	return "nothing"
}

// Hints with several uses.
const (
	hintUnreadable = "let the command print a short text in UTF-8"
	hintCrowd      = "find out which commands hang: too many do"
	hintDeadline   = "give the whole detection more time, or find out which commands are slow"
	hintPatterns   = "use smaller patterns, or let the command print a short text"
	hintMetadata   = "correct the definition; `attune packs validate` names every fault of a pack"
)

// ask runs a command with an executable, sets the outcome, and returns the printed
// version, or zero. The end of the command is judged before its output, since a failing shim
// may print versions.
func (r *round) ask(
	ctx context.Context, p *probe, w *way, c *command, cmd host.Command, exe host.Candidate,
) (v version.Version, out output) {
	res, out := r.run(ctx, p, w, c, cmd, exe)
	p.Output = out.excerpt
	if p.judgeEnd(c, res, out); p.Outcome != "" {
		return v, out
	}
	trusts := func(e *expression) bool { return r.cfg.Policy.TrustsPattern(cmd, e.source) }
	match := func(e *expression, f func(*regexp.Regexp, string)) error {
		return r.matching.use(ctx, w.ref, trusts(e), e, out.text, f)
	}
	if p.judgeOutput(c, out, match); p.Outcome == "" {
		p.Outcome = capability.Available
		v = p.extract(c, out, match)
		if n := len(p.listed); n > 1 && !trusts(c.versionPattern) {
			if p.listed = p.listed[:r.matching.afford(w.ref, n)]; len(p.listed) < n {
				p.warnings = append(p.warnings,
					fmt.Sprintf("%d of its %d versions are left out: a round has no room for more of %s", n-len(p.listed), n, w.ref))
			}
		}
	}
	return v, out
}

// judgeEnd sets the outcome of a command that did not end as it must.
func (p *probe) judgeEnd(c *command, res host.Result, out output) {
	p.DurationMS = milliseconds(res.Duration)
	p.Signal = res.Signal
	if res.Err == nil && !res.TimedOut && res.Signal == "" {
		p.ExitCode = &res.ExitCode
	}
	switch {
	case res.TimedOut, res.Err == nil && res.Duration > c.timeout:
		p.end(capability.Timeout, fmt.Sprintf("it did not end within %v", c.timeout),
			fmt.Sprintf("run it by hand to see what it waits for, or give the command a timeout above %v", c.timeout))
	case errors.Is(res.Err, errNotReached):
		p.Unreached = true
		p.end(capability.Timeout, "it was not reached: "+errNotReached.Error(), hintCrowd)
	case errors.Is(res.Err, errCrowd):
		p.end(capability.Timeout, fmt.Sprintf("it did not end within %v, and %v", res.Duration.Round(time.Second), errCrowd), hintCrowd)
	case errors.Is(res.Err, errDeadline):
		p.end(capability.Timeout, unfinished(errDeadline), hintDeadline)
	case errors.Is(res.Err, ErrSuperseded):
		p.end(capability.Timeout, unfinished(ErrSuperseded), hintDeadline)
	case errors.Is(res.Err, host.ErrHangs):
		_, hint := unseenOutcome(res.Err)
		p.end(capability.Timeout, cause(&p.Attempt, res), hint)
	case errors.Is(res.Err, syscall.ENOEXEC):
		p.end(capability.NotExecutable, cause(&p.Attempt, res), "install it for this machine, or give the script a #! line")
	case errors.Is(res.Err, host.ErrNoInterpreter):
		p.end(capability.NotExecutable, cause(&p.Attempt, res), "install it for this system, or what it needs")
	case errors.Is(res.Err, syscall.EACCES), errors.Is(res.Err, fs.ErrPermission):
		p.end(capability.NotExecutable, cause(&p.Attempt, res), fmt.Sprintf("let this user execute %s", p.Path))
	case errors.Is(res.Err, host.ErrDownloads):
		p.end(capability.Error, cause(&p.Attempt, res), "declare the runtime, or name its real executable in the definition")
	case res.Err != nil:
		p.end(capability.Error, cause(&p.Attempt, res), fmt.Sprintf("run %s by hand, as the same user", c.line()))
	case res.Signal == "SIGILL":
		p.end(capability.NotExecutable, "it was killed by SIGILL: it is for another processor", "install it for this processor")
	case res.Signal != "":
		p.end(capability.Error, "it was killed by "+res.Signal, fmt.Sprintf("run %s by hand, as the same user", c.line()))
	case res.ExitCode != c.ExitCode:
		p.end(capability.ExitMismatch, capability.ExitDetail(res.ExitCode, c.ExitCode, out.firstLine()),
			fmt.Sprintf("make %s work for this user, or correct exit_code", c.line()))
	}
}

// A matcher calls a function with a compiled expression and the part of the output that is
// matched, or returns why not.
type matcher func(*expression, func(*regexp.Regexp, string)) error

// judgeOutput sets the outcome of output that the pattern does not match. Output that is not
// UTF-8 or was cut off is unreadable then.
func (p *probe) judgeOutput(c *command, out output, match matcher) {
	if c.pattern == nil {
		return
	}
	matched := false
	if err := match(c.pattern, func(re *regexp.Regexp, text string) { matched = re.MatchString(text) }); err != nil {
		p.unmatched(err)
		return
	}
	p.PatternMatched = &matched
	switch {
	case matched:
	case out.unreadable != "":
		p.end(capability.OutputUnreadable, "its output does not match the pattern, but "+out.unreadable, hintUnreadable)
	case c.pattern.reach() < len(out.text):
		p.end(capability.OutputUnreadable,
			fmt.Sprintf("the first %d bytes of its output do not match the pattern, which is too large to match more", c.pattern.reach()),
			hintPatterns)
	default:
		p.end(capability.PatternMismatch, capability.PatternDetail(excerpt(c.Pattern, 120), out.firstLine()),
			fmt.Sprintf("check which program %s is, or correct the pattern", p.Path))
	}
}

// unmatched sets the outcome of output that was not matched.
func (p *probe) unmatched(err error) {
	if errors.As(err, new(errSpent)) {
		p.end(capability.OutputUnreadable, "its output was not matched: "+err.Error(), hintPatterns)
		return
	}
	p.end(capability.Timeout, unfinished(err), hintDeadline)
}

// unfinished returns the detail of a verification that cause ended.
func unfinished(cause error) string { return "it was not finished when " + cause.Error() }

// cause returns the error of a run without the path, which the attempt has.
func cause(a *capability.Attempt, res host.Result) string {
	return strings.TrimPrefix(res.Err.Error(), "run "+a.Path+": ")
}

func (p *probe) end(outcome capability.Outcome, detail, hint string) {
	p.Outcome, p.Detail, p.Hint = outcome, detail, hint
}

// extract returns the version of output that counts, or zero.
func (p *probe) extract(c *command, out output, match matcher) (v version.Version) {
	if c.versionPattern == nil {
		v, p.VersionRaw, _ = version.Extract(out.text)
	} else if err := match(c.versionPattern, func(re *regexp.Regexp, text string) {
		if !c.AllVersions {
			v, p.VersionRaw, _ = version.ExtractPattern(re, text)
			return
		}
		all := version.ExtractAll(re, text)
		if p.listed = all[:min(len(all), locatedLimit)]; len(all) > 0 {
			v, p.VersionRaw = all[0].Version, all[0].Raw
		}
	}); err != nil {
		p.unmatched(err)
	}
	p.Version = v.String()
	return v
}

// judgeVersions applies the way's label and limits to a successful attempt, or to each
// version that it listed. The newest that counts is the probe's; the others are in more.
func (p *probe) judgeVersions(w *way, out output) {
	if len(p.listed) < 2 {
		p.judgeVersion(w, out)
		return
	}
	var counted []probe
	var versions, warnings []string
	for _, e := range p.listed {
		one := *p
		one.version, one.Version, one.VersionRaw, one.listed = e.Version, e.Version.String(), e.Raw, nil
		one.judgeVersion(w, out)
		switch {
		case one.counts():
			counted, versions = append(counted, one), append(versions, one.Version)
		case one.Outcome == capability.BelowMinVersion:
			warnings = append(warnings, warning(one.Attempt))
		}
	}
	if len(counted) == 0 {
		p.judgeVersion(w, out) // of the newest
		return
	}
	*p = counted[0]
	p.more, p.Versions, p.warnings = counted[1:], versions, append(p.warnings, warnings...)
}

// judgeVersion applies the way's label and limits to one version.
func (p *probe) judgeVersion(w *way, out output) {
	if !w.label.fits(p.version, p.VersionRaw) {
		p.mislabelled = true
		p.end(capability.PatternMismatch, fmt.Sprintf("it is %s, and the definition declares it as %s", p.version, w.label.text),
			fmt.Sprintf("install %s, or correct the command or the version that is declared with it", w.label.text))
		return
	}
	if warning := p.limit(w, p.version, out); warning != "" {
		p.warnings = append(slices.Clone(p.warnings), warning)
	}
}

// limit applies the way's version limits to a successful attempt, and returns a warning
// or "".
func (p *probe) limit(w *way, v version.Version, out output) (warning string) {
	var unknown version.Version
	switch {
	case v == unknown && w.min != unknown && out.unreadable != "":
		p.end(capability.OutputUnreadable,
			fmt.Sprintf("min_version is %s, and its version cannot be read: %s", w.min, out.unreadable), hintUnreadable)
	case v == unknown && w.min != unknown:
		p.end(capability.VersionUnreadable, capability.VersionDetail(w.min.String(), out.firstLine()),
			"give the command a version_pattern")
	case v != unknown && v.Compare(w.min) < 0:
		p.end(capability.BelowMinVersion, fmt.Sprintf("%s is below min_version %s", v, w.min), fmt.Sprintf("install %s or later", w.min))
	case v == unknown && w.recommended != unknown:
		return fmt.Sprintf("the version could not be read; %s or later is recommended", w.recommended)
	case v.Compare(w.recommended) < 0:
		return fmt.Sprintf("%s is below the recommended version %s", v, w.recommended)
	}
	return ""
}
