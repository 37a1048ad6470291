package host

import (
	"crypto/sha256"
	"time"
)

// A Fingerprint identifies everything that files show of a command.
type Fingerprint struct {
	// Sum changes if anything of the command changes.
	Sum [sha256.Size]byte
	// Changed is the latest change of a file.
	Changed time.Time
}
