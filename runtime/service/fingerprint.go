package service

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// Host is the machine, as far as it is looked at without running anything;
// *host.LocalHost is one.
type Host interface {
	Lookup(binary string) []host.Candidate
	Resolve(path string) host.Candidate
	// Stat describes a file; its error wraps host.ErrHangs where nothing answers.
	Stat(path string) (fs.FileInfo, error)
	// Locate is what patterns show, as far as limit allows to look.
	Locate(limit int, patterns ...string) host.Located
	// Hanging are the places that do not answer.
	Hanging() []host.Hang
}

var _ Host = (*host.LocalHost)(nil)

// fingerprintOf looks at every place and at files, all at once where the host can.
func fingerprintOf(h Host, w *watch, files []string) fingerprint {
	over := time.Now().Add(lookTime)
	all := func(h Host) fingerprint { return fingerprint{places: w.look(h, over), files: look(h, files)} }
	if local, is := h.(*host.LocalHost); is {
		return host.Glance(local, func(h *host.LocalHost) fingerprint { return all(h) })
	}
	return all(h)
}

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
	binaries []string
	// globs are those of each definition.
	globs [][]string
}

func watchOf(defs []metadata.Definition) watch {
	binaries := map[string]bool{}
	var all [][]string
	var globs map[string]bool
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
		globs = map[string]bool{}
		add(defs[i].Distributions, defs[i].ExecutionConfig)
		for _, v := range defs[i].Versions {
			add(v.Distributions, v.ExecutionConfig)
		}
		if len(globs) > 0 {
			all = append(all, slices.Sorted(maps.Keys(globs)))
		}
	}
	return watch{slices.Sorted(maps.Keys(binaries)), all}
}

// lookTime is how long a round looks whether anything has changed.
const lookTime = 10 * time.Second

// look looks at every place. A binary that is not there is looked for in each
// folder of PATH, which is surer than the folders' times of change: it sees what
// was made executable. What hangs is part of it, so that a round is made when
// that changes.
func (w *watch) look(h Host, over time.Time) (sum [sha256.Size]byte) {
	all := sha256.New()
	for _, b := range w.binaries {
		fmt.Fprintf(all, "binary %q\n", b)
		for _, c := range h.Lookup(b) {
			fmt.Fprintln(all, stamp(h, c))
		}
	}
	share := detect.LooksEach(len(w.globs))
	for _, globs := range append(w.globs[:len(w.globs):len(w.globs)], choices) {
		if time.Now().After(over) {
			// Detecting has a deadline, and says what is slow. This differs each time.
			fmt.Fprintln(all, "not finished at", over)
			break
		}
		located := h.Locate(share, globs...)
		for i, found := range located.Paths {
			fmt.Fprintf(all, "glob %q\n", globs[i])
			for _, path := range found {
				fmt.Fprintln(all, stamp(h, h.Resolve(path)))
			}
		}
	}
	for _, hang := range h.Hanging() {
		fmt.Fprintln(all, hang)
	}
	all.Sum(sum[:0])
	return sum
}

// look looks at files.
func look(h Host, paths []string) map[string]string {
	files := make(map[string]string, len(paths))
	for _, path := range paths {
		files[path] = stamp(h, h.Resolve(path))
	}
	return files
}

// stamp is what tells an executable from another one in its place.
func stamp(h Host, c host.Candidate) string {
	text := fmt.Sprintf("%q %q %q", c.Path, c.RealPath, c.Fault)
	if c.RealPath == "" {
		return text
	}
	info, err := h.Stat(c.RealPath)
	if err != nil {
		return text
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return text
	}
	// Policy looks at the mode and the owners. The time of the last change of any
	// of this is told too: nobody can set it back.
	return text + fmt.Sprintf(" %d %d %d %d %o %d %d %d",
		st.Dev, st.Ino, st.Size, info.ModTime().UnixNano(), st.Mode, st.Uid, st.Gid, changedAt(st))
}

// lookFor looks whether the executables of a document are there.
func lookFor(h Host, caps *capability.Document) map[string]error {
	if caps == nil {
		return nil
	}
	files := map[string]error{}
	for i := range caps.Detected {
		if path := caps.Detected[i].Path; path != "" {
			_, files[path] = h.Stat(path)
		}
	}
	return files
}

// filesOf are the files that a document names, each once, and of shims also the
// file by which pyenv and what was made after it choose a version.
func filesOf(caps *capability.Document) []string {
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
