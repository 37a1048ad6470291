//go:build unix

package host

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endGrace bounds the wait for the end of a killed command. Commands that hang in the kernel
// or are setuid exceed it. It is a variable for the tests.
var endGrace = 5 * time.Second

// Run runs one command without a shell, and waits for the end of its first process, the
// leader. argv[0] is the path as found, standard input is /dev/null and the working directory
// is /. The environment has the variables of a probe and those that inv.Env names. The command
// has a process group of its own and no terminal, so that a prompt fails at once.
//
// When the leader ends, after inv.Timeout, and when ctx is done, Run sends SIGKILL to the whole
// group before it reaps the leader, so that the group's id cannot be reused. On Linux it also
// kills processes that left the group but keep one of the command's pipes. Daemons live on. Run
// waits for none of these.
//
// On Linux the command also ends if this process is killed. For that Run locks its goroutine to
// a thread, and the command gets a pipe as file 3.
//
// Result.Err wraps the cause of ctx's end, ErrHangs if the file or its interpreter does not
// answer, or ErrDownloads.
func (h *LocalHost) Run(ctx context.Context, inv Invocation) Result {
	begin := time.Now()
	res := Result{ExitCode: -1}
	if ctx.Err() != nil {
		res.Err = fmt.Errorf("run %s: %w", inv.Path, context.Cause(ctx))
		return res
	}
	if !filepath.IsAbs(inv.Path) {
		res.Err = fmt.Errorf("run %s: path must be absolute", inv.Path)
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
	if needs.dotslash && h.mayRunDotSlash() {
		res.Err = fmt.Errorf("run %s: it is a DotSlash file, and %w", inv.Path, ErrDownloads)
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

// mayRunDotSlash reports whether a probe may find DotSlash in PATH.
func (h *LocalHost) mayRunDotSlash() bool {
	return slices.ContainsFunc(h.Lookup("dotslash"), func(c Candidate) bool { return c.Fault == "" || c.Unseen() != nil })
}

// judge sets how the command ended. A command that exits at the moment of its timeout counts
// as exited.
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

// A process is a command that was started.
type process struct {
	pid int
	// exit becomes readable when the leader has ended. join waits for its watcher.
	exit     int
	join     func()
	out, err stream
	// lifeline ends the group when this process ends, or is -1.
	lifeline int

	mu     sync.Mutex
	reaped bool // the ids may belong to other processes
}

// kill ends the whole group.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		_ = unix.Kill(-p.pid, unix.SIGKILL)
	}
}

// killOn kills the group when ctx is done. release ends that, and waits for a kill in
// progress.
func (p *process) killOn(ctx context.Context) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { p.kill(); close(done) })
	return func() {
		if !stop() {
			<-done
		}
	}
}

// collect reads both streams until the leader has ended, kills the rest of the group, and
// reaps the leader. One poll waits for all three, without further goroutines.
func (p *process) collect(deadline time.Time) (status syscall.WaitStatus, timedOut bool, err error) {
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	defer p.out.close()
	defer p.err.close()
	for {
		wait, late := untilDeadline(deadline)
		if late && timedOut {
			go func() { _, _ = p.reap() }() // it may take any time
			return 0, true, fmt.Errorf("process %d did not end within %v of SIGKILL", p.pid, endGrace)
		}
		if late {
			timedOut, deadline = true, time.Now().Add(endGrace)
			p.kill()
			continue
		}
		fds := [...]unix.PollFd{
			{Fd: int32(p.exit), Events: unix.POLLIN},
			{Fd: int32(p.out.fd), Events: unix.POLLIN}, // poll skips negative ones
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
		// One read each, so that a flood on one stream delays neither the other nor
		// the deadline.
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
		return 0, fmt.Errorf("wait for the exit status of process %d: %w", p.pid, err)
	}
	return status, nil
}

// untilDeadline returns the time left in milliseconds for poll, rounded up, or -1 without a
// deadline.
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
