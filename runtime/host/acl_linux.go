package host

import "golang.org/x/sys/unix"

// hasACL says whether the group bits of a mode are the mask of an access list,
// which can name any user.
func hasACL(path string) bool {
	n, err := unix.Lgetxattr(path, "system.posix_acl_access", nil)
	return err == nil && n > 0
}
