package service

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// A Host is a machine as far as a service looks at it without running anything;
// *host.LocalHost is one.
type Host interface {
	Info() host.Info
	Lookup(binary string) []host.Candidate
	LookupVersioned(binary string) []host.Candidate
	Resolve(path string) host.Candidate
	// Stat describes a file. Its error wraps host.ErrHangs if the file does not answer.
	Stat(path string) (fs.FileInfo, error)
	// Locate returns what matches patterns, among at most limit folder entries.
	Locate(limit int, patterns ...string) host.LocateResult
	// Hanging returns the places that do not answer.
	Hanging() []host.Hang
}

var _ Host = (*host.LocalHost)(nil)

// fingerprintOf looks at every place and file, on a local host in one glance.
func fingerprintOf(h Host, w *watch, files []string) fingerprint {
	over := time.Now().Add(lookTime)
	all := func(h Host) fingerprint { return fingerprint{places: w.look(h, over), files: look(h, files)} }
	if local, ok := h.(*host.LocalHost); ok {
		return host.Glance(local, func(h *host.LocalHost) fingerprint { return all(h) })
	}
	return all(h)
}

// A fingerprint changes if anything changes on which a verification depends: the executables
// by path, real path, inode, size, times and permissions, and the files by which version
// managers choose what a shim runs.
type fingerprint struct {
	// places is a checksum of what PATH and the locations have for the definitions.
	places [sha256.Size]byte
	// files holds the stamps of the files that the last detection named, by path.
	files map[string]string
}

func (f fingerprint) equal(other fingerprint) bool {
	return f.places == other.places && maps.Equal(f.files, other.files)
}

// A watch lists where executables of definitions can be.
type watch struct {
	binaries []string
	// versioned holds the binaries with versioned names.
	versioned []string
	// globs holds the locations of each definition.
	globs [][]string
}

// watchOf returns the watch of definitions.
func watchOf(defs []metadata.Definition) watch {
	binaries, versioned := map[string]bool{}, map[string]bool{}
	var all [][]string
	var globs map[string]bool
	add := func(dist metadata.Distributions, exec metadata.ExecutionConfig) {
		if v := dist.Verification; v != nil {
			for _, c := range v.Commands {
				binaries[c.Binary] = true
				if c.VersionedNames {
					versioned[c.Binary] = true
				}
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
	return watch{slices.Sorted(maps.Keys(binaries)), slices.Sorted(maps.Keys(versioned)), all}
}

// lookTime is the time limit of a round's look at all places.
const lookTime = 10 * time.Second

// look returns a checksum of every place. It looks for a missing binary in each folder of
// PATH, because a folder's time of change does not show that a file became executable. The
// checksum includes the places that hang.
func (w *watch) look(h Host, over time.Time) (sum [sha256.Size]byte) {
	all := sha256.New()
	for _, b := range w.binaries {
		fmt.Fprintf(all, "binary %q\n", b)
		for _, c := range h.Lookup(b) {
			fmt.Fprintln(all, stamp(h, c))
		}
	}
	for _, b := range w.versioned {
		fmt.Fprintf(all, "versions of %q\n", b)
		for _, c := range h.LookupVersioned(b) {
			fmt.Fprintln(all, stamp(h, c))
		}
	}
	share := detect.LooksEach(len(w.globs))
	for _, globs := range append(w.globs[:len(w.globs):len(w.globs)], detect.Choices(), detect.ManagedFolders(h.Info().Path)) {
		if time.Now().After(over) {
			// The next detection reports what is slow. This line differs each time, so it runs.
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

// look returns the stamps of files, by path.
func look(h Host, paths []string) map[string]string {
	files := make(map[string]string, len(paths))
	for _, path := range paths {
		files[path] = stamp(h, h.Resolve(path))
	}
	return files
}

// stamp returns a text that changes if an executable is changed or replaced.
func stamp(h Host, c host.Candidate) string {
	text := fmt.Sprintf("%q %q %q", c.Path, c.RealPath, c.Fault)
	if c.RealPath == "" {
		return text
	}
	info, err := h.Stat(c.RealPath)
	if err != nil {
		return text
	}
	stamp, _ := host.FileStamp(info)
	return text + " " + stamp
}

// lookFor returns the errors of looking at the executables of a document, by path.
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

// filesOf returns the distinct files that a document names. For a shim it adds the file by
// which pyenv and similar managers choose a version.
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
