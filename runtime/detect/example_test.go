package detect_test

import (
	"context"
	"fmt"
	"log"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

// machine is a recorded host, so that the examples print the same everywhere. Without
// Config.Host a detector uses the machine that it runs on.
const machine = `
host: {os: linux, arch: amd64, path: [/usr/local/bin, /usr/bin]}
binaries:
  - {path: /usr/local/bin/ruby, runs: [{args: [--version], stdout: ruby 3.4.1}]}
  - {path: /usr/bin/ruby, runs: [{args: [--version], stdout: ruby 3.1.2p20}]}
  - {path: /usr/bin/lua, runs: [{args: [--version], exit_code: 1, stderr: "lua: unrecognized option '--version'"}]}
`

func definition(ref, binary string) metadata.Definition {
	return metadata.Definition{
		Ref: ref, Name: binary, Aliases: metadata.Aliases{binary},
		Distributions: metadata.Distributions{Verification: &metadata.Verification{
			Commands: []metadata.Command{{Binary: binary, Args: []string{"--version"}}},
		}},
	}
}

// exampleDetector returns a detector of three runtimes on the recorded host.
func exampleDetector() *detect.Detector {
	recorded, err := host.Parse("machine.yaml", []byte(machine))
	if err != nil {
		log.Fatal(err)
	}
	defs := []metadata.Definition{definition("acme.ruby", "ruby"), definition("acme.lua", "lua"), definition("acme.tcl", "tclsh")}
	detector, err := detect.New(defs, detect.Config{Role: metadata.Worker, Host: recorded, Getenv: noEnvironment})
	if err != nil {
		log.Fatal(err)
	}
	return detector
}

func ExampleDetector_Detect() {
	caps, err := exampleDetector().Detect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, in := range caps.Detected {
		fmt.Println(in.Name, in.Version, in.Path)
	}
	for _, a := range caps.Undetected {
		fmt.Println(a.Name, a.Outcome)
	}
	// Output:
	// ruby 3.4.1 /usr/local/bin/ruby
	// ruby 3.1.2 /usr/bin/ruby
	// lua exit_mismatch
	// tclsh not_found
}

func ExampleDetector_Explain() {
	e, err := exampleDetector().Explain(context.Background(), "lua")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Outcome)
	fmt.Println(e.Detail)
	fmt.Println(e.Hint)
	// Output:
	// exit_mismatch
	// /usr/bin/lua --version: exit status 1, want 0: lua: unrecognized option '--version'
	// make `lua --version` work for this user, or correct exit_code
}

func ExampleDetector_Only() {
	only, err := exampleDetector().Only("ruby")
	if err != nil {
		log.Fatal(err)
	}
	caps, err := only.Detect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(caps.Runtimes, len(caps.Undetected))
	// Output:
	// [ruby] 0
}

// A declared list replaces verification.
func ExampleConfig_declared() {
	defs := []metadata.Definition{definition("acme.ruby", "ruby"), definition("acme.lua", "lua")}
	detector, err := detect.New(defs, detect.Config{Declared: []string{"Lua", "fortran"}, Getenv: noEnvironment})
	if err != nil {
		log.Fatal(err)
	}
	caps, err := detector.Detect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, in := range caps.Detected {
		fmt.Println(in.Name, in.Source, in.Warnings)
	}
	// Output:
	// fortran declared [worker.capabilities.runtimes names "fortran", and no definition has that name]
	// lua declared []
}
