package gen_test

import (
	"testing"

	"github.com/attune-go/attune/gen"
)

// BenchmarkMetadata does what go generate does for schema/metadata, from the files to the texts.
func BenchmarkMetadata(b *testing.B) {
	for b.Loop() {
		src, err := gen.ReadSource("../schema/metadata")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := gen.Metadata(src, gen.MetadataConfig{Schemas: map[string]string{"Definition": "a.json", "PackFile": "b.json"},
			Guards: "guards", Page: "a.md"}); err != nil {
			b.Fatal(err)
		}
	}
}
