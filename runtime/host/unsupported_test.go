package host_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

var _ detect.Host = host.Unsupported("windows")

func TestSupported(t *testing.T) {
	t.Parallel()
	for _, goos := range []string{"linux", "darwin", "freebsd"} {
		if err := host.SupportedOn(goos); err != nil {
			t.Errorf("Supported on %s = %v, want nil", goos, err)
		}
	}
	err := host.SupportedOn("windows")
	if !errors.Is(err, errors.ErrUnsupported) || err.Error() != "not supported on windows" {
		t.Errorf("Supported on windows = %v", err)
	}
	if err := host.Supported(); err != nil {
		t.Errorf("Supported() = %v: these tests look at this host", err)
	}
}

// A system whose hosts cannot be looked at says so, and not that its runtimes are absent.
func TestUnsupportedHostCouldNotTell(t *testing.T) {
	t.Parallel()
	defs := []metadata.Definition{{Ref: "core.ruby", Name: "Ruby", Distributions: metadata.Distributions{
		Verification: &metadata.Verification{Commands: []metadata.Command{{Binary: "ruby", Args: []string{"--version"}}}},
	}}}
	d, err := detect.New(defs, detect.Config{Host: host.Unsupported("windows"), Explain: true})
	if err != nil {
		t.Fatal(err)
	}
	caps, err := d.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(caps.Detected) != 0 || len(caps.Failed) != 0 || len(caps.Undetected) != 1 {
		t.Fatalf("detected %v, failed %v, undetected %v", caps.Detected, caps.Failed, caps.Undetected)
	}
	ruby := caps.Undetected[0]
	if !ruby.Outcome.CouldNotTell() || !strings.Contains(ruby.Detail, "not supported on windows") {
		t.Errorf("outcome %s, detail %q; want one that could not be determined, with the system", ruby.Outcome, ruby.Detail)
	}
}
