package core_test

import (
	"context"
	"fmt"
	"log"

	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
)

func ExampleWorker() {
	// A recorded host prints the same everywhere. The default is this machine.
	recorded, err := host.Parse("machine.yaml", []byte(`
host: {os: linux, arch: amd64, path: [/usr/bin]}
binaries:
  - {path: /usr/bin/python3, runs: [{args: [--version], stdout: Python 3.12.1}]}
`))
	if err != nil {
		log.Fatal(err)
	}
	detector, err := core.Worker(nil, detect.Config{Host: recorded, Getenv: func(string) string { return "" }})
	if err != nil {
		log.Fatal(err)
	}
	caps, err := detector.Detect(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if python, ok := core.Capabilities(caps).Python(); ok {
		fmt.Println(python.Version, python.Path)
	}
	// Output:
	// 3.12.1 /usr/bin/python3
}
