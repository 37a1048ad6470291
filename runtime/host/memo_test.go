package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/host"
)

// counted is a script that notes each of its runs; count tells how many.
func counted(t *testing.T, body string) (path string, count func() int) {
	t.Helper()
	notes := filepath.Join(t.TempDir(), "runs")
	return script(t, "echo x >> "+notes+"\n"+body), func() int {
		text, _ := os.ReadFile(notes)
		return strings.Count(string(text), "x")
	}
}

func TestMemoRunsOnce(t *testing.T) {
	path, count := counted(t, "echo $1")
	m := host.NewMemo(host.Local(host.LocalConfig{}))
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			env := []string{"B", "A", "A"}
			if i%2 == 0 {
				env = []string{"A", "B"}
			}
			if res := m.Run(t.Context(), host.Invocation{Path: path, Args: []string{"one"}, Env: env, Timeout: long}); string(res.Stdout) != "one\n" {
				t.Errorf("got %+v", res)
			}
		})
	}
	wg.Wait()
	if got := count(); got != 1 {
		t.Errorf("it ran %d times, want once", got)
	}
	others := []host.Invocation{
		{Path: path, Args: []string{"two"}}, {Path: path, Args: []string{"one"}},
		{Path: path}, {Path: path, Args: []string{""}}, {Path: path, Args: []string{"one", ""}},
	}
	for _, inv := range others {
		m.Run(t.Context(), inv)
	}
	if got := count(); got != 1+len(others) {
		t.Errorf("it ran %d times, want %d: other arguments and another environment are other commands", got, 1+len(others))
	}
}

func TestMemoTimeout(t *testing.T) {
	path, count := counted(t, "[ -e "+t.TempDir()+"/never ] || exec sleep 1000")
	m := host.NewMemo(host.Local(host.LocalConfig{}))
	ask := func(timeout time.Duration) {
		if res := m.Run(t.Context(), host.Invocation{Path: path, Timeout: timeout}); !res.TimedOut {
			t.Errorf("got %+v, want a timeout", res)
		}
	}
	ask(200 * time.Millisecond)
	ask(100 * time.Millisecond)
	ask(200 * time.Millisecond)
	ask(400 * time.Millisecond)
	ask(300 * time.Millisecond)
	if got := count(); got != 2 {
		t.Errorf("it ran %d times, want 2: only who has more time runs it again", got)
	}
}

// TestMemoCancel: who waits for a run that is cancelled runs it himself.
func TestMemoCancel(t *testing.T) {
	dir := t.TempDir()
	started := filepath.Join(dir, "started")
	if err := unix.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	path := script(t, "[ -e "+dir+"/second ] && exec echo done\n> "+dir+"/second; echo go > "+started+"; exec sleep 1000")
	m := host.NewMemo(host.Local(host.LocalConfig{}))
	inv := host.Invocation{Path: path, Timeout: long}
	first, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if res := m.Run(first, inv); !errors.Is(res.Err, context.Canceled) {
			t.Errorf("the first: got %+v, want context.Canceled", res)
		}
	})
	if _, err := os.ReadFile(started); err != nil { // waits for the first
		t.Fatal(err)
	}
	gone, cancelGone := context.WithCancel(t.Context())
	cancelGone()
	if res := m.Run(gone, inv); !errors.Is(res.Err, context.Canceled) {
		t.Errorf("who is cancelled while waiting: got %+v, want context.Canceled", res)
	}
	wg.Go(func() {
		if res := m.Run(t.Context(), inv); string(res.Stdout) != "done\n" {
			t.Errorf("the second: got %+v, want a run of its own", res)
		}
	})
	cancel()
	wg.Wait()
}
