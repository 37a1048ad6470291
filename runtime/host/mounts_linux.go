package host

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// mountOf returns the file system of a real path. It asks the kernel's list of
// mounts, not the file system, which may hang.
func mountOf(path string) mount {
	m := unknownMount
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return m
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
		fields, rest, ok := strings.Cut(lines.Text(), " - ")
		first, last := strings.Fields(fields), strings.Fields(rest)
		if !ok || len(first) < 5 || len(last) < 2 {
			continue
		}
		// Of two at one place the later one covers the other.
		if point := unescape(first[4]); below(path, point) && (m.id == "" || len(point) >= len(m.point)) {
			m = mount{id: first[0], point: point, kind: last[0], source: unescape(last[1])}
		}
	}
	return m
}

// unescape replaces the octal escapes of the kernel's list, such as \040.
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
