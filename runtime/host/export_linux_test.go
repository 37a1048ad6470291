package host

import "testing"

// WithoutPidfd runs a test as on a kernel before 5.3.
func WithoutPidfd(t *testing.T) {
	old := pidfdWorks
	pidfdWorks = func() bool { return false }
	t.Cleanup(func() { pidfdWorks = old })
}

// ServedBy returns who serves a device by a list of mounts.
var ServedBy = servedBy
