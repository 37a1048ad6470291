//go:build unix

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

// A LocalHost is the machine that this program runs on. Local returns one; its zero value
// cannot be used.
type LocalHost struct {
	info Info
	home string
	// vars is the environment by name; base is the part that every command gets.
	vars  map[string]string
	base  []string
	looks *looks
	// round caches looks during a round; nil disables the cache.
	round *roundCache
	// over is closed when the round has ended; nil outside of one.
	over <-chan struct{}
	// within is the look of a Glance; nil outside of one.
	within *look

	withheld *withheldLog
	path     *pathFolders
}

// Local returns the machine that this program runs on. It reads the environment once.
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
		looks: processLooks,

		withheld: &withheldLog{},
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

// account returns the name and home folder of the effective user. The name of an id
// without an account is the id.
func account() (name, home string) {
	uid := strconv.Itoa(os.Geteuid())
	u, err := user.LookupId(uid)
	if err != nil {
		return uid, ""
	}
	return u.Username, u.HomeDir
}

// splitPath returns the absolute folders of PATH, cleaned, each once. Relative entries
// would make answers depend on the working directory.
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

// baseEnv returns the environment that every probe gets.
func (h *LocalHost) baseEnv() []string {
	env := []string{
		"PATH=" + strings.Join(h.info.Path, string(filepath.ListSeparator)),
		"USER=" + h.info.User,
		"LOGNAME=" + h.info.User,
	}
	home := h.home
	if h.withhold("HOME", home) != "" {
		_, home = account()
	}
	if home != "" {
		env = append(env, "HOME="+home)
	}
	for _, v := range setVars {
		env = append(env, v.name+"="+v.value)
	}
	for _, v := range passVars {
		if value := h.vars[v.name]; value != "" && h.passable(v.name, value) {
			env = append(env, v.name+"="+value)
		}
	}
	return slices.Clip(env)
}

// environ returns the base environment and the named variables.
func (h *LocalHost) environ(names []string) []string {
	env := h.base
	for i, name := range names {
		value, set := h.vars[name]
		if !set || slices.Contains(names[:i], name) || RefusedEnv(name) != "" || !h.passable(name, value) {
			continue
		}
		if passed := func(e string) bool { return strings.HasPrefix(e, name+"=") }; slices.ContainsFunc(h.base, passed) {
			continue
		}
		env = append(env, name+"="+value)
	}
	return env
}
