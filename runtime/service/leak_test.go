package service_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
)

// usage is what a process could leak.
type usage struct {
	goroutines, files, children int
	heap                        uint64
}

func measure(t *testing.T) usage {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("there is no /proc")
	}
	var u usage
	u.files = len(files)
	u.children = len(children(t))
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.heap = m.HeapAlloc
	u.goroutines = runtime.NumGoroutine()
	return u
}

// children are the processes that this one has started.
func children(t *testing.T) (pids []string) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tasks {
		list, _ := os.ReadFile(path) // a thread may be gone by now
		pids = append(pids, strings.Fields(string(list))...)
	}
	return pids
}

// heapTolerance is what the heap may differ by for no reason: a hundred bytes that
// are lost in each of 10,000 rounds are 1 MiB, and 2 KiB in each full one 400 KiB.
const heapTolerance = 64 << 10

// TestNothingLeaks over 10,000 rounds that change nothing, and over full ones in
// which a probe hangs with a child that holds its output.
func TestNothingLeaks(t *testing.T) {
	if testing.Short() {
		t.Skip("it makes 10,000 rounds on each database")
	}
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		b := newHarness(t, db)
		b.define("alpha", `{"verification": {"commands": [{"binary": "alpha", "args": ["--version"], "timeout": "20ms"}]}}`)
		b.install("alpha", "/bin/sleep 1000 & exec /bin/sleep 1000")
		cfg := b.config()
		cfg.Logger = nil
		cfg.FullEvery = 500
		svc := b.start(cfg)
		rounds := func(n int) {
			for range n {
				b.step(svc)
				b.clock.advance(round)
			}
		}
		rounds(1000)
		before := measure(t)
		rounds(10_000)
		after := measure(t)
		t.Logf("before %+v, after %+v", before, after)
		if after.goroutines > before.goroutines+2 || after.files > before.files+2 || after.children > before.children {
			t.Errorf("it leaks: %+v, then %+v", before, after)
		}
		if after.heap > before.heap+heapTolerance {
			t.Errorf("memory grew by %d KiB", (after.heap-before.heap)>>10)
		}
		svc.Leave(t.Context())
		if left := fmt.Sprint(measure(t).children); left != "0" {
			t.Errorf("%s children are left", left)
		}
	})
}
