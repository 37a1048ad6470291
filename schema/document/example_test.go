package document_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
)

// An API answers with every fault of a document. metadata.Distributions is a type that
// attune-gen made accessors for.
func ExampleDecode() {
	var d metadata.Distributions
	err := document.Decode([]byte(`{"min_version": 3, "verification": {"commands": [{"exit_code": 256}]}}`), &d)
	var faults document.Faults
	if errors.As(err, &faults) {
		text, _ := json.MarshalIndent(faults, "", "  ")
		fmt.Println(string(text))
	}
	// Output:
	// [
	//   {
	//     "pointer": "/min_version",
	//     "message": "must be text, got a number"
	//   },
	//   {
	//     "pointer": "/verification/commands/0/exit_code",
	//     "message": "must be a whole number from 0 to 255, got 256"
	//   },
	//   {
	//     "pointer": "/verification/commands/0/binary",
	//     "message": "is required: a name that is looked up in PATH, or an absolute path"
	//   }
	// ]
}
