package host

import (
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// LocalHost is the machine this program runs on.
type LocalHost struct {
	info Info
	home string
	// vars is the environment the host was made with, by name; base is what
	// every probe gets of it.
	vars  map[string]string
	base  []string
	looks *looks
	// round is what was seen in this round; nil where every look is made anew.
	round *seen
	// within is the look that all looks are part of; nil where each is one.
	within *look

	withheld *withheld
	path     *pathFolders
}

// LocalConfig sets up a LocalHost.
type LocalConfig struct {
	// Environ is the environment as os.Environ gives it, from which PATH, HOME
	// and what a probe may see are taken. Nil is the process's own.
	Environ []string
}

// Local is the real host. It reads the environment once: what is exported
// later is not seen.
func Local(cfg LocalConfig) *LocalHost {
	environ := cfg.Environ
	if environ == nil {
		environ = os.Environ()
	}
	vars := make(map[string]string, len(environ))
	for _, e := range environ {
		// The last of two equal names wins, as in os/exec.
		if k, v, ok := strings.Cut(e, "="); ok && k != "" {
			vars[k] = v
		}
	}
	name, home := account()
	if h := vars["HOME"]; filepath.IsAbs(h) {
		home = filepath.Clean(h)
	}
	h := &LocalHost{
		info:  Info{OS: runtime.GOOS, Arch: runtime.GOARCH, User: name, Path: splitPath(vars["PATH"]), Root: os.Geteuid() == 0},
		home:  home,
		vars:  vars,
		looks: ofProcess,

		withheld: &withheld{},
		path:     &pathFolders{},
	}
	h.base = h.baseEnv()
	return h
}

// Info describes the host.
func (h *LocalHost) Info() Info {
	info := h.info
	info.Path = slices.Clone(info.Path)
	return info
}

// account is the name and home folder of the effective user. A service may run
// under an id that no account has: then the id stands for the name.
func account() (name, home string) {
	uid := strconv.Itoa(os.Geteuid())
	u, err := user.LookupId(uid)
	if err != nil {
		return uid, ""
	}
	return u.Username, u.HomeDir
}

// splitPath is PATH's absolute folders, cleaned, each once. A relative entry
// would make the answer depend on where the service was started.
func splitPath(path string) []string {
	var out []string
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if dir = filepath.Clean(dir); !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	return out
}
