//go:build !database && !bootstrap

package main

import (
	"os"
	"testing"
)

// TestMain lets runs with --database share the program with drivers: each builds it, and links it only the first
// time.
func TestMain(m *testing.M) {
	var err error
	if buildFolder, err = os.MkdirTemp("", "attune-gen-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(buildFolder)
	os.Exit(code)
}
