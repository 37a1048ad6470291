//go:build unix

package host

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A file that is being written, usually by an upgrade, is started busyTries times. The waits
// double from busyWait on, and add up to about an eighth of a second.
const (
	busyTries = 7
	busyWait  = 2 * time.Millisecond
)

// apart puts a command into a process group of its own, and keeps it from this process's
// terminal. If there is one, the command needs a session of its own. Otherwise a group is
// enough, and faster: Linux schedules by session, and many small sessions are slow on a busy
// host.
func apart() *syscall.SysProcAttr {
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err == nil {
		_ = unix.Close(fd)
	}
	if err == unix.ENXIO || err == unix.ENOENT {
		return &syscall.SysProcAttr{Setpgid: true}
	}
	return &syscall.SysProcAttr{Setsid: true}
}

// start starts a command apart from this process. needed names the interpreter of the file,
// if any.
func start(ctx context.Context, path, needed string, args, env []string) (*process, error) {
	stdin, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/null: %w", err)
	}
	defer unix.Close(stdin)
	outR, outW, err := pipe()
	if err != nil {
		return nil, fmt.Errorf("create pipe: %w", err)
	}
	defer unix.Close(outW)
	errR, errW, err := pipe()
	if err != nil {
		_ = unix.Close(outR)
		return nil, fmt.Errorf("create pipe: %w", err)
	}
	defer unix.Close(errW)

	argv := append([]string{path}, args...)
	attr := &syscall.ProcAttr{
		Dir:   "/",
		Env:   env,
		Files: []uintptr{uintptr(stdin), uintptr(outW), uintptr(errW)},
	}
	p := &process{out: stream{fd: outR}, err: stream{fd: errR}, lifeline: -1}
	if err := p.fork(ctx, path, argv, attr); err != nil {
		p.out.close()
		p.err.close()
		return nil, startError(needed, err)
	}
	return p, nil
}

// fork starts the process. It retries while the file is being written.
func (p *process) fork(ctx context.Context, path string, argv []string, attr *syscall.ProcAttr) error {
	wait := busyWait
	for try := 1; ; try++ {
		err := p.spawn(path, argv, attr)
		if err != syscall.ETXTBSY || try == busyTries {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
			wait *= 2
		}
	}
}

// pipe returns a pipe with a reading end that does not block. The command's end blocks, since
// programs do not expect EAGAIN from standard output.
func pipe() (r, w int, err error) {
	if r, w, err = closedPipe(); err != nil {
		return -1, -1, err
	}
	if err = unix.SetNonblock(r, true); err != nil {
		_ = unix.Close(r)
		_ = unix.Close(w)
		return -1, -1, err
	}
	return r, w, nil
}
