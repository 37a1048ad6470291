package database_test

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/attune-go/attune/schema/database"
)

// TestIsPermanent distinguishes errors of the system against which waiting helps from others, in
// the forms that they come in.
func TestIsPermanent(t *testing.T) {
	open := func(why syscall.Errno) error { return &fs.PathError{Op: "open", Path: "/x/w.db.lock", Err: why} }
	for _, why := range []syscall.Errno{
		syscall.ENOENT, syscall.EACCES, syscall.EPERM, syscall.EROFS, syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP, syscall.ENAMETOOLONG,
	} {
		for _, err := range []error{fmt.Errorf("prepare: %w", open(why)), fmt.Errorf("/x: %w", why)} {
			if !database.IsPermanent(err) {
				t.Errorf("%v is waited out", err)
			}
		}
	}
	lost := func(why syscall.Errno) error {
		return fmt.Errorf("statement: %w", &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", why)})
	}
	for _, err := range []error{
		open(syscall.ENOSPC), open(syscall.EDQUOT), open(syscall.EMFILE), open(syscall.EIO),
		lost(syscall.ECONNREFUSED), lost(syscall.ENOENT), lost(syscall.EACCES),
	} {
		if database.IsPermanent(err) {
			t.Errorf("%v is permanent", err)
		}
	}
}
