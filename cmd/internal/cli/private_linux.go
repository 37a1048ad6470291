package cli

import "golang.org/x/sys/unix"

// private keeps this process's memory, environment and open files from other
// processes of the same user. The executables that it asks for their version would
// otherwise find a database's password in /proc/PID/environ. It also prevents core
// dumps. Root may still look if it has CAP_SYS_PTRACE.
func private() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
