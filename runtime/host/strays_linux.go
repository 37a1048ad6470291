package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// endStrays ends what left the command's group but keeps one of its pipes,
// standard output, standard error or the lifeline, as `setsid something &` does.
// Without that each probe of such a tool would leave another process. What has
// closed all three has made itself a daemon on purpose, as adb and gpg-agent do,
// and lives on.
//
// To learn that nobody keeps a pipe, the usual case, costs one system call. Only
// else are the host's processes looked through. It is done by the time the
// leader has ended and the rest of its group is killed.
func (p *process) endStrays() {
	pipes := p.keptPipes()
	if len(pipes) == 0 {
		return
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	// A child of this program's that has not come to its exec yet has the files
	// of this process. There is none while the lock is held.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != os.Getpid() {
			endKeeper(pid, pipes)
		}
	}
}

// keptPipes are the command's pipes of which somebody has the other end, as
// /proc shows them.
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

// endKeeper ends a process if one of the pipes is where a command gets it.
// Kernels before 5.3 cannot tell that it is not another one by then.
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
