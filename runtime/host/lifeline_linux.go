package host

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// A command ends with this process, however that ends. Two mechanisms ensure it:
//
//   - Pdeathsig kills the leader. The kernel sends it when the thread that forked
//     ends, so Run locks its goroutine to a thread.
//   - The lifeline kills the group. It is a pipe with its only writing end in this
//     process; the command inherits the reading end as file 3. When this process
//     ends, the kernel closes the writing end and sends SIGKILL to the group.
//
// Neither kills setuid programs that this user must not kill, or processes that left the
// group. The lifeline misses children that the leader starts before tie, if this process
// is killed at that moment. The group has no id before the leader has one, and holding
// the leader back would cost another exec.

// lifelineFile is the number of the reading end in the command.
const lifelineFile = 3

// spawn forks and executes, and sets p.exit.
func (p *process) spawn(path string, argv []string, attr *syscall.ProcAttr) error {
	r, w, err := closedPipe()
	if err != nil {
		return err
	}
	defer unix.Close(r)
	attr.Files = append(attr.Files[:lifelineFile:lifelineFile], uintptr(r))
	attr.Sys = apart()
	attr.Sys.Pdeathsig = unix.SIGKILL
	if pidfdWorks() {
		err = p.spawnPidfd(path, argv, attr)
	} else {
		err = p.spawnWatched(path, argv, attr)
	}
	if err != nil {
		_ = unix.Close(w)
		return err
	}
	p.lifeline = w
	tie(r, p.pid)
	return nil
}

// tie makes the kernel kill a group when the pipe's other end is closed. Where that is not
// supported (gVisor), only Pdeathsig applies.
func tie(r, group int) {
	if _, err := unix.FcntlInt(uintptr(r), unix.F_SETOWN, -group); err != nil {
		return
	}
	if _, err := unix.FcntlInt(uintptr(r), unix.F_SETSIG, int(unix.SIGKILL)); err != nil {
		return // it would be SIGIO
	}
	_, _ = unix.FcntlInt(uintptr(r), unix.F_SETFL, unix.O_ASYNC)
}
