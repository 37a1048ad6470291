package host

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endGrace is how long a killed command may take to end. It is exceeded by one
// that hangs in the kernel or that this user must not kill (setuid). A variable
// for the tests.
var endGrace = 5 * time.Second

// Run runs one command and waits for the end of its first process, the leader.
//
// No shell is involved; argv[0] is the path as found. Standard input is
// /dev/null, the working directory /, the environment built (see Env). The
// command gets a process group of its own and no terminal, so that a prompt
// fails at once instead of appearing on the operator's screen or stopping the
// probe with SIGTTIN.
//
// When the leader ends, after inv.Timeout and when ctx is done, the whole group
// is killed by SIGKILL before the leader is reaped: until then the group's id
// cannot be another's. On Linux what left the group is ended as well if it keeps
// one of the command's pipes; a daemon lives on. Neither is waited for, nor does
// the end of output alone end anything.
//
// On Linux the command also ends with this process, should that be killed. For
// this Run keeps its thread to itself, and the command gets a pipe as file 3.
//
// Result.Err wraps the cause where ctx ended the run, and ErrHangs where the file,
// or one that it needs to be executed, does not answer.
func (h *LocalHost) Run(ctx context.Context, inv Invocation) Result {
	begin := time.Now()
	res := Result{ExitCode: -1}
	if ctx.Err() != nil {
		res.Err = fmt.Errorf("run %s: %w", inv.Path, context.Cause(ctx))
		return res
	}
	if !filepath.IsAbs(inv.Path) {
		res.Err = fmt.Errorf("run %s: not an absolute path", inv.Path)
		return res
	}
	if fault := stubFault(h.info.OS, inv.Path); fault != "" {
		res.Err = fmt.Errorf("run %s: it %s", inv.Path, fault)
		return res
	}
	needs := try(h, func(l *look) needs { return l.startable(inv.Path) })
	if needs.hangs != nil {
		res.Err = fmt.Errorf("run %s: %w", inv.Path, needs.hangs)
		res.Duration = time.Since(begin)
		return res
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p, err := start(ctx, inv.Path, needs.what, inv.Args, h.environ(inv.Env))
	if err != nil {
		res.Err = fmt.Errorf("run %s: %w", inv.Path, err)
		res.Duration = time.Since(begin)
		return res
	}
	release := p.killOn(ctx)
	var deadline time.Time
	if inv.Timeout > 0 {
		deadline = begin.Add(inv.Timeout)
	}
	status, timedOut, err := p.collect(deadline)
	release()
	res.Stdout, res.Stderr = p.out.text(), p.err.text()
	res.Truncated = p.out.truncated || p.err.truncated
	res.judge(ctx, inv.Path, status, timedOut, err)
	res.Duration = time.Since(begin)
	return res
}

// judge says how the command ended. A command that ended by itself in the very
// moment of its timeout did end by itself.
func (r *Result) judge(ctx context.Context, path string, status syscall.WaitStatus, timedOut bool, err error) {
	killed := err == nil && status.Signaled() && status.Signal() == syscall.SIGKILL
	switch {
	case timedOut && (err != nil || killed):
		r.TimedOut = true
	case err != nil:
		r.Err = fmt.Errorf("run %s: %w", path, err)
	case killed && ctx.Err() != nil:
		r.Err = fmt.Errorf("run %s: %w", path, context.Cause(ctx))
	case status.Exited():
		r.ExitCode = status.ExitStatus()
	case status.Signaled():
		r.Signal = signalName(status.Signal())
	}
}

func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(s)) // real-time signals have no name
}

// process is a command that was started.
type process struct {
	pid int
	// exit becomes readable when the leader has ended; join ends what watches
	// it.
	exit     int
	join     func()
	out, err stream
	// lifeline ends the group when this process ends; -1 is that there is none.
	lifeline int

	mu     sync.Mutex
	reaped bool // pid and its group may be somebody else's
}

// kill ends the whole group.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = unix.Kill(-p.pid, unix.SIGKILL)
	}
}

// killOn kills the group when ctx is done. The returned function ends that and
// waits until nothing of it runs.
func (p *process) killOn(ctx context.Context) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { p.kill(); close(done) })
	return func() {
		if !stop() {
			<-done
		}
	}
}

// collect reads both streams until the leader has ended, kills what is left of
// the group, and reaps the leader. One thread waits for all three: a probe costs
// no goroutines.
func (p *process) collect(deadline time.Time) (status syscall.WaitStatus, timedOut bool, err error) {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	defer p.out.close()
	defer p.err.close()
	for {
		wait, late := untilDeadline(deadline)
		if late && timedOut {
			go func() { _, _ = p.reap() }() // whenever that will be
			return 0, true, fmt.Errorf("process %d did not end within %v of SIGKILL", p.pid, endGrace)
		}
		if late {
			timedOut, deadline = true, time.Now().Add(endGrace)
			p.kill()
			continue
		}
		fds := [...]unix.PollFd{
			{Fd: int32(p.exit), Events: unix.POLLIN},
			{Fd: int32(p.out.fd), Events: unix.POLLIN}, // a negative one is skipped
			{Fd: int32(p.err.fd), Events: unix.POLLIN},
		}
		if _, err := unix.Poll(fds[:], wait); err != nil {
			if err == unix.EINTR || err == unix.EAGAIN {
				continue
			}
			p.kill()
			_, _ = p.reap()
			return 0, false, fmt.Errorf("wait for process %d: %w", p.pid, err)
		}
		if fds[0].Revents != 0 {
			p.kill()
			p.out.drain(*scratch)
			p.err.drain(*scratch)
			p.endStrays()
			status, err = p.reap()
			return status, timedOut, err
		}
		// One read each, so that a flood on one stream holds up neither the
		// other nor the deadline.
		if fds[1].Revents != 0 {
			p.out.read(*scratch)
		}
		if fds[2].Revents != 0 {
			p.err.read(*scratch)
		}
	}
}

// reap collects the leader's status and frees its id.
func (p *process) reap() (status syscall.WaitStatus, err error) {
	p.join()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	for {
		if _, err = syscall.Wait4(p.pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	_ = unix.Close(p.exit)
	if p.lifeline >= 0 {
		_ = unix.Close(p.lifeline)
	}
	if err != nil {
		return 0, fmt.Errorf("process %d: its exit status was not seen: %w", p.pid, err)
	}
	return status, nil
}

// untilDeadline is the time left in milliseconds as poll wants it, rounded up;
// -1 is for ever.
func untilDeadline(deadline time.Time) (ms int, late bool) {
	if deadline.IsZero() {
		return -1, false
	}
	left := time.Until(deadline)
	if left <= 0 {
		return 0, true
	}
	return int(min((left+time.Millisecond-1)/time.Millisecond, 1<<30)), false
}
