package packs_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/runtime/packs"
)

func TestInit(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "acme")
	written, err := packs.Init(dir, "acme")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{filepath.Join(dir, "pack.yaml"), filepath.Join(dir, "runtimes", "example.yaml")}; !cmp.Equal(want, written) {
		t.Errorf("wrote %q, want %q", written, want)
	}
	p, faults := packs.LoadDir(dir, packs.Config{Strict: true})
	for _, fault := range faults {
		t.Error(fault)
	}
	if p.Ref != "acme" || len(p.Definitions) != 1 || p.Definitions[0].Ref != "acme.example" {
		t.Errorf("the skeleton is %+v", p)
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	for _, there := range []string{"pack.yaml", "runtimes"} {
		dir := t.TempDir()
		name := filepath.Join(dir, there)
		if err := os.WriteFile(name, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		written, err := packs.Init(dir, "acme")
		if !errors.Is(err, packs.ErrExists) || len(written) != 0 {
			t.Errorf("with %s there: wrote %q, %v", there, written, err)
		}
		if text, err := os.ReadFile(name); err != nil || string(text) != "mine" {
			t.Errorf("%s holds %q, %v", there, text, err)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("there are %v now", entries)
		}
	}
}

func TestInitRefusesRefs(t *testing.T) {
	for _, ref := range []string{"", "core", "Acme", "a.b", "a b", "../x"} {
		dir := t.TempDir()
		if written, err := packs.Init(dir, ref); err == nil {
			t.Errorf("%q: wrote %q", ref, written)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 0 {
			t.Errorf("%q: left %v", ref, entries)
		}
	}
}
