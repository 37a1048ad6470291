package detect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"time"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// choices lists the files by which version managers choose what their shims run for a user,
// and the versions of launchers.
var choices = []string{
	"~/.tool-versions", "/.tool-versions", "$ASDF_CONFIG_FILE/", "~/.asdfrc", // asdf, mise
	"/.*-version", // pyenv, rbenv and their kin look in the working directory too
	"~/.config/mise/config.toml", "~/.config/mise/conf.d/*.toml", "$XDG_CONFIG_HOME/mise/config.toml",
	"$MISE_CONFIG_DIR/config.toml", "/mise.toml",
	"~/.rustup/settings.toml", "$RUSTUP_HOME/settings.toml",
	"~/.volta/tools/user/platform.json", "$VOLTA_HOME/tools/user/platform.json",
	"~/.julia/juliaup/juliaup.json", "$JULIAUP_DEPOT_PATH/juliaup/juliaup.json",
	"/snap/*/current", "/var/lib/snapd/snap/*/current",
}

// Choices returns patterns of the files by which version managers choose what their shims run
// for a user.
func Choices() []string { return append([]string(nil), choices...) }

// toolchains lists the folders with the executables of launchers outside of folders shims.
var toolchains = []string{"~/.rustup/toolchains/*/bin", "$RUSTUP_HOME/toolchains/*/bin"}

// settleTime is longer than the time in which a file system gives two changes the same time,
// and coarseSettleTime the same for one that counts seconds.
const (
	settleTime       = 20 * time.Millisecond
	coarseSettleTime = 2 * time.Second
)

// A mark identifies a command in the state of its files.
type mark struct {
	key string // empty if the state cannot be seen
	// changed is the latest change of a file.
	changed time.Time
}

// mark returns the mark of a command.
func (r *round) mark(w *way, cmd host.Command, exe host.Candidate, inv host.Invocation) mark {
	local, is := r.cfg.Host.(*host.LocalHost)
	if r.cfg.Memory == nil || !is {
		return mark{}
	}
	f, ok := local.Fingerprint(inv, r.dependencies(w, cmd, exe)...)
	if !ok {
		return mark{}
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %x", attune.Version, w.digest(), r.cfg.Policy.Digest(), f.Sum))
	return mark{hex.EncodeToString(sum[:]), f.Changed}
}

// dependencies returns patterns of the files on which the answer of an executable depends,
// besides the executable: the version file and, for a shim, what chooses its target and what
// the target may be.
func (r *round) dependencies(w *way, cmd host.Command, exe host.Candidate) (also []string) {
	if w.versionFile != nil && exe.RealPath != "" && r.cfg.Policy.MayRead(cmd) {
		also = append(also, host.EscapeGlob(filepath.Join(filepath.Dir(exe.RealPath), w.versionFile.path)))
	}
	if !inShims(exe.Path) && !renamed(exe.Path, exe.RealPath) {
		return also
	}
	also = append(also, choices...)
	name := filepath.Base(exe.Path)
	for _, c := range r.lookups.find(name) {
		also = append(also, host.EscapeGlob(c.Path))
	}
	also = append(also, inFolders(toolchains, name)...)
	if inShims(exe.Path) {
		root := filepath.Dir(filepath.Dir(exe.Path))
		also = append(also, host.EscapeGlob(filepath.Join(root, "version")))
		also = append(also, inFolders(managedFolders(root), name)...)
	}
	return also
}

// settleFiles waits until a change of the command's files would show in their times, and reports
// whether it would. If they changed since the round began, another definition may have started
// the command before.
func (r *round) settleFiles(m mark) bool {
	age := time.Since(m.changed)
	switch {
	case age < 0, m.changed.After(r.began): // or a clock was set back
		return false
	case m.changed.Nanosecond() == 0:
		return age >= coarseSettleTime
	case age < settleTime:
		time.Sleep(settleTime - age)
	}
	return true
}

// run returns the answer of a command, and how to remember it. It starts the command unless
// the answer is remembered.
func (r *round) run(
	ctx context.Context, p *probe, w *way, c *command, cmd host.Command, exe host.Candidate,
) (host.Result, output) {
	env, _ := r.cfg.Policy.Env(cmd)
	inv := host.Invocation{Path: exe.Path, Args: c.Args, Env: env, Timeout: c.timeout}
	m := r.mark(w, cmd, exe, inv)
	if m.key == "" {
		return r.turns.run(ctx, w.ref, r.cfg.Policy.Trusts(cmd), inv)
	}
	memory := r.cfg.Memory
	if a := memory.recall(m.key, r.cfg.Now()); a != nil {
		p.Remembered, p.at = true, a.At.UTC().Truncate(time.Second)
		out := output{text: a.Output, excerpt: excerpt(a.Output, capability.ExcerptLimit)}
		return host.Result{ExitCode: a.ExitCode, Duration: a.Duration}, out
	}
	settled := r.settleFiles(m)
	res, out := r.turns.run(ctx, w.ref, r.cfg.Policy.Trusts(cmd), inv)
	p.remember = func() {
		failed := res.Err != nil || res.TimedOut || res.Signal != "" || res.ExitCode != c.ExitCode
		if failed || !settled || p.Outcome.CouldNotTell() || out.unreadable != "" || len(out.text) > outputMax {
			memory.keep(m.key, nil)
			return
		}
		memory.keep(m.key, &memoryEntry{
			Path: inv.Path, At: r.cfg.Now(), SinceBoot: host.SinceBoot(), Duration: res.Duration, ExitCode: res.ExitCode, Output: out.text,
		})
	}
	return res, out
}

// learn remembers the answer of a probe whose outcome is final.
func (p *probe) learn() {
	if p.remember != nil {
		p.remember()
		p.remember = nil
	}
}
