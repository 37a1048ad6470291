//go:build unix

package host_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/host"
)

// BenchmarkRun runs a program that does nothing by Run and by os/exec. The difference is the
// cost of safety.
func BenchmarkRun(b *testing.B) {
	h := host.Local(host.LocalConfig{})
	b.Run("host", func(b *testing.B) {
		for b.Loop() {
			if res := h.Run(b.Context(), host.Invocation{Path: "/bin/true", Args: []string{"--version"}, Timeout: time.Minute}); res.ExitCode != 0 {
				b.Fatal(res)
			}
		}
	})
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			if _, err := exec.Command("/bin/true", "--version").CombinedOutput(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkLookupMiss looks up a name that none of ten folders has.
func BenchmarkLookupMiss(b *testing.B) {
	h := withPath("/", "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt", "/srv", "/var", "/etc")
	for b.Loop() {
		if len(h.Lookup("no-such-tool")) > 0 {
			b.Fatal("found")
		}
	}
}
