package host_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEndsWithItsProgram: the command and its children end with a program that is killed.
func TestEndsWithItsProgram(t *testing.T) {
	for _, tt := range []struct{ name, body string }{
		{"the leader", `echo $$ > $0.pids; exec sleep 1000`},
		{"a leader that has closed what it was given", `echo $$ > $0.pids; exec 0<&- 1>&- 2>&- 3<&-; exec sleep 1000`},
		{"its child", `trap '' TERM HUP; sleep 1000 & echo $$ $! > $0.pids; wait`},
		{"a child that has another parent", `(sleep 1000 & echo $$ $! > $0.pids); exec sleep 1000`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The lifeline works only after tie.
			ready := filepath.Join(t.TempDir(), "ready")
			if err := unix.Mkfifo(ready, 0o600); err != nil {
				t.Fatal(err)
			}
			tool := script(t, fmt.Sprintf("until grep -q '^flags:.*20000$' /proc/$$/fdinfo/3; do :; done\n: > %s\n%s", ready, tt.body))
			// $0.pids is a FIFO, so that reading it waits for the command.
			pids := tool + ".pids"
			if err := unix.Mkfifo(pids, 0o600); err != nil {
				t.Fatal(err)
			}
			program := exec.Command(self(t), "be:run", "1h", tool)
			if err := program.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = program.Process.Kill() })
			readAll(t, ready)
			var kin []int
			for _, word := range strings.Fields(readAll(t, pids)) {
				kin = append(kin, atoi(t, word))
			}
			for _, pid := range kin {
				if err := syscall.Kill(pid, 0); err != nil {
					t.Fatalf("process %d does not run (%v): the test shows nothing", pid, err)
				}
			}
			if err := program.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = program.Wait()
			for _, pid := range kin {
				awaitEnd(t, pid)
				if t.Failed() {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		})
	}
}

// TestLeaderEndsWithItsProgram kills programs as soon as their command runs, possibly before
// tie.
func TestLeaderEndsWithItsProgram(t *testing.T) {
	tool := script(t, "echo $$ > $0.pid; exec sleep 1000")
	if err := unix.Mkfifo(tool+".pid", 0o600); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		program := exec.Command(self(t), "be:run", "1h", tool)
		if err := program.Start(); err != nil {
			t.Fatal(err)
		}
		pid := atoi(t, strings.TrimSpace(readAll(t, tool+".pid")))
		if err := program.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = program.Wait()
		awaitEnd(t, pid)
		if t.Failed() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			return
		}
	}
}
