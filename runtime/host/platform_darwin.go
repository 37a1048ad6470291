package host

import "golang.org/x/sys/unix"

// hasACL is false: on macOS access lists are no part of a file's mode.
func hasACL(string) bool { return false }

// folderFlags open a folder; macOS needs it to be readable.
const folderFlags = unix.O_RDONLY

// magicLink is false: macOS has no procfs.
func magicLink(string) bool { return false }
