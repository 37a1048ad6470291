package database

import "time"

// SetBusyTimeout shortens the wait for a lock, for the duration of a test.
func SetBusyTimeout(d time.Duration) (restore func()) {
	old := busyTimeout
	busyTimeout = d
	return func() { busyTimeout = old }
}

// SetListenPatience shortens how long a silent line is trusted, for the duration
// of a test.
func SetListenPatience(quiet, answer time.Duration) (restore func()) {
	oldQuiet, oldAnswer := listenQuiet, listenAnswer
	listenQuiet, listenAnswer = quiet, answer
	return func() { listenQuiet, listenAnswer = oldQuiet, oldAnswer }
}

// CannotOpen is what is said of a file that SQLite could not open.
func CannotOpen(path string, err error) error { return cannotOpen(path, err) }
