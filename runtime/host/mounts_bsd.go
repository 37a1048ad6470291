//go:build darwin || freebsd

package host

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// mountOf returns the file system of a real path. It reads the kernel's list of mounts,
// since the file system may hang.
func mountOf(path string) mount {
	m := unknownMount
	n, err := unix.Getfsstat(nil, unix.MNT_NOWAIT)
	if err != nil {
		return m
	}
	all := make([]unix.Statfs_t, n)
	if n, err = unix.Getfsstat(all, unix.MNT_NOWAIT); err != nil {
		return m
	}
	for _, s := range all[:n] {
		if point := unix.ByteSliceToString(s.Mntonname[:]); below(path, point) && (m.id == "" || len(point) >= len(m.point)) {
			m = mount{
				id: fmt.Sprint(s.Fsid), point: point,
				kind: unix.ByteSliceToString(s.Fstypename[:]), source: unix.ByteSliceToString(s.Mntfromname[:]),
			}
		}
	}
	return m
}

// servedByOther returns "": servers of file systems are unknown here.
func servedByOther(uint64, uint64) string { return "" }
