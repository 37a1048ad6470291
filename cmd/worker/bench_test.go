package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
)

// BenchmarkProcess runs `worker detect` as a whole process, without a database
// and on an embedded file, beside the floor: the commands that it runs, spawned
// bare with the same parallelism. The three take turns, and the differences are
// of their medians. peak-MiB is the process's own, without the tools it runs.
func BenchmarkProcess(b *testing.B) {
	dir := b.TempDir()
	worker := filepath.Join(dir, "worker")
	build(b, worker, ".")
	build(b, filepath.Join(dir, "attune"), "../attune")
	url := "sqlite:" + filepath.Join(dir, "attune.db")
	if out, err := exec.CommandContext(b.Context(), filepath.Join(dir, "attune"), "--database", url, "migrate", "up").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	commands := commandsOf(b, worker)
	var plain, file, floor []time.Duration
	peak := 0
	for b.Loop() {
		took, kib := run(b, worker, "detect", "--json", "--fresh")
		plain, peak = append(plain, took), max(peak, kib)
		took, kib = run(b, worker, "detect", "--json", "--fresh", "--database", url)
		file, peak = append(file, took), max(peak, kib)
		floor = append(floor, spawn(commands, detect.DefaultParallelism()))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(commands)), "commands")
	b.ReportMetric(ms(floor), "ms-floor")
	b.ReportMetric(ms(plain)-ms(floor), "ms-over-floor")
	b.ReportMetric(ms(file)-ms(floor), "ms-over-floor-with-file")
	b.ReportMetric(float64(peak)/1024, "peak-MiB")
}

// BenchmarkProcessRemembered runs `worker detect` as a whole process on a host with twenty
// installations, all remembered, in turns with `worker --version`. The difference is of their
// medians.
func BenchmarkProcessRemembered(b *testing.B) {
	worker := filepath.Join(b.TempDir(), "worker")
	build(b, worker, ".")
	var path []string
	for i := range 20 {
		dir := b.TempDir()
		text := fmt.Sprintf("#!/bin/sh\necho Python 3.12.%d\n", i)
		if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(text), 0o755); err != nil {
			b.Fatal(err)
		}
		path = append(path, dir)
	}
	b.Setenv("PATH", strings.Join(path, ":"))
	b.Setenv("HOME", b.TempDir())
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	run(b, worker, "detect", "--json")
	var whole, version []time.Duration
	for b.Loop() {
		took, _ := run(b, worker, "detect", "--json")
		whole = append(whole, took)
		took, _ = run(b, worker, "--version")
		version = append(version, took)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(whole), "ms-detect")
	b.ReportMetric(ms(version), "ms-version")
	b.ReportMetric(ms(whole)-ms(version), "ms-over-version")
}

func build(b *testing.B, program, pkg string) {
	b.Helper()
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, pkg).CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
}

// run runs the program and gives its time and its own peak of resident memory
// in KiB, as the kernel last told before it ended.
func run(b *testing.B, program string, args ...string) (time.Duration, int) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, args...)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	peak := 0
	for {
		select {
		case err := <-ended:
			if err != nil {
				b.Fatalf("%s: %v: %s", program, err, errOut.String())
			}
			return time.Since(begin), peak
		case <-tick.C:
			peak = max(peak, highWater(cmd.Process.Pid))
		}
	}
}

var highWaterLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// highWater is a process's peak of resident memory in KiB so far; 0 where /proc
// does not tell.
func highWater(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	match := highWaterLine.FindSubmatch(status)
	if match == nil {
		return 0
	}
	kib, _ := strconv.Atoi(string(match[1]))
	return kib
}

// commandsOf are the commands that the program runs on this host, in the
// environment that it gives them.
func commandsOf(b *testing.B, program string) []exec.Cmd {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), program, "detect", "--json", "--explain").Output()
	if err != nil {
		b.Fatal(err)
	}
	var caps capability.Document
	if err := json.Unmarshal(out, &caps); err != nil {
		b.Fatal(err)
	}
	env := host.Local(host.LocalConfig{}).Run(b.Context(), host.Invocation{Path: "/usr/bin/env"})
	var commands []exec.Cmd
	seen := map[string]bool{}
	add := func(attempts []capability.Attempt) {
		for _, a := range attempts {
			args := append([]string{a.Path}, a.Command[1:]...)
			if key := fmt.Sprint(args); a.ExitCode != nil && !seen[key] {
				seen[key] = true
				commands = append(commands, exec.Cmd{Path: a.Path, Args: args, Dir: "/", Env: strings.Fields(string(env.Stdout))})
			}
		}
	}
	for _, d := range caps.Detected {
		add(d.Attempts)
	}
	for _, a := range caps.Undetected {
		add(a.Attempts)
	}
	return commands
}

// spawn runs commands, so many at a time, and reads what they print.
func spawn(commands []exec.Cmd, parallelism int) time.Duration {
	begin := time.Now()
	next := make(chan exec.Cmd)
	var workers sync.WaitGroup
	for range parallelism {
		workers.Go(func() {
			for c := range next {
				cmd := exec.Cmd{Path: c.Path, Args: c.Args, Dir: c.Dir, Env: c.Env}
				_, _ = cmd.CombinedOutput() // some are expected to fail
			}
		})
	}
	for i := range commands {
		next <- exec.Cmd{Path: commands[i].Path, Args: commands[i].Args, Dir: "/", Env: commands[i].Env}
	}
	close(next)
	workers.Wait()
	return time.Since(begin)
}

// ms is the median in milliseconds.
func ms(times []time.Duration) float64 {
	return float64(slices.Sorted(slices.Values(times))[len(times)/2]) / float64(time.Millisecond)
}
