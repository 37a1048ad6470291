package cli

import "golang.org/x/sys/unix"

// private keeps this process's memory, environment and open files from other
// processes of the same user: from the executables that it asks for their version
// above all, which else find a database's password in /proc/PID/environ. Nor does
// it leave a core dump. Root may look all the same, if it has CAP_SYS_PTRACE.
func private() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
