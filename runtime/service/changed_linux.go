package service

import "syscall"

// changedAt is when a file was last changed in any way, in nanoseconds.
func changedAt(st *syscall.Stat_t) int64 { return st.Ctim.Nano() }
