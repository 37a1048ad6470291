package database

import "time"

// SetBusyTimeout shortens the wait for a lock, for the duration of a test.
func SetBusyTimeout(d time.Duration) (restore func()) {
	old := busyTimeout
	busyTimeout = d
	return func() { busyTimeout = old }
}
