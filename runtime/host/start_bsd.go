//go:build darwin || freebsd

package host

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// closedPipe returns a pipe that children do not inherit.
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

// spawn forks and executes, and sets p.exit to a kqueue that becomes readable when the leader
// has ended.
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
		// After ESRCH the leader has ended already, and a closed pipe is readable too.
		// After other errors it is killed.
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

// endStrays does nothing: these systems do not show which process has a pipe. Commands also
// survive a SIGKILL of this process there.
func (p *process) endStrays() {}
