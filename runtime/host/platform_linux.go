package host

import "golang.org/x/sys/unix"

// hasACL says whether the group bits of a mode are the mask of an access list,
// which can name any user.
func hasACL(path string) bool {
	n, err := unix.Lgetxattr(path, "system.posix_acl_access", nil)
	return err == nil && n > 0
}

// folderFlags open a folder only to reach what is in it, for which it need not
// be readable.
const folderFlags = unix.O_PATH

// magicLink reports whether the links in a folder are the kernel's own: procfs
// may be mounted at other places than /proc.
func magicLink(folder string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(folder, &fs) == nil && fs.Type == unix.PROC_SUPER_MAGIC
}
