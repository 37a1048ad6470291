//go:build unix

package host_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/host"
)

// TestMain lets the test binary act as commands that a shell cannot express.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "be:escape":
			beEscape(os.Args[2:])
			return
		case "be:flood":
			beFlood()
			return
		case "be:run":
			beRun(os.Args[2], os.Args[3], os.Args[4:]...)
			return
		case "be:root":
			beRoot()
			return
		}
	}
	os.Exit(m.Run())
}

// beEscape leaves a child in a session of its own that keeps output, file 3, both or neither.
func beEscape(keeps []string) {
	cmd := exec.Command("/bin/sleep", "1000")
	if slices.Contains(keeps, "output") {
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	}
	if !slices.Contains(keeps, "3") {
		syscall.CloseOnExec(3)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(cmd.Process.Pid)
}

// beFlood writes on both streams until it is killed.
func beFlood() {
	block := []byte(strings.Repeat("flood ", 10_000))
	go func() {
		for {
			os.Stderr.Write(block)
		}
	}()
	for {
		os.Stdout.Write(block)
	}
}

// beRun runs one command on a host of its own, and prints the result.
func beRun(timeout, path string, args ...string) {
	limit, err := time.ParseDuration(timeout)
	if err != nil {
		panic(err)
	}
	host.SetEndGrace(50 * time.Millisecond)
	res := host.Local(host.LocalConfig{}).Run(context.Background(), host.Invocation{Path: path, Args: args, Timeout: limit})
	fmt.Printf("timed out %v, exit code %d, error %v, output %q\n", res.TimedOut, res.ExitCode, res.Err, res.Stdout)
}

// beRoot becomes root, as a setuid program may, and hangs. Its user cannot kill it then.
func beRoot() {
	if err := syscall.Setuid(0); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		time.Sleep(time.Hour)
	}
}

// long is longer than any command of these tests takes. A wrong wait ends in TimedOut.
const long = 60 * time.Second

func brief(res host.Result) string {
	cut := func(b []byte) string { return string(b[:min(len(b), 200)]) }
	return fmt.Sprintf("{exit code %d, signal %q, timed out %v, truncated %v, error %v, stdout %q, stderr %q}",
		res.ExitCode, res.Signal, res.TimedOut, res.Truncated, res.Err, cut(res.Stdout), cut(res.Stderr))
}

// self returns the path of the test binary.
func self(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// file writes a file into a new folder.
func file(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	put(t, path, text, mode)
	return path
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // the umask does not matter
		t.Fatal(err)
	}
}

// script writes an executable shell script.
func script(t *testing.T, body string) string {
	t.Helper()
	return file(t, "tool", "#!/bin/sh\n"+body+"\n", 0o755)
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func recorded(t *testing.T, text string) *host.RecordedHost {
	t.Helper()
	r, err := host.Parse("host.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
