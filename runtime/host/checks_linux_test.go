package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/host"
)

func wantTimeout(stdout string) func(*testing.T, host.Result) {
	return func(t *testing.T, res host.Result) {
		t.Helper()
		if !res.TimedOut || res.Err != nil || res.ExitCode != -1 || res.Signal != "" || !strings.HasPrefix(stdout, string(res.Stdout)) {
			// On a busy machine the command may not have printed by then.
			t.Errorf("got %v, want a timeout and %q", brief(res), stdout)
		}
	}
}

func wantSignal(name, stdout string) func(*testing.T, host.Result) {
	return func(t *testing.T, res host.Result) {
		t.Helper()
		if res.Signal != name || res.ExitCode != -1 || res.Err != nil || res.TimedOut || string(res.Stdout) != stdout {
			t.Errorf("got %v, want the end by %s and %q", brief(res), name, stdout)
		}
	}
}

func wantOutput(stdout string) func(*testing.T, host.Result) {
	return func(t *testing.T, res host.Result) {
		t.Helper()
		if res.ExitCode != 0 || res.Err != nil || res.Truncated || string(res.Stdout) != stdout {
			t.Errorf("got %v, want success and %q", brief(res), stdout)
		}
	}
}

func wantErr(text string, cause error) func(*testing.T, host.Result) {
	return func(t *testing.T, res host.Result) {
		t.Helper()
		if res.Err == nil || !strings.Contains(res.Err.Error(), text) || res.ExitCode != -1 || cause != nil && !errors.Is(res.Err, cause) {
			t.Errorf("got %v, want an error with %q that wraps %v", brief(res), text, cause)
		}
	}
}

func printedPid(t *testing.T, res host.Result) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(string(res.Stdout)))
	if err != nil || res.ExitCode != 0 || res.TimedOut {
		t.Fatalf("got %v, want exit code 0 and a process id", brief(res))
	}
	return pid
}

func wantDeadGrandchild(t *testing.T, res host.Result) {
	t.Helper()
	awaitEnd(t, printedPid(t, res))
}

func wantLiveDaemon(t *testing.T, res host.Result) {
	t.Helper()
	pid := printedPid(t, res)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the daemon is gone (%v): it was nobody's", err)
	}
	awaitEnd(t, pid)
}

// awaitEnd waits until a process, which need not be a child, has ended.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return // it is gone and reaped
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(long.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Errorf("process %d still runs", pid)
		}
		return
	}
}

// leftBehind records this process's files, goroutines and children. The returned function
// fails the test if there are more.
func leftBehind(t *testing.T) func() {
	t.Helper()
	fds, goroutines := openFiles(t), runtime.NumGoroutine()
	return func() {
		t.Helper()
		if kids := children(t); len(kids) > 0 {
			t.Errorf("children are left: %v", kids)
		}
		if got := openFiles(t); got != fds {
			t.Errorf("%d files are open, before it were %d", got, fds)
		}
		// Goroutines may take a moment to return.
		for i := 0; runtime.NumGoroutine() > goroutines && i < 100_000; i++ {
			runtime.Gosched()
		}
		if got := runtime.NumGoroutine(); got > goroutines {
			t.Errorf("%d goroutines run, before it were %d", got, goroutines)
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// children returns the lines of /proc/*/stat of this process's children, including zombies.
func children(t *testing.T) (lines []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it ended meanwhile
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			lines = append(lines, string(text))
		}
	}
	return lines
}

func processesOf(t *testing.T, exe string) (pids []int) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if target, err := os.Readlink(l); err == nil && target == exe {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(l)))
			pids = append(pids, pid)
		}
	}
	return pids
}
