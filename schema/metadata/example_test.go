package metadata_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/attune-go/attune/schema/metadata"
)

// Accessors return what a document says, or its default.
func ExampleDistributions() {
	var d metadata.Distributions
	err := d.UnmarshalJSON([]byte(`{"min_version": "3.8", "verification": {"commands": [
		{"binary": "python3", "args": ["--version"]},
		{"binary": "python", "args": ["--version"], "priority": 1, "timeout": "2s"}
	]}}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range d.Verification.Ordered() {
		fmt.Println(c.Binary, c.Args, c.TimeoutOrDefault())
	}
	fmt.Println(d.MinVersion)
	// Output:
	// python [--version] 2s
	// python3 [--version] 10s
	// 3.8
}

// Every fault of a document is reported, with a JSON pointer to its place.
func ExampleFaults() {
	var d metadata.Distributions
	err := d.UnmarshalJSON([]byte(`{"verification": {"commands": [
		{"binary": "perl", "exit_code": 300},
		{"binary": "perl", "timeout": "soon"}
	]}}`))
	var faults metadata.Faults
	if errors.As(err, &faults) {
		for _, fault := range faults {
			fmt.Println(fault)
		}
	}
	// Output:
	// /verification/commands/0/exit_code: must be a whole number from 0 to 255, got 300
	// /verification/commands/1/timeout: must be a duration such as "10s", got "soon"
}
