package main

import (
	"errors"
	"slices"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
)

// faultOf returns what is wrong with a definition. In a guest any ref is right, because a platform's
// refs need no pack.
func faultOf(d *metadata.Definition, guest bool) error {
	err := d.Validate()
	var faults document.Faults
	if !guest || !errors.As(err, &faults) {
		return err
	}
	return slices.DeleteFunc(slices.Clone(faults), func(f document.Fault) bool { return f.Pointer == "/ref" }).OrNil()
}
