package host

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// closedPipe returns a pipe that children do not inherit.
func closedPipe() (r, w int, err error) {
	var p [2]int
	err = unix.Pipe2(p[:], unix.O_CLOEXEC)
	return p[0], p[1], err
}

// pidfdWorks reports whether the end of a process can be polled, as since Linux 5.3. On 5.2
// such a descriptor is always readable.
var pidfdWorks = sync.OnceValue(func() bool {
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return err == nil && n == 0
})

// spawnPidfd sets p.exit to a pidfd of the leader.
func (p *process) spawnPidfd(path string, argv []string, attr *syscall.ProcAttr) (err error) {
	fd := -1
	attr.Sys.PidFD = &fd
	if p.pid, err = syscall.ForkExec(path, argv, attr); err != nil {
		return err
	}
	p.exit, p.join = fd, func() {}
	return nil
}

// spawnWatched is for kernels without pidfd. A goroutine waits for the end of the leader
// without reaping it, and then closes a pipe.
func (p *process) spawnWatched(path string, argv []string, attr *syscall.ProcAttr) error {
	r, w, err := closedPipe()
	if err != nil {
		return err
	}
	if p.pid, err = syscall.ForkExec(path, argv, attr); err != nil {
		_ = unix.Close(r)
		_ = unix.Close(w)
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer unix.Close(w)
		for unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
	}()
	p.exit, p.join = r, func() { <-ended }
	return nil
}
