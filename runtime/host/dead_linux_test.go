package host_test

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/fixtures/deadmount"
	"github.com/attune-go/attune/runtime/host"
)

// TestDeadMount makes every look into a file system without an answering server, and again
// after it is unmounted.
func TestDeadMount(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/bin/tool", "#!/bin/sh\nexit 0\n", 0o755)
	put(t, dir+"/bin/script", "#!"+dir+"/mnt/bin/sh\n", 0o755)
	link(t, dir+"/mnt/bin/linked", dir+"/bin/linked")
	if err := os.Mkdir(dir+"/mnt", 0o755); err != nil {
		t.Fatal(err)
	}
	release := deadmount.Mount(t, dir+"/mnt")
	h := withPath(dir+"/mnt/home", dir+"/mnt/bin", dir+"/mnt/sbin", dir+"/mnt/a", dir+"/mnt/b", dir+"/mnt/c", dir+"/bin")
	if got := h.Lookup("tool"); len(got) != 6 || got[5].Fault != "" || !errors.Is(got[0].Unseen(), host.ErrHangs) {
		t.Fatalf("Lookup: got %+v, want five that hang and the tool", got)
	}
	if got := h.Resolve(dir + "/bin/linked"); !errors.Is(got.Unseen(), host.ErrHangs) {
		t.Errorf("Resolve of a link into it: got %+v", got)
	}
	got := h.Locate(host.LocateLimit, "~/.pyenv/*/python", dir+"/*/tool", dir+"/mnt/x/y/*")
	if len(got.Paths[1]) != 1 || len(got.Unseen) != 3 {
		t.Errorf("Locate: got %+v", got)
	}
	if p := h.Program(dir + "/mnt/bin/tool"); !strings.Contains(p.Unknown, "does not answer") {
		t.Errorf("Program: got %+v", p)
	}
	if _, err := h.Stat(dir + "/mnt"); !errors.Is(err, host.ErrHangs) {
		t.Errorf("Stat: got %v", err)
	}
	for _, path := range []string{dir + "/mnt/bin/tool", dir + "/bin/script", dir + "/bin/linked"} {
		if res := h.Run(t.Context(), host.Invocation{Path: path, Timeout: time.Minute}); !errors.Is(res.Err, host.ErrHangs) {
			t.Errorf("Run of %s: got %s", path, brief(res))
		}
	}
	// A process that hangs in execve would block both.
	runtime.GC()
	if res := h.Run(t.Context(), host.Invocation{Path: dir + "/bin/tool", Timeout: time.Minute}); res.ExitCode != 0 {
		t.Errorf("Run of what is alive: got %s", brief(res))
	}
	hanging := h.Hanging()
	if len(hanging) == 0 || len(hanging) > 4 || !strings.Contains(hanging[0].Mount, "fuse dead on "+dir+"/mnt") {
		t.Errorf("%v hang, want at most four, with their file system", hanging)
	}
	release()
	for len(h.Hanging()) > 0 {
		runtime.Gosched()
	}
	if c := h.Resolve(dir + "/mnt/bin/tool"); c.Unseen() == nil || errors.Is(c.Unseen(), host.ErrHangs) {
		t.Errorf("a server that has gone is an error, not an absence: got %+v", c)
	}
}

// TestMountedOver: a place that hangs counts again after another file system is mounted there.
func TestMountedOver(t *testing.T) {
	dir := realDir(t)
	if err := os.Mkdir(dir+"/mnt", 0o755); err != nil {
		t.Fatal(err)
	}
	deadmount.Mount(t, dir+"/mnt")
	h := withPath("/", dir+"/mnt")
	if got := h.Lookup("tool"); len(got) != 1 || !errors.Is(got[0].Unseen(), host.ErrHangs) {
		t.Fatalf("got %+v, want that it hangs", got)
	}
	if err := unix.Unmount(dir+"/mnt", unix.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir+"/mnt", "tmpfs", 0, ""); err != nil {
		t.Skip("mount another file system: ", err)
	}
	put(t, dir+"/mnt/tool", "#!/bin/sh\n", 0o755)
	for start := time.Now(); ; runtime.Gosched() {
		host.AgeFolders(h)
		got := h.Lookup("tool")
		if len(got) == 1 && got[0].Fault == "" {
			return
		}
		if time.Since(start) > 20*time.Second {
			t.Fatalf("got %+v, want the tool", got)
		}
	}
}
