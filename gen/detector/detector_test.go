package detector_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/gen"
	"github.com/attune-go/attune/gen/detector"
	hostile "github.com/attune-go/attune/gen/testdata/detector-hostile/out"
	"github.com/attune-go/attune/gen/testdata/detector-packs/both"
	"github.com/attune-go/attune/gen/testdata/detector/acme"
	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/schema/metadata"
)

const corePack = "../../runtime/packs/core"

func readPacks(t testing.TB, dirs ...string) detector.Source {
	t.Helper()
	src, _, err := detector.ReadPacks(dirs, false)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestCompiledDefinitions checks that the compiled definitions equal those that were read,
// also with hostile characters.
func TestCompiledDefinitions(t *testing.T) {
	const testdata = "../testdata/"
	for name, c := range map[string]struct {
		dirs    []string
		defs    []metadata.Definition
		digests map[string]string
	}{
		"core":    {[]string{corePack}, core.Definitions(), core.Digests()},
		"acme":    {[]string{testdata + "detector/packs/acme"}, acme.Definitions(), acme.Digests()},
		"hostile": {[]string{testdata + "detector-hostile/odd"}, hostile.Definitions(), hostile.Digests()},
		"packs":   {[]string{"core", testdata + "detector-packs/a", testdata + "detector-packs/b"}, both.Definitions(), both.Digests()},
	} {
		t.Run(name, func(t *testing.T) {
			src := readPacks(t, c.dirs...)
			want := map[string]string{}
			for _, def := range src.Definitions {
				want[def.Ref] = def.Digest()
			}
			if diff := cmp.Diff(want, c.digests); diff != "" {
				t.Errorf("digests (-read +generated):\n%s", diff)
			}
			if diff := cmp.Diff(jsonOf(t, src.Definitions), jsonOf(t, c.defs)); diff != "" {
				t.Errorf("definitions (-read +generated):\n%s", diff)
			}
		})
	}
}

func jsonOf(t *testing.T, defs []metadata.Definition) []string {
	t.Helper()
	var list []string
	for i := range defs {
		text, err := defs[i].MarshalJSON()
		var compact bytes.Buffer
		if err == nil {
			err = json.Compact(&compact, text)
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, compact.String())
	}
	return list
}

func TestOutputIsDeterministic(t *testing.T) {
	dirs := []string{"../testdata/detector-packs/a", "../testdata/detector-packs/b", "../testdata/detector/packs/acme", corePack}
	var first gen.Files
	for range 4 {
		slices.Reverse(dirs)
		files, err := detector.Generate(readPacks(t, dirs...), detector.Config{Dir: "x/out"})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = files
		}
		if diff := cmp.Diff(first, files); diff != "" {
			t.Errorf("with the packs in another order (-first +then):\n%s", diff)
		}
	}
	if names := slices.Collect(maps.Keys(first)); !slices.Equal(names, []string{"x/out/detector_gen.go"}) {
		t.Errorf("files %v", names)
	}
}

// TestNamesInGo checks that a name keeps its meaning when another pack is added.
func TestNamesInGo(t *testing.T) {
	_, _ = both.Capabilities(nil).ALisp()
	_, _ = both.Capabilities(nil).BLisp()
	_, _ = both.Capabilities(nil).BOwn()
	_, _ = both.Capabilities(nil).Python()
	h := hostile.Capabilities(nil)
	for name, has := range map[string]func() bool{
		hostile.RefRuntime123:   func() bool { _, ok := h.Runtime123(); return ok },
		hostile.RefRuntime9_1:   func() bool { _, ok := h.Runtime9_1(); return ok },
		hostile.RefABC:          func() bool { _, ok := h.ABC(); return ok },
		hostile.RefType:         func() bool { _, ok := h.Type(); return ok },
		hostile.RefString:       func() bool { _, ok := h.String(); return ok },
		hostile.RefCapabilities: func() bool { _, ok := h.Capabilities(); return ok },
		hostile.RefRuntimes:     func() bool { _, ok := h.Runtimes(); return ok },
	} {
		if has() {
			t.Errorf("a host without a document has %s", name)
		}
	}
}

func TestRowsAtFault(t *testing.T) {
	rows := make([]metadata.Definition, 3)
	for i, text := range []string{
		`{"ref": "b.good", "name": "Good"}`,
		`{"ref": "b.bad", "name": "", "distributions": {"verification": {"commands": [{"binary": "x", "pattern": "("}]}}}`,
		`{"ref": "a.worse", "name": " ", "versions": [{"version": "3.10", "is_default": true}, {"version": "3.9", "is_default": true,
			"distributions": {"min_version": "x"}}, {"version": "1\u009b"}]}`,
	} {
		if err := rows[i].UnmarshalJSON([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows[2].Distributions.Scan(`{"verification": {"commands": "\u001b"}}`); err != nil {
		t.Fatal(err)
	}
	if err := rows[2].Versions[0].ExecutionConfig.Scan(`[1]`); err != nil {
		t.Fatal(err)
	}
	_, err := detector.FromRows("sqlite:x.db", rows)
	var faults gen.Faults
	want := `sqlite:x.db: a.worse: /name: is required: the name for people
sqlite:x.db: a.worse: /distributions/verification/commands: must be a list, got text
sqlite:x.db: a.worse 3.10: /execution_config: must be an object, got a list
sqlite:x.db: a.worse 3.9: /distributions/min_version: version "x": position 1: a version must begin with a number
sqlite:x.db: a.worse 1\u009b: /version: version "1\u009b": position 2: unexpected "\u009b"
sqlite:x.db: a.worse 3.9: /is_default: duplicate default version: the first is 3.10
sqlite:x.db: b.bad: /name: is required: the name for people
sqlite:x.db: b.bad: /distributions/verification/commands/0/pattern: missing closing )`
	if !errors.As(err, &faults) || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestPackageNames(t *testing.T) {
	src := readPacks(t, "../testdata/detector/packs/acme")
	for _, cfg := range []detector.Config{{}, {Dir: "."}, {Dir: "a/b-c"}, {Package: "func"}, {Package: "_"}, {Package: "a; import"}} {
		if files, err := detector.Generate(src, cfg); err == nil || files != nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	if _, err := detector.Generate(detector.Source{}, detector.Config{Package: "a"}); err == nil {
		t.Error("a package that detects nothing was made")
	}
}

// FuzzTextStaysData checks that the text of a definition does not change what the file
// declares.
func FuzzTextStaysData(f *testing.F) {
	for _, s := range []string{"x", "`", "\"", "*/", "\n}", "\\", "%s", "\u202e", "\ufeff", "日本", "${}", "{{.}}", "\r\n", "\x7f", "\u2028"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, key string) {
		quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
		def := fmt.Sprintf(`{"ref": "a.b", "name": %s, "description": %[1]s, "installation": {"x": %[1]s}, %s: [%[1]s],
			"distributions": {"verification": {"commands": [{"binary": "b", "args": [%[1]s, %[1]s]}]}, %[2]s: %[1]s},
			"execution_config": {"interpreter": {"file_extension": %[1]s}}}`, quote(text), quote("_"+key))
		var d metadata.Definition
		if d.UnmarshalJSON([]byte(def)) != nil {
			return
		}
		src, err := detector.FromRows("x", []metadata.Definition{d})
		if err != nil {
			return
		}
		files, err := detector.Generate(src, detector.Config{Package: "a"})
		if err != nil {
			t.Fatal(err)
		}
		code := files["detector_gen.go"]
		file, err := parser.ParseFile(token.NewFileSet(), "a.go", code, 0)
		if err != nil {
			t.Fatal(err)
		}
		var declared []string
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				declared = append(declared, d.Name.Name)
			case *ast.GenDecl:
				declared = append(declared, d.Tok.String())
			}
		}
		if got := strings.Join(declared, " "); got != "import const Worker Sensor detector type Capabilities B Commands Definitions Digests var var" {
			t.Errorf("declared: %s", got)
		}
	})
}

// BenchmarkCore measures the generation of the core pack's detector from its files.
func BenchmarkCore(b *testing.B) {
	for b.Loop() {
		if _, err := detector.Generate(readPacks(b, corePack), detector.Config{Package: "core"}); err != nil {
			b.Fatal(err)
		}
	}
}
