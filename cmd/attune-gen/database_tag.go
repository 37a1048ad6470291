//go:build !database && !bootstrap

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

const program = "github.com/attune-go/attune/cmd/attune-gen"

// buildFolder is the folder of the program with drivers. Empty means a temporary one. Tests set it, because
// go build links nothing where it finds the same program.
var buildFolder string

// fromDatabase runs this program, built with the tag database. Only that build links drivers,
// because most generation reads no database.
func (c *detectorCommand) fromDatabase(io streams) error {
	dir := buildFolder
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "attune-gen-"); err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	file := filepath.Join(dir, name+".exe")
	build := exec.CommandContext(ctx, "go", "build", "-tags=database", "-o", file, program)
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s with database drivers: %w\n%s", program, err, text)
	}
	cmd := exec.CommandContext(ctx, file, c.args()...)
	cmd.Stdout, cmd.Stderr = io.out, io.err
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return exitStatus(exit.ExitCode()) // the program has reported the error
	}
	return err
}

// args returns the command line.
func (c *detectorCommand) args() []string {
	args := []string{"detector", "--database=" + c.Database, "--out=" + c.Out}
	if c.Schema != "" {
		args = append(args, "--schema="+c.Schema)
	}
	if c.Package != "" {
		args = append(args, "--package="+c.Package)
	}
	if c.Strict {
		args = append(args, "--strict")
	}
	if c.Check {
		args = append(args, "--check")
	}
	return args
}
