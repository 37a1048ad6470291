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

// A shim is an executable that runs another one. Two kinds are known by what
// they look like, whoever made them: what lies in a folder named shims (pyenv,
// rbenv, nodenv, jenv, asdf, mise), and a proxy, a link whose file has another
// name than the link (rustc is rustup). What a shim runs is the installation
// that answers as it does.

// shimsFolder is the name of the folder of a version manager's shims; beside it
// are the versions that they run.
const shimsFolder = "shims"

func inShims(path string) bool { return filepath.Base(filepath.Dir(path)) == shimsFolder }

// proxy reports whether the file behind a candidate has a name of its own.
func proxy(path, realPath string) bool { return realPath != "" && stem(path) != stem(realPath) }

// keeping is where, beside the folder shims, version managers keep versions:
// a folder for each, and in it the executables.
var keeping = []string{
	"versions/*",   // pyenv and what was made after it
	"installs/*/*", // asdf, mise: the tool, then the version
	"tools/*/*",    // proto
}

// settle finds what a shim runs. Where none of the others answers as it does,
// that is looked for among the versions that its manager keeps; it is given
// back. A shim that answers for a version that is not there counts for nothing.
// Where a manager keeps its versions is not always known: then it counts.
func (r *round) settle(ctx context.Context, w *way, shim *probed, others []probed) []probed {
	if !shim.counts() || shim.Version == "" || !inShims(shim.Path) || answering(shim, others) != nil {
		return nil
	}
	root, name := filepath.Dir(filepath.Dir(shim.Path)), filepath.Base(shim.Path)
	named, all := r.kept(root, shim.version)
	homes := r.homes(named, name)
	there := len(homes) > 0
	if !there {
		// Not every folder is named for the version: jruby-9.4, latest.
		homes = r.homes(all, name)
		there = len(homes) == 0 && len(named) > 0
	}
	refused := ""
	for _, f := range homes {
		if probedAlready(f.candidates[0], others) {
			continue
		}
		for _, t := range trialsOf(w, f) {
			if d := r.cfg.Policy.Decide(t.at(f), f.candidates[0], r.cfg.Host); !d.Allowed {
				there = true // perhaps
				refused = cmp.Or(refused, denied(f.candidates[0].Path, d))
				continue
			}
			home := []probed{r.probe(ctx, w, t.command, f)}
			if answering(shim, home) != nil {
				return home
			}
		}
	}
	if refused != "" && !slices.Contains(shim.warnings, refused) {
		shim.warnings = append(shim.warnings, refused)
	}
	if len(all) > 0 && !there {
		shim.end(capability.NotFound, fmt.Sprintf("it is a shim that answers for %s, and there is no such version in %s", shim.Version, root),
			fmt.Sprintf("install %s again, or choose a version that is there", shim.Version))
	}
	return nil
}

// denied is the warning of a shim of which policy does not let be asked what it
// runs.
func denied(path string, d host.Decision) string {
	text := fmt.Sprintf("it is a shim, and counts as itself: the host's policy denies asking what it may run, %s: %s", path, d.Reason)
	if d.Allow != "" || d.Replaceable {
		text += "; " + allowHint(d)
	}
	return text
}

// kept are the folders of versions that a version manager keeps in root: those
// that are named for v, and all.
func (r *round) kept(root string, v version.Version) (named, all []string) {
	for _, pattern := range keeping {
		for _, folder := range r.cfg.Host.Glob(filepath.Join(host.EscapeGlob(root), pattern)) {
			all = append(all, folder)
			if of, _, ok := version.Extract(filepath.Base(folder)); ok && of == v {
				named = append(named, folder)
			}
		}
	}
	return named, all
}

// homes are the executables of a name in folders of versions.
func (r *round) homes(folders []string, name string) []found {
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

// answering is the installation that a shim runs, of those that have been
// probed: one of the same version that says it in the same words. Of several it
// is the one of the shim's own version manager, else the first. Nil is none: it
// is no shim, or nobody knows of what.
func answering(shim *probed, others []probed) *probed {
	inFolder := inShims(shim.Path)
	if !inFolder && !proxy(shim.Path, shim.RealPath) {
		return nil
	}
	root := filepath.Dir(filepath.Dir(shim.Path))
	var best *probed
	for i := range others {
		o := &others[i]
		switch {
		case !o.counts(), o.version != shim.version, o.Version == "", o.RealPath == shim.RealPath, inShims(o.Path):
		case o.VersionFile == "" && shim.VersionFile == "" && o.VersionRaw != shim.VersionRaw:
		case !inFolder && (proxy(o.Path, o.RealPath) || stem(o.Path) != stem(shim.Path)):
			// A proxy for rustc runs an executable that really is a rustc.
		case best == nil, inFolder && within(o.Path, root) && !within(best.Path, root):
			best = o
		}
	}
	return best
}

// within reports whether a path is below a folder.
func within(path, folder string) bool { return strings.HasPrefix(path, folder+"/") }
