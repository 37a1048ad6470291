//go:build unix

package hostcmd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// TestLogIsJSON from the warnings about the config file to the last line.
func TestLogIsJSON(t *testing.T) {
	isolate(t)
	tools(t, map[string]string{"python3": python})
	if err := os.WriteFile("attune.yaml", []byte("worker: {nmae: w}\npolicy: {trusted_packs: [/no/such/pack]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ATTUNE_DATABASE_URL", "")
	p := launch(t, "run", "--json", "--name", "w", "--config", "attune.yaml")
	p.says(`"level":"INFO","msg":"ATTUNE_DATABASE_URL is empty: using the embedded database sqlite:`, 1)
	p.says("registered and active", 1)
	p.signal(syscall.SIGTERM)
	p.ends(cli.ExitDone)
	levels := map[string]string{}
	for line := range strings.Lines(p.log()) {
		var entry struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%v: %s", err, line)
		}
		for word := range strings.FieldsSeq(entry.Msg) {
			levels[word] = entry.Level
		}
	}
	if levels["ATTUNE_DATABASE_URL"] != "INFO" || levels["policy.trusted_packs:"] != "WARN" || levels["worker.nmae:"] != "WARN" {
		t.Errorf("the log is\n%s", p.log())
	}
}

func cwd(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestLastErrorIsJSON where the log is, and plain where it is not.
func TestLastErrorIsJSON(t *testing.T) {
	isolate(t)
	tools(t, nil)
	for _, c := range []struct {
		args   []string
		file   string
		status int
		msg    string
		hint   string
	}{
		{[]string{"--database", "sqlite:gone/w.db"}, "", cli.ExitFailed, "create the folder gone", ""},
		{[]string{"--listen", "foo"}, "", cli.ExitUsage, `--listen: must be [HOST]:PORT, got "foo"`, "see worker run --help"},
		{[]string{"--database", ""}, "", cli.ExitUsage, "--database must not be empty", "see worker run --help"},
		{[]string{"--config", "attune.yaml"}, "worker: 3\n", cli.ExitFailed, "attune.yaml:1: worker: must be keys", ""},
	} {
		if err := os.WriteFile("attune.yaml", []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		got := run(t, metadata.Worker, append([]string{"run", "--json"}, c.args...)...)
		lines := strings.SplitAfter(strings.TrimSpace(got.errOut), "\n")
		var last struct{ Level, Msg, Hint string }
		err := json.Unmarshal([]byte(lines[len(lines)-1]), &last)
		if err != nil || got.status != c.status || last.Level != "ERROR" || !strings.Contains(last.Msg, c.msg) || last.Hint != c.hint {
			t.Errorf("%q: status %d, %v:\n%s", c.args, got.status, err, got.errOut)
		}
		for _, command := range []string{"run", "register"} {
			if c.hint == "" {
				want(t, run(t, metadata.Worker, append([]string{command}, c.args...)...), c.status, "worker: ")
			}
		}
	}
}

// TestFaultsOfAPack stand on lines of their own, and no line ends with a blank.
func TestFaultsOfAPack(t *testing.T) {
	isolate(t)
	tools(t, nil)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pack.yaml"), []byte("ref: acme\nlabel: [1]\nversion: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"run", "detect"} {
		got := run(t, metadata.Worker, command, "--database", "sqlite:w.db", "--pack", dir)
		want(t, got, cli.ExitFailed, "worker: pack "+dir+":\n  ")
	}
}

// TestFileThatCannotBeUsed checks that an unusable file ends run like register: run
// does not wait for it.
func TestFileThatCannotBeUsed(t *testing.T) {
	isolate(t)
	tools(t, nil)
	dir := t.TempDir()
	folder := func(name string) string {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	refused := func(t *testing.T, url string, parts ...string) {
		t.Helper()
		for _, command := range []string{"register", "run"} {
			want(t, run(t, metadata.Worker, command, "--database", url), cli.ExitFailed, append(parts, "or name another database with --database")...)
		}
	}
	t.Run("no folder", func(t *testing.T) {
		refused(t, "sqlite:"+dir+"/gone/w.db", "w.db.lock: no such file or directory; create the folder "+dir+"/gone, ")
	})
	t.Run("a file in place of the folder", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, "sqlite:"+dir+"/file/w.db", "w.db.lock: not a directory; see what "+dir+"/file is, ")
	})
	t.Run("a folder in place of the lock", func(t *testing.T) {
		folder("w.db.lock")
		refused(t, "sqlite:"+dir+"/w.db", "w.db.lock: is a directory; ")
	})
	t.Run("not writable", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		locked := folder("locked")
		if err := os.Chmod(locked, 0o555); err != nil {
			t.Fatal(err)
		}
		refused(t, "sqlite:"+locked+"/w.db", "w.db.lock: permission denied; ", "need write access to the folder "+locked+": grant it, ")
	})
	t.Run("read-only file system", func(t *testing.T) {
		if unix.Access("/sys", unix.W_OK) != unix.EROFS {
			t.Skip("/sys is writable here; containers have it read-only")
		}
		refused(t, "sqlite:/sys/w.db", "w.db.lock: ", "need write access to the folder /sys: grant it, ")
		t.Setenv("XDG_STATE_HOME", "/sys")
		for _, command := range []string{"register", "run"} {
			want(t, run(t, metadata.Worker, command), cli.ExitFailed, "create the state folder for the embedded database: /sys/attune: ", "set XDG_STATE_HOME")
		}
	})
}

// TestRegisterBesideAService says how the name could be taken from it.
func TestRegisterBesideAService(t *testing.T) {
	isolate(t)
	tools(t, nil)
	db := testdb.Postgres(t)
	st := served(t, db)
	p := launch(t, "run", "--database", db.URL, "--name", "w")
	p.says("registered and active", 1)
	want(t, run(t, metadata.Worker, "register", "--database", db.URL, "--name", "w"), cli.ExitFailed, "or take the name over (`worker run --takeover`)")
	p.signal(syscall.SIGTERM)
	p.ends(cli.ExitDone)
	statusOf(t, st, "w", schema.WorkerInactive)
}

// TestAbsentByName: what is shown sorted is what is shown.
func TestAbsentByName(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolate(t)
		tools(t, nil)
		for _, ref := range []string{"core.bun", "acme.cobol"} {
			name := strings.TrimLeft(filepath.Ext(ref), ".")
			insert(t, db, ref, name, `{"verification": {"commands": [{"binary": "`+name+`", "args": ["--version"]}]}}`)
		}
		want(t, run(t, metadata.Worker, "detect", "--database", db.URL), 0, "not found: bun, cobol\n")
	})
}

// TestPackWarningsOnce checks that a pack's warning is printed once, with one word that it
// is one. The comma in the folder's name separates nothing.
func TestPackWarningsOnce(t *testing.T) {
	isolate(t)
	tools(t, nil)
	dir := filepath.Join(t.TempDir(), "one,two")
	if err := os.MkdirAll(filepath.Join(dir, "runtimes"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"pack.yaml": "ref: acme\nlabel: Acme\nversion: 1.0.0\n", "runtimes/x.yaml": "ref: acme.x\nname: X\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := run(t, metadata.Worker, "detect", "--pack", dir)
	if got.status != 0 || strings.Count(got.errOut, "because nothing verifies it") != 1 || strings.Contains(got.errOut, ": warning:") {
		t.Errorf("status %d:\n%s", got.status, got.errOut)
	}
}
