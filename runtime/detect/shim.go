package detect

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/version"
)

// A shim is an executable that runs another one, its target. Two kinds can be recognized:
// executables in a folder named shims (pyenv, rbenv, nodenv, jenv, asdf, mise), and
// proxies, which are links to a file with another stem (rustc links to rustup). The
// target is the installation that gives the same answer.

// shimsFolder is the name of the folder with a version manager's shims. The managed
// versions are beside it.
const shimsFolder = "shims"

func inShims(path string) bool { return filepath.Base(filepath.Dir(path)) == shimsFolder }

// isProxy reports whether the file behind a candidate has another stem.
func isProxy(path, realPath string) bool {
	return realPath != "" && host.Stem(path) != host.Stem(realPath)
}

// versionFolders are the patterns, beside the folder shims, of the folders in which version
// managers install versions.
var versionFolders = []string{
	"versions/*",   // pyenv and its descendants
	"installs/*/*", // asdf, mise: the tool, then the version
	"tools/*/*",    // proto
}

// settle finds the target of a shim. If none of the other probes is it, settle probes the
// versions that the shim's manager has installed, and returns the target's probe. It
// fails a shim whose version is not installed, but lets it count if the manager's
// versions cannot be found.
func (r *round) settle(ctx context.Context, w *way, shim *probe, others []probe) []probe {
	if !shim.counts() || shim.Version == "" || !inShims(shim.Path) || shimTarget(shim, others) != nil {
		return nil
	}
	root, name := filepath.Dir(filepath.Dir(shim.Path)), filepath.Base(shim.Path)
	named, all := r.managedVersions(root, shim.version)
	targets := r.executables(named, name)
	there := len(targets) > 0
	if !there {
		// Not every folder is named for the version: jruby-9.4, latest.
		targets = r.executables(all, name)
		there = len(targets) == 0 && len(named) > 0
	}
	refused := ""
	for _, f := range targets {
		if hasProbe(others, f.candidates[0]) {
			continue
		}
		for _, t := range trialsOf(w, f) {
			if d := r.cfg.Policy.Decide(t.at(f), f.candidates[0], r.cfg.Host); !d.Allowed {
				there = true // possibly
				refused = cmp.Or(refused, deniedTarget(f.candidates[0].Path, d))
				continue
			}
			target := []probe{r.probe(ctx, w, t.command, f)}
			if shimTarget(shim, target) != nil {
				return target
			}
		}
	}
	if refused != "" && !slices.Contains(shim.warnings, refused) {
		shim.warnings = append(shim.warnings, refused)
	}
	if len(all) > 0 && !there {
		shim.end(capability.NotFound,
			fmt.Sprintf("it is a shim that answers %s, and this version is not installed in %s", shim.Version, root),
			fmt.Sprintf("install %s again, or choose an installed version", shim.Version))
	}
	return nil
}

// deniedTarget returns the warning about a shim whose possible target policy denies.
func deniedTarget(path string, d host.Decision) string {
	text := fmt.Sprintf("it is a shim, and counts as itself: the host's policy denies running its possible target %s: %s", path, d.Reason)
	if d.Allow != "" || d.Replaceable {
		text += "; " + allowHint(d)
	}
	return text
}

// managedVersions returns the folders of versions that a version manager has in root:
// those named for v, and all of them.
func (r *round) managedVersions(root string, v version.Version) (named, all []string) {
	for _, pattern := range versionFolders {
		for _, folder := range r.cfg.Host.Glob(filepath.Join(host.EscapeGlob(root), pattern)) {
			all = append(all, folder)
			if folderVersion, _, ok := version.Extract(filepath.Base(folder)); ok && folderVersion == v {
				named = append(named, folder)
			}
		}
	}
	return named, all
}

// executables returns the executables of a name in folders of versions.
func (r *round) executables(folders []string, name string) []found {
	var globs []string
	for _, folder := range folders {
		for _, bin := range []string{"bin", "*/bin"} {
			globs = append(globs, filepath.Join(host.EscapeGlob(folder), bin, host.EscapeGlob(name)))
		}
	}
	out, _ := r.locate(host.LocateLimit, globs)
	for i := range out {
		out[i].shimmed = true
	}
	return out
}

// shimTarget returns the probe of a shim's target: one with the same version and version
// text. It prefers the shim's own version manager, then the first probe. It returns nil if
// shim is not a shim, or its target has no probe.
func shimTarget(shim *probe, others []probe) *probe {
	inFolder := inShims(shim.Path)
	if !inFolder && !isProxy(shim.Path, shim.RealPath) {
		return nil
	}
	root := filepath.Dir(filepath.Dir(shim.Path))
	var best *probe
	for i := range others {
		o := &others[i]
		switch {
		case !o.counts(), o.Version == "", o.RealPath == shim.RealPath, inShims(o.Path):
		case o.printed.version != shim.printed.version, o.printed.raw != shim.printed.raw:
		case !inFolder && (isProxy(o.Path, o.RealPath) || host.Stem(o.Path) != host.Stem(shim.Path)):
			// The target of a proxy for rustc is a file with that stem.
		case best == nil, inFolder && within(o.Path, root) && !within(best.Path, root):
			best = o
		}
	}
	return best
}

// within reports whether a path is below a folder.
func within(path, folder string) bool { return strings.HasPrefix(path, folder+"/") }
