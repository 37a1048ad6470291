package host_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/attune-go/attune/runtime/host"
)

// TestServedBy reads the server of a file system from a list of mounts.
func TestServedBy(t *testing.T) {
	const list = `22 27 0:21 / /proc rw,relatime - proc proc rw
36 35 98:0 / / rw,noatime master:1 - ext4 /dev/root rw,user_id=1000
40 36 0:40 / /opt/a\040b rw,nosuid,nodev shared:7 - fuse.sshfs eve@host:/ rw,user_id=1000,group_id=1000,allow_other
41 36 0:41 / /mnt/b rw - fuse b rw,user_id=0,group_id=1000,allow_other
42 36 0:42 / /mnt/c rw - fuse c rw,allow_other,user_id=12345
43 36 0:43 / /mnt/d rw - fuse.mergerfs d rw,user_id=1001
44 36 8:17 / /media/usb rw - fuseblk /dev/sdb1 rw,user_id=1000,group_id=0
45 36 0:45 / /mnt/e rw - fusectl e rw,user_id=1000
46 36 0:46 / /mnt/f rw - virtiofs f rw
cut
`
	for device, want := range map[uint64]string{
		unix.Mkdev(0, 40): "fuse.sshfs eve@host:/ on /opt/a b",
		unix.Mkdev(0, 42): "user 12345, who serves fuse c on /mnt/c",
		unix.Mkdev(8, 17): "fuseblk /dev/sdb1 on /media/usb",
		unix.Mkdev(0, 21): "", unix.Mkdev(98, 0): "", unix.Mkdev(0, 41): "", unix.Mkdev(0, 43): "",
		unix.Mkdev(0, 45): "", unix.Mkdev(0, 46): "", unix.Mkdev(0, 99): "",
	} {
		got := host.ServedBy(strings.NewReader(list), device, 1001)
		if (got == "") != (want == "") || !strings.HasSuffix(got, want) {
			t.Errorf("device %d:%d is served by %q, want %q", unix.Major(device), unix.Minor(device), got, want)
		}
	}
}

// TestServedByOther checks a file that another user's server shows as root's.
func TestServedByOther(t *testing.T) {
	for _, tt := range []struct {
		server   int
		stranger bool
	}{{0, false}, {12345, true}} {
		t.Run(fmt.Sprint("served by ", tt.server), func(t *testing.T) {
			dir := realDir(t)
			serve(t, dir, tt.server)
			file := filepath.Join(dir, "tool")
			_, err := host.Protected(file)
			var unprotected *host.UnprotectedError
			if !tt.stranger && err != nil || tt.stranger && (!errors.As(err, &unprotected) || !strings.Contains(unprotected.By, "user 12345, who serves fuse root on "+dir)) {
				t.Errorf("Protected: got %v", err)
			}
			if by, bad := withPath("/").Round(nil).Writable(file); bad != tt.stranger {
				t.Errorf("Writable: got %q, want it writable %v", by, tt.stranger)
			}
		})
	}
}

// serve mounts a file system in which every name is a file of root.
func serve(t *testing.T, dir string, user int) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount a file system that another user serves")
	}
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("open /dev/fuse: ", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=0,allow_other", fd, user)
	if err := unix.Mount("root", dir, "fuse", unix.MS_NODEV|unix.MS_NOSUID, options); err != nil {
		_ = unix.Close(fd)
		t.Skip("mount a FUSE file system: ", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answer(fd)
	}()
	t.Cleanup(func() {
		_ = unix.Unmount(dir, unix.MNT_DETACH)
		<-ended
		_ = unix.Close(fd)
	})
}

// answer answers the kernel's requests until the file system is unmounted. The numbers are
// from linux/fuse.h.
func answer(fd int) {
	const lookup, getattr, opInit = 1, 3, 26
	order := binary.NativeEndian
	attr := func(inode uint64, mode uint32) []byte {
		b := make([]byte, 88)
		order.PutUint64(b, inode)
		order.PutUint32(b[60:], mode)
		order.PutUint32(b[64:], 1) // links
		return b
	}
	request := make([]byte, 1<<17)
	for {
		n, err := unix.Read(fd, request)
		switch {
		case err == unix.EINTR || err == unix.ENOENT: // the request was taken back
			continue
		case err != nil || n < 40:
			return
		}
		header, body, failed := make([]byte, 16), []byte(nil), int32(0)
		inode := order.Uint64(request[16:])
		switch order.Uint32(request[4:]) {
		case opInit:
			out := make([]byte, 64)
			order.PutUint32(out, 7)
			order.PutUint32(out[4:], 31)
			order.PutUint32(out[20:], 1<<12) // max_write
			body = out
		case lookup:
			entry := make([]byte, 40)
			order.PutUint64(entry, 2)
			body = slices.Concat(entry, attr(2, unix.S_IFREG|0o755))
		case getattr:
			mode := uint32(unix.S_IFDIR | 0o755)
			if inode == 2 {
				mode = unix.S_IFREG | 0o755
			}
			body = slices.Concat(make([]byte, 16), attr(inode, mode))
		default:
			failed = -int32(unix.ENOSYS)
		}
		order.PutUint32(header, uint32(len(header)+len(body)))
		order.PutUint32(header[4:], uint32(failed))
		copy(header[8:16], request[8:16])
		_, _ = unix.Write(fd, slices.Concat(header, body))
	}
}
