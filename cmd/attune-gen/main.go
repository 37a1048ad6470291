// Command attune-gen writes code and documents from annotated Go types, and
// detectors from runtime definitions.
//
// It is a tool of go.mod and is run by go generate. With -tags bootstrap it can be built without
// any generated code, and generates all of it again.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune"
	"github.com/attune-go/attune/gen"
)

const name = "attune-gen"

// Exit statuses.
const (
	exitDone   = 0
	exitFailed = 1 // or stale, with --check
	exitUsage  = 2
)

type grammar struct {
	Metadata metadataCommand  `cmd:"" help:"Generate from annotated document types: accessors, JSON Schema, database guards, reference page."`
	Detector detectorCommand  `cmd:"" help:"Generate a package that detects runtimes: refs, checked definitions, typed capabilities, detectors for worker and sensor."`
	Version  kong.VersionFlag `help:"Print the version and exit."`
}

type streams struct{ out, err io.Writer }

// A usageError is a wrong command line.
type usageError string

func (e usageError) Error() string { return string(e) }

// errStale ends a --check that has printed differences.
var errStale = errors.New("stale")

func main() { os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr})) }

// An exitStatus is the exit status of a program that has reported its error, or that was ended by a flag
// such as --help.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// run runs the program and returns its exit status.
func run(args []string, io streams) (code int) {
	defer func() {
		if r := recover(); r != nil {
			status, ok := r.(exitStatus)
			if !ok {
				panic(r)
			}
			code = int(status)
		}
	}()
	parser, err := kong.New(&grammar{}, kong.Name(name),
		kong.Description("Write code and documents from annotated Go types, and detectors from runtime definitions. "+
			"See go doc github.com/attune-go/attune/gen for the annotations."),
		kong.Writers(io.out, io.err), kong.Exit(func(code int) { panic(exitStatus(code)) }),
		kong.Vars{"version": name + " " + attune.Version}, kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		fmt.Fprintf(io.err, "%s: %v\n", name, err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		command := ""
		var wrong *kong.ParseError
		if errors.As(err, &wrong) && wrong.Context.Selected() != nil {
			command = wrong.Context.Selected().Name
		}
		return report(io.err, command, usageError(err.Error()))
	}
	return report(io.err, parsed.Selected().Name, parsed.Run(io))
}

// report prints an error. command is empty if none was given.
func report(out io.Writer, command string, err error) int {
	var faults gen.Faults
	var usage usageError
	var status exitStatus
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		fmt.Fprintf(out, "%s: %v\nsee %s --help\n", name, usage, strings.TrimSpace(name+" "+command))
		return exitUsage
	case errors.Is(err, errStale):
		fmt.Fprintf(out, "%s: the files above are stale: run go generate ./...\n", name)
	case errors.As(err, &faults):
		// The compiler prints errors like this, so that editors find the places.
		fmt.Fprintln(out, err)
		fmt.Fprintf(out, "%s: nothing was written\n", name)
	default:
		fmt.Fprintf(out, "%s: %s\n", name, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	return exitFailed
}
