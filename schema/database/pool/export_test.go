package pool

import "time"

// SetListenTimes shortens the times for a silent connection until restore is called.
func SetListenTimes(quiet, answer time.Duration) (restore func()) {
	oldQuiet, oldAnswer := quietTime, answerTime
	quietTime, answerTime = quiet, answer
	return func() { quietTime, answerTime = oldQuiet, oldAnswer }
}
