package gen_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/gen"
)

const (
	before = gen.Header + "\n\npackage before\n"
	after  = gen.Header + "\n\npackage after\n"
)

// An error that prevents writing one file leaves all of them unchanged.
func TestWriteAllOrNothing(t *testing.T) {
	tests := []struct {
		name    string
		prepare func() error
		want    string
	}{
		{"by hand", func() error { return os.WriteFile("z.go", []byte("package z\n"), 0o666) }, "z.go is not a generated file"},
		{"says so too late", func() error {
			return os.WriteFile("z.go", []byte("package z\n"+strings.Repeat("//\n", 200)+gen.Header), 0o666)
		}, "z.go is not a generated file"},
		{"a folder", func() error { return os.Mkdir("z.go", 0o777) }, "z.go: is a directory"},
		{"no folder", func() error { return os.WriteFile("z", nil, 0o666) }, "z/x.md: not a directory"},
		{"a link to nowhere", func() error { return os.Symlink("/nonexistent/folder", "z") }, "write z/x.md: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("a.go", []byte(before), 0o666); err != nil {
				t.Fatal(err)
			}
			if err := tt.prepare(); err != nil {
				t.Fatal(err)
			}
			want := listing(t)
			files := gen.Files{"a.go": []byte(after), "m/n/b.md": []byte(after), "z.go": []byte(after), "z/x.md": []byte(after)}
			written, err := files.Write()
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(written) > 0 {
				t.Errorf("wrote %v, %v; want an error with %q", written, err, tt.want)
			}
			if diff := cmp.Diff(want, listing(t)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

// listing returns the files of the working directory with their contents.
func listing(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		text := ""
		if d.Type().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text = string(data)
		}
		out = append(out, d.Type().String()+" "+path+"\n"+text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWriteReplacesWhatDiffers(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"a.go": before, "b.go": after, "empty.md": ""} {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	files := gen.Files{"a.go": []byte(after), "b.go": []byte(after), "empty.md": []byte(after), "m/n/c.go": []byte(after)}
	written, err := files.Write()
	if want := []string{"a.go", "empty.md", "m/n/c.go"}; err != nil || !slices.Equal(written, want) {
		t.Errorf("wrote %v, %v; want %v", written, err, want)
	}
	for name := range files {
		if text, err := os.ReadFile(name); err != nil || string(text) != after {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
	}
	if info, err := os.Stat("a.go"); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(".attune-gen-*"); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
