//go:build unix

package detect_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// A remembering is a host with tools that count their starts, and a file that remembers.
type remembering struct {
	*testing.T
	bin, count, file string
	defs             []metadata.Definition
	policy           *host.Policy
	now              func() time.Time
}

// newRemembering returns a host with the tool alpha 1.0.0.
func newRemembering(t *testing.T) *remembering {
	t.Helper()
	r := &remembering{T: t, bin: t.TempDir(), count: filepath.Join(t.TempDir(), "starts"), policy: openPolicy(t), now: time.Now}
	r.file = filepath.Join(t.TempDir(), "cache", "attune", "verified.json")
	r.defs = []metadata.Definition{tool(t, "alpha", `, "pattern": "^alpha"`)}
	r.install("alpha", "1.0.0")
	return r
}

func (r *remembering) install(name, version string) { r.script(name, "echo "+name+" "+version) }

// script writes a tool that counts its starts.
func (r *remembering) script(name, text string) {
	r.Helper()
	script(r.T, r.bin, name, "echo x >> "+r.count+"\n"+text)
}

// detect detects with a memory of its own, as a new process has it.
func (r *remembering) detect() *capability.Document {
	r.Helper()
	return r.detectWith(detect.MemoryConfig{Path: r.file})
}

func (r *remembering) detectWith(cfg detect.MemoryConfig) *capability.Document {
	r.Helper()
	return detectOn(r.T, localWith(r.bin), detect.Config{Policy: r.policy, Memory: detect.NewMemory(cfg), Now: r.now, Explain: true}, r.defs...)
}

// starts returns the number of starts until now.
func (r *remembering) starts() int {
	text, _ := os.ReadFile(r.count)
	return strings.Count(string(text), "\n")
}

// expect detects and fails the test unless it starts so many commands and finds this version.
func (r *remembering) expect(why string, starts int, version string) *capability.Document {
	r.Helper()
	before := r.starts()
	caps := r.detect()
	r.expectFound(why, caps, before+starts, version)
	return caps
}

func (r *remembering) expectFound(why string, caps *capability.Document, starts int, version string) {
	r.Helper()
	if got := r.starts(); got != starts {
		r.Errorf("%s: %d commands were started until now, want %d", why, got, starts)
	}
	got := ""
	if len(caps.Detected) > 0 {
		got = caps.Detected[0].Version
	}
	if got != version {
		r.Errorf("%s: found version %q, want %q", why, got, version)
	}
	if len(caps.Warnings) > 0 {
		r.Errorf("%s: warnings %q", why, caps.Warnings)
	}
}

func TestRemembered(t *testing.T) {
	r := newRemembering(t)
	first := r.expect("nothing is remembered", 1, "1.0.0")
	second := r.expect("nothing changed", 0, "1.0.0")
	for i, caps := range []*capability.Document{first, second} {
		in := caps.Detected[0]
		if in.Remembered != (i == 1) || in.Attempts[0].Remembered != (i == 1) || !in.VerifiedAt.Equal(first.Detected[0].VerifiedAt) {
			t.Errorf("detection %d: remembered %v, attempt %v, verified at %v", i, in.Remembered, in.Attempts[0].Remembered, in.VerifiedAt)
		}
		if in.Source != capability.Verified || in.Attempts[0].Output == "" || in.DurationMS == 0 {
			t.Errorf("detection %d: %+v", i, in)
		}
	}
	r.expectFound("fresh", r.detectWith(detect.MemoryConfig{Path: r.file, Fresh: true}), 2, "1.0.0")
	r.expect("fresh answers are remembered too", 0, "1.0.0")
	info, err := os.Stat(r.file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, error %v", info.Mode(), err)
	}
}

// TestRememberedUntilChanged changes one thing at a time that a file shows.
func TestRememberedUntilChanged(t *testing.T) {
	replace := func(r *remembering) {
		r.Rename("alpha.new", "alpha", "2.0.0")
	}
	for name, change := range map[string]func(r *remembering) (starts int, version string){
		"replaced by a file of equal size and times": func(r *remembering) (int, string) {
			info, err := os.Stat(filepath.Join(r.bin, "alpha"))
			if err != nil {
				r.Fatal(err)
			}
			replace(r)
			r.Chtimes("alpha", info.ModTime())
			return 1, "2.0.0"
		},
		"rewritten in place with equal size and times": func(r *remembering) (int, string) {
			info, err := os.Stat(filepath.Join(r.bin, "alpha"))
			if err != nil {
				r.Fatal(err)
			}
			r.install("alpha", "3.0.0")
			r.Chtimes("alpha", info.ModTime())
			return 1, "3.0.0"
		},
		"removed": func(r *remembering) (int, string) {
			if err := os.Remove(filepath.Join(r.bin, "alpha")); err != nil {
				r.Fatal(err)
			}
			return 0, ""
		},
		"no longer executable": func(r *remembering) (int, string) {
			if err := os.Chmod(filepath.Join(r.bin, "alpha"), 0o644); err != nil {
				r.Fatal(err)
			}
			return 0, ""
		},
		"another pattern in the definition": func(r *remembering) (int, string) {
			r.defs = []metadata.Definition{tool(r.T, "alpha", `, "pattern": "alpha"`)}
			return 1, "1.0.0"
		},
		"a pattern that does not match": func(r *remembering) (int, string) {
			r.defs = []metadata.Definition{tool(r.T, "alpha", `, "pattern": "beta"`)}
			return 1, ""
		},
		"another policy that allows it": func(r *remembering) (int, string) {
			p, err := host.NewPolicy(host.PolicyConfig{Mode: host.ModeOpen, Deny: []string{"other"}})
			if err != nil {
				r.Fatal(err)
			}
			r.policy = p
			return 1, "1.0.0"
		},
		"a policy that denies it": func(r *remembering) (int, string) {
			p, err := host.NewPolicy(host.PolicyConfig{Mode: host.ModeOpen, Deny: []string{"alpha"}})
			if err != nil {
				r.Fatal(err)
			}
			r.policy = p
			return 0, ""
		},
		"a file beside it": func(r *remembering) (int, string) {
			script(r.T, r.bin, "other", "exit 1")
			return 1, "1.0.0"
		},
		"a clock set back": func(r *remembering) (int, string) {
			r.now = func() time.Time { return time.Now().Add(-time.Hour) }
			return 1, "1.0.0"
		},
		"a day later": func(r *remembering) (int, string) {
			r.now = func() time.Time { return time.Now().Add(detect.DefaultMaxAge + time.Second) }
			return 1, "1.0.0"
		},
		"nearly a day later": func(r *remembering) (int, string) {
			r.now = func() time.Time { return time.Now().Add(detect.DefaultMaxAge - time.Minute) }
			return 0, "1.0.0"
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRemembering(t)
			r.expect("first", 1, "1.0.0")
			starts, version := change(r)
			r.expect("after the change", starts, version)
		})
	}
}

// Rename installs a tool under another name and renames it.
func (r *remembering) Rename(from, to, version string) {
	r.Helper()
	r.script(from, "echo "+to+" "+version)
	if err := os.Rename(filepath.Join(r.bin, from), filepath.Join(r.bin, to)); err != nil {
		r.Fatal(err)
	}
}

// Chtimes sets the time of a file's modification.
func (r *remembering) Chtimes(name string, at time.Time) {
	r.Helper()
	if err := os.Chtimes(filepath.Join(r.bin, name), at, at); err != nil {
		r.Fatal(err)
	}
}

// TestRememberedReplacedAtOnce replaces an executable as soon as it has answered, many times:
// two changes within one tick of the file system's clock must not look like one.
func TestRememberedReplacedAtOnce(t *testing.T) {
	r := newRemembering(t)
	for i := range 20 {
		version := fmt.Sprintf("1.0.%02d", i) // of equal length
		r.install("alpha", version)
		want := fmt.Sprintf("1.0.%d", i)
		if caps := r.detect(); len(caps.Detected) != 1 || caps.Detected[0].Version != want {
			t.Fatalf("found %+v, want version %s", caps.Detected, want)
		}
	}
}

// TestRememberedEnvironment changes a variable that the definition passes on.
func TestRememberedEnvironment(t *testing.T) {
	r := newRemembering(t)
	r.script("alpha", `echo alpha "$ALPHA_HOME"`)
	var err error
	if r.policy, err = host.NewPolicy(host.PolicyConfig{Mode: host.ModeOpen, Env: []string{"ALPHA_HOME"}}); err != nil {
		t.Fatal(err)
	}
	r.defs = defsOf(t, `{"ref": "acme.alpha", "name": "alpha", "distributions": {"verification": {
		"commands": [{"binary": "alpha", "args": ["--version"]}], "env": ["ALPHA_HOME"]}}}`)
	for _, value := range []string{"1.0.0", "2.0.0", "1.0.0"} {
		h := host.Local(host.LocalConfig{Environ: []string{"PATH=" + r.bin + ":/usr/bin:/bin", "HOME=" + r.bin, "ALPHA_HOME=" + value}})
		caps := detectOn(t, h, detect.Config{Policy: r.policy, Memory: detect.NewMemory(detect.MemoryConfig{Path: r.file})}, r.defs...)
		if len(caps.Detected) != 1 || caps.Detected[0].Version != value {
			t.Errorf("found %+v, want version %s", caps.Detected, value)
		}
	}
	if got := r.starts(); got != 2 {
		t.Errorf("%d commands were started, want 2: one for each value", got)
	}
}

// TestNotRemembered shows that what failed, or could not be told, is started again.
func TestNotRemembered(t *testing.T) {
	for name, text := range map[string]string{
		"a failure":                   "echo alpha 1.0.0; exit 1",
		"a signal":                    "kill -SEGV $$",
		"a version that is not there": "echo alpha",
		"output that is not text":     `printf 'alpha \377 1.0.0\n'`,
		"output that is too long":     "echo alpha 1.0.0; head -c 100000 /dev/zero | tr '\\0' x",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRemembering(t)
			r.defs = defsOf(t, `{"ref": "acme.alpha", "name": "alpha", "distributions": {"min_version": "1.0", "verification": {
				"commands": [{"binary": "alpha", "args": ["--version"]}]}}}`)
			r.script("alpha", text)
			r.detect()
			r.detect()
			if got := r.starts(); got != 2 {
				t.Errorf("%d commands were started, want 2", got)
			}
		})
	}
}

// TestFreshFailureForgets shows that a failure under --fresh replaces what was remembered.
func TestFreshFailureForgets(t *testing.T) {
	r := newRemembering(t)
	broken := filepath.Join(t.TempDir(), "broken") // not one of the tool's files
	r.script("alpha", "test ! -e "+broken+" && echo alpha 1.0.0")
	r.expect("first", 1, "1.0.0")
	if err := os.WriteFile(broken, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r.expect("what no file of the tool shows", 0, "1.0.0")
	r.expectFound("fresh", r.detectWith(detect.MemoryConfig{Path: r.file, Fresh: true}), 2, "")
	r.expect("after that", 1, "")
}

// TestRememberedFileNotBelieved shows that only this user's private file counts, and that
// every other state of it is as no file.
func TestRememberedFileNotBelieved(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, file string){
		"empty":              func(t *testing.T, file string) { write(t, file, "") },
		"cut off":            func(t *testing.T, file string) { write(t, file, `{"format":1,"answers":{"a":{"path":"/x`) },
		"another format":     func(t *testing.T, file string) { edit(t, file, `"format":1`, `"format":2`) },
		"no answers":         func(t *testing.T, file string) { write(t, file, `{"format":1,"answers":null}`) },
		"null answers":       func(t *testing.T, file string) { write(t, file, `{"format":1,"answers":{"a":null}}`) },
		"no object":          func(t *testing.T, file string) { write(t, file, `[]`) },
		"readable by others": func(t *testing.T, file string) { chmod(t, file, 0o644) },
		"writable by others": func(t *testing.T, file string) { chmod(t, file, 0o606) },
		"folder writable by others": func(t *testing.T, file string) {
			chmod(t, filepath.Dir(file), 0o777)
		},
		"folder above writable by others": func(t *testing.T, file string) {
			chmod(t, filepath.Dir(filepath.Dir(file)), 0o777)
		},
		"a stranger's": func(t *testing.T, file string) {
			if err := os.Chown(file, 65534, 65534); err != nil {
				t.Skip("only root can give a file away")
			}
		},
		"a link to a stranger's": func(t *testing.T, file string) {
			other := filepath.Join(t.TempDir(), "other")
			if err := os.Rename(file, other); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(other, 65534, 65534); err != nil {
				t.Skip("only root can give a file away")
			}
			if err := os.Symlink(other, file); err != nil {
				t.Fatal(err)
			}
		},
		"a folder": func(t *testing.T, file string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRemembering(t)
			r.expect("first", 1, "1.0.0")
			edit(t, r.file, "alpha 1.0.0", "alpha 6.6.6")
			damage(t, r.file)
			r.expect("the file is not believed", 1, "1.0.0")
		})
	}
}

// TestRememberedWithoutFile shows that a place that cannot be written changes nothing.
func TestRememberedWithoutFile(t *testing.T) {
	r := newRemembering(t)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	for name, path := range map[string]string{
		"no path":              "",
		"below a file":         filepath.Join(file, "attune", "verified.json"),
		"in a kernel's folder": "/proc/attune/verified.json",
	} {
		before := r.starts()
		for range 2 {
			r.expectFound(name, r.detectWith(detect.MemoryConfig{Path: path}), before+1, "1.0.0")
			before++
		}
	}
	if home := t.TempDir(); os.Geteuid() != 0 { // root writes there all the same
		chmod(t, home, 0o555)
		before := r.starts()
		for range 2 {
			r.expectFound("a home that cannot be written", r.detectWith(detect.MemoryConfig{Path: filepath.Join(home, ".cache/attune/verified.json")}), before+1, "1.0.0")
			before++
		}
	}
	memory := detect.NewMemory(detect.MemoryConfig{})
	before := r.starts()
	for range 2 {
		caps := detectOn(t, localWith(r.bin), detect.Config{Policy: r.policy, Memory: memory}, r.defs...)
		r.expectFound("in one process", caps, before+1, "1.0.0")
	}
}

// TestRememberedByTwoAtOnce lets processes detect different tools at the same time. All
// that they learn stays.
func TestRememberedByTwoAtOnce(t *testing.T) {
	r := newRemembering(t)
	r.defs = nil
	for i := range 8 {
		name := fmt.Sprintf("tool%d", i)
		r.install(name, "1.0.0")
		r.defs = append(r.defs, tool(t, name, ""))
	}
	var all sync.WaitGroup
	for i := range r.defs {
		all.Go(func() {
			one := *r
			one.defs = r.defs[i : i+1]
			one.detect()
		})
	}
	all.Wait()
	before := r.starts()
	if caps := r.detect(); len(caps.Detected) != len(r.defs) || r.starts() != before {
		t.Errorf("found %d of %d, and started %d again", len(caps.Detected), len(r.defs), r.starts()-before)
	}
	if _, err := os.Stat(r.file + ".new"); err == nil {
		t.Error("a temporary file is left")
	}
}

// TestRememberedShim changes what a shim runs, and which version is chosen. The shim itself
// stays as it is.
func TestRememberedShim(t *testing.T) {
	r := newRemembering(t)
	root := t.TempDir()
	shims := filepath.Join(root, "shims")
	version := func(name string) string {
		dir := filepath.Join(root, "versions", name, "bin")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if err := os.Mkdir(shims, 0o755); err != nil {
		t.Fatal(err)
	}
	one, two := version("1.0.0"), version("2.0.0")
	script(t, one, "alpha", "echo x >> "+r.count+"; echo alpha 1.0.0")
	script(t, two, "alpha", "echo x >> "+r.count+"; echo alpha 2.0.0")
	write(t, filepath.Join(root, "version"), "1.0.0\n")
	script(t, shims, "alpha", "exec "+root+"/versions/$(cat "+root+"/version)/bin/alpha")
	r.bin = shims
	chosen := func(why string, starts int, want string) {
		t.Helper()
		before := r.starts()
		caps := r.detect()
		if got := r.starts() - before; got != starts {
			t.Errorf("%s: started %d, want %d", why, got, starts)
		}
		if len(caps.Detected) != 2 {
			t.Fatalf("%s: found %+v", why, caps.Detected)
		}
		for _, d := range caps.Detected {
			if d.Default != (d.Version == want) || d.Default != (d.Shim != "") {
				t.Errorf("%s: %s is the default: %v, by the shim %q; want %s", why, d.Version, d.Default, d.Shim, want)
			}
		}
	}
	chosen("first", 3, "1.0.0")
	chosen("nothing changed", 0, "1.0.0")
	write(t, filepath.Join(root, "version"), "2.0.0\n")
	chosen("another version is chosen", 1, "2.0.0")
	chosen("nothing changed since", 0, "2.0.0")
	script(t, two, "alpha", "echo x >> "+r.count+"; echo alpha 2.0.1")
	chosen("the target was replaced in place", 2, "2.0.1")
}

// TestRememberedExplain shows that explain starts nothing that detection has started, but
// what it tries besides.
func TestRememberedExplain(t *testing.T) {
	r := newRemembering(t)
	r.defs = defsOf(t, `{"ref": "acme.alpha", "name": "alpha", "distributions": {"verification": {
		"commands": [{"binary": "alpha", "args": ["--version"]}, {"binary": "alpha", "args": ["version"]}]}}}`)
	r.detect()
	for i, want := range []int{2, 2} {
		d := newDetector(t, r.defs, detect.Config{Host: localWith(r.bin), Policy: r.policy, Getenv: noEnvironment, Memory: detect.NewMemory(detect.MemoryConfig{Path: r.file})})
		e, err := d.Explain(t.Context(), "alpha")
		if err != nil {
			t.Fatal(err)
		}
		if r.starts() != want || !e.Attempts[0].Remembered || e.Attempts[1].Remembered != (i == 1) {
			t.Errorf("explanation %d: %d starts, attempts %+v", i, r.starts(), e.Attempts)
		}
	}
}

// TestRememberedHoldsNoSecrets shows that the file has no values of variables.
func TestRememberedHoldsNoSecrets(t *testing.T) {
	r := newRemembering(t)
	h := host.Local(host.LocalConfig{Environ: []string{"PATH=" + r.bin, "HOME=" + r.bin, "JAVA_HOME=/a/private/place"}})
	detectOn(t, h, detect.Config{Policy: r.policy, Memory: detect.NewMemory(detect.MemoryConfig{Path: r.file})}, r.defs...)
	text, err := os.ReadFile(r.file)
	if err != nil || !json.Valid(text) || strings.Contains(string(text), "private") {
		t.Errorf("error %v, file %s", err, text)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// edit replaces a text in a file.
func edit(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("no %q in %s, error %v", from, text, err)
	}
	write(t, file, strings.ReplaceAll(string(text), from, to))
}

func chmod(t *testing.T, file string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
}

// TestRememberedIsBounded: a service whose definitions change all the time remembers no more
// than it can use.
func TestRememberedIsBounded(t *testing.T) {
	r := newRemembering(t)
	r.script("alpha", "echo alpha 1.0.0; head -c 8000 /dev/zero | tr '\\0' x")
	memory := detect.NewMemory(detect.MemoryConfig{})
	for round := range 8 {
		r.defs = nil
		for i := range 200 {
			r.defs = append(r.defs, defsOf(t, fmt.Sprintf(`{"ref": "acme.alpha%d", "name": "alpha", "distributions": {"verification": {"commands": [
				{"binary": "alpha", "args": ["--version"], "pattern": "^alpha|round%d.%[1]d"}]}}}`, i, round))...)
		}
		caps := detectOn(t, localWith(r.bin), detect.Config{Policy: r.policy, Memory: memory}, r.defs...)
		if len(caps.Detected) != 200 {
			t.Fatalf("%d are detected, want 200", len(caps.Detected))
		}
	}
	if n := detect.Remembered(memory); n < 200 || n > 1200 {
		t.Errorf("%d answers of 8,000 bytes are remembered, want those of some rounds", n)
	}
}

// TestRememberedFileIsBounded: the file keeps the newest 4,000 answers, with 4 MiB at most.
func TestRememberedFileIsBounded(t *testing.T) {
	for output, most := range map[string]int{"short": 4000, strings.Repeat("x", 6000): 4 << 20 / 6000} {
		r := newRemembering(t)
		r.expect("first", 1, "1.0.0")
		var content struct {
			Format  int                       `json:"format"`
			Answers map[string]map[string]any `json:"answers"`
		}
		read := func() int {
			t.Helper()
			text, err := os.ReadFile(r.file)
			if err == nil {
				content.Answers = nil
				err = json.Unmarshal(text, &content)
			}
			if err != nil {
				t.Fatal(err)
			}
			return len(text)
		}
		read()
		for key, answer := range content.Answers {
			many := maps.Clone(answer)
			many["output"] = output
			for i := range most + most/4 {
				content.Answers[fmt.Sprint(key, i)] = many
			}
			break
		}
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		write(t, r.file, string(text))
		r.install("alpha", "2.0.0")
		r.expect("after it", 1, "2.0.0")
		if size := read(); len(content.Answers) > most || len(content.Answers) < most*9/10 || size > 4<<20+100 {
			t.Errorf("%d answers in %d bytes, want %d at most", len(content.Answers), size, most)
		}
		r.expect("the newest is kept", 0, "2.0.0")
	}
}
