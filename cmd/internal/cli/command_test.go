package cli

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestCommandOfProcess(t *testing.T) {
	const module = "github.com/attune-go/attune"
	cached := "/home/u/.cache/go-build/91/" + strings.Repeat("0f", 32) + "-d/worker"
	here := debug.Module{Path: module, Version: "(devel)"}
	for _, c := range []struct {
		executable string
		main       debug.Module
		inCheckout bool
		want       string
	}{
		{"/usr/bin/worker", here, true, "worker"},
		{"/home/u/attune/bin/worker", here, true, "worker"},
		{"/usr/bin/attune-worker", here, true, "attune-worker"},
		{"/usr/bin/attunectl", here, false, "attune-worker"},
		{"/tmp/go-build12/b001/hostcmd.test", here, true, "worker"},
		{"/tmp/go-build12/b001/exe/worker", here, true, "go run ./cmd/worker"},
		{cached, here, true, "go run ./cmd/worker"},
		{cached, here, false, "go run " + module + "/cmd/worker"},
		{cached, debug.Module{Path: "example.com/platform"}, false, "go run " + module + "/cmd/worker"},
		{cached, debug.Module{Path: module, Version: "v1.2.0", Sum: "h1:x"}, true, "go run " + module + "/cmd/worker@v1.2.0"},
	} {
		write := commandOfProcess(c.executable, &debug.BuildInfo{Path: module + "/cmd/worker", Main: c.main}, c.inCheckout)
		if got := write("worker"); got != c.want {
			t.Errorf("%s of %v: %s, want %s", c.executable, c.main, got, c.want)
		}
	}
}
