//go:build bootstrap

package main

import "errors"

// detectorCommand is a word of the command line alone. To read definitions takes
// code that attune-gen writes, so go generate begins with a program that is built
// without this command: it works when that code is gone, or fits no longer.
type detectorCommand struct{}

func (c *detectorCommand) Run() error {
	return errors.New("detector: this program was built with -tags bootstrap; run go generate ./...")
}
