package detect

import (
	"fmt"
	"path/filepath"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// checkInterpreter fails a probe whose interpreter belongs to another installation or
// may not be looked up.
func (r *round) checkInterpreter(p *probe, w *way, cmd host.Command, exe host.Candidate) {
	if w.interpreter != "" && !r.cfg.Policy.MayLookUp(cmd) {
		p.end(capability.DeniedByPolicy, fmt.Sprintf(
			"the host's policy denies looking for its interpreter %s: policy.mode is %s, and no trusted pack names it for this command",
			w.interpreter, r.cfg.Policy.Mode()), allowHint(host.Decision{}))
		return
	}
	if outcome, detail, hint := r.interpreter(w, cmd, exe, p.further); outcome != capability.Available {
		p.end(outcome, detail, hint)
	}
}

// interpreter reports whether the program that will run scripts belongs to the verified
// installation. It does if the interpreter, looked up as the platform does, and the
// verified executable
//
//   - are one file, through any links; or
//   - have different stems (rustc and cargo) and share a folder, as found or real,
//     which makes one a companion of the other; or
//   - are in one folder named shims: a version manager has one shim per name, and
//     all of them choose the same version.
//
// So python3 does not belong to a verified python3.12 unless it links to it. An
// installation that is not the first in PATH is run by its path. Its interpreter is
// the installation itself if the stems are equal, otherwise the file of that name in
// its folder.
//
// The outcome is Available if the interpreter belongs to the installation. Otherwise it
// is InterpreterMissing, or the outcome of an interpreter that does not respond.
func (r *round) interpreter(w *way, cmd host.Command, verified host.Candidate, further bool) (o capability.Outcome, detail, hint string) {
	if w.interpreter == "" {
		return capability.Available, "", ""
	}
	var found []host.Candidate
	switch {
	case !further || filepath.IsAbs(w.interpreter):
		found = r.lookups.find(w.interpreter)
	case host.Stem(verified.Path) == host.Stem(w.interpreter):
		return capability.Available, "", ""
	default:
		found = ownInterpreter(r.cfg.Host, w.interpreter, verified)
	}
	c, any := usable(found)
	switch {
	case c.Unseen() == nil && (!any || c.Fault != "" && filepath.IsAbs(w.interpreter) && !r.cfg.Policy.Reveals(cmd)):
		return capability.InterpreterMissing, fmt.Sprintf("its interpreter %s was not found", w.interpreter),
			fmt.Sprintf("install %s, or correct execution_config.interpreter.binary", w.interpreter)
	case c.Unseen() != nil:
		o, hint = unseenOutcome(c.Unseen())
		return o, "its interpreter " + c.Unseen().Error(), hint
	case c.Fault != "":
		return capability.InterpreterMissing, fmt.Sprintf("its interpreter %s %s", c.Path, c.Fault), "repair " + c.Path
	case !sameInstallation(c, verified):
		return capability.InterpreterMissing,
			fmt.Sprintf("its interpreter %s is %s, not of the verified installation %s", w.interpreter, pathOf(c), pathOf(verified)),
			fmt.Sprintf("verify %s itself, or name the verified executable in execution_config.interpreter.binary", w.interpreter)
	}
	return capability.Available, "", ""
}

// ownInterpreter returns the interpreters in the folder of an executable, as found and
// real.
func ownInterpreter(h Host, name string, of host.Candidate) []host.Candidate {
	if filepath.Base(name) != name {
		return nil // it could name any folder
	}
	var found []host.Candidate
	for _, dir := range folders(of) {
		if c := h.Resolve(filepath.Join(dir, name)); c.Fault != host.FaultNotFound {
			found = append(found, c)
		}
	}
	return found
}

// sameInstallation reports whether two executables belong together by interpreter's rules.
func sameInstallation(a, b host.Candidate) bool {
	if a.Path == b.Path || a.RealPath != "" && a.RealPath == b.RealPath {
		return true
	}
	for _, dir := range folders(a) {
		for _, other := range folders(b) {
			if dir == other && (host.Stem(a.Path) != host.Stem(b.Path) || filepath.Base(dir) == shimsFolder) {
				return true
			}
		}
	}
	return false
}

// folders returns the folder of a candidate's path and, if it differs, of its real path.
func folders(c host.Candidate) []string {
	dirs := []string{filepath.Dir(c.Path)}
	if c.RealPath != "" && filepath.Dir(c.RealPath) != dirs[0] {
		dirs = append(dirs, filepath.Dir(c.RealPath))
	}
	return dirs
}

// pathOf returns a candidate's path and real path for a message.
func pathOf(c host.Candidate) string {
	if c.RealPath == "" || c.RealPath == c.Path {
		return c.Path
	}
	return c.Path + " -> " + c.RealPath
}
