package main

import (
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
)

// completed returns what can stand at the end of a command line, whose last word may be empty.
func completed(t *testing.T, words ...string) (found []string) {
	t.Helper()
	got := run(t, append([]string{"__complete", "--"}, words...)...)
	if got.status != 0 || got.errOut != "" {
		t.Fatalf("%q: exit status %d: %s", words, got.status, got.errOut)
	}
	for line := range strings.Lines(got.out) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		found = append(found, word)
	}
	return found
}

func TestComplete(t *testing.T) {
	t.Parallel()
	isolated(t)
	db := completedFleet(t)
	for _, c := range []struct {
		words []string
		want  []string // all of them, or with ... some
	}{
		{[]string{"wo"}, []string{"workers"}},
		{[]string{"workers", "un"}, []string{"uncordon", "untaint"}},
		{[]string{"workers", "list", "--so"}, []string{"--sort"}},
		{[]string{"workers", "list", "--sort", "ver"}, []string{"version"}},
		{[]string{"workers", "list", "--sort=ver"}, []string{"--sort=version"}},
		{[]string{"workers", "list", "--has", "core.pyt"}, []string{"core.python"}},
		{[]string{"workers", "list", "--has=pyt"}, []string{"--has=python"}},
		{[]string{"workers", "list", "has:pyt"}, []string{"has:python"}},
		{[]string{"workers", "list", "ro"}, []string{"role:"}},
		{[]string{"workers", "list", "role:"}, []string{"role:worker", "role:sensor"}},
		{[]string{"workers", "list", "label:zo"}, []string{"label:zone=a", "label:zone=b"}},
		{[]string{"workers", "show", "bui"}, []string{"build-1", "build-2"}},
		{[]string{"explain", "build-1", "nod"}, []string{"node"}},
		{[]string{"explain", "build-1", "node", ""}, nil},
		{[]string{"place", "--select", "zone=b"}, []string{"zone=b"}},
		{[]string{"place", "pyth"}, []string{"python"}},
		{[]string{"packs", "load", ""}, []string{":files"}},
		{[]string{"--config", ""}, []string{":files"}},
		{[]string{"--schema", ""}, nil},
		{[]string{"workers", "show", "--", "--j"}, nil},
		{[]string{"nonsense", ""}, nil},
		{[]string{"--database", "sqlite:/nowhere/at/all", "workers", "show", "bui"}, nil},
	} {
		if got := completed(t, c.words...); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.words, got, c.want)
		}
	}
	setenv(t, "ATTUNE_DATABASE_URL", "")
	if got := completed(t, "--database", db.URL, "workers", "show", "build-2"); !slices.Equal(got, []string{"build-2"}) {
		t.Errorf("with --database: %q", got)
	}
}

// hostileName is a name that a shell would run.
const hostileName = "ci;touch${IFS}x"

// completedFleet makes a database with three workers the one of the commands.
func completedFleet(t *testing.T) *testdb.DB {
	t.Helper()
	setenv(t, "ATTUNE_COMPLETION_TIMEOUT", "1m") // this machine may be busy
	db := testdb.Postgres(t)
	uses(t, db)
	want(t, run(t, "packs", "load", "core"), 0)
	for name, zone := range map[string]string{"build-1": "a", "build-2": "b", hostileName: "b"} {
		w := schema.Worker{
			Name: name, WorkerType: schema.WorkerLocal, WorkerRole: schema.RoleAction,
			Capabilities: []byte(`{"labels": {"zone": "` + zone + `"}}`),
		}
		if _, err := db.NewInsert().Model(&w).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// TestCompleteFromServer asks a server for the names, and a server and a database that do not answer.
func TestCompleteFromServer(t *testing.T) {
	t.Parallel()
	isolated(t)
	completedFleet(t)
	s := serve(t, "--no-auth")
	setenv(t, "ATTUNE_SERVER", s.url)
	if got := completed(t, "workers", "show", "bui"); !slices.Equal(got, []string{"build-1", "build-2"}) {
		t.Errorf("from a server: %q", got)
	}
	setenv(t, "ATTUNE_COMPLETION_TIMEOUT", "100ms")
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	at := silent.Addr().String()
	for _, words := range [][]string{
		{"--server", "http://" + at, "workers", "show", ""},
		{"--database", "postgres://a:b@" + at + "/c?sslmode=disable", "workers", "show", ""},
	} {
		if got := completed(t, words...); got != nil {
			t.Errorf("%q: %q", words, got)
		}
	}
}

// TestCompletionInShells has real shells complete command lines.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	isolated(t)
	completedFleet(t)
	bin := programFolder(t)
	const bash = `source <(attune completion bash)
		COMP_LINE=$1 COMP_POINT=${#1} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
		_attune_complete 2>/dev/null; printf '%s\n' "${COMPREPLY[@]}"`
	const zsh = `source <(attune completion zsh) 2>/dev/null
		compadd() { print -rl -- $candidates }
		words=("${(@s: :)1}") CURRENT=${#words}; _attune`
	const fish = `attune completion fish | source; complete -C "$argv[1]" | string replace -r '\t.*' ''; true`
	for _, c := range []struct {
		line string
		want []string
		bash []string // where bash quotes the word, or replaces a part of it only
	}{
		{"attune workers show bui", []string{"build-1", "build-2"}, nil},
		{"attune workers list label:zone=", []string{"label:zone=a", "label:zone=b"}, []string{"a", "b"}},
		{"attune workers list --has=core.pyt", []string{"--has=core.python"}, []string{"core.python"}},
		{"attune place --select ", []string{"zone=a", "zone=b"}, nil},
		{"attune workers show ci", []string{hostileName}, []string{`ci\;touch\$\{IFS\}x`}}, // the others quote it themselves
		{"attune workers list name:ci", []string{"name:" + hostileName}, []string{`ci\;touch\$\{IFS\}x`}},
	} {
		for shell, args := range map[string][]string{
			"bash": {"--norc", "-c", bash, "bash", c.line}, "zsh": {"-fc", zsh, "zsh", c.line}, "fish": {"--no-config", "-c", fish, c.line},
		} {
			t.Run(shell+" "+c.line, func(t *testing.T) {
				if _, err := osexec.LookPath(shell); err != nil {
					t.Skip(shell + " is missing")
				}
				wanted := c.want
				if shell == "bash" && c.bash != nil {
					wanted = c.bash
				}
				cmd := osexec.CommandContext(t.Context(), shell, args...)
				cmd.Env = append(environ(t), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
				out, err := cmd.CombinedOutput()
				if got := strings.Fields(string(out)); err != nil || !slices.Equal(got, wanted) {
					t.Errorf("%q, %v, want %q\n%s", got, err, wanted, out)
				}
			})
		}
	}
}
