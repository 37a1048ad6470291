package host

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// changedAt returns the time of a file's last status change in nanoseconds.
func changedAt(st *syscall.Stat_t) int64 { return st.Ctimespec.Nano() }

// bootClock is a clock that runs since the boot and cannot be set.
const bootClock = unix.CLOCK_MONOTONIC

// readBoot returns the identity of this boot, or "".
func readBoot() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}
