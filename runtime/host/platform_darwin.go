package host

import "golang.org/x/sys/unix"

// hasACL returns false: on macOS the mode does not show access lists.
func hasACL(string) bool { return false }

// folderFlags are the flags for opening a folder, which must be readable on macOS.
const folderFlags = unix.O_RDONLY

// magicLink returns false: macOS has no procfs.
func magicLink(string) bool { return false }
