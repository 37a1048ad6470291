package main

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// vanishedAfter is how long a client may leave what was sent to it without an answer. Without a bound, the system
// tries for a quarter of an hour, and the stream of a machine that lost its power stays open as long.
const vanishedAfter = 30 * time.Second

// endVanished has the system end the connections of a listener whose clients have vanished.
func endVanished(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(vanishedAfter.Milliseconds()))
	})
	return errors.Join(err, set)
}
