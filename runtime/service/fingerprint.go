package service

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

// Host is the machine, as far as it is looked at without running anything;
// *host.LocalHost is one.
type Host interface {
	Lookup(binary string) []host.Candidate
	Resolve(path string) host.Candidate
	Glob(pattern string) []string
}

var _ Host = (*host.LocalHost)(nil)

// fingerprint tells whether anything that a verification depends on has changed:
// which executables there are, and which files they are, by path, real path,
// inode, size and time of change.
type fingerprint struct {
	// places is what PATH and the locations show for the definitions.
	places [sha256.Size]byte
	// files are those that the last detection named, by path.
	files map[string]string
}

func (f fingerprint) equal(other fingerprint) bool {
	return f.places == other.places && maps.Equal(f.files, other.files)
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
	for _, g := range w.globs {
		fmt.Fprintf(all, "glob %q\n", g)
		for _, path := range h.Glob(g) {
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
	info, err := os.Stat(c.Path)
	if err != nil {
		return text
	}
	text += fmt.Sprintf(" %d %d", info.Size(), info.ModTime().UnixNano())
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		text += fmt.Sprintf(" %d %d", st.Dev, st.Ino)
	}
	return text
}

// filesOf are the files that a document names, each once.
func filesOf(caps *detect.Capabilities) []string {
	files := map[string]bool{}
	note := func(paths ...string) {
		for _, p := range paths {
			if filepath.IsAbs(p) {
				files[p] = true
			}
		}
	}
	for _, d := range caps.Detected {
		note(d.Path, d.RealPath, d.Shim, d.VersionFile)
		for _, a := range d.Attempts {
			note(a.Path)
		}
	}
	for _, a := range caps.Undetected {
		for _, a := range a.Attempts {
			note(a.Path, a.VersionFile)
		}
	}
	return slices.Sorted(maps.Keys(files))
}
