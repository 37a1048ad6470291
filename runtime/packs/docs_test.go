//go:build unix

package packs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

const example = "testdata/ruby-two"

// blocks returns the code blocks of a page.
func blocks(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs", page))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	return out
}

// TestDocsExample checks that docs/packs.md shows the pack in testdata, which has no
// fault.
func TestDocsExample(t *testing.T) {
	page := strings.Join(blocks(t, "packs.md"), "\x00")
	for _, name := range []string{"pack.yaml", "runtimes/ruby.yaml"} {
		text, err := os.ReadFile(filepath.Join(example, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains("\x00"+page+"\x00", "\x00"+string(text)+"\x00") {
			t.Errorf("docs/packs.md does not show %s as it is in %s", name, example)
		}
	}
	p, faults := packs.LoadDir(example, packs.Config{Strict: true})
	for _, fault := range faults {
		t.Error(fault)
	}
	if len(p.Definitions) != 1 || len(p.Definitions[0].Versions) != 2 {
		t.Fatalf("loaded %+v", p.Definitions)
	}
	ruby := p.Definitions[0]
	if ruby.CapabilityName() != "acme-ruby" || ruby.Versions[0].Version != "3.4" || !ruby.Versions[0].IsDefault {
		t.Errorf("loaded %+v", ruby)
	}
}

// TestDocsErrors checks that docs/packs.md shows the faults of its three mistakes.
func TestDocsErrors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(example, "runtimes/ruby.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	broken := string(text)
	for old, mistake := range map[string]string{`["--version"]`: `[3]`, `'^ruby 3\.4\.'`: `'^ruby (3\.4\.'`, "priority: 1": "priorty: 1"} {
		broken = strings.Replace(broken, old, mistake, 1)
	}
	_, got := load(pack(map[string]string{"ruby": broken, "pack.yaml": "ref: acme\nlabel: ACME\nversion: 1.0.0\n"}), packs.Config{})
	for i := range got {
		got[i] = "acme/" + got[i]
	}
	shown := ""
	for _, block := range blocks(t, "packs.md") {
		if strings.Contains(block, ": error: ") {
			shown = block
		}
	}
	if diff := cmp.Diff(shown, strings.Join(got, "\n")+"\n"); diff != "" {
		t.Errorf("docs/packs.md and validate (-docs +validate):\n%s", diff)
	}
}

// TestDocsFiles checks that docs/packs.md names the schemas for editors and the endings of
// file names.
func TestDocsFiles(t *testing.T) {
	text, err := os.ReadFile("../../docs/packs.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"](pack.schema.json)", "](runtime.schema.json)", "`.yaml` or `.yml`", "timeout: 5s"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/packs.md lacks %q", want)
		}
	}
}

// TestDocsNameEveryKey checks that docs/metadata.md explains each key of each object.
func TestDocsNameEveryKey(t *testing.T) {
	text, err := os.ReadFile("../../docs/metadata.md")
	if err != nil {
		t.Fatal(err)
	}
	var d metadata.Definition
	err = d.UnmarshalJSON([]byte(`{"?": 1, "distributions": {"?": 1, "verification": {"?": 1, "commands": [{"?": 1}], "version_file": {"?": 1}}},
		"execution_config": {"?": 1, "interpreter": {"?": 1}}, "versions": [{"?": 1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	unknown := d.UnknownKeys()
	if len(unknown) != 8 {
		t.Errorf("there are %d kinds of objects", len(unknown))
	}
	for _, u := range unknown {
		for _, key := range u.Known {
			if !strings.Contains(string(text), "`"+key+"`") {
				t.Errorf("docs/metadata.md does not explain %s, beside %s", key, u.Pointer)
			}
		}
	}
}
