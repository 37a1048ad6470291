package service

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

// Host is the machine, as far as it is looked at without running anything;
// *host.LocalHost is one.
type Host interface {
	Lookup(binary string) []host.Candidate
	Resolve(path string) host.Candidate
	Globs(patterns ...string) [][]string
}

var _ Host = (*host.LocalHost)(nil)

// fingerprint tells whether anything that a verification depends on has changed:
// which executables there are, and which files they are, by path, real path,
// inode, size, times of change, and who may do what with them; and what is known
// to choose what a shim runs.
type fingerprint struct {
	// places is what PATH and the locations show for the definitions.
	places [sha256.Size]byte
	// files are those that the last detection named, by path.
	files map[string]string
}

func (f fingerprint) equal(other fingerprint) bool {
	return f.places == other.places && maps.Equal(f.files, other.files)
}

// choices are where version managers are told for a whole user which version
// their shims and proxies run; filesOf has those that lie beside the shims.
var choices = []string{
	"~/.tool-versions",                  // asdf, mise
	"~/.config/mise/config.toml",        // mise
	"~/.rustup/settings.toml",           // rustup
	"~/.volta/tools/user/platform.json", // volta
}

// watch is where executables of definitions are looked for.
type watch struct {
	binaries, globs []string
}

func watchOf(defs []metadata.Definition) watch {
	binaries, globs := map[string]bool{}, map[string]bool{}
	add := func(dist metadata.Distributions, exec metadata.ExecutionConfig) {
		if v := dist.Verification; v != nil {
			for _, c := range v.Commands {
				binaries[c.Binary] = true
			}
			for _, g := range v.Locations {
				globs[g] = true
			}
		}
		if exec.Interpreter != nil && exec.Interpreter.Binary != "" {
			binaries[exec.Interpreter.Binary] = true
		}
	}
	for i := range defs {
		add(defs[i].Distributions, defs[i].ExecutionConfig)
		for _, v := range defs[i].Versions {
			add(v.Distributions, v.ExecutionConfig)
		}
	}
	return watch{slices.Sorted(maps.Keys(binaries)), slices.Sorted(maps.Keys(globs))}
}

// look looks at every place. A binary that is not there is looked for in each
// folder of PATH, which is surer than the folders' times of change: it sees what
// was made executable.
func (w *watch) look(h Host) (sum [sha256.Size]byte) {
	all := sha256.New()
	for _, b := range w.binaries {
		fmt.Fprintf(all, "binary %q\n", b)
		for _, c := range h.Lookup(b) {
			fmt.Fprintln(all, stamp(c))
		}
	}
	globs := slices.Concat(w.globs, choices)
	for i, found := range h.Globs(globs...) {
		fmt.Fprintf(all, "glob %q\n", globs[i])
		for _, path := range found {
			fmt.Fprintln(all, stamp(h.Resolve(path)))
		}
	}
	all.Sum(sum[:0])
	return sum
}

// look looks at files.
func look(h Host, paths []string) map[string]string {
	files := make(map[string]string, len(paths))
	for _, path := range paths {
		files[path] = stamp(h.Resolve(path))
	}
	return files
}

// stamp is what tells an executable from another one in its place.
func stamp(c host.Candidate) string {
	text := fmt.Sprintf("%q %q %q", c.Path, c.RealPath, c.Fault)
	var st unix.Stat_t
	if unix.Stat(c.Path, &st) != nil {
		return text
	}
	// Policy looks at the mode and the owners. The time of the last change of any
	// of this is told too: nobody can set it back.
	return text + fmt.Sprintf(" %d %d %d %d %o %d %d %d",
		st.Dev, st.Ino, st.Size, st.Mtim.Nano(), st.Mode, st.Uid, st.Gid, st.Ctim.Nano())
}

// lookFor looks whether the executables of a document are there.
func lookFor(caps *detect.Capabilities) map[string]error {
	if caps == nil {
		return nil
	}
	files := map[string]error{}
	for i := range caps.Detected {
		if path := caps.Detected[i].Path; path != "" {
			_, files[path] = os.Stat(path)
		}
	}
	return files
}

// filesOf are the files that a document names, each once, and of shims also the
// file by which pyenv and what was made after it choose a version.
func filesOf(caps *detect.Capabilities) []string {
	files := map[string]bool{}
	note := func(paths ...string) {
		for _, p := range paths {
			if !filepath.IsAbs(p) {
				continue
			}
			files[p] = true
			if folder, root := filepath.Dir(p), filepath.Dir(filepath.Dir(p)); filepath.Base(folder) == "shims" {
				files[filepath.Join(root, "version")] = true
			}
		}
	}
	for _, d := range caps.Detected {
		note(d.Path, d.RealPath, d.Shim, d.VersionFile)
		for _, a := range d.Attempts {
			note(a.Path)
		}
	}
	for _, f := range caps.Failed {
		note(f.Path, f.RealPath)
		for _, a := range f.Attempts {
			note(a.VersionFile)
		}
	}
	for _, a := range caps.Undetected {
		for _, a := range a.Attempts {
			note(a.Path, a.VersionFile)
		}
	}
	return slices.Sorted(maps.Keys(files))
}
