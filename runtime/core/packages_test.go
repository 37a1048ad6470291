package core_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/capability"
)

// demandedRuntimes lists runtimes, separated by blanks, that this host's packages are known
// to have.
const demandedRuntimes = "ATTUNE_TEST_RUNTIMES"

// TestPackagesOfThisHost compares each detected version with the one that the Debian package
// of its file was made from. Files without a package are left alone.
func TestPackagesOfThisHost(t *testing.T) {
	if _, err := exec.LookPath("dpkg-query"); err != nil {
		t.Skip("no dpkg-query, which tells what a package was made from")
	}
	detector, err := core.Worker(nil, detect.Config{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	caps, err := detector.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	missing := strings.Fields(os.Getenv(demandedRuntimes))
	compared := 0
	for _, found := range caps.Detected {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == found.Name })
		upstream := upstreamVersion(found.RealPath)
		if upstream == "" || found.Version == "" {
			continue
		}
		compared++
		t.Logf("%s %s at %s: its package is of %s", found.Name, found.Version, found.RealPath, upstream)
		if !begins(upstream, found.Version) {
			t.Errorf("%s at %s is taken for %s (%q); its package is of %s", found.Name, found.Path, found.Version, found.VersionRaw, upstream)
		}
	}
	for _, name := range missing {
		t.Errorf("%s is not found: %+v", name, absence(caps, name))
	}
	if demanded := len(strings.Fields(os.Getenv(demandedRuntimes))); compared < demanded-2 { // native and shell have no version
		t.Errorf("%d versions were compared, and %d runtimes are demanded", compared, demanded)
	}
}

// upstreamVersion returns the version of the sources that the package of a file was built
// from, or "".
func upstreamVersion(path string) string {
	// Packages name files of /usr/bin by the links that lead there.
	for _, name := range []string{path, strings.TrimPrefix(path, "/usr")} {
		out, err := exec.Command("dpkg-query", "--search", name).Output()
		if pkg, _, found := strings.Cut(string(out), ": "); err == nil && found {
			version, _ := exec.Command("dpkg-query", "--show", "--showformat=${source:Upstream-Version}", pkg).Output()
			_, really, replaced := strings.Cut(string(version), "+really") // of packages that went back
			if replaced {
				return really
			}
			return string(version)
		}
	}
	return ""
}

// begins reports whether a package's version begins with a whole version.
func begins(upstream, version string) bool {
	rest, ok := strings.CutPrefix(upstream, version)
	return ok && (rest == "" || rest[0] < '0' || rest[0] > '9')
}

func absence(caps *capability.Document, name string) *capability.Absence {
	for i := range caps.Undetected {
		if caps.Undetected[i].Name == name {
			return &caps.Undetected[i]
		}
	}
	return nil
}
