package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/attune-go/attune/runtime/host"
)

// A Search configures which config file Load reads, and how.
type Search struct {
	// Path names the file. Defaults to the first that exists of the working
	// directory's, the user's and the system's; without any, the File is empty.
	Path string
	// Service leaves the working directory's file out: a service is started in
	// any folder.
	Service bool
	// Strict makes every warning an error.
	Strict bool
	// Getenv reads the environment. Its policy wins over the policy of the file.
	Getenv func(string) string
}

// here is the config file of the working directory.
const here = "attune.yaml"

// Load reads a config file. It refuses a file that somebody other than root and the
// effective user could change, because the file decides what runs. In the working
// directory it passes such a file over, with a warning. The policy of a file in the
// working directory does not count: the owner of the folder would decide what runs.
func Load(s Search) (*File, error) {
	f, err := s.find()
	if err != nil {
		return nil, err
	}
	if s.Strict && len(f.Warnings) > 0 {
		return nil, &Error{Path: cmp.Or(f.Path, here), Faults: f.Warnings}
	}
	f.environment(s.Getenv)
	return f, nil
}

func (s Search) find() (*File, error) {
	if s.Path != "" {
		return read(s.Path)
	}
	places := Places(s.Getenv)
	found, err := foundHere(places)
	if err != nil { // its policy would not count
		f, otherErr := s.first(places)
		if otherErr == nil {
			f.Warnings = append(f.Warnings, err.Error()+"; it is left out")
		}
		return f, otherErr
	}
	if !found || s.Service {
		f, err := s.first(places)
		if err == nil && found {
			f.Note = here + " in the working directory is not read by a service; --config names it"
		}
		return f, err
	}
	f, err := read(here)
	var unprotected *host.UnprotectedError
	if errors.As(err, &unprotected) || errors.Is(err, fs.ErrPermission) {
		other, otherErr := s.first(places)
		if otherErr == nil {
			other.Warnings = append(other.Warnings, fmt.Sprintf("%s is not read: %s", here, because(err)))
		}
		return other, otherErr
	}
	if err != nil {
		return nil, err
	}
	return f, s.otherPolicy(f, places)
}

// first reads the first of places that exists. A file that cannot be read is an
// error, also if its folder hangs: its policy would not count.
func (s Search) first(places []string) (*File, error) {
	for _, place := range places {
		f, err := read(place)
		switch {
		case absent(err):
		case err != nil && place != systemFile:
			where := fmt.Sprintf("HOME is %q, XDG_CONFIG_HOME %q", s.Getenv("HOME"), s.Getenv("XDG_CONFIG_HOME"))
			if errors.Is(err, host.ErrHangs) {
				where += "; what may run here could be written there: name another file with --config, " +
					"or set XDG_CONFIG_HOME to a folder that answers"
			}
			return nil, fmt.Errorf("%w (%s)", err, where)
		case err != nil:
			return nil, err
		default:
			return f, nil
		}
	}
	return &File{Origins: map[string]Origin{}}, nil
}

// otherPolicy replaces the policy of the working directory's file by the policy of
// the file that would be read without it.
func (s Search) otherPolicy(f *File, places []string) error {
	if f.dropPolicy() {
		f.Warnings = append(f.Warnings, fmt.Sprintf("policy in %[1]s is not heeded, because the owner of this folder would decide "+
			"what runs here; to use it, give --config %[1]s", here))
	}
	other, err := s.first(places)
	if err != nil {
		return err
	}
	f.Policy, f.Warnings = other.Policy, append(f.Warnings, other.Warnings...)
	for key, origin := range other.Origins {
		if strings.HasPrefix(key, policyPrefix) {
			f.Origins[key] = origin
		}
	}
	return nil
}

const policyPrefix = "policy."

// dropPolicy forgets the policy of a file, and reports whether there was any.
func (f *File) dropPolicy() bool {
	before := len(f.Origins)
	maps.DeleteFunc(f.Origins, func(key string, _ Origin) bool { return strings.HasPrefix(key, policyPrefix) })
	f.Policy = Policy{}
	return len(f.Origins) < before
}

// systemFile is the system's config file. packaging/build sets another path, because a platform has a
// file of this name.
var systemFile = "/etc/attune/attune.yaml"

// Places returns the paths where a config file is looked for, besides the working
// directory: in the user's folder and in the system's.
func Places(getenv func(string) string) []string {
	var places []string
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		places = append(places, filepath.Join(dir, "attune", here))
	} else if home := getenv("HOME"); filepath.IsAbs(home) {
		places = append(places, filepath.Join(home, ".config", "attune", here))
	}
	return append(places, systemFile)
}

// Elsewhere reports whether the file was found in the working directory, and was not
// named.
func (f *File) Elsewhere() bool { return f.Path == here }

// foundHere reports whether the working directory has a config file that is not
// one of places: in /etc/attune, ./attune.yaml is the system's file. The error
// means that the folder does not answer.
func foundHere(places []string) (bool, error) {
	info, err := host.Stat(here)
	if errors.Is(err, host.ErrHangs) {
		return false, fmt.Errorf("look for a config file: %w", err)
	}
	found := err == nil
	for _, place := range places {
		other, err := host.Stat(place)
		found = found && !(err == nil && os.SameFile(info, other))
	}
	return found, nil
}

// absent reports whether an error means that a file does not exist. HOME may be
// /dev/null.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// sizeLimit is more than any config file needs.
const sizeLimit = 1 << 20

// contents returns the text of a file that only root and the user can change.
func contents(path string) ([]byte, error) {
	f, err := host.OpenProtected(path)
	if errors.Is(err, host.ErrNotRegular) {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it is only read
	data, err := io.ReadAll(io.LimitReader(f, sizeLimit+1))
	if len(data) > sizeLimit {
		return nil, fmt.Errorf("%s: must have at most %d bytes", path, sizeLimit)
	}
	return data, err
}

// readTime is how long a config file may take to be read.
const readTime = 5 * time.Second

func read(path string) (*File, error) {
	data, err := host.Within(readTime, path, func() ([]byte, error) { return contents(path) })
	var unprotected *host.UnprotectedError
	if errors.As(err, &unprotected) {
		return nil, fmt.Errorf("config file %s is refused: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read config file: %w", err)
	}
	f, err := Parse(path, data)
	if err != nil {
		return nil, err
	}
	for i, dir := range f.Policy.TrustedPacks {
		if !filepath.IsAbs(dir) {
			f.Policy.TrustedPacks[i] = filepath.Join(filepath.Dir(path), dir)
		}
	}
	return f, nil
}

// because returns the reason why the working directory's file is not read.
func because(err error) string {
	var unprotected *host.UnprotectedError
	if errors.As(err, &unprotected) {
		return unprotected.Error()
	}
	return err.Error()
}
