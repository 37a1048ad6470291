//go:build unix

package detect_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// crowded is a host on which commands named …hang hang. It records the highest number of
// running commands, and how long those ran that were ended for others.
type crowded struct {
	detect.Host
	mu            sync.Mutex
	running, most int
	ended         []time.Duration
}

func (h *crowded) Run(ctx context.Context, inv host.Invocation) host.Result {
	h.mu.Lock()
	h.running++
	h.most = max(h.most, h.running)
	h.mu.Unlock()
	begin := time.Now()
	res := h.run(ctx, inv)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running--
	if res.Err != nil && strings.Contains(res.Err.Error(), "other commands were waiting") {
		h.ended = append(h.ended, time.Since(begin))
	}
	return res
}

func (h *crowded) run(ctx context.Context, inv host.Invocation) host.Result {
	if _, local := h.Host.(*host.LocalHost); local || !strings.HasSuffix(inv.Path, "hang") {
		return h.Host.Run(ctx, inv)
	}
	select {
	case <-time.After(inv.Timeout):
		return host.Result{ExitCode: -1, TimedOut: true, Duration: inv.Timeout}
	case <-ctx.Done():
		return host.Result{ExitCode: -1, Err: fmt.Errorf("run %s: %w", inv.Path, context.Cause(ctx))}
	}
}

// hanging returns definitions of commands that hang.
func hanging(t *testing.T, n int, timeout string) (names []string, defs []metadata.Definition) {
	t.Helper()
	for i := range n {
		names = append(names, fmt.Sprintf("n%03d-hang", i))
		defs = append(defs, tool(t, names[i], fmt.Sprintf(`, "timeout": %q`, timeout)))
	}
	return names, defs
}

// TestWhatHangsKeepsNothingFromOthers: with more definitions that hang than commands may
// run, the others are verified in the first detection, and at once in later ones.
func TestWhatHangsKeepsNothingFromOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names, defs := hanging(t, 60, "5m")
		var trusted []host.Command
		var refs []string
		for i := range 6 {
			core, real := fmt.Sprintf("n%d5-core", i), fmt.Sprintf("n%d6-real", i)
			names = append(names, core, real)
			defs = append(defs, tool(t, core, ""), tool(t, real, ""))
			trusted = append(trusted, host.Command{Binary: core, Args: []string{"--version"}})
			refs = append(refs, "acme."+core, "acme."+real)
		}
		names, defs, refs = append(names, "slow"), append(defs, tool(t, "slow", `, "timeout": "20s"`)), append(refs, "acme.slow")
		h := &crowded{Host: withTools(t, names...)}
		slow := overridden{Host: h, run: func(ctx context.Context, inv host.Invocation) host.Result {
			if inv.Path == "/usr/bin/slow" {
				time.Sleep(5 * time.Second / 2)
			}
			return h.Run(ctx, inv)
		}}
		d := newDetector(t, defs, detect.Config{
			Host: slow, Getenv: noEnvironment, Explain: true, Parallelism: 4,
			Policy: detect.StandardPolicy(trusted),
		})
		for round := range 3 {
			begin := time.Now()
			settled := map[string]time.Duration{}
			caps, err := d.DetectInParts(t.Context(), func(soFar *capability.Document, open []string) {
				for _, in := range soFar.Detected {
					if _, known := settled[in.Ref]; !known {
						settled[in.Ref] = time.Since(begin)
					}
				}
				for ref, outcome := range outcomes(soFar) {
					if strings.HasSuffix(ref, "hang") == (outcome == capability.Available) && !slices.Contains(open, ref) {
						t.Errorf("round %d: %s is %s, and not open", round, ref, outcome)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took > detect.DefaultTimeout {
				t.Errorf("round %d took %v", round, took)
			}
			for _, ref := range refs {
				// The first detection does not know yet what hangs, but trusted commands begin first.
				if (round > 0 || strings.HasSuffix(ref, "core")) && settled[ref] != detect.PartialInterval {
					t.Errorf("round %d: %s was reported after %v", round, ref, settled[ref])
				}
			}
			for ref, outcome := range outcomes(caps) {
				if strings.HasSuffix(ref, "hang") == (outcome == capability.Available) {
					t.Errorf("round %d: %s is %s", round, ref, outcome)
				}
			}
			for _, a := range caps.Undetected {
				if a.Unreached {
					t.Errorf("round %d: %s was not reached", round, a.Ref)
				}
			}
		}
		if h.most != 20 {
			t.Errorf("%d commands ran at a time, want 20", h.most)
		}
		if len(h.ended) == 0 || slices.Min(h.ended) < detect.OwnTime {
			t.Errorf("ended for others after %v, want %v at least", h.ended, detect.OwnTime)
		}
	})
}

// TestOneDefinitionThatHangs: a definition with many commands takes turns with the others.
func TestOneDefinitionThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		text.WriteString("host: {os: linux, arch: amd64, path: [/usr/bin]}\nbinaries:\n")
		for i := range 60 {
			fmt.Fprintf(&text, "  - {path: /opt/h%d/hang, runs: [{args: [--version], stdout: hang 1.0.0}]}\n", i)
		}
		hang := tool(t, "hang", `, "timeout": "5m"`)
		hang.Distributions.Verification.Locations = []string{"/opt/h*/hang"}
		defs := []metadata.Definition{hang}
		for i := range 30 {
			name := fmt.Sprintf("real%d", i)
			fmt.Fprintf(&text, "  - {path: /usr/bin/%s, runs: [{args: [--version], stdout: %[1]s 1.0.0}]}\n", name)
			defs = append(defs, tool(t, name, ""))
		}
		enough, end := context.WithCancelCause(t.Context())
		first := 0
		_, err := newDetector(t, defs, detect.Config{Host: &crowded{Host: recorded(t, text.String())}, Getenv: noEnvironment, Parallelism: 4}).
			DetectInParts(enough, func(soFar *capability.Document, _ []string) {
				first = len(soFar.Detected)
				end(detect.ErrSuperseded)
			})
		if err != nil || first != 30 {
			t.Errorf("%d were in the first report, want 30; error %v", first, err)
		}
	})
}

// TestUnreached: a command without a turn is unreached, and not reported to hang.
func TestUnreached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names, defs := hanging(t, 200, "5m")
		h := &crowded{Host: withTools(t, names...)}
		d := newDetector(t, defs, detect.Config{Host: h, Getenv: noEnvironment, Explain: true, Parallelism: 2})
		last := map[string]bool{}
		for round := range 2 {
			caps, err := d.Detect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			now, again := map[string]bool{}, 0
			for _, a := range caps.Undetected {
				if a.Outcome != capability.Timeout || a.Unreached != a.Attempts[0].Unreached || a.Unreached != strings.Contains(a.Detail, "not reached") {
					t.Fatalf("%+v", a)
				}
				now[a.Ref] = a.Unreached
				if a.Unreached && last[a.Ref] {
					again++
				}
			}
			for _, f := range caps.Failed {
				if f.Unreached != now[f.Ref] {
					t.Errorf("%+v, and the runtime's %v", f, now[f.Ref])
				}
			}
			reached := 0
			for _, un := range now {
				if !un {
					reached++
				}
			}
			if reached < 50 || reached == len(defs) {
				t.Fatalf("round %d reached %d", round, reached)
			}
			if want := max(0, len(defs)-2*reached); round == 1 && again > want+10 {
				t.Errorf("%d were not reached twice, want about %d: those go first that were not", again, want)
			}
			last = now
		}
	})
}

// TestRealHangers runs more hanging processes than may run, which end with the detection.
func TestRealHangers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pids := filepath.Join(dir, "pids")
	names, defs := hanging(t, 23, "5m")
	for _, name := range names {
		script(t, dir, name, "echo $$ >>"+pids+"; exec /bin/sleep 1000")
	}
	// One more definition has several executables, and one executable has four definitions.
	for i := range 5 {
		folder := filepath.Join(dir, fmt.Sprintf("h%d", i))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		script(t, folder, "several", "echo $$ >>"+pids+"; exec /bin/sleep 1000")
	}
	several := tool(t, "several", `, "timeout": "5m"`)
	several.Distributions.Verification.Locations = []string{dir + "/h*/several"}
	defs = append(defs, several)
	for _, arg := range []string{"-v", "-V", "-version"} {
		d := tool(t, names[0], "")
		d.Ref += arg
		d.Distributions.Verification.Commands[0].Args = []string{arg}
		defs = append(defs, d)
	}
	defs = append(defs, tool(t, "real", ""))
	h := &crowded{Host: localWith(dir)}
	d := newDetector(t, defs, detect.Config{Host: h, Policy: openPolicy(t), Getenv: noEnvironment, Parallelism: 4})
	d.Hasten()
	for round, there := range []bool{true, true, false, true} {
		if there {
			script(t, dir, "real", "echo real 1.0.0")
		} else if err := os.Remove(filepath.Join(dir, "real")); err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancelCause(t.Context())
		said := false
		_, err := d.DetectInParts(ctx, func(soFar *capability.Document, open []string) {
			if !slices.Contains(open, "acme.real") {
				said = slices.Contains(soFar.Runtimes, "real")
				end(detect.ErrSuperseded)
			}
		})
		if err != nil || said != there {
			t.Fatalf("round %d: it is there: %v, want %v; error %v", round, said, there, err)
		}
	}
	if h.most > 20 || h.running != 0 {
		t.Errorf("%d ran at a time, and %d do still; want 20 at most and none", h.most, h.running)
	}
	list, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Fields(string(list)) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%d is left: %v", pid, err)
		}
	}
}

// slowToEnd is a host on which a command takes a moment to end.
type slowToEnd struct{ *crowded }

func (h slowToEnd) Run(ctx context.Context, inv host.Invocation) host.Result {
	defer time.Sleep(200 * time.Millisecond)
	return h.crowded.Run(ctx, inv)
}

// TestOneCommandHasOneEnd: definitions that share a command report the same when the
// detection's end cuts it off.
func TestOneCommandHasOneEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names, defs := hanging(t, 6, "5m")
		for _, d := range slices.Clone(defs) {
			d.Ref += "-again"
			defs = append(defs, d)
		}
		h := slowToEnd{&crowded{Host: withTools(t, names...)}}
		for _, timeout := range []time.Duration{12 * time.Second, 8 * time.Second} {
			caps := detectOn(t, h, detect.Config{Explain: true, Parallelism: 1, Timeout: timeout}, defs...)
			said, reached := map[string]string{}, 0
			for _, a := range caps.Undetected {
				ref := strings.TrimSuffix(a.Ref, "-again")
				if other, both := said[ref]; both && other != a.Detail {
					t.Errorf("%v: of %s it says %q, and %q", timeout, ref, a.Detail, other)
				}
				if said[ref] = a.Detail; !a.Unreached {
					reached++
				}
			}
			if len(said) != len(names) || reached == 0 || reached == len(defs) {
				t.Errorf("%v: of %d commands, definitions that were reached: %d of %d", timeout, len(said), reached, len(defs))
			}
		}
	})
}

// TestSupersededWithoutTheHostsHelp: a command that does not end is given up, and the
// document has the cause.
func TestSupersededWithoutTheHostsHelp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, release := withTools(t, "stuck"), make(chan struct{})
		h := overridden{Host: base, run: func(ctx context.Context, inv host.Invocation) host.Result {
			<-release
			return base.Run(ctx, inv)
		}}
		ctx, end := context.WithCancelCause(t.Context())
		end(detect.ErrSuperseded)
		caps, err := newDetector(t, []metadata.Definition{tool(t, "stuck", "")}, detect.Config{Host: h, Getenv: noEnvironment}).Detect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if a := absence(t, caps, "acme.stuck"); a.Outcome != capability.Timeout || !strings.Contains(a.Detail, detect.ErrSuperseded.Error()) {
			t.Errorf("%+v", a)
		}
		close(release)
	})
}

// TestLongerTimeoutRunsAgain: a timeout of a shared command counts only for definitions
// that do not give it more time.
func TestLongerTimeoutRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var defs []metadata.Definition
		for i, timeout := range []string{"2s", "1s", "2s", "4s", "3s"} {
			d := tool(t, "hang", fmt.Sprintf(`, "timeout": %q`, timeout))
			d.Ref = fmt.Sprintf("acme.hang%d", i)
			defs = append(defs, d)
		}
		base, ran := &crowded{Host: withTools(t, "hang")}, map[time.Duration]int{}
		var mu sync.Mutex
		h := overridden{Host: base, run: func(ctx context.Context, inv host.Invocation) host.Result {
			mu.Lock()
			ran[inv.Timeout]++
			mu.Unlock()
			return base.Run(ctx, inv)
		}}
		caps := detectOn(t, h, detect.Config{}, defs...)
		for ref, outcome := range outcomes(caps) {
			if outcome != capability.Timeout {
				t.Errorf("%s is %s", ref, outcome)
			}
		}
		for timeout, n := range ran {
			if n != 1 {
				t.Errorf("it ran %d times with %v", n, timeout)
			}
		}
		if ran[4*time.Second] != 1 {
			t.Errorf("runs by timeout: %v, want one of 4s", ran)
		}
	})
}

// TestOtherCommandsRunThemselves: other arguments or variables are another command; the
// order of variables does not count.
func TestOtherCommandsRunThemselves(t *testing.T) {
	var defs []metadata.Definition
	for i, verification := range []string{
		`"env": ["A", "B"], "commands": [{"binary": "tool", "args": ["--version"]}]`,
		`"env": ["B", "A"], "commands": [{"binary": "tool", "args": ["--version"]}]`,
		`"env": ["A"], "commands": [{"binary": "tool", "args": ["--version"]}]`,
		`"commands": [{"binary": "tool", "args": ["--version"]}]`,
		`"commands": [{"binary": "tool", "args": ["--version", ""]}]`,
		`"commands": [{"binary": "tool", "args": ["--version "]}]`,
	} {
		defs = append(defs, defsOf(t, fmt.Sprintf(`{"ref": "acme.t%d", "name": "t%[1]d", "distributions": {"verification": {%s}}}`, i, verification))...)
	}
	policy, err := host.NewPolicy(host.PolicyConfig{Trusted: detect.Commands(defs)})
	if err != nil {
		t.Fatal(err)
	}
	base, runs := withTools(t, "tool"), 0
	var mu sync.Mutex
	h := overridden{Host: base, run: func(ctx context.Context, inv host.Invocation) host.Result {
		mu.Lock()
		defer mu.Unlock()
		runs++
		return base.Run(ctx, inv)
	}}
	detectOn(t, h, detect.Config{Policy: policy}, defs...)
	if want := len(defs) - 1; runs != want {
		t.Errorf("%d commands ran, want %d", runs, want)
	}
}
