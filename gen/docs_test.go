package gen_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/attune-go/attune/gen"
)

// The document types that the guide for embedders shows can be generated from.
func TestTypesOfTheGuide(t *testing.T) {
	text, err := os.ReadFile("../docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```go\n(//attune:document.*?)^```$").FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatal("docs/embedding.md shows no document type")
	}
	for _, block := range blocks {
		source := "package p\n\nimport (\n\t\"time\"\n\n\t\"github.com/attune-go/attune/schema/document\"\n)\n\n" + string(block[1])
		_, err := gen.Metadata(gen.Source{Files: map[string][]byte{"p.go": []byte(source)}}, gen.MetadataConfig{Guards: "g", Page: "p.md"})
		if err != nil {
			t.Errorf("%s\n%v", source, err)
		}
	}
}
