package detect_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/metadata"
)

// TestOnly: other runtimes are neither verified nor reported, even if declared.
func TestOnly(t *testing.T) {
	defs := []metadata.Definition{tool(t, "a", ""), tool(t, "b", ""), tool(t, "c", "")}
	defs[2].Distributions.Roles = []metadata.Role{metadata.Sensor}
	detector := func(declared []string, verify bool) *detect.Detector {
		return newDetector(t, defs, detect.Config{
			Host: withTools(t, "a", "b", "c"), Getenv: noEnvironment, Role: metadata.Worker, Declared: declared, VerifyDeclared: verify,
		})
	}
	for _, c := range []struct {
		about    string
		detector *detect.Detector
		names    []string
		has      []string
		source   capability.Source
		warning  string
	}{
		{"verified", detector(nil, false), []string{"acme.b"}, []string{"b"}, capability.SourceDatabase, ""},
		{"two of them", detector(nil, false), []string{"B", "a", "b"}, []string{"a", "b"}, capability.SourceDatabase, ""},
		{"declared", detector([]string{"a", "b", "fortran"}, false), []string{"b"}, []string{"b"}, capability.SourceConfig, ""},
		{"declared, verified", detector([]string{"a", "b", "fortran"}, true), []string{"b"}, []string{"b"}, capability.SourceConfig, ""},
		{"not declared", detector([]string{"a"}, false), []string{"b"}, []string{}, capability.SourceConfig, ""},
		{"of the other role", detector(nil, false), []string{"c"}, []string{}, capability.SourceDatabase, "acme.c is not for the role worker"},
	} {
		only, err := c.detector.Only(c.names...)
		if err != nil {
			t.Fatal(c.about, err)
		}
		caps, err := only.Detect(t.Context())
		if err != nil {
			t.Fatal(c.about, err)
		}
		if !slices.Equal(caps.Runtimes, c.has) || caps.Source != c.source || len(caps.Undetected) != 0 {
			t.Errorf("%s: %v from %s, undetected %v; want %v from %s", c.about, caps.Runtimes, caps.Source, caps.Undetected, c.has, c.source)
		}
		if text := strings.Join(caps.Warnings, "; "); (c.warning == "") != (text == "") || !strings.Contains(text, c.warning) {
			t.Errorf("%s: warnings %q, want %q", c.about, text, c.warning)
		}
	}
	if _, err := detector(nil, false).Only("a", "bb"); !errors.Is(err, detect.ErrUnknownName) || !strings.Contains(err.Error(), `"bb"`) {
		t.Errorf("an unknown name: %v", err)
	}
}
