package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/host"
)

// badCommand is a command that misbehaves and its expected result.
type badCommand struct {
	name string
	path func(*testing.T) string
	args []string
	// timeout defaults to long.
	timeout time.Duration
	check   func(*testing.T, host.Result)
}

func badCommands() []badCommand {
	sh := func(body string) func(*testing.T) string {
		return func(t *testing.T) string { return script(t, body) }
	}
	return []badCommand{
		{name: "hangs", path: sh("echo here; exec sleep 1000"), timeout: 300 * time.Millisecond, check: wantTimeout("here\n")},
		{name: "hangs in a child", path: sh("sleep 1000; true"), timeout: 100 * time.Millisecond, check: wantTimeout("")},
		{name: "ignores SIGTERM and all that can be ignored", path: sh("trap '' TERM INT HUP QUIT USR1; echo here; while :; do sleep 1000; done"),
			timeout: 300 * time.Millisecond, check: wantTimeout("here\n")},
		{name: "stops itself", path: sh("kill -STOP $$"), timeout: 100 * time.Millisecond, check: wantTimeout("")},
		{name: "floods both streams without end", path: self, args: []string{"be:flood"}, timeout: time.Second, check: func(t *testing.T, res host.Result) {
			if !res.TimedOut || !res.Truncated || len(res.Stdout) != host.OutputLimit || len(res.Stderr) != host.OutputLimit {
				t.Errorf("got %v, %d and %d bytes; want a timeout, truncated, %d bytes each", brief(res), len(res.Stdout), len(res.Stderr), host.OutputLimit)
			}
		}},
		{name: "prints megabytes and ends", path: sh("head -c 8000000 /dev/zero; head -c 8000000 /dev/zero >&2; exit 3"), check: func(t *testing.T, res host.Result) {
			if res.ExitCode != 3 || !res.Truncated || len(res.Stdout) != host.OutputLimit || len(res.Stderr) != host.OutputLimit {
				t.Errorf("got %v, %d and %d bytes; want exit code 3, truncated", brief(res), len(res.Stdout), len(res.Stderr))
			}
		}},
		{name: "a grandchild keeps the pipe", path: sh("sleep 1000 & echo $!"), check: wantDeadGrandchild},
		{name: "a grandchild keeps the pipe and ignores signals", path: sh("(trap '' TERM HUP; sleep 1000) & echo $!"), check: wantDeadGrandchild},
		{name: "a grandchild leaves the group and keeps all", path: self, args: []string{"be:escape", "output", "3"}, check: wantDeadGrandchild},
		{name: "a grandchild leaves the group and keeps its output", path: self, args: []string{"be:escape", "output"}, check: wantDeadGrandchild},
		{name: "a grandchild leaves the group and keeps the lifeline", path: self, args: []string{"be:escape", "3"}, check: wantDeadGrandchild},
		{name: "a grandchild leaves the group and keeps nothing", path: self, args: []string{"be:escape"}, check: wantLiveDaemon},
		{name: "dies by a signal", path: sh("echo here; kill -SEGV $$"), check: wantSignal("SIGSEGV", "here\n")},
		{name: "kills itself", path: sh("kill -KILL $$"), check: wantSignal("SIGKILL", "")},
		{name: "dies by a real-time signal", path: sh("kill -40 $$"), check: wantSignal("signal 40", "")},
		{name: "prints invalid UTF-8 and escapes", path: sh(`printf '\377\376 \033[31m1.2.3\033[0m\000'`), check: wantOutput("\xff\xfe \x1b[31m1.2.3\x1b[0m\x00")},
		{name: "prints nothing", path: sh(":"), check: wantOutput("")},
		{name: "reads standard input", path: sh("cat; echo end"), check: wantOutput("end\n")},
		{name: "closes its output early and goes on", path: sh("echo here; exec >&- 2>&-; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; exit 7"), check: func(t *testing.T, res host.Result) {
			if res.ExitCode != 7 || res.Signal != "" || string(res.Stdout) != "here\n" {
				t.Errorf("got %v; want exit code 7 and \"here\"", brief(res))
			}
		}},
		{name: "is a directory", path: func(t *testing.T) string { return t.TempDir() }, check: wantErr("may not execute", syscall.EACCES)},
		{name: "is a dangling link", path: func(t *testing.T) string {
			p := filepath.Join(t.TempDir(), "tool")
			link(t, "nowhere", p)
			return p
		}, check: wantErr("gone", syscall.ENOENT)},
		{name: "is not executable", path: func(t *testing.T) string { return file(t, "tool", "#!/bin/sh\n", 0o644) }, check: wantErr("may not execute", syscall.EACCES)},
		{name: "is not there", path: func(*testing.T) string { return "/nonexistent/tool" }, check: wantErr("gone", syscall.ENOENT)},
		{name: "has no #! line", path: func(t *testing.T) string { return file(t, "tool", "echo hello\n", 0o755) }, check: wantErr("without a #! line", syscall.ENOEXEC)},
		{name: "is another machine's program", path: func(t *testing.T) string { return file(t, "tool", foreignELF(t), 0o755) }, check: wantErr("not a program for this machine", syscall.ENOEXEC)},
		{name: "is empty", path: func(t *testing.T) string { return file(t, "tool", "", 0o755) }, check: wantErr("not a program", syscall.ENOEXEC)},
		{name: "has an interpreter that is missing", path: func(t *testing.T) string { return file(t, "tool", "#!/opt/none/bin/ruby -w\n", 0o755) },
			check: wantErr(`needs the interpreter "/opt/none/bin/ruby"`, syscall.ENOENT)},
		{name: "has a loader that is missing", path: otherLoader, check: wantErr(`needs the loader "/lib`, syscall.ENOENT)},
		{name: "is being written", path: beingWritten, check: wantErr("another process is writing the file", syscall.ETXTBSY)},
		{name: "has a NUL in an argument", path: sh(":"), args: []string{"a\x00b"}, check: wantErr("NUL", syscall.EINVAL)},
		{name: "is a relative path", path: func(*testing.T) string { return "bin/tool" }, check: wantErr("path must be absolute", nil)},
	}
}

// TestBadCommands runs each command, with and without pidfd, and checks that it leaves
// nothing behind.
func TestBadCommands(t *testing.T) {
	h := host.Local(host.LocalConfig{})
	h.Run(t.Context(), host.Invocation{Path: "/bin/true"}) // what is set up once, is
	for _, kernel := range []string{"pidfd", "no pidfd"} {
		for _, tt := range badCommands() {
			t.Run(kernel+"/"+tt.name, func(t *testing.T) {
				if kernel == "no pidfd" {
					host.WithoutPidfd(t)
				}
				inv := host.Invocation{Path: tt.path(t), Args: tt.args, Timeout: tt.timeout}
				if inv.Timeout == 0 {
					inv.Timeout = long
				}
				left := leftBehind(t)
				res := h.Run(t.Context(), inv)
				tt.check(t, res)
				left()
			})
		}
	}
}

func TestRunCancel(t *testing.T) {
	h := host.Local(host.LocalConfig{})
	t.Run("while it runs", func(t *testing.T) {
		started := filepath.Join(t.TempDir(), "started")
		if err := unix.Mkfifo(started, 0o600); err != nil {
			t.Fatal(err)
		}
		path := script(t, "echo here; trap '' TERM; sleep 1000 & echo go > "+started+"; wait")
		left := leftBehind(t)
		cause := errors.New("the whole detection was over")
		ctx, cancel := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := os.ReadFile(started); err != nil { // waits for the script
				t.Error(err)
			}
			cancel(cause)
		})
		res := h.Run(ctx, host.Invocation{Path: path, Timeout: long})
		wg.Wait()
		if !errors.Is(res.Err, cause) || res.TimedOut || res.ExitCode != -1 || res.Signal != "" || string(res.Stdout) != "here\n" {
			t.Errorf("got %v, want \"here\" and an error that wraps %q", brief(res), cause)
		}
		left()
	})
	t.Run("before it starts", func(t *testing.T) {
		ran := filepath.Join(t.TempDir(), "ran")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		res := h.Run(ctx, host.Invocation{Path: script(t, "> "+ran)})
		if !errors.Is(res.Err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", brief(res))
		}
		if _, err := os.Stat(ran); err == nil {
			t.Error("the command ran")
		}
	})
	t.Run("by a deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		left := leftBehind(t)
		res := h.Run(ctx, host.Invocation{Path: script(t, "sleep 1000")})
		if !errors.Is(res.Err, context.DeadlineExceeded) || res.TimedOut {
			t.Errorf("got %v, want context.DeadlineExceeded", brief(res))
		}
		left()
	})
}

// TestRunHasNoTerminal: commands cannot reach the terminal of the program.
func TestRunHasNoTerminal(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	defer terminal.Close()
	tty := script(t, "if (: < /dev/tty) 2>/dev/null; then echo terminal; else echo none; fi")
	onTerminal := func(path string, args ...string) string {
		cmd := exec.Command(path, args...)
		cmd.Stdin = terminal
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if got := onTerminal(tty); got != "terminal\n" {
		t.Fatalf("the test has no terminal itself: %s", got)
	}
	if got := onTerminal(self(t), "be:run", "1m", tty); !strings.Contains(got, `exit code 0, error <nil>, output "none\n"`) {
		t.Errorf("got %s, want a command without a terminal", got)
	}
}

// TestRunUnkillable: a setuid program that this user must not kill does not block Run.
func TestRunUnkillable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become another user")
	}
	dir, err := os.MkdirTemp("", "setuid")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "self")
	copyFile(t, self(t), exe, 0o755)
	setuid := filepath.Join(dir, "setuid")
	copyFile(t, self(t), setuid, 0o755|os.ModeSetuid)
	cmd := exec.Command(exe, "be:run", "1s", setuid, "be:root")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	alive := processesOf(t, setuid)
	for _, pid := range alive {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		awaitEnd(t, pid)
	}
	if len(alive) != 1 {
		t.Skipf("%d setuid processes survived: the temporary folder may be mounted nosuid", len(alive))
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.HasPrefix(string(out), "timed out true, exit code -1") {
		t.Errorf("got %s, want a timeout", out)
	}
}

// TestRunFreshlyWritten runs scripts right after they are written, while other commands
// start: a child between fork and exec still has the file open.
func TestRunFreshlyWritten(t *testing.T) {
	h := host.Local(host.LocalConfig{})
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 10 {
				path := filepath.Join(dir, fmt.Sprintf("tool-%d-%d", i, j))
				if err := os.WriteFile(path, []byte("#!/bin/sh\necho $0\n"), 0o755); err != nil {
					t.Error(err)
				}
				if res := h.Run(t.Context(), host.Invocation{Path: path, Timeout: long}); string(res.Stdout) != path+"\n" {
					t.Errorf("got %v", brief(res))
				}
			}
		})
	}
	wg.Wait()
}

func TestRunAsFound(t *testing.T) {
	dir := t.TempDir()
	// A program that acts by its name, as rustup and busybox do. A script would see the
	// path of execve.
	busybox := filepath.Join(dir, "sh")
	link(t, "/bin/bash", busybox)
	if _, err := os.Stat(busybox); err != nil {
		t.Skip("no bash here")
	}
	h := host.Local(host.LocalConfig{})
	res := h.Run(t.Context(), host.Invocation{Path: busybox, Args: []string{"-c", `echo "$0"; pwd; set -o | grep posix; echo "$@"`}})
	if want := busybox + "\n/\nposix          \ton\n\n"; string(res.Stdout) != want {
		t.Errorf("got %q (%v), want %q", res.Stdout, res.Err, want)
	}
	res = h.Run(t.Context(), host.Invocation{Path: "/bin/echo", Args: []string{"$HOME", "a b", "*", ";", ""}})
	if want := "$HOME a b * ; \n"; string(res.Stdout) != want {
		t.Errorf("got %q, want the arguments as they are: %q", res.Stdout, want)
	}
}

func TestRunTruncatesBetweenCharacters(t *testing.T) {
	h := host.Local(host.LocalConfig{})
	res := h.Run(t.Context(), host.Invocation{Path: script(t, "i=0; while [ $i -lt 8000 ]; do printf '日本語日本'; i=$((i+1)); done"), Timeout: long})
	if want := host.OutputLimit - host.OutputLimit%len("日"); !res.Truncated || len(res.Stdout) != want {
		t.Errorf("got %d bytes (%v), want %d", len(res.Stdout), res.Err, want)
	}
}
