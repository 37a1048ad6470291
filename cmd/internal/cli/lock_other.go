//go:build !unix

package cli

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/attune-go/attune/runtime/host"
)

// lockFile returns an error: only hosts that register lock a file.
func lockFile(_ context.Context, path string) (unlock func(), err error) {
	return nil, fmt.Errorf("lock %s: %w", path, host.Supported())
}

// otherOwner returns false: owners are not known on this system.
func otherOwner(fs.FileInfo) (user uint32, other bool) { return 0, false }
