package host

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// A command ends with this process, however that ends. Two things see to it:
//
//   - Pdeathsig ends the leader, from its first moment on. The kernel sends it
//     when the thread that forked ends; so Run keeps its thread to itself.
//   - The lifeline ends the group. It is a pipe whose writing end is here
//     alone; the command inherits the reading end as its file 3. When this
//     process is gone the kernel closes the writing end, and signals those who
//     asked to be told: the group, with SIGKILL.
//
// Neither ends what this user must not kill (setuid), nor what has left the
// group. Of the leader's children the lifeline misses those of the moment
// between the leader's start and tie, if this process is killed in it: the group
// cannot be named before the leader has its id, and nothing keeps the leader from
// running until then that would not cost another exec.

// lifelineFile is the number that the reading end has in the command.
const lifelineFile = 3

// spawn forks and executes, and arranges for p.exit.
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

// tie lets the kernel kill a group when the pipe's other end is closed. Where it
// cannot (gVisor), Pdeathsig is all there is.
func tie(r, group int) {
	if _, err := unix.FcntlInt(uintptr(r), unix.F_SETOWN, -group); err != nil {
		return
	}
	if _, err := unix.FcntlInt(uintptr(r), unix.F_SETSIG, int(unix.SIGKILL)); err != nil {
		return // it would be SIGIO
	}
	_, _ = unix.FcntlInt(uintptr(r), unix.F_SETFL, unix.O_ASYNC)
}
