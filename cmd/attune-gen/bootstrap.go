//go:build bootstrap

package main

import "errors"

// A detectorCommand is only a word of the command line here. Reading definitions needs code that
// attune-gen generates. So go generate begins with a program that is built without this command,
// which works when that code is missing or outdated.
type detectorCommand struct{}

func (c *detectorCommand) Run() error {
	return errors.New("detector: this program was built with -tags bootstrap; run go generate ./...")
}
