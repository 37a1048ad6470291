package attune_test

import (
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"testing"
)

// The comment in tools.go lists the tools that go.mod has.
func TestToolsAreListed(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "tools.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	want := find(`(?m)^(?:tool |\t)([^\s(]+)$`, string(mod))
	got := find(`(?m)^ +- (\S+)`, file.Doc.Text())
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("tools.go lists %v, go.mod has %v", got, want)
	}
}

func find(pattern, text string) []string {
	var out []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return out
}
