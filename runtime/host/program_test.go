//go:build unix

package host_test

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/host"
)

func TestProgram(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/bin/lua", "#!/bin/sh\n", 0o755)
	link(t, "/usr/bin/env", dir+"/bin/surroundings")
	h := withPath("/", dir+"/bin")
	for _, tt := range []struct {
		line string
		by   string // one of the interpreters
		open bool   // cannot be determined
	}{
		{line: "#!/bin/sh", by: "/bin/sh"},
		{line: "#! \t/bin/sh -e", by: "/bin/sh"},
		{line: "#!/usr/bin/env lua", by: dir + "/bin/lua"},
		{line: "#!/usr/bin/env -S lua -e", by: dir + "/bin/lua"},
		{line: "#!/usr/bin/env -SX=1 lua", by: dir + "/bin/lua"},
		{line: "#!/usr/bin/env --split-string=lua", by: dir + "/bin/lua"},
		{line: "#!/usr/bin/env " + dir + "/bin/lua", by: dir + "/bin/lua"},
		{line: "#!" + dir + "/bin/surroundings lua", by: dir + "/bin/lua"},
		{line: "#!" + dir + "/bin/lua", by: "/bin/sh"},
		{line: "#!/usr/bin/env lua -e", open: true}, // one name to env
		{line: "#!/usr/bin/env -i lua", open: true},
		{line: "#!/usr/bin/env -S -i lua", open: true},
		{line: "#!/usr/bin/env -S PATH=/tmp lua", open: true},
		{line: "#!/usr/bin/env -S \"lua\"", open: true},
		{line: "#!/usr/bin/env -S ${X} lua", open: true},
		{line: "#!/usr/bin/env ./lua", open: true},
		{line: "#!/usr/bin/env", open: true},
		{line: "#!/usr/bin/env nothing-of-the-name", open: true},
		{line: "#!lua", open: true},
		{line: "#!/nonexistent/lua", open: true},
		{line: "#!" + dir + "/self", open: true},
		{line: "#!/" + strings.Repeat("x", 300), open: true},
		{line: "echo", open: true},
		{line: "", open: true},
	} {
		put(t, dir+"/self", tt.line+"\n", 0o755)
		p := h.Program(dir + "/self")
		if (p.Unknown != "") != tt.open || p.Native {
			t.Errorf("%q: got %+v, want what runs it known %v", tt.line, p, !tt.open)
		}
		runs := func(c host.Candidate) bool { return c.Path == tt.by }
		if tt.by != "" && !slices.ContainsFunc(p.By, runs) {
			t.Errorf("%q: got %+v, want %s among what runs it", tt.line, p.By, tt.by)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if p := h.Program(self); !p.Native || p.Unknown != "" || !p.HasFile() {
		t.Errorf("a program: got %+v", p)
	}
	if p := h.Program("/bin/sh"); runtime.GOOS == "linux" {
		loader := func(c host.Candidate) bool { return strings.Contains(c.Path, "/ld-") }
		if !slices.ContainsFunc(p.By, loader) {
			t.Errorf("a program with a loader: got %+v, want the loader", p)
		}
	}
	if p := h.Program(dir); p.Native || p.Unknown == "" {
		t.Errorf("a folder: got %+v", p)
	}
}

// TestPolicyGrants: a trusted command gets the requests of its trusted pack and no others.
func TestPolicyGrants(t *testing.T) {
	file := host.VersionFile{Path: "../release", Pattern: "(.*)"}
	has := host.Command{Binary: "tool", Args: []string{"info"}, Env: []string{"A"}, VersionFile: file, Interpreter: "tool"}
	p := newPolicy(t, host.PolicyConfig{Trusted: []host.Command{has}, Env: []string{"B"}})
	asks := has
	asks.Env, asks.Interpreter, asks.VersionFile.Pattern = []string{"A", "B", "C"}, "other", "secret (.*)"
	passed, withheld := p.Env(asks)
	if !slices.Equal(passed, []string{"A", "B"}) || !slices.Equal(withheld, []string{"C"}) {
		t.Errorf("variables: passed %q, withheld %q", passed, withheld)
	}
	if !p.MayRead(has) || p.MayRead(asks) {
		t.Error("a version file is read by the pack's own pattern alone")
	}
	strict := newPolicy(t, host.PolicyConfig{Mode: host.ModeStrict, Trusted: []host.Command{has}})
	if !strict.MayLookUp(has) || strict.MayLookUp(asks) || !p.MayLookUp(asks) {
		t.Error("strict looks for the pack's own interpreter alone")
	}
	shimmed := has
	shimmed.Location, shimmed.Shimmed = "/mgr/versions/1/bin/tool", true
	if !p.Trusts(shimmed) || strict.Trusts(shimmed) {
		t.Error("what a shim runs is trusted as the shim is, but for strict")
	}
	shimmed.Shimmed = false
	if p.Trusts(shimmed) {
		t.Error("a location that the pack does not have is trusted")
	}
	if _, err := host.NewPolicy(host.PolicyConfig{Env: []string{"A", "GITHUB_TOKEN"}}); err == nil || !strings.Contains(err.Error(), "policy.env[1]") {
		t.Errorf("got %v, want the entry that is never passed", err)
	}
}

// TestFirstLineIsKept: reasons do not repeat the first line of a script.
func TestFirstLineIsKept(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/open/k3pt/lua", "#!/bin/sh\n", 0o755)
	if err := os.Chmod(dir+"/open", 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, dir+"/k3pt/lua", "no program", 0o755)
	h := withPath("/bin", dir+"/bin")
	for _, line := range []string{
		"/k3pt/lua", dir + "/k3pt/lua", dir + "/open/k3pt/lua", "/usr/bin/env k3pt", "/usr/bin/env -S k3pt -x 'k3pt'", "/usr/bin/env -i k3pt",
		"/usr/bin/env " + dir + "/k3pt/lua", "/usr/bin/env " + dir + "/open/k3pt/lua", "k3pt",
	} {
		put(t, dir+"/bin/tool", "#!"+line+"\n", 0o755)
		for _, deny := range [][]string{nil, {"lua"}} {
			found := h.Resolve(dir + "/bin/tool")
			d := newPolicy(t, host.PolicyConfig{Deny: deny}).Decide(host.Command{Binary: "tool", Args: []string{"--version"}}, found, h)
			if d.Allowed || d.Reason == "" || strings.Contains(d.Reason+d.Allow, "k3pt") {
				t.Errorf("deny %q, first line %q: got %+v", deny, line, d)
			}
		}
	}
}
