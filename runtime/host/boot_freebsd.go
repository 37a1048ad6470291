package host

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// bootClock is a clock that runs since the boot and cannot be set.
const bootClock = unix.CLOCK_MONOTONIC

// readBoot returns the host's identity and the time of this boot, or "".
func readBoot() string {
	id, _ := unix.Sysctl("kern.hostuuid")
	at, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return ""
	}
	return fmt.Sprint(id, " ", at.Sec)
}
