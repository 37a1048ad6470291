//go:build darwin || freebsd

package host

import "golang.org/x/sys/unix"

// hasACL returns false: the mode does not show access lists here.
func hasACL(string) bool { return false }

// folderFlags are the flags for opening a folder, which must be readable here.
const folderFlags = unix.O_RDONLY

// magicLink returns false: no procfs has links of the kernel here.
func magicLink(string) bool { return false }
