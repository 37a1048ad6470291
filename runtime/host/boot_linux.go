package host

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// bootClock is a clock that runs since the boot and cannot be set.
const bootClock = unix.CLOCK_BOOTTIME

// readBoot returns the identity of this boot, or "" where the kernel does not show it.
func readBoot() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}
