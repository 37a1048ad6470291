package packs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
)

func TestCoreHasNoFault(t *testing.T) {
	pack, faults := packs.Load(os.DirFS("core"), packs.Config{Strict: true, Core: true})
	for _, p := range faults {
		t.Error(p)
	}
	if !cmp.Equal(pack, packs.Core()) {
		t.Errorf("the embedded pack is another one: %s", cmp.Diff(pack, packs.Core()))
	}
}

func TestCoreNames(t *testing.T) {
	want := map[string][]string{
		"core.bun": {"bun"}, "core.deno": {"deno"}, "core.dotnet": {"dotnet"}, "core.elixir": {"elixir"},
		"core.erlang": {"erlang", "erl", "escript"}, "core.go": {"go", "golang"}, "core.java": {"java", "jdk", "jre"},
		"core.julia": {"julia"}, "core.lua": {"lua"}, "core.native": {"native", "binary"}, "core.nodejs": {"node", "nodejs"},
		"core.perl": {"perl", "perl5"}, "core.php": {"php"}, "core.powershell": {"powershell", "pwsh"},
		"core.python": {"python", "python3"}, "core.r": {"r", "rscript"}, "core.ruby": {"ruby"}, "core.rust": {"rust", "rustc"},
		"core.sensor.builtin": {"builtin"}, "core.shell": {"shell", "bash", "sh"},
	}
	got := map[string][]string{}
	for _, d := range packs.Core().Definitions {
		got[d.Ref] = d.Aliases
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	index := metadata.NewIndex(packs.Core().Definitions)
	for name, ref := range map[string]string{"Node.js": "core.nodejs", "NODE": "core.nodejs", ".net": "core.dotnet", "R": "core.r",
		"PowerShell": "core.powershell", "builtin": "core.sensor.builtin"} {
		if d, ok := index.Resolve(name); !ok || d.Ref != ref {
			t.Errorf("%q does not mean %s", name, ref)
		}
	}
}

func TestCoreRoles(t *testing.T) {
	for _, d := range packs.Core().Definitions {
		builtin := d.Ref == metadata.BuiltinRef
		if d.HasRole(metadata.Worker) == builtin || !d.HasRole(metadata.Sensor) {
			t.Errorf("%s has roles %v", d.Ref, d.Distributions.Roles)
		}
		always := slices.Contains([]string{"core.native", metadata.BuiltinRef}, d.Ref)
		if d.Distributions.Verification.AlwaysAvailable != always {
			t.Errorf("%s: always available %t", d.Ref, !always)
		}
	}
}

func TestCoreFilesAreNamedByTheirRef(t *testing.T) {
	files, err := fs.Glob(os.DirFS("core"), "runtimes/*")
	if err != nil || len(files) != len(packs.Core().Definitions) {
		t.Errorf("%d files for %d definitions, %v", len(files), len(packs.Core().Definitions), err)
	}
	for ref, file := range packs.Core().Files {
		if want := "runtimes/" + ref[len("core."):] + ".yaml"; file != want {
			t.Errorf("%s is in %s, not in %s", ref, file, want)
		}
	}
}

func BenchmarkCore(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := packs.Load(os.DirFS("core"), packs.Config{Core: true}); faults.Err() != nil {
			b.Fatal(faults.Err())
		}
	}
}

// TestCoreLocationsHaveSources checks that a comment with its source stands above each group of
// locations of the core pack.
func TestCoreLocationsHaveSources(t *testing.T) {
	files, err := filepath.Glob("core/runtimes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %v, error %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, locations, _ := strings.Cut(string(text), "    locations:\n")
		sourced := false
		for line := range strings.Lines(locations) {
			line, item := strings.CutPrefix(line, "      ")
			if !item {
				break
			}
			if strings.HasPrefix(line, "#") {
				sourced = strings.Contains(line, ")")
			} else if !sourced {
				t.Errorf("%s: missing source of %s", file, strings.TrimSpace(line))
			}
		}
	}
}
