package cli

import (
	"cmp"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"sync"
)

// Command returns what to type for a program of this module. That is its name, or its name in the
// Debian package if this program was installed by it. If this program was started by go run, it is
// a call of go run, because the others are not in PATH then.
func Command(program string) string { return command()(program) }

// command returns the function that turns the name of a program into what to type, as for this process.
var command = sync.OnceValue(func() func(program string) string {
	executable, err := os.Executable()
	info, ok := debug.ReadBuildInfo()
	if err != nil || !ok {
		return byName
	}
	cmd, err := os.Stat("cmd/" + filepath.Base(executable))
	return commandOfProcess(executable, info, err == nil && cmd.IsDir())
})

func byName(program string) string { return program }

// packaged has the names of the programs in the Debian package: the platform has a program
// attune of its own.
var packaged = map[string]string{"attune": "attunectl", "worker": "attune-worker", "sensor": "attune-sensor"}

func byPackage(program string) string { return cmp.Or(packaged[program], program) }

// goRun matches a program that go run started: it was just built, or comes from the
// build cache.
var goRun = regexp.MustCompile(`/go-build[0-9]*/b[0-9]+/exe/[^/]+$|/[0-9a-f]{2}/[0-9a-f]{64}-d/[^/]+$`)

// commandOfProcess returns the function that turns the name of a program into what to type.
// inCheckout reports whether the working folder has cmd/NAME.
func commandOfProcess(executable string, info *debug.BuildInfo, inCheckout bool) func(program string) string {
	name := filepath.Base(executable)
	before, after := "go run "+path.Dir(info.Path)+"/", ""
	switch {
	case slices.Contains(slices.Collect(maps.Values(packaged)), name):
		return byPackage
	case !goRun.MatchString(executable):
		return byName
	case info.Main.Sum != "": // go run PATH@VERSION
		after = "@" + info.Main.Version
	case inCheckout:
		before = "go run ./cmd/"
	}
	return func(program string) string { return before + program + after }
}

// quoted matches a command line of one of the programs in a text.
var quoted = regexp.MustCompile("`(attune|attune-gen|sensor|worker) ")

// typeable returns the text with its commands as Command has them.
func typeable(text string) string {
	return quoted.ReplaceAllStringFunc(text, func(m string) string {
		return "`" + Command(m[1:len(m)-1]) + " "
	})
}

// A typeableWriter is a writer for texts that are written line by line.
type typeableWriter struct{ io.Writer }

func (w typeableWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.Writer, typeable(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
