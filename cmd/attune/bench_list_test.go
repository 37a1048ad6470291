//go:build unix

package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
)

var listWorkers = flag.Int("list-workers", 100_000, "how many workers BenchmarkWorkersList lists")

// BenchmarkWorkersList runs attune as a whole process. Each worker has 28 runtimes, a document and labels. cpu-ms is the CPU time of the process, and peak-MiB its peak of resident memory.
func BenchmarkWorkersList(b *testing.B) {
	program := filepath.Join(b.TempDir(), "attune")
	if out, err := osexec.CommandContext(b.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	db := testdb.Postgres(b)
	fixtures.Fleet(b, db, fixtures.FleetOpts{Workers: *listWorkers})
	rack := (*listWorkers-7)/2000 + 1
	for _, c := range []struct {
		name string
		args []string
		rows int // negative: not counted
	}{
		{"version", []string{"--version"}, -1},
		{"all", []string{"workers", "list"}, *listWorkers},
		{"first-100", []string{"workers", "list", "--limit", "100"}, 100},
		{"first-100-of-a-version", []string{"workers", "list", "--has", "runtime7@>=3.11", "--limit", "100"}, 100},
		{"nobody-has-the-version", []string{"workers", "list", "--has", "runtime7@>=3.50", "--limit", "100"}, 0},
		{"nobody-knows-the-runtime", []string{"workers", "list", "--has", "cobol", "--limit", "100"}, -1},
		{"label-of-a-tenth-and-runtime", []string{"workers", "list", "--label", "zone=z3", "--has", "runtime7@>=3.11", "--limit", "100"}, 100},
		{"label-of-few-and-runtime", []string{"workers", "list", "--label", "rack=r7", "--has", "runtime7"}, rack},
		{"nobody-has-the-label", []string{"workers", "list", "--label", "rack=none"}, 0},
		{"nobody-lacks-the-runtime", []string{"workers", "list", "--lacks", "runtime7"}, 0},
		{"refresh-all-dry-run", []string{"workers", "refresh", "*", "--dry-run"}, -1},
	} {
		b.Run(c.name, func(b *testing.B) {
			var cpu, wall time.Duration
			peak := 0
			for b.Loop() {
				m := measured(b, program, db.URL, c.args)
				if c.rows >= 0 && m.rows != c.rows {
					b.Fatalf("%d workers, want %d", m.rows, c.rows)
				}
				cpu, wall, peak = cpu+m.cpu, wall+m.wall, max(peak, m.peak)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(wall.Milliseconds())/float64(b.N), "ms")
			b.ReportMetric(float64(cpu.Milliseconds())/float64(b.N), "cpu-ms")
			b.ReportMetric(float64(peak)/1024, "peak-MiB")
		})
	}
}

// A measurement is what one run of a program took. peak is in KiB.
type measurement struct {
	cpu, wall  time.Duration
	peak, rows int
}

// measured runs the program with JSON on standard output. Its peak of memory is what the kernel last said before it
// ended, because the figure that a parent gets includes the parent's own.
func measured(b *testing.B, program, url string, args []string) (m measurement) {
	b.Helper()
	cmd := osexec.CommandContext(b.Context(), program, append(args, "--json", "--database", url)...)
	out := &rowCounter{}
	cmd.Stdout, cmd.Stderr = out, io.Discard
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // a runtime that nobody knows is an error
		close(ended)
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-ended:
			running = false
		case <-tick.C:
			m.peak = max(m.peak, highWater(cmd.Process.Pid))
		}
	}
	m.wall, m.cpu, m.rows = time.Since(begin), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), out.rows
	return m
}

// highWater returns a process's peak of resident memory in KiB so far, or 0 where /proc does not tell.
func highWater(pid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kib, _ := strconv.Atoi(fields[1])
			return kib
		}
	}
	return 0
}

// A rowCounter counts workers in the JSON of a list.
type rowCounter struct {
	rows int
	rest []byte // which may hold the beginning of another worker
}

func (c *rowCounter) Write(text []byte) (int, error) {
	const member = `"silent_seconds"`
	c.rest = append(c.rest, text...)
	c.rows += bytes.Count(c.rest, []byte(member))
	if i := bytes.LastIndex(c.rest, []byte(member)); i >= 0 {
		c.rest = c.rest[i+len(member):]
	}
	c.rest = bytes.Clone(c.rest[max(0, len(c.rest)-len(member)):])
	return len(text), nil
}
