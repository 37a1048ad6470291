package host_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWritableByACL: a group with root alone may write, but not a user of an access list.
func TestWritableByACL(t *testing.T) {
	base := secureDir(t)
	path := base + "/tool"
	put(t, path, "#!/bin/sh\n", 0o775)
	if by, bad := withPath("/").Writable(path); bad && strings.Contains(by, "belongs") {
		t.Skip(by)
	}
	list := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{{0x01, 7, 0}, {0x02, 7, 65534}, {0x04, 5, 0}, {0x10, 7, 0}, {0x20, 5, 0}} {
		list = binary.LittleEndian.AppendUint16(list, e.tag)
		list = binary.LittleEndian.AppendUint16(list, e.perm)
		list = binary.LittleEndian.AppendUint32(list, e.id)
	}
	if err := unix.Setxattr(path, "system.posix_acl_access", list, 0); err != nil {
		t.Skipf("no access lists here: %v", err)
	}
	if by, bad := withPath("/").Writable(path); !bad || !strings.Contains(by, "can be written by group") {
		t.Errorf("got %q, %v; want it named", by, bad)
	}
}
