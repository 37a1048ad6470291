package host

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// closedPipe is a pipe that no child inherits.
func closedPipe() (r, w int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	var p [2]int
	if err = unix.Pipe(p[:]); err != nil {
		return -1, -1, err
	}
	unix.CloseOnExec(p[0])
	unix.CloseOnExec(p[1])
	return p[0], p[1], nil
}

// spawn forks and executes, and arranges for p.exit: a kqueue that has an
// event, and so can be polled, when the leader has ended. It reaps nothing.
func (p *process) spawn(path string, argv []string, attr *syscall.ProcAttr) error {
	kq, err := newKqueue()
	if err != nil {
		return err
	}
	attr.Sys = apart()
	if p.pid, err = syscall.ForkExec(path, argv, attr); err != nil {
		_ = unix.Close(kq)
		return err
	}
	event := make([]unix.Kevent_t, 1)
	unix.SetKevent(&event[0], p.pid, unix.EVFILT_PROC, unix.EV_ADD)
	event[0].Fflags = unix.NOTE_EXIT
	if _, err = unix.Kevent(kq, event, nil, nil); err != nil {
		// It ended before it could be watched (ESRCH): a closed pipe is as
		// readable. Any other error ends it.
		_ = unix.Kill(-p.pid, unix.SIGKILL)
		r, w, perr := closedPipe()
		_ = unix.Close(kq)
		if perr != nil {
			return perr
		}
		_ = unix.Close(w)
		kq = r
	}
	p.exit, p.join = kq, func() {}
	return nil
}

func newKqueue() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	kq, err := unix.Kqueue()
	if err == nil {
		unix.CloseOnExec(kq)
	}
	return kq, err
}

// endStrays ends nothing: macOS does not tell who has a pipe. Nor does it end a
// command with this process; who kills it by SIGKILL leaves what runs.
func (p *process) endStrays() {}
