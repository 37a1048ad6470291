package host

import "syscall"

// changedAt returns the time of a file's last status change in nanoseconds.
func changedAt(st *syscall.Stat_t) int64 { return st.Ctim.Nano() }
