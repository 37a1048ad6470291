//go:build unix

package packs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/packs"
)

// FuzzPackFile checks that no file makes the loader panic or wait, that each fault lies
// in the file, and that a definition loaded without a fault is valid.
func FuzzPackFile(f *testing.F) {
	names, err := filepath.Glob("core/runtimes/*.yaml")
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, text := range []string{"", "a: &a [*a]\n", "<<: {a: 1}\n", "? [a]\n: b\n", "a: !!float .inf\n", "--- a\n--- b\n", "\ufeffref: lang.x\r\n",
		definition("x", "versions: [{version: 3.10}]\n"), "ref: lang.x\nname: 0x1F\naliases: [~, 1e3]\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, faults := packs.Load(pack(map[string]string{"x": string(text), "pack.yaml": packYAML}), packs.Config{})
		lines := 2
		for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
			lines += strings.Count(string(text), end)
		}
		for _, fault := range faults {
			if fault.Line > lines && fault.File == "runtimes/x.yaml" {
				t.Errorf("%s is after the last line, %d", fault, lines)
			}
			if fault.Message == "" {
				t.Error("a fault has no message")
			}
		}
		for i := range p.Definitions {
			d := &p.Definitions[i]
			if err := d.Validate(); err != nil {
				t.Errorf("loaded with faults: %v", err)
			}
			if _, err := d.MarshalJSON(); err != nil {
				t.Errorf("loaded, but cannot be written: %v", err)
			}
		}
		// pack.yaml is read by the same parser.
		packs.Load(pack(map[string]string{"pack.yaml": string(text)}), packs.Config{Strict: true})
	})
}
