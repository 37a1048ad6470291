package host

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mountList is the kernel's list of mounts.
const mountList = "/proc/self/mountinfo"

// mountOf returns the file system of a real path. It reads the kernel's list of mounts,
// since the file system may hang.
func mountOf(path string) mount {
	m := unknownMount
	f, err := os.Open(mountList)
	if err != nil {
		return m
	}
	defer f.Close()
	for other := range mountsOf(f) {
		// A later mount covers an earlier one at the same place.
		if below(path, other.point) && (m.id == "" || len(other.point) >= len(m.point)) {
			m = other
		}
	}
	return m
}

// mountsOf returns the mounts in a list.
func mountsOf(list io.Reader) iter.Seq[mount] {
	return func(yield func(mount) bool) {
		for lines := bufio.NewScanner(list); lines.Scan(); {
			// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
			fields, rest, ok := strings.Cut(lines.Text(), " - ")
			first, last := strings.Fields(fields), strings.Fields(rest)
			if !ok || len(first) < 5 || len(last) < 2 {
				continue
			}
			m := mount{id: first[0], point: unescape(first[4]), kind: last[0], source: unescape(last[1]), device: first[2]}
			if len(last) > 2 {
				m.options = last[2]
			}
			if !yield(m) {
				return
			}
		}
	}
}

// servedByOther returns the user other than root and uid who serves the FUSE file system of
// a device, or "". Such a file system can show any owner and mode. With user_allow_other in
// fuse.conf any user can serve one to all others.
func servedByOther(device, uid uint64) (by string) {
	f, err := os.Open(mountList)
	if err != nil {
		return "" // no procfs, as in some chroots
	}
	defer f.Close()
	return servedBy(f, device, uid)
}

func servedBy(list io.Reader, device, uid uint64) (by string) {
	number := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	for m := range mountsOf(list) {
		if m.device != number || m.kind != "fuse" && m.kind != "fuseblk" && !strings.HasPrefix(m.kind, "fuse.") {
			continue
		}
		for option := range strings.SplitSeq(m.options, ",") {
			text, is := strings.CutPrefix(option, "user_id=")
			if server, err := strconv.ParseUint(text, 10, 32); is && err == nil && server != 0 && server != uid {
				return fmt.Sprintf("%s, who serves %s", userName(uint32(server)), m)
			}
		}
	}
	return ""
}

// unescape replaces the octal escapes of the list, such as \040.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
