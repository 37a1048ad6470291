package packs_test

import (
	"fmt"
	"testing/fstest"

	"github.com/attune-go/attune/runtime/packs"
)

// Load a folder and list its definitions. Only errors keep a pack from being used;
// warnings and notes are for its author.
func ExampleLoadDir() {
	pack, faults := packs.LoadDir("testdata/ruby-two", packs.Config{})
	if err := faults.Err(); err != nil {
		fmt.Println(err)
		return
	}
	for _, def := range pack.Definitions {
		fmt.Printf("%s has the capability %s, in %d versions\n", def.Ref, def.CapabilityName(), len(def.Versions))
	}
	// Output:
	// acme.ruby has the capability acme-ruby, in 2 versions
}

// Validate a pack from any file system, such as an embedded one or an upload.
func ExampleLoad() {
	_, faults := packs.Load(fstest.MapFS{
		"pack.yaml": {Data: []byte("ref: acme\nversion: 1.0.0\n")},
		"runtimes/cobol.yaml": {Data: []byte(`
ref: acme.cobol
name: COBOL
distributions:
  verification:
    commands:
      - binary: cobc
        args: [--version]
        pattern: "cobc \d"
`)},
		"runtimes/tcl.yaml": {Data: []byte(`
ref: acme.tcl
name: Tcl
distributions:
  verification:
    commands:
      - binary: tclsh
        args: [-c, puts $tcl_version]
        timeout: 5
`)},
	}, packs.Config{})
	for _, f := range faults {
		fmt.Println(f)
	}
	// Output:
	// runtimes/cobol.yaml:9:24: error: not YAML: found unknown escape character: in double quotes a backslash begins an escape; write it in single quotes
	// runtimes/tcl.yaml:9:18: error: /distributions/verification/commands/0/timeout: must be a duration such as 10s, got 5
}
