package sqlite

import "time"

// SetBusyTimeout shortens the wait for a lock until restore is called.
func SetBusyTimeout(d time.Duration) (restore func()) {
	old := busyTimeout
	busyTimeout = d
	return func() { busyTimeout = old }
}

// CannotOpen returns the error for a file that SQLite could not open.
func CannotOpen(path string, err error) error { return cannotOpen(path, err) }
