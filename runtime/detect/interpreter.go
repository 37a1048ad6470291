package detect

import (
	"fmt"
	"path/filepath"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// interpreted ends a probe whose interpreter is not of the installation, or may
// not be looked up.
func (r *round) interpreted(p *probed, w *way, cmd host.Command, exe host.Candidate) {
	if w.interpreter != "" && !r.cfg.Policy.MayLookUp(cmd) {
		p.end(capability.DeniedByPolicy, fmt.Sprintf("the host's policy denies looking for its interpreter %s: policy.mode is %s, and no trusted pack names it for this command",
			w.interpreter, r.cfg.Policy.Mode()), allowHint(host.Decision{}))
		return
	}
	if outcome, detail, hint := r.interpreter(w, cmd, exe, p.further); outcome != capability.Available {
		p.end(outcome, detail, hint)
	}
}

// interpreter reports whether what runs a script belongs to the installation
// that was verified. That is so where the interpreter, looked up as the
// platform will look it up, and the verified executable
//
//   - are one file, whatever links lead to it; or
//   - have different names (rustc and cargo; digits and dots at the end of a
//     name do not count) and lie in one folder, as found or in reality: then
//     one is the companion of the other; or
//   - are both in a folder named shims: a version manager's shims are a file
//     for each name, and choose one version together.
//
// So python3 is no interpreter of a verified python3.12 unless it is a link to
// it. An installation that PATH does not give is run by its path, and the
// interpreter is its own: itself if it has that name, but for a version, else
// the file of that name in its folder.
//
// The outcome is Available where it belongs, and else InterpreterMissing, or that of
// an interpreter that could not be looked at; detail says why.
func (r *round) interpreter(w *way, cmd host.Command, verified host.Candidate, further bool) (o capability.Outcome, detail, hint string) {
	if w.interpreter == "" {
		return capability.Available, "", ""
	}
	var found []host.Candidate
	switch {
	case !further || filepath.IsAbs(w.interpreter):
		found = r.lookups.find(w.interpreter)
	case stem(verified.Path) == stem(w.interpreter):
		return capability.Available, "", ""
	default:
		found = ownInterpreter(r.cfg.Host, w.interpreter, verified)
	}
	c, any := usable(found)
	switch {
	case c.Unseen() == nil && (!any || c.Fault != "" && filepath.IsAbs(w.interpreter) && !r.cfg.Policy.Reveals(cmd)):
		return capability.InterpreterMissing, fmt.Sprintf("its interpreter %s is not found", w.interpreter),
			fmt.Sprintf("install %s, or correct execution_config.interpreter.binary", w.interpreter)
	case c.Unseen() != nil:
		o, hint = unseenOutcome(c.Unseen())
		return o, "its interpreter " + c.Unseen().Error(), hint
	case c.Fault != "":
		return capability.InterpreterMissing, fmt.Sprintf("its interpreter %s %s", c.Path, c.Fault), "repair " + c.Path
	case !sameInstallation(c, verified):
		return capability.InterpreterMissing, fmt.Sprintf("its interpreter %s is %s, another installation than %s, which was verified", w.interpreter, pathOf(c), pathOf(verified)),
			fmt.Sprintf("verify %s itself, or name the verified executable in execution_config.interpreter.binary", w.interpreter)
	}
	return capability.Available, "", ""
}

// ownInterpreter is the interpreter in the folder of an executable, as found or
// in reality; none is the lookup's empty answer.
func ownInterpreter(h Host, name string, of host.Candidate) []host.Candidate {
	if filepath.Base(name) != name {
		return nil // it would lead to any other folder
	}
	var found []host.Candidate
	for _, dir := range folders(of) {
		if c := h.Resolve(filepath.Join(dir, name)); c.Fault != host.FaultNotFound {
			found = append(found, c)
		}
	}
	return found
}

func sameInstallation(a, b host.Candidate) bool {
	if a.Path == b.Path || a.RealPath != "" && a.RealPath == b.RealPath {
		return true
	}
	for _, dir := range folders(a) {
		for _, other := range folders(b) {
			if dir == other && (stem(a.Path) != stem(b.Path) || filepath.Base(dir) == shimsFolder) {
				return true
			}
		}
	}
	return false
}

// folders are where a candidate lies: as found and, if that is elsewhere, in
// reality.
func folders(c host.Candidate) []string {
	dirs := []string{filepath.Dir(c.Path)}
	if c.RealPath != "" && filepath.Dir(c.RealPath) != dirs[0] {
		dirs = append(dirs, filepath.Dir(c.RealPath))
	}
	return dirs
}

// stem is an executable's name without the version at its end.
func stem(path string) string {
	return host.Stem(path)
}

// pathOf is a candidate for a message: the path, and what it leads to.
func pathOf(c host.Candidate) string {
	if c.RealPath == "" || c.RealPath == c.Path {
		return c.Path
	}
	return c.Path + " -> " + c.RealPath
}
