// Command sensor finds out which runtimes its host has and registers them.
package main

import (
	"github.com/attune-go/attune/cmd/internal/hostcmd"
	"github.com/attune-go/attune/schema/metadata"
)

func main() { hostcmd.Program(metadata.Sensor).Main() }
