//go:build unix

package service

import (
	"fmt"
	"io/fs"
	"syscall"
)

// status returns a text that changes if a file is changed or replaced. Policy depends on the
// mode and the owners. The time of the last status change cannot be set back.
func status(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%d %d %d %d %o %d %d %d",
		st.Dev, st.Ino, st.Size, info.ModTime().UnixNano(), st.Mode, st.Uid, st.Gid, changedAt(st))
}
