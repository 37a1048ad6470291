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
// proxies, which are links to a launcher (rustc links to rustup). The target is the
// installation that gives the same answer.

// shimsFolder is the name of the folder with a version manager's shims. The managed
// versions are beside it.
const shimsFolder = "shims"

func inShims(path string) bool { return filepath.Base(filepath.Dir(path)) == shimsFolder }

// renamed reports whether the file behind a candidate has another stem.
func renamed(path, realPath string) bool {
	return realPath != "" && host.Stem(path) != host.Stem(realPath)
}

// launchers lists programs that run what a link to them is named for.
var launchers = []string{"rustup", "volta-shim", "julialauncher", "mise", "snap"}

// launches reports whether a shim that is a link to a file of another name is a proxy. It
// is if the file is a known launcher, or does not answer as the runtime when it is run by
// its own name: platform-python3.6, nodejs and python3.13t do.
func (r *round) launches(ctx context.Context, w *way, shim *probe) bool {
	if slices.Contains(launchers, filepath.Base(shim.RealPath)) {
		return true
	}
	real := host.Candidate{Path: shim.RealPath, RealPath: shim.RealPath}
	for _, t := range trialsOf(w, lookup{candidates: []host.Candidate{real}, location: shim.location, shimmed: shim.shimmed}) {
		if !slices.Equal(t.argv, shim.Command) {
			continue
		}
		if cmd := t.at(t.lookup); r.cfg.Policy.Decide(cmd, real, r.cfg.Host).Allowed {
			p := probe{Attempt: capability.Attempt{Command: t.argv, Path: shim.RealPath}}
			r.ask(ctx, &p, w, t.command, cmd, real)
			p.learn()
			return p.Outcome != capability.Available && !p.Outcome.CouldNotTell()
		}
	}
	return false
}

// versionFolders are the patterns, beside the folder shims, of the folders in which version
// managers install versions.
var versionFolders = []string{
	"versions/*",   // pyenv and its descendants
	"installs/*/*", // asdf, mise: the tool, then the version
	"tools/*/*",    // proto
}

// ManagedFolders returns patterns of the folders that have the executables of the versions
// beside the folders named shims.
func ManagedFolders(path []string) (globs []string) {
	for _, dir := range path {
		if filepath.Base(dir) == shimsFolder {
			globs = append(globs, managedFolders(filepath.Dir(dir))...)
		}
	}
	return globs
}

// managedFolders returns those of one version manager.
func managedFolders(root string) (globs []string) {
	for _, folder := range versionFolders {
		globs = append(globs, inVersion(filepath.Join(host.EscapeGlob(root), folder))...)
	}
	return globs
}

// inVersion returns patterns of the folders that have the executables of one version.
func inVersion(folder string) []string {
	return []string{filepath.Join(folder, "bin"), filepath.Join(folder, "*/bin")}
}

// inFolders returns patterns of the executables with these names in folders.
func inFolders(folders []string, names ...string) (globs []string) {
	for _, name := range names {
		for _, folder := range folders {
			globs = append(globs, filepath.Join(folder, host.EscapeGlob(filepath.Base(name))))
		}
	}
	return globs
}

// settle finds the target of a shim. If none of the other probes is it, settle probes the
// versions that the shim's manager has installed, and returns the target's probe. It
// fails a shim whose version is not installed, but lets it count if the manager's
// versions cannot be found.
func (r *round) settle(ctx context.Context, w *way, shim *probe, others []probe) []probe {
	if !shim.counts() || shim.Version == "" || !inShims(shim.Path) || r.target(ctx, w, shim, others) != nil {
		return nil
	}
	root, name := filepath.Dir(filepath.Dir(shim.Path)), filepath.Base(shim.Path)
	named, all := r.managedVersions(root, shim.version)
	targets := r.executables(named, name)
	exact := len(targets) > 0
	if !exact {
		// Not every folder is named for the version: jruby-9.4, latest.
		targets = r.executables(all, name)
		exact = len(targets) == 0 && len(named) > 0
	}
	refused := ""
	for _, f := range targets {
		for _, t := range trialsOf(w, f) {
			if d := r.cfg.Policy.Decide(t.at(f), f.candidates[0], r.cfg.Host); !d.Allowed {
				exact = true // possibly
				refused = cmp.Or(refused, deniedTarget(f.candidates[0].Path, d))
				continue
			}
			if hasProbe(others, f.candidates[0]) {
				break
			}
			target := []probe{r.probe(ctx, w, t.command, f)}
			if r.target(ctx, w, shim, target) != nil {
				return target
			}
		}
	}
	if refused != "" && !slices.Contains(shim.warnings, refused) {
		shim.warnings = append(shim.warnings, refused)
	}
	if len(all) > 0 && !exact {
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
func (r *round) executables(folders []string, name string) []lookup {
	var bins []string
	for _, folder := range folders {
		bins = append(bins, inVersion(host.EscapeGlob(folder))...)
	}
	out, _ := r.locate(host.LocateLimit, inFolders(bins, name))
	for i := range out {
		out[i].shimmed = true
	}
	return out
}

// target returns the probe of a shim's target, or nil. It is the installation with the same
// answer: for a proxy the first one of its name, and for a shim in a folder the one that
// ranks highest.
func (r *round) target(ctx context.Context, w *way, shim *probe, others []probe) *probe {
	inFolder := inShims(shim.Path)
	if !inFolder && !renamed(shim.Path, shim.RealPath) {
		return nil
	}
	var best *probe
	highest := 0
	var choice *choice
	for i := range others {
		o := &others[i]
		switch {
		case !o.counts(), o.Version == "", o.RealPath == shim.RealPath, inShims(o.Path):
		case o.printed.version != shim.printed.version, o.printed.raw != shim.printed.raw:
		case inFolder:
			if choice == nil {
				choice = r.choiceOf(w, shim)
			}
			if rank := choice.rank(o, shim); rank > highest {
				best, highest = o, rank
			}
		case renamed(o.Path, o.RealPath) || host.Stem(o.Path) != host.Stem(shim.Path):
			// The target of a proxy for rustc is a file with that stem.
		case best == nil:
			best = o
		}
	}
	if best != nil && !inFolder && !r.launches(ctx, w, shim) {
		return nil
	}
	return best
}

// A choice is what a version manager may run by a shim.
type choice struct {
	// own holds the real paths of its versions' executables.
	own map[string]bool
	// chosen is the real path of the executable that its file version names, or empty.
	chosen string
	// system means that the file names the system's version.
	system bool
}

// rank orders the possible targets of a shim: the chosen version, then the manager's others,
// then what is elsewhere, and in each those whose whole output is equal.
func (c *choice) rank(target, shim *probe) int {
	rank := 1
	switch {
	case c.chosen != "" && target.RealPath == c.chosen:
		rank = 5
	case c.own[target.RealPath] != c.system:
		rank = 3
	}
	if target.printed.text == shim.printed.text {
		rank++
	}
	return rank
}

// choiceOf looks at the versions of a shim's manager. The file by which pyenv and similar
// managers choose a version is read for definitions of trusted packs only.
func (r *round) choiceOf(w *way, shim *probe) *choice {
	root, name := filepath.Dir(filepath.Dir(shim.Path)), filepath.Base(shim.Path)
	out := &choice{own: map[string]bool{}}
	managed, _ := r.locate(host.LocateLimit, inFolders(managedFolders(root), name))
	for _, f := range managed {
		out.own[f.candidates[0].RealPath] = true
	}
	i := slices.IndexFunc(w.commands, func(c *command) bool { return slices.Equal(c.argv, shim.Command) })
	if i < 0 || !r.cfg.Policy.Trusts(w.commands[i].inPath) {
		return out
	}
	_, text, err := r.cfg.Host.ReadInstalled(host.InstalledFile{Executable: filepath.Join(root, name), Path: "version"})
	if err != nil {
		return out
	}
	for _, chosen := range strings.Fields(string(text)) {
		exe := r.cfg.Host.Resolve(filepath.Join(root, "versions", chosen, "bin", name))
		switch {
		case chosen == "system":
			out.system = true
			return out
		case exe.Fault == "" && filepath.Base(chosen) == chosen:
			out.chosen = exe.RealPath
			return out
		}
	}
	return out
}

// within reports whether a path is below a folder.
func within(path, folder string) bool { return strings.HasPrefix(path, folder+"/") }
