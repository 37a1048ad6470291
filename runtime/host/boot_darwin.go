package host

import "golang.org/x/sys/unix"

// bootClock is a clock that runs since the boot and cannot be set.
const bootClock = unix.CLOCK_MONOTONIC

// readBoot returns the identity of this boot, or "".
func readBoot() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}
