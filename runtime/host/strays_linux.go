package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// endStrays kills processes that left the command's group but keep standard output, standard
// error or the lifeline, as setsid does. Otherwise each probe of such a tool would leave
// another process. A process that closed all three is a daemon on purpose, such as adb or
// gpg-agent, and lives on.
//
// It runs after the leader has ended and the rest of its group was killed. One system call
// shows whether a pipe is still open. Only if one is, it searches the host's processes.
func (p *process) endStrays() {
	pipes := p.keptPipes()
	if len(pipes) == 0 {
		return
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	// A child of this process has its files until execve. The lock excludes such
	// children.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() {
			endKeeper(pid, pipes)
		}
	}
}

// keptPipes returns the command's pipes with an open other end, as named in /proc.
func (p *process) keptPipes() map[string]bool {
	fds := [...]unix.PollFd{{Fd: int32(p.out.fd)}, {Fd: int32(p.err.fd)}, {Fd: int32(p.lifeline)}}
	for {
		if _, err := unix.Poll(fds[:], 0); err != unix.EINTR {
			break
		}
	}
	var kept map[string]bool
	for _, fd := range fds {
		var st unix.Stat_t
		if fd.Fd < 0 || fd.Revents&(unix.POLLHUP|unix.POLLERR) != 0 || unix.Fstat(int(fd.Fd), &st) != nil {
			continue
		}
		if kept == nil {
			kept = map[string]bool{}
		}
		kept[fmt.Sprintf("pipe:[%d]", st.Ino)] = true
	}
	return kept
}

// endKeeper kills a process that has one of the pipes as a command's file. Kernels before 5.3
// cannot exclude that the id was reused, so there it does nothing.
func endKeeper(pid int, pipes map[string]bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	for file := 1; file <= lifelineFile; file++ {
		target, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "fd", strconv.Itoa(file)))
		if err == nil && pipes[target] {
			_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
			return
		}
	}
}
