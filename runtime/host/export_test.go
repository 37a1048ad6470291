//go:build unix

package host

import (
	"strings"
	"time"
)

var (
	StubFault  = stubFault
	SplitWords = splitWords
)

const (
	FaultDirectory  = faultDirectory
	FaultNotRegular = faultNotRegular
	FaultRelative   = faultRelative
	FileLimit       = fileLimit
)

// HasFile reports whether the host has the program's file.
func (p Program) HasFile() bool { return p.file != fileID{} }

// SetVars returns the names in setVars.
func SetVars() (names []string) {
	for _, v := range setVars {
		names = append(names, v.name)
	}
	return names
}

// PassVars returns the names in passVars.
func PassVars() (names []string) {
	for _, v := range passVars {
		names = append(names, v.name)
	}
	return names
}

func SetEndGrace(d time.Duration) { endGrace = d }

func (w word) Text() string { return w.text }
func (w word) Quoted() bool { return w.quoted }

func Redact(home, user string, commands []string, text string) string {
	names := map[string]bool{}
	for _, c := range commands {
		names[c] = true
	}
	return newRedactor(home, user, names).text(text)
}

// WriteRun returns the recording of one command, with its output also in a file.
func WriteRun(path string, args []string, stdout string) (string, error) {
	r := NewRecorder(Local(LocalConfig{Environ: []string{}}))
	r.local.home, r.local.info.User = "", "root" // nothing is replaced
	r.binaries[path] = &recordedBinary{path: path, runs: []recordedRun{{args: args, stdout: stdout}}}
	r.files["/opt/tool/file"] = stdout
	var b strings.Builder
	_, err := r.WriteTo(&b)
	return b.String(), err
}

// SetLooks gives a host looks of its own, with a hook before each of them.
func SetLooks(h *LocalHost, patience time.Duration, hook func(place string)) {
	h.looks = newLooks()
	h.looks.patience, h.looks.hook = patience, hook
}

// AgeFolders empties the cache of PATH's folders.
func AgeFolders(h *LocalHost) {
	h.path.mu.Lock()
	defer h.path.mu.Unlock()
	h.path.folders = nil
}

// SetPatience sets the time after which a place hangs.
func SetPatience(h *LocalHost, patience time.Duration) { h.looks.patience = patience }

// WaitForLooks waits until no more looks can begin.
func WaitForLooks(h *LocalHost) {
	for len(h.looks.slots) < cap(h.looks.slots) {
		time.Sleep(time.Millisecond)
	}
}
