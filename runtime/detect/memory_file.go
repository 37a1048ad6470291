//go:build unix

package detect

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/host"
)

// Limits of the file of a Memory.
const (
	memoryFormat = 1
	memoryBytes  = 8 << 20
	memoryMost   = 4000 // answers
	// memoryWait bounds the reading and writing of the file.
	memoryWait = 2 * time.Second
)

// A memoryFile is the content of the file of a Memory.
type memoryFile struct {
	Format  int                     `json:"format"`
	Answers map[string]*memoryEntry `json:"answers"`
}

// readMemory returns the answers of a file. A file that is missing, damaged, of another
// format, or not private to this user counts as empty.
func readMemory(path string) map[string]*memoryEntry {
	empty := map[string]*memoryEntry{}
	if path == "" {
		return empty
	}
	file, err := host.Within(memoryWait, path, func() (memoryFile, error) { return openMemory(path) })
	if err != nil || file.Format != memoryFormat || file.Answers == nil {
		return empty
	}
	maps.DeleteFunc(file.Answers, func(_ string, a *memoryEntry) bool { return a == nil })
	return file.Answers
}

func openMemory(path string) (content memoryFile, err error) {
	f, err := host.OpenProtected(path)
	if err != nil {
		return content, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return content, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return content, fmt.Errorf("read %s: it is not private to this user", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, memoryBytes))
	if err != nil {
		return content, err
	}
	err = json.Unmarshal(data, &content)
	return content, err
}

// writeMemory adds answers to a file, and removes nil ones and those that are older than age.
// The folder is made if necessary. Two processes take turns, and a reader sees the file
// before or after.
func writeMemory(path string, fresh map[string]*memoryEntry, age time.Duration, now time.Time) error {
	_, err := host.Within(memoryWait, path, func() (struct{}, error) {
		folder := filepath.Dir(path)
		if err := makePrivate(folder); err != nil {
			return struct{}{}, err
		}
		unlock, err := lockFolder(folder)
		if err != nil {
			return struct{}{}, err
		}
		defer unlock()
		answers := readMemory(path)
		for key, a := range fresh {
			if stored := answers[key]; a == nil {
				delete(answers, key)
			} else if stored == nil || !stored.At.After(a.At) {
				answers[key] = a
			}
		}
		// What another process learned meanwhile is a little later than now.
		maps.DeleteFunc(answers, func(_ string, a *memoryEntry) bool { return now.Sub(a.At).Abs() > age })
		return struct{}{}, replaceFile(path, answers)
	})
	return err
}

// makePrivate makes a folder for this user alone, and checks that others cannot change what
// is in it.
func makePrivate(folder string) error {
	if err := host.ProtectedPlace(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	_, err := host.Protected(folder)
	return err
}

// lockFolder takes the lock of a folder. It waits half of memoryWait for a process that has it.
func lockFolder(folder string) (unlock func(), err error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	for over := time.Now().Add(memoryWait / 2); ; time.Sleep(5 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if time.Now().After(over) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", folder, err), f.Close())
		}
	}
}

// replaceFile writes a file and puts it in the place of the old one. If the answers are too
// many or too long, the oldest are left out.
func replaceFile(path string, answers map[string]*memoryEntry) error {
	keys := slices.SortedFunc(maps.Keys(answers), func(a, b string) int { return answers[b].At.Compare(answers[a].At) })
	content := memoryFile{memoryFormat, map[string]*memoryEntry{}}
	size := 0
	for _, key := range keys[:min(len(keys), memoryMost)] {
		text, err := json.Marshal(answers[key])
		if err != nil {
			return err
		}
		if size += len(key) + len(text) + len(`"":,`); size > memoryBytes/2 {
			break
		}
		content.Answers[key] = answers[key]
	}
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	// This process has the lock, so the name is its own. What an ended one left is replaced.
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := cmp.Or(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return os.Rename(next, path)
}
