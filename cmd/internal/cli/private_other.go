//go:build !linux

package cli

// private does nothing: there is no /proc.
func private() {}
