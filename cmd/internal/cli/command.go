package cli

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"sync"
)

// Command returns what to type for a program of this module: its name, or a call of
// go run if this program was started so, because then the others are in no PATH.
func Command(program string) string { return prefix() + program + suffix() }

var (
	prefix = sync.OnceValue(func() string { before, _ := thisProcess(); return before })
	suffix = sync.OnceValue(func() string { _, after := thisProcess(); return after })
)

func thisProcess() (before, after string) {
	executable, err := os.Executable()
	info, ok := debug.ReadBuildInfo()
	if err != nil || !ok {
		return "", ""
	}
	cmd, err := os.Stat("cmd/" + filepath.Base(executable))
	return around(executable, info, err == nil && cmd.IsDir())
}

// goRun matches a program that go run started: it was just built, or comes from the
// build cache.
var goRun = regexp.MustCompile(`/go-build[0-9]*/b[0-9]+/exe/[^/]+$|/[0-9a-f]{2}/[0-9a-f]{64}-d/[^/]+$`)

// around returns what stands before and after the name of a program in a command
// line. inCheckout is whether the working folder has cmd/NAME.
func around(executable string, info *debug.BuildInfo, inCheckout bool) (before, after string) {
	switch {
	case !goRun.MatchString(executable):
		return "", ""
	case info.Main.Sum != "": // go run PATH@VERSION
		return "go run " + path.Dir(info.Path) + "/", "@" + info.Main.Version
	case inCheckout:
		return "go run ./cmd/", ""
	}
	return "go run " + path.Dir(info.Path) + "/", ""
}

// quoted matches a command line of one of the programs in a text.
var quoted = regexp.MustCompile("`(attune|attune-gen|sensor|worker) ")

// typeable returns the text with its commands as Command has them.
func typeable(text string) string {
	if prefix() == "" {
		return text
	}
	return quoted.ReplaceAllStringFunc(text, func(m string) string {
		return "`" + Command(m[1:len(m)-1]) + " "
	})
}

// typeableWriter is a writer for texts that are written line by line.
type typeableWriter struct{ io.Writer }

func (w typeableWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.Writer, typeable(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
