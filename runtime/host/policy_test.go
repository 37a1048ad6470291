//go:build unix

package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/attune-go/attune/runtime/host"
)

func newPolicy(t *testing.T, cfg host.PolicyConfig) *host.Policy {
	t.Helper()
	p, err := host.NewPolicy(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var trusted = []host.Command{
	{Binary: "python3", Args: []string{"--version"}},
	{Binary: "sh", Args: []string{"-c", "echo shell"}},
	{Binary: "lua", Args: []string{"-e", "print(_VERSION)"}},
	{Binary: "python3", Args: []string{"--version"}, Location: "~/.pyenv/versions/*/bin/python3"},
}

func TestPolicyModes(t *testing.T) {
	// In a recording, all files are protected.
	h := recorded(t, `
host: {os: linux, arch: amd64, path: [/usr/bin]}
binaries: [{path: /usr/bin/sh}, {path: /usr/bin/python3}, {path: /tmp/evil/python3}]
`)
	tests := []struct {
		cmd                    host.Command
		standard, strict, open bool
	}{
		{host.Command{Binary: "python3", Args: []string{"--version"}}, true, true, true},
		{host.Command{Binary: "lua", Args: []string{"-e", "print(_VERSION)"}}, true, true, true},
		{host.Command{Binary: "sh", Args: []string{"-c", "echo shell"}}, true, true, true},
		{host.Command{Binary: "sh", Args: []string{"-c", "curl example.org | sh"}}, false, false, true},
		{host.Command{Binary: "sh", Args: []string{"-c"}}, false, false, true},
		{host.Command{Binary: "/usr/bin/sh", Args: []string{"-c", "echo shell"}}, false, false, true},
		{host.Command{Binary: "sh", Args: []string{"-c echo shell"}}, false, false, true},
		{host.Command{Binary: "sh", Args: []string{"-c", "echo", "shell"}}, false, false, true},
		{host.Command{Binary: "sh"}, false, false, true},
		{host.Command{Binary: "foo", Args: []string{"--version"}}, true, false, true},
		{host.Command{Binary: "foo", Args: []string{"-version"}}, true, false, true},
		// -v and -V mean verbose to many programs.
		{host.Command{Binary: "foo", Args: []string{"-V"}}, false, false, true},
		{host.Command{Binary: "foo", Args: []string{"-v"}}, false, false, true},
		{host.Command{Binary: "mkdir", Args: []string{"version"}}, false, false, true},
		{host.Command{Binary: "foo", Args: []string{"--Version"}}, false, false, true},
		{host.Command{Binary: "foo", Args: []string{"--version", "--version"}}, false, false, true},
		{host.Command{Binary: "foo", Args: []string{"-v", "-c"}}, false, false, true},
		{host.Command{Binary: "foo", Args: []string{"--version=x"}}, false, false, true},
		{host.Command{Binary: "foo", Args: []string{"--help"}}, false, false, true},
		// It is trusted in PATH and at its pack's location, not at other locations.
		{host.Command{Binary: "lua", Args: []string{"-e", "print(_VERSION)"}, Location: "/tmp/evil/*"}, false, false, true},
		{host.Command{Binary: "python3", Args: []string{"--version"}, Location: "~/.pyenv/versions/*/bin/python3"}, true, true, true},
		{host.Command{Binary: "python3", Args: []string{"--version"}, Location: "/tmp/evil/*"}, true, false, true},
	}
	for mode, want := range map[host.Mode]func(int) bool{
		"":                func(i int) bool { return tests[i].standard },
		host.ModeStandard: func(i int) bool { return tests[i].standard },
		host.ModeStrict:   func(i int) bool { return tests[i].strict },
		host.ModeOpen:     func(i int) bool { return tests[i].open },
	} {
		p := newPolicy(t, host.PolicyConfig{Mode: mode, Trusted: trusted})
		for i, tt := range tests {
			found := host.Candidate{Path: "/usr/bin/x", RealPath: "/usr/bin/x"}
			if filepath.IsAbs(tt.cmd.Binary) {
				found.Path = tt.cmd.Binary
			}
			d := p.Decide(tt.cmd, found, h)
			if d.Allowed != want(i) || d.Reason == "" || d.Allowed && d.Allow != "" {
				t.Errorf("mode %q, %+v: got %+v, want allowed %v", mode, tt.cmd, d, want(i))
			}
			// The entry in Decision.Allow does allow it.
			if d.Allow != "" {
				q := newPolicy(t, host.PolicyConfig{Mode: mode, Trusted: trusted, Allow: []string{d.Allow}})
				if again := q.Decide(tt.cmd, found, h); !again.Allowed {
					t.Errorf("mode %q, %+v: policy.allow %q does not allow it: %+v", mode, tt.cmd, d.Allow, again)
				}
			}
			if !d.Allowed && (d.Allow == "") != (mode == host.ModeStrict) {
				t.Errorf("mode %q, %+v: the line that would allow it is %q", mode, tt.cmd, d.Allow)
			}
		}
	}
}

func TestPolicyZeroValue(t *testing.T) {
	var p host.Policy
	h := recorded(t, "host: {os: linux}")
	found := host.Candidate{Path: "/usr/bin/x", RealPath: "/usr/bin/x"}
	if d := p.Decide(host.Command{Binary: "x", Args: []string{"--version"}}, found, h); !d.Allowed {
		t.Errorf("got %+v, want a version question allowed", d)
	}
	if d := p.Decide(host.Command{Binary: "sh", Args: []string{"-c", "x"}}, found, h); d.Allowed || p.Mode() != host.ModeStandard {
		t.Errorf("got %+v in mode %q, want it denied in mode standard", d, p.Mode())
	}
}

func TestPolicyLists(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/bin/ruby3.1", "#!/bin/sh\n", 0o755)
	link(t, "ruby3.1", dir+"/bin/ruby")
	link(t, dir+"/bin/ruby", dir+"/other/rb")
	link(t, "ruby3.1", dir+"/bin/other")
	h := withPath("/", dir+"/bin", dir+"/other")
	tests := []struct {
		name        string
		allow, deny string
		mode        host.Mode
		binary      string
		args        []string
		want        bool
	}{
		{name: "an entry allows its very arguments", allow: "ruby -e 'puts 1'", binary: "ruby", args: []string{"-e", "puts 1"}, want: true},
		{name: "and no others", allow: "ruby -e 'puts 1'", binary: "ruby", args: []string{"-e", "puts 2"}},
		{name: "nor more", allow: "ruby -e", binary: "ruby", args: []string{"-e", "puts 2"}},
		{name: "a name alone allows no arguments", allow: "ruby", binary: "ruby", args: []string{"-e", "puts 1"}},
		{name: "but the command without them", allow: "ruby", binary: "ruby", want: true},
		{name: "a star allows any", allow: "ruby *", binary: "ruby", args: []string{"-e", "puts 1"}, want: true},
		{name: "or none", allow: "ruby *", binary: "ruby", want: true},
		{name: "a star after arguments", allow: "ruby -e *", binary: "ruby", args: []string{"-e", "puts 1"}, want: true},
		{name: "demands these", allow: "ruby -e *", binary: "ruby", args: []string{"-x"}},
		{name: "a quoted star is a star", allow: "ruby '*'", binary: "ruby", args: []string{"-x"}},
		{name: "quoted star", allow: "ruby '*'", binary: "ruby", args: []string{"*"}, want: true},
		{name: "another name is not allowed", allow: "ruby *", binary: "rb", args: []string{"-x"}},
		{name: "a path allows a name found there", allow: dir + "/bin/ruby *", binary: "ruby", args: []string{"-x"}, want: true},
		{name: "but not another link to the same file", allow: dir + "/bin/ruby *", binary: "rb", args: []string{"-x"}},
		{name: "nor by the real path", allow: dir + "/bin/ruby3.1 *", binary: "ruby", args: []string{"-x"}},
		{name: "a path that is as long as it is written", allow: dir + "/bin/ruby *", binary: dir + "/bin/../bin/ruby", args: []string{"-x"}},

		{name: "deny beats allow", allow: "ruby *", deny: "ruby", binary: "ruby", args: []string{"-x"}},
		{name: "deny beats trust", deny: "lua", binary: "lua", args: []string{"-e", "print(_VERSION)"}},
		{name: "deny beats the mode open", mode: host.ModeOpen, deny: "ruby", binary: "ruby", args: []string{"--version"}},
		{name: "deny beats the version question", deny: "ruby", binary: "ruby", args: []string{"--version"}},
		{name: "open allows the rest", mode: host.ModeOpen, deny: "ruby", binary: "other", args: []string{"-x"}, want: true},
		{name: "arguments narrow a denial", mode: host.ModeOpen, deny: "ruby -e *", binary: "ruby", args: []string{"--version"}, want: true},
		{name: "which still denies", mode: host.ModeOpen, deny: "ruby -e *", binary: "ruby", args: []string{"-e", "x"}},
		{name: "a name is denied as a path", mode: host.ModeOpen, deny: "ruby", binary: dir + "/bin/ruby"},
		{name: "a name is denied behind a link", mode: host.ModeOpen, deny: "ruby3.1", binary: "rb"},
		{name: "a path is denied by name", mode: host.ModeOpen, deny: dir + "/bin/ruby", binary: "ruby"},
		{name: "a path is denied behind a link", mode: host.ModeOpen, deny: dir + "/bin/ruby", binary: "rb"},
		{name: "a path is denied under another link", mode: host.ModeOpen, deny: dir + "/bin/ruby", binary: "other"},
		{name: "a real path is denied", mode: host.ModeOpen, deny: dir + "/bin/ruby3.1", binary: dir + "/other/rb"},
		{name: "a path is denied by a crooked one", mode: host.ModeOpen, deny: dir + "/bin/ruby", binary: dir + "/other/../bin/ruby"},
		{name: "a file that is not there denies nothing", mode: host.ModeOpen, deny: "/nonexistent/ruby", binary: "ruby", want: true},
		{name: "strict heeds no allow", mode: host.ModeStrict, allow: "ruby *", binary: "ruby", args: []string{"-x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := host.PolicyConfig{Mode: tt.mode, Trusted: trusted}
			if tt.allow != "" {
				cfg.Allow = []string{"unrelated", tt.allow}
			}
			if tt.deny != "" {
				cfg.Deny = []string{"unrelated", tt.deny}
			}
			found := host.Candidate{Path: "/usr/bin/lua", RealPath: "/usr/bin/lua"}
			if got := h.Lookup(tt.binary); len(got) > 0 {
				found = got[0]
			}
			d := newPolicy(t, cfg).Decide(host.Command{Binary: tt.binary, Args: tt.args}, found, h)
			if d.Allowed != tt.want {
				t.Errorf("got %+v for %+v, want allowed %v", d, found, tt.want)
			}
			if tt.deny != "" && !tt.want && (!strings.Contains(d.Reason, tt.deny) || d.Allow != "") {
				t.Errorf("got %+v, want the entry of policy.deny as the reason", d)
			}
		})
	}
}

// TestPolicyAllowAndLocations: an entry with a name does not allow executables at locations.
func TestPolicyAllowAndLocations(t *testing.T) {
	h := recorded(t, "host: {os: linux}")
	cmd := host.Command{Binary: "ruby", Args: []string{"-e", "1"}, Location: "/srv/*/ruby"}
	found := host.Candidate{Path: "/srv/a/ruby", RealPath: "/srv/a/ruby"}
	d := newPolicy(t, host.PolicyConfig{Allow: []string{"ruby *"}}).Decide(cmd, found, h)
	if d.Allowed || d.Allow != "/srv/a/ruby -e 1" {
		t.Errorf("got %+v, want it denied until its path is allowed", d)
	}
	if d := newPolicy(t, host.PolicyConfig{Allow: []string{d.Allow}}).Decide(cmd, found, h); !d.Allowed {
		t.Errorf("got %+v, want it allowed by its path", d)
	}
}

func TestPolicyErrors(t *testing.T) {
	for _, tt := range []struct {
		cfg  host.PolicyConfig
		want string
	}{
		{host.PolicyConfig{Mode: "paranoid"}, `policy.mode: must be standard, strict or open, got "paranoid"`},
		{host.PolicyConfig{Allow: []string{"ruby *", ""}}, `policy.allow[1]: "": missing command`},
		{host.PolicyConfig{Allow: []string{"'' x"}}, "missing command"},
		{host.PolicyConfig{Allow: []string{"ruby -e 'x"}}, "missing closing quote"},
		{host.PolicyConfig{Deny: []string{`ruby \`}}, `policy.deny[0]: "ruby \\": trailing backslash`},
		{host.PolicyConfig{Allow: []string{"*"}}, "set policy.mode to open"},
		{host.PolicyConfig{Allow: []string{"/opt/*/bin/ruby"}}, "must not have wildcards"},
		{host.PolicyConfig{Allow: []string{"bin/ruby"}}, "must be a name or an absolute path"},
		{host.PolicyConfig{Allow: []string{"ruby * -x"}}, "must be the last word"},
	} {
		_, err := host.NewPolicy(tt.cfg)
		var wrong *host.PolicyError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.cfg, err, tt.want)
		}
	}
}

// FuzzCommandLine: a printed command line splits into the same words.
func FuzzCommandLine(f *testing.F) {
	f.Add("ruby", "-e", "puts 'it''s'")
	f.Add("a b", "", `back\slash "quoted"`)
	f.Add("*", "*", "\t\n")
	f.Add("r\xff\x80y", "-e", "it's")
	f.Fuzz(func(t *testing.T, binary, a, b string) {
		line := host.CommandLine(binary, []string{a, b})
		words, err := host.SplitWords(line)
		if err != nil || len(words) != 3 || words[0].Text() != binary || words[1].Text() != a || words[2].Text() != b {
			t.Errorf("%q, %q, %q became %s, which reads as %v (%v)", binary, a, b, line, words, err)
		}
		for _, w := range words {
			if strings.Contains(w.Text(), "*") && !w.Quoted() {
				t.Errorf("%s: a star in it means something", line)
			}
		}
	})
}

// TestWritable checks real files with real owners.
func TestWritable(t *testing.T) {
	base := secureDir(t)
	mk := func(name string, mode os.FileMode, dirMode os.FileMode) string {
		p := filepath.Join(base, name, "bin", "tool")
		put(t, p, "#!/bin/sh\n", mode)
		if err := os.Chmod(filepath.Dir(p), dirMode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	h := withPath("/")
	check := func(name, path, want string) {
		t.Helper()
		by, bad := h.Writable(path)
		if bad != (want != "") || !strings.Contains(by, want) {
			t.Errorf("%s: got %q, %v; want %q", name, by, bad, want)
		}
	}
	good := mk("good", 0o755, 0o755)
	check("only the owner", good, "")
	check("the file by everybody", mk("file", 0o757, 0o755), "/file/bin/tool can be written by everybody")
	worldDir := mk("dir", 0o755, 0o777)
	check("the folder by everybody", worldDir, "/dir/bin can be written by everybody")
	check("a sticky folder", mk("sticky", 0o755, 0o777|os.ModeSticky), "")
	check("nothing there", base+"/none", "cannot be looked at")
	check("relative", "tool", "relative path")

	link(t, good, base+"/links/to-good")
	check("a link to a good file", base+"/links/to-good", "")
	link(t, worldDir, base+"/links/to-dir")
	check("a link into a bad folder", base+"/links/to-dir", "/dir/bin can be written")
	link(t, filepath.Join(base, "good"), filepath.Dir(worldDir)+"/way")
	check("a way through a bad folder", filepath.Dir(worldDir)+"/way/bin/tool", "/dir/bin can be written")
	check("dots through a bad folder", filepath.Dir(worldDir)+"/../../good/bin/tool", "/dir/bin can be written")
	link(t, "loop", base+"/links/loop")
	check("a circle of links", base+"/links/loop", "too many links")

	if os.Geteuid() != 0 {
		t.Log("not root: owners and groups are not tested")
		return
	}
	chown := func(p string, uid, gid int) string {
		t.Helper()
		if err := os.Lchown(p, uid, gid); err != nil {
			t.Fatal(err)
		}
		return p
	}
	check("another's file", chown(mk("owner", 0o755, 0o755), 65534, 0), "belongs to")
	owned := mk("ownedDir", 0o755, 0o755)
	chown(filepath.Dir(owned), 65534, 0)
	check("another's folder", owned, "/ownedDir/bin belongs to")
	stickyLink := mk("stickyLink", 0o755, 0o777|os.ModeSticky)
	link(t, good, filepath.Dir(stickyLink)+"/other")
	chown(filepath.Dir(stickyLink)+"/other", 65534, 65534)
	check("another's link in a sticky folder", filepath.Dir(stickyLink)+"/other", "belongs to")

	// A group without members but root, such as staff on Debian.
	groupFile := func(name string, gid int) string {
		p := mk(name, 0o775, 0o775)
		chown(p, 0, gid)
		return p
	}
	check("a group of root alone", groupFile("root", 0), "")
	check("a group that the host does not list", groupFile("unlisted", 4_000_000), "can be written by group 4000000")
	if gid := groupOfOther(t); gid != 0 {
		check("another user's group", groupFile("users", gid), "can be written by group")
	}
}

// TestPolicyStandardAsksForWriters: a version query of an executable that others can replace
// is denied.
func TestPolicyStandardAsksForWriters(t *testing.T) {
	base := secureDir(t)
	put(t, base+"/bad/tool", "#!/bin/sh\n", 0o755)
	if err := os.Chmod(base+"/bad", 0o777); err != nil {
		t.Fatal(err)
	}
	h := withPath("/", base+"/bad")
	ask := func(cfg host.PolicyConfig) host.Decision {
		return newPolicy(t, cfg).Decide(host.Command{Binary: "tool", Args: []string{"--version"}}, h.Lookup("tool")[0], h)
	}
	if d := ask(host.PolicyConfig{}); d.Allowed || !strings.Contains(d.Reason, base+"/bad can be written by everybody") || d.Allow != base+"/bad/tool --version" {
		t.Errorf("got %+v, want it denied with the folder and the line that allows it", d)
	}
	if d := ask(host.PolicyConfig{Allow: []string{base + "/bad/tool --version"}}); !d.Allowed {
		t.Errorf("got %+v, want it allowed by its path", d)
	}
	// Root runs an executable that others could replace only if its path is allowed.
	root := os.Geteuid() == 0
	if d := ask(host.PolicyConfig{Allow: []string{"tool --version"}}); d.Allowed == root {
		t.Errorf("got %+v for a name in policy.allow, as root %v", d, root)
	}
	for _, mode := range []host.Mode{host.ModeStandard, host.ModeStrict} {
		d := ask(host.PolicyConfig{Mode: mode, Trusted: []host.Command{{Binary: "tool", Args: []string{"--version"}}}})
		if d.Allowed == root || root && (d.Allow != "") != (mode == host.ModeStandard) {
			t.Errorf("mode %s: got %+v for a trusted command, as root %v", mode, d, root)
		}
	}
	if d := ask(host.PolicyConfig{Mode: host.ModeOpen}); !d.Allowed {
		t.Errorf("got %+v, want everything to run in mode open", d)
	}
	if err := os.Chmod(base+"/bad", 0o755); err != nil {
		t.Fatal(err)
	}
	if d := ask(host.PolicyConfig{}); !d.Allowed {
		t.Errorf("got %+v, want it allowed once nobody else can write", d)
	}
}

// secureDir returns a folder that only this user can change. It skips the test if others can
// change the folders above, which it checks independently.
func secureDir(t *testing.T) string {
	t.Helper()
	dir := realDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for up := filepath.Dir(dir); up != "/"; up = filepath.Dir(up) {
		info, err := os.Stat(up)
		if err != nil {
			t.Fatal(err)
		}
		uid := info.Sys().(*syscall.Stat_t).Uid
		if info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 || uid != 0 && int(uid) != os.Geteuid() {
			t.Skipf("%s, a folder above the temporary one, is open to others", up)
		}
	}
	return dir
}

// groupOfOther returns the primary group of an account other than root.
func groupOfOther(t *testing.T) int {
	t.Helper()
	for _, line := range strings.Split(readAll(t, "/etc/passwd"), "\n") {
		if f := strings.Split(line, ":"); len(f) > 3 && f[0] != "root" {
			if gid := atoi(t, f[3]); gid != 0 {
				return gid
			}
		}
	}
	return 0
}
