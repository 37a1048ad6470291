package packs_test

import (
	"fmt"
	"testing/fstest"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
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

// Read a file of yours into a type of yours. Here it is one of attune's own.
func ExampleReadYAML() {
	var settings metadata.Distributions
	faults := packs.ReadYAML("settings.yaml", []byte(`
min_version: three
verification:
  commands:
    - binary: cobc
      timeout: 5
      pattren: cobc
`), &settings)
	for _, f := range faults {
		fmt.Println(f)
	}
	// Output:
	// settings.yaml:2:14: error: /min_version: version "three": position 1: a version must begin with a number
	// settings.yaml:6:16: error: /verification/commands/0/timeout: must be a duration such as 10s, got 5
	// settings.yaml:7:7: warning: /verification/commands/0/pattren: unknown key "pattren"; did you mean "pattern"?
}
