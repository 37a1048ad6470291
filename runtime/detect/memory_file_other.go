//go:build !unix

package detect

import (
	"time"

	"github.com/attune-go/attune/runtime/host"
)

// readMemory returns no answers: nothing is remembered on this system.
func readMemory(string) map[string]*memoryEntry { return map[string]*memoryEntry{} }

// writeMemory returns the error of host.Supported.
func writeMemory(string, map[string]*memoryEntry, time.Duration, time.Time) error {
	return host.Supported()
}
