package host

import "golang.org/x/sys/unix"

// hasACL reports whether a file has an access list, which can name any user. Then the
// group bits of its mode are the list's mask.
func hasACL(path string) bool {
	n, err := unix.Lgetxattr(path, "system.posix_acl_access", nil)
	return err == nil && n > 0
}

// folderFlags are the flags for opening a folder as part of a path. It need not be
// readable.
const folderFlags = unix.O_PATH

// magicLink reports whether a folder is in a procfs, wherever that is mounted, so that its
// links are the kernel's.
func magicLink(folder string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(folder, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}
