//go:build unix

package detect_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

func TestSameCommandRunsOnce(t *testing.T) {
	dir := t.TempDir()
	count := filepath.Join(dir, "count")
	script(t, dir, "tool", "echo run >>"+count+"; echo tool 1.2.3")
	var defs []metadata.Definition
	for i := range 30 {
		d := tool(t, "tool", "")
		d.Ref = fmt.Sprintf("acme.tool%d", i)
		defs = append(defs, d)
	}
	caps := detectOn(t, localWith(dir), detect.Config{Policy: openPolicy(t), Parallelism: 8}, defs...)
	if len(caps.Detected) != len(defs) {
		t.Errorf("%d of %d are detected", len(caps.Detected), len(defs))
	}
	lines, err := os.ReadFile(count)
	if err != nil {
		t.Fatal(err)
	}
	if string(lines) != "run\n" {
		t.Errorf("it ran %d times, want once", strings.Count(string(lines), "\n"))
	}
}

// A file in PATH is not run again for a location that matches it under any name.
func TestLocationsRunNothingTwice(t *testing.T) {
	base := recorded(t, `
host: {os: linux, arch: amd64, path: [/usr/bin]}
binaries:
  - {path: /opt/a/tool, runs: [{args: [--version], stdout: tool 1.0.0}]}
  - {path: /opt/b/tool, runs: [{args: [--version], stdout: tool 2.0.0}]}
links: {/usr/bin/tool: /opt/a/tool}
`)
	var mu sync.Mutex
	var ran []string
	h := overridden{Host: base, run: func(ctx context.Context, inv host.Invocation) host.Result {
		mu.Lock()
		defer mu.Unlock()
		ran = append(ran, inv.Path)
		return base.Run(ctx, inv)
	}}
	d := tool(t, "tool", "")
	d.Distributions.Verification.Locations = []string{"/opt/*/tool", "/opt/b/*"}
	caps := detectOn(t, h, detect.Config{}, d)
	slices.Sort(ran)
	if want := []string{"/opt/b/tool", "/usr/bin/tool"}; !slices.Equal(ran, want) || len(caps.Detected) != 2 {
		t.Errorf("it ran %q and found %d, want %q and 2", ran, len(caps.Detected), want)
	}
}

func TestLookupIsAskedOnce(t *testing.T) {
	var mu sync.Mutex
	lookups := map[string]int{}
	base := withTools(t, "tool")
	h := overridden{Host: base, lookup: func(binary string) []host.Candidate {
		mu.Lock()
		defer mu.Unlock()
		lookups[binary]++
		return base.Lookup(binary)
	}}
	other := tool(t, "tool", "")
	other.Ref, other.ExecutionConfig = "acme.other", metadata.ExecutionConfig{Interpreter: &metadata.Interpreter{Binary: "tool"}}
	detectOn(t, h, detect.Config{}, tool(t, "tool", ""), other, tool(t, "absent", ""))
	if lookups["tool"] != 1 || lookups["absent"] != 1 {
		t.Errorf("look-ups: %v, want one each", lookups)
	}
}

// Each run waits until the allowed number of commands runs. Fewer would never end, and more
// are counted.
func TestParallelismIsReachedAndKept(t *testing.T) {
	const limit, total = 3, 9
	var names []string
	var defs []metadata.Definition
	for i := range total {
		names = append(names, fmt.Sprintf("tool%d", i))
		defs = append(defs, tool(t, names[i], ""))
	}
	var mu sync.Mutex
	running, most := 0, 0
	full := make(chan struct{})
	base := withTools(t, names...)
	h := overridden{Host: base, run: func(ctx context.Context, inv host.Invocation) host.Result {
		mu.Lock()
		running++
		most = max(most, running)
		if running == limit {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-full
		res := base.Run(ctx, inv)
		mu.Lock()
		running--
		mu.Unlock()
		return res
	}}
	caps := detectOn(t, h, detect.Config{Parallelism: limit}, defs...)
	if most != limit || len(caps.Detected) != total {
		t.Errorf("at most %d ran at a time and %d are detected, want %d and %d", most, len(caps.Detected), limit, total)
	}
}

func TestDetectionHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := withTools(t, "quick", "stuck")
		h := overridden{Host: base, run: func(ctx context.Context, inv host.Invocation) host.Result {
			if inv.Path == "/usr/bin/stuck" {
				<-ctx.Done()
				return host.Result{ExitCode: -1, Err: fmt.Errorf("run %s: %w", inv.Path, context.Cause(ctx))}
			}
			return base.Run(ctx, inv)
		}}
		begin := time.Now()
		caps := detectOn(t, h, detect.Config{}, tool(t, "quick", ""), tool(t, "stuck", `, "timeout": "5m"`))
		if got := time.Since(begin); got != detect.DefaultTimeout {
			t.Errorf("it took %v, want %v", got, detect.DefaultTimeout)
		}
		got := outcomes(caps)
		if got["acme.quick"] != capability.Available || got["acme.stuck"] != capability.Timeout {
			t.Errorf("outcomes are %v, want quick available and stuck timeout", got)
		}
		if detail := absence(t, caps, "acme.stuck").Detail; !strings.Contains(detail, "the detection's time was up") {
			t.Errorf("detail is %q", detail)
		}
	})
}

// A look-up that never returns delays its own runtime only.
func TestDeadlineHoldsWithoutTheHostsHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := withTools(t, "quick")
		release := make(chan struct{})
		h := overridden{Host: base, lookup: func(binary string) []host.Candidate {
			if binary == "stuck" {
				<-release
			}
			return base.Lookup(binary)
		}}
		got := outcomes(detectOn(t, h, detect.Config{Timeout: time.Second}, tool(t, "quick", ""), tool(t, "stuck", "")))
		if got["acme.quick"] != capability.Available || got["acme.stuck"] != capability.Timeout {
			t.Errorf("outcomes are %v, want quick available and stuck timeout", got)
		}
		close(release)
	})
}

func TestCancelEndsDetection(t *testing.T) {
	dir := t.TempDir()
	started := filepath.Join(dir, "started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	script(t, dir, "tool", "echo >"+started+"; exec sleep 1000")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the service stops")
	go func() {
		_, _ = os.ReadFile(started) // until it runs
		cancel(why)
	}()
	caps, err := newDetector(t, []metadata.Definition{tool(t, "tool", ""), tool(t, "absent", "")},
		detect.Config{Host: localWith(dir), Policy: openPolicy(t), Getenv: noEnvironment}).Detect(ctx)
	if caps != nil || !errors.Is(err, why) {
		t.Errorf("got %v and error %v, want no document and the cause", caps, err)
	}
}

func TestProgress(t *testing.T) {
	var reports []detect.Progress
	cfg := detect.Config{Progress: func(p detect.Progress) { reports = append(reports, p) }}
	detectOn(t, withTools(t, "a", "b"), cfg, tool(t, "a", ""), tool(t, "b", ""), tool(t, "c", ""))
	began, ended := map[string]int{}, map[string]capability.Outcome{}
	for _, p := range reports {
		if p.Total != 3 {
			t.Errorf("%+v: total is %d, want 3", p, p.Total)
		}
		if p.Outcome == "" {
			began[p.Ref]++
			continue
		}
		if began[p.Ref] != 1 {
			t.Errorf("%s ended without having begun", p.Ref)
		}
		ended[p.Ref] = p.Outcome
		if p.Finished != len(ended) {
			t.Errorf("%+v: finished is %d, want %d", p, p.Finished, len(ended))
		}
	}
	if len(ended) != 3 || ended["acme.a"] != capability.Available || ended["acme.c"] != capability.NotFound {
		t.Errorf("ends are %v, want a and b available, c not found", ended)
	}
}

// A probe gets the variables of the definition that the host allows, and the command's
// timeout.
func TestInvocation(t *testing.T) {
	var got []host.Invocation
	base := withTools(t, "tool")
	h := overridden{Host: base, run: func(ctx context.Context, inv host.Invocation) host.Result {
		got = append(got, inv)
		return base.Run(ctx, inv)
	}}
	d := tool(t, "tool", `, "timeout": "90s"`)
	d.Distributions.Verification.Env = []string{"TOOL_HOME", "SITE_HOOK"}
	policy, err := host.NewPolicy(host.PolicyConfig{Env: []string{"TOOL_HOME", "OTHER"}})
	if err != nil {
		t.Fatal(err)
	}
	caps := detectOn(t, h, detect.Config{Policy: policy}, d)
	if len(got) != 1 || got[0].Path != "/usr/bin/tool" || !slices.Equal(got[0].Args, []string{"--version"}) ||
		!slices.Equal(got[0].Env, []string{"TOOL_HOME"}) || got[0].Timeout != 90*time.Second {
		t.Errorf("it was run as %+v", got)
	}
	if !slices.ContainsFunc(caps.Warnings, func(w string) bool { return strings.Contains(w, "SITE_HOOK") && !strings.Contains(w, "TOOL_HOME") }) {
		t.Errorf("warnings are %q, want one that names what was withheld", caps.Warnings)
	}
}

func TestPermissionOfTheKernelIsNotExecutable(t *testing.T) {
	h := overridden{Host: withTools(t, "tool"), run: func(_ context.Context, inv host.Invocation) host.Result {
		return host.Result{ExitCode: -1, Err: fmt.Errorf("run %s: it is mounted noexec: %w", inv.Path, syscall.EACCES)}
	}}
	got := absence(t, detectOn(t, h, detect.Config{}, tool(t, "tool", "")), "acme.tool")
	if got.Outcome != capability.NotExecutable || !strings.Contains(got.Detail, "mounted noexec") {
		t.Errorf("got %+v, want not_executable", got)
	}
}

// TestStandardPolicy: a trusted command is trusted in any definition.
func TestStandardPolicy(t *testing.T) {
	defs := packs.Core().Definitions
	i := slices.IndexFunc(defs, func(d metadata.Definition) bool { return d.Ref == "core.erlang" })
	args := defs[i].Distributions.Verification.Ordered()[0].Args
	base := recorded(t, "host: {os: linux, arch: amd64, path: [/usr/bin]}\nbinaries: [{path: /usr/bin/erl}]\n")
	h := overridden{Host: base, run: func(_ context.Context, inv host.Invocation) host.Result {
		if !slices.Equal(inv.Args, args) {
			t.Errorf("it ran %q", inv.Args)
		}
		return host.Result{Stdout: []byte("Erlang/OTP 27.1.2")}
	}}
	hostile := defsOf(t, `{"ref": "acme.erl", "name": "erl", "distributions": {"verification": {"commands": [{"binary": "erl", "args": ["-eval", "os:cmd(x)"]}]}}}`)[0]
	got := outcomes(detectOn(t, h, detect.Config{Policy: detect.StandardPolicy(detect.Commands(defs))}, defs[i], hostile))
	if got["core.erlang"] != capability.Available || got["acme.erl"] != capability.DeniedByPolicy {
		t.Errorf("outcomes are %v, want the core pack's available and the other denied", got)
	}
	got = outcomes(detectOn(t, h, detect.Config{Policy: detect.StandardPolicy(nil)}, defs[i], hostile))
	if got["core.erlang"] != capability.DeniedByPolicy || got["acme.erl"] != capability.DeniedByPolicy {
		t.Errorf("outcomes are %v without a policy, want denied", got)
	}
}
