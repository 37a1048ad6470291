package detect_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

// BenchmarkDetect detects the core pack on this machine with nothing remembered, beside the floor: the
// commands that it resolves to, spawned bare with the same parallelism; and
// beside the same commands one after the other. The three take turns, and the
// ratios are of their medians.
func BenchmarkDetect(b *testing.B) {
	local := host.Local(host.LocalConfig{})
	defs := packs.Core().Definitions
	commands := commandsOf(b, local, defs)
	file := filepath.Join(b.TempDir(), "verified.json")
	var whole, floor, serial timings
	for b.Loop() {
		whole.time(func() { detectFor(b, local, defs, detect.MemoryConfig{Path: file, Fresh: true}) })
		floor.time(func() { spawn(b, commands, detect.DefaultParallelism()) })
		serial.time(func() { spawn(b, commands, 1) })
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(commands)), "commands")
	b.ReportMetric(whole.ms(), "ms-detect")
	b.ReportMetric(floor.ms(), "ms-floor")
	b.ReportMetric(serial.ms(), "ms-serial")
	b.ReportMetric(whole.ms()/floor.ms(), "x-floor")
	b.ReportMetric(whole.ms()/serial.ms(), "x-serial")
}

// Benchmark1000Definitions detects 1,000 definitions, 900 of them absent
// on the host, beside the floor of the other 100.
func Benchmark1000Definitions(b *testing.B) {
	dir := b.TempDir()
	var defs []metadata.Definition
	for i := range 1000 {
		name := fmt.Sprintf("tool%04d", i)
		if i%10 == 0 {
			if err := os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, "#!/bin/sh\necho %s 1.2.%d\n", name, i), 0o755); err != nil {
				b.Fatal(err)
			}
		}
		defs = append(defs, metadata.Definition{
			Ref: "bench." + name, Name: name,
			Distributions: metadata.Distributions{
				MinVersion: "1.0",
				Verification: &metadata.Verification{
					Commands: []metadata.Command{
						{Binary: name, Args: []string{"--version"}, Pattern: `(?m)^` + name + ` \d+\.\d+`, Priority: metadata.Some(1)},
						{Binary: name + "-alt", Args: []string{"--version"}, Pattern: `(?m)^` + name + ` \d+\.\d+`, Optional: true},
					},
					Locations: []string{"/opt/" + name + "*/bin/" + name},
				},
			},
			ExecutionConfig: metadata.ExecutionConfig{Interpreter: &metadata.Interpreter{Binary: name}},
		})
	}
	local := host.Local(host.LocalConfig{Environ: []string{"PATH=" + os.Getenv("PATH") + ":" + dir, "HOME=" + os.Getenv("HOME")}})
	commands := commandsOf(b, local, defs)
	if len(commands) != 100 {
		b.Fatalf("%d commands are run, want 100", len(commands))
	}
	var whole, floor timings
	for b.Loop() {
		whole.time(func() { detectFor(b, local, defs, detect.MemoryConfig{Fresh: true}) })
		floor.time(func() { spawn(b, commands, detect.DefaultParallelism()) })
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(whole.ms(), "ms-detect")
	b.ReportMetric(floor.ms(), "ms-floor")
	b.ReportMetric(whole.ms()-floor.ms(), "ms-over-floor")
}

func detectFor(b *testing.B, h detect.Host, defs []metadata.Definition, memory detect.MemoryConfig) {
	b.Helper()
	caps, err := newDetector(b, defs, detect.Config{
		Host: h, Policy: detect.StandardPolicy(detect.Commands(defs)), Getenv: noEnvironment, Memory: detect.NewMemory(memory),
	}).Detect(b.Context())
	if err != nil || len(caps.Detected) == 0 {
		b.Fatalf("got %v, error %v", caps, err)
	}
}

// commandsOf returns the commands that detection runs on h, in their order, with their
// environment.
func commandsOf(b *testing.B, h *host.LocalHost, defs []metadata.Definition) []exec.Cmd {
	b.Helper()
	answer := h.Run(b.Context(), host.Invocation{Path: "/usr/bin/env"})
	env := strings.Split(strings.TrimSpace(string(answer.Stdout)), "\n")
	var mu sync.Mutex
	var commands []exec.Cmd
	noting := overridden{Host: h, run: func(ctx context.Context, inv host.Invocation) host.Result {
		mu.Lock()
		commands = append(commands, exec.Cmd{Path: inv.Path, Args: append([]string{inv.Path}, inv.Args...), Dir: "/", Env: env})
		mu.Unlock()
		return h.Run(ctx, inv)
	}}
	detectFor(b, noting, defs, detect.MemoryConfig{})
	return commands
}

// spawn runs commands, a number at a time, and reads their output.
func spawn(b *testing.B, commands []exec.Cmd, parallelism int) {
	b.Helper()
	next := make(chan *exec.Cmd)
	var workers sync.WaitGroup
	for range parallelism {
		workers.Go(func() {
			for template := range next {
				cmd := exec.Cmd{Path: template.Path, Args: template.Args, Dir: template.Dir, Env: template.Env}
				var out, errs bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &errs
				_ = cmd.Run() // some are expected to fail
			}
		})
	}
	for i := range commands {
		next <- &commands[i]
	}
	close(next)
	workers.Wait()
}

// timings holds the durations of repeated runs.
type timings []time.Duration

func (t *timings) time(do func()) {
	begin := time.Now()
	do()
	*t = append(*t, time.Since(begin))
}

// ms returns the median in milliseconds.
func (t *timings) ms() float64 {
	sorted := slices.Sorted(slices.Values(*t))
	return float64(sorted[len(sorted)/2]) / float64(time.Millisecond)
}

// BenchmarkParallelism detects the core pack with different parallelism, in turns. It is the
// reason for DefaultParallelism.
func BenchmarkParallelism(b *testing.B) {
	local := host.Local(host.LocalConfig{})
	counts := []int{1, 2, 4, 8, 16}
	took := make([]timings, len(counts))
	for b.Loop() {
		for i, n := range counts {
			took[i].time(func() {
				d := newDetector(b, packs.Core().Definitions, detect.Config{Host: local, Policy: detect.StandardPolicy(detect.Commands(packs.Core().Definitions)), Getenv: noEnvironment, Parallelism: n})
				if _, err := d.Detect(b.Context()); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, n := range counts {
		b.ReportMetric(took[i].ms(), fmt.Sprintf("ms-with-%d", n))
	}
}
