//go:build unix

package host_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/host"
)

// anyHost has the methods of a host that detection calls.
type anyHost interface {
	Info() host.Info
	Lookup(binary string) []host.Candidate
	Resolve(path string) host.Candidate
	Glob(pattern string) []string
	ReadInstalled(file host.InstalledFile) (path string, data []byte, err error)
	Program(path string) host.Program
	Run(ctx context.Context, inv host.Invocation) host.Result
	Writable(path string) (by string, bad bool)
}

var (
	_ anyHost = (*host.LocalHost)(nil)
	_ anyHost = (*host.RecordedHost)(nil)
	_ anyHost = (*host.Recorder)(nil)
)

const awkwardTool = `#!/bin/sh
case "$1" in
fail) echo "no $HOME/x" >&2; exit 3 ;;
raw) printf '\377\000\033[1m\r\n' ;;
die) kill -SEGV $$ ;;
hang) exec sleep 1000 ;;
*) printf '\n\n  tool 1.2.3 \n\t- true: #x\n\n' ;;
esac
`

// awkwardHost returns a host in a folder, with every kind of file.
func awkwardHost(t *testing.T, home string) *host.LocalHost {
	t.Helper()
	put(t, home+"/bin/tool", awkwardTool, 0o755)
	put(t, home+"/bin/noshebang", "echo", 0o755)
	put(t, home+"/bin/plain", "", 0o644)
	put(t, home+"/bin/folder/x", "", 0o644)
	link(t, "nowhere", home+"/bin/dangling")
	link(t, "tool", home+"/bin/linked")
	put(t, home+"/versions/1.0/bin/tool", "#!/bin/sh\necho 1.0\n", 0o755)
	put(t, home+"/versions/1.0/release", "HOME="+home+"\nRAW=\xff\n", 0o644)
	return withPath(home, "/nonexistent/bin", home+"/bin", "/usr/bin")
}

// interview calls every method of h, and returns the results as text.
func interview(t *testing.T, h anyHost, home string) map[string]string {
	t.Helper()
	answers := map[string]string{"path": fmt.Sprint(h.Info().Path, h.Info().OS, h.Info().Arch)}
	for _, name := range []string{"tool", "noshebang", "plain", "folder", "dangling", "linked", "none", "env", home + "/bin/tool"} {
		found := h.Lookup(name)
		answers["lookup "+filepath.Base(name)] = fmt.Sprintf("%+v", found)
		for _, c := range found {
			if diff := cmp.Diff(c, h.Resolve(c.Path)); diff != "" {
				t.Errorf("Resolve and Lookup differ:\n%s", diff)
			}
		}
	}
	run := func(path string, args ...string) {
		timeout := long
		if len(args) > 0 && args[0] == "hang" {
			timeout = 100 * time.Millisecond
		}
		res := h.Run(t.Context(), host.Invocation{Path: path, Args: args, Timeout: timeout})
		answers[fmt.Sprintf("run %s %q", filepath.Base(path), args)] = fmt.Sprintf("%q %q %v %d %q %v %v %v",
			res.Stdout, res.Stderr, res.Truncated, res.ExitCode, res.Signal, res.TimedOut, res.Err, res.Duration.Round(10*time.Microsecond))
	}
	tool := h.Lookup("tool")[0].Path
	for _, arg := range []string{"--version", "fail", "raw", "die", "hang", ""} {
		run(tool, arg)
	}
	run(tool)
	run(h.Lookup("linked")[0].Path, "--version")
	run(h.Lookup("noshebang")[0].Path)
	found := h.Glob("~/versions/*/bin/tool")
	answers["glob"] = fmt.Sprint(found, h.Glob("~/none/*"))
	run(found[0], "1.0")
	path, data, err := h.ReadInstalled(host.InstalledFile{Executable: found[0], Path: "../release"})
	answers["release"] = fmt.Sprintf("%s %q %v", path, data, err)
	_, _, err = h.ReadInstalled(host.InstalledFile{Executable: found[0], Path: "none"})
	answers["no file"] = fmt.Sprint(errors.Is(err, fs.ErrNotExist))
	return answers
}

// TestRecordAndReplay: a replayed host answers as the real one did, without its user's name.
func TestRecordAndReplay(t *testing.T) {
	home := filepath.Join(realDir(t), "alice")
	rec := host.NewRecorder(awkwardHost(t, home))
	real := interview(t, rec, home)
	var text strings.Builder
	if n, err := rec.WriteTo(&text); err != nil || n != int64(text.Len()) {
		t.Fatalf("wrote %d of %d bytes, %v", n, text.Len(), err)
	}
	path := file(t, "host.yaml", text.String(), 0o644)
	replayed, err := host.Open(path)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	for k, v := range real {
		real[k] = strings.ReplaceAll(v, home, "/home/user")
	}
	if diff := cmp.Diff(real, interview(t, replayed, "/home/user")); diff != "" {
		t.Errorf("the replay answers otherwise (-real +replayed):\n%s\n%s", diff, text.String())
	}
	if strings.Contains(text.String(), "alice") {
		t.Errorf("the home folder is in the recording:\n%s", text.String())
	}
}

func TestRecorderTellsNoSecrets(t *testing.T) {
	dir := realDir(t)
	put(t, dir+"/data/alice/bin/tool", "#!/bin/sh\necho \"$HOME $0 alice@host alice-2 malice\"\n", 0o755)
	link(t, dir+"/data/alice", dir+"/alice")
	local := host.Local(host.LocalConfig{Environ: []string{"HOME=" + dir + "/alice", "PATH=" + dir + "/alice/bin:/usr/bin", "MY_VAR=visible", "AWS_SECRET_ACCESS_KEY=hidden"}})
	rec := host.NewRecorder(local)
	for _, c := range append(rec.Lookup("tool"), rec.Resolve(dir+"/data/alice/bin/tool")) {
		rec.Run(t.Context(), host.Invocation{Path: c.Path, Env: []string{"MY_VAR"}, Timeout: long})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rec.Run(ctx, host.Invocation{Path: rec.Lookup("tool")[0].Path, Args: []string{"cancelled"}})
	var text strings.Builder
	if _, err := rec.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{dir + "/alice", dir + "/data/alice", "visible", "hidden", "cancelled"} {
		if strings.Contains(text.String(), secret) {
			t.Errorf("%s is in the recording:\n%s", secret, text.String())
		}
	}
	// Both names of the home folder are one after redaction.
	replayed := recorded(t, text.String())
	want := []host.Candidate{{Path: "/home/user/bin/tool", RealPath: "/home/user/bin/tool"}}
	if diff := cmp.Diff(want, replayed.Lookup("tool")); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, text.String())
	}
}

func TestRedactor(t *testing.T) {
	for _, tt := range []struct {
		home, user string
		in, want   string
	}{
		{"/home/alice", "alice", "/home/alice/bin:/home/alice:/home/alice2/x", "/home/user/bin:/home/user:/home/alice2/x"},
		{"/home/alice", "alice", "built by alice@host, Alice, malice, alice_x", "built by user@host, Alice, malice, alice_x"},
		{"/home/alice", "alice", "/mnt/alice/bin /mnt/home/alice/x", "/mnt/user/bin /mnt/home/user/x"},
		{"/root", "root", "/root/.cargo /opt/root root=1", "/home/user/.cargo /opt/root root=1"},
		{"/home/node", "node", "/home/node/x /usr/bin/node v1", "/home/user/x /usr/bin/node v1"},
		{"/", "x", "/usr/bin x", "/usr/bin x"},
		{"", "bob", "bob", "user"},
	} {
		if got := host.Redact(tt.home, tt.user, []string{"node"}, tt.in); got != tt.want {
			t.Errorf("home %q, user %q: %q became %q, want %q", tt.home, tt.user, tt.in, got, tt.want)
		}
	}
}

// FuzzRecordedText: any output of a command survives the file.
func FuzzRecordedText(f *testing.F) {
	for _, s := range []string{"", "\n", " x", "\n  x\n\ty \n", "\xff\x00", "\x1b[1m\r\n", "a: b\n# c\n- d", "\u2028\u0085\ufeff", "3.10", "~", "\t\n", "x\n\n\n", "\n\n x\ny", "日本\n"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, out, arg string) {
		text, err := host.WriteRun("/bin/x", []string{arg}, out)
		if err != nil {
			t.Fatal(err)
		}
		replayed := recorded(t, text)
		if _, data, err := replayed.ReadInstalled(host.InstalledFile{Executable: "/opt/tool/x", Path: "file"}); err != nil || string(data) != out[:min(len(out), host.FileLimit)] {
			t.Errorf("the file %q became %q (%v) by\n%s", out, data, err, text)
		}
		res := replayed.Run(t.Context(), host.Invocation{Path: "/bin/x", Args: []string{arg}})
		if res.Err != nil || string(res.Stdout) != out {
			t.Errorf("%q became %q (%v) by\n%s", out, res.Stdout, res.Err, text)
		}
	})
}
