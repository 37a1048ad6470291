//go:build !unix

package host

import (
	"io/fs"
	"time"
)

// SinceBoot returns 0: nothing is remembered on this system.
func SinceBoot() time.Duration { return 0 }

// FileStamp returns "": a host cannot be looked at on this system.
func FileStamp(fs.FileInfo) (text string, changed time.Time) { return "", time.Time{} }

// Fingerprint returns false: a host cannot be looked at on this system.
func (h *LocalHost) Fingerprint(Invocation, ...string) (f Fingerprint, ok bool) { return f, false }
