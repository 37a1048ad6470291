package detect_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/capability"
)

// BenchmarkRemembered detects the core pack on this machine with everything remembered, as a
// new process does, beside reading the same files bare: the places of the definitions, the
// executables with their links, folders and first bytes, the version files, and what is
// remembered. The two take turns, and the ratio is of their medians.
func BenchmarkRemembered(b *testing.B) {
	local := host.Local(host.LocalConfig{})
	defs := packs.Core().Definitions
	policy := corePolicy()
	file := filepath.Join(b.TempDir(), "verified.json")
	again := func() *capability.Document {
		d := newDetector(b, defs, detect.Config{
			Host: local, Policy: policy, Getenv: noEnvironment, Explain: true, Memory: detect.NewMemory(detect.MemoryConfig{Path: file}),
		})
		caps, err := d.Detect(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		return caps
	}
	again()
	caps := again()
	started, executables := 0, map[string]string{}
	for _, in := range caps.Detected {
		for _, a := range in.Attempts {
			if executables[a.Path] = in.VersionFile; !a.Remembered && a.ExitCode != nil {
				started++
			}
		}
	}
	var whole, bare timings
	for b.Loop() {
		whole.time(func() { again() })
		bare.time(func() { readBare(b, local.Info().Path, detect.Commands(defs), executables, file) })
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(started), "started")
	b.ReportMetric(float64(len(executables)), "executables")
	b.ReportMetric(whole.ms(), "ms-remembered")
	b.ReportMetric(bare.ms(), "ms-bare")
	b.ReportMetric(whole.ms()/bare.ms(), "x-bare")
}

// readBare looks for binaries in folders and at locations, and reads executables with their
// version files, and the file of a memory.
func readBare(b *testing.B, folders []string, commands []host.Command, executables map[string]string, memory string) {
	b.Helper()
	home, _ := os.UserHomeDir()
	seen := map[string]bool{}
	for _, c := range commands {
		if c.Location != "" {
			glob := c.Location
			if rest, ok := strings.CutPrefix(glob, "~"); ok {
				glob = home + rest
			}
			if !seen[glob] && !strings.HasPrefix(glob, "$") {
				_, _ = filepath.Glob(glob)
			}
			seen[glob] = true
			continue
		}
		for _, folder := range folders {
			if path := filepath.Join(folder, c.Binary); !seen[path] {
				_, _ = os.Lstat(path)
				seen[path] = true
			}
		}
	}
	for _, folder := range folders { // for names with a version
		_, _ = os.ReadDir(folder)
	}
	for path, versionFile := range executables {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		for _, p := range []string{path, real, filepath.Dir(path), filepath.Dir(real)} {
			_, _ = os.Lstat(p)
		}
		if f, err := os.Open(real); err == nil {
			_, _ = io.ReadFull(f, make([]byte, 256))
			_ = f.Close()
		}
		if versionFile != "" {
			_, _ = os.ReadFile(versionFile)
		}
	}
	text, err := os.ReadFile(memory)
	if err != nil || json.Unmarshal(text, new(any)) != nil {
		b.Fatal(err)
	}
}
