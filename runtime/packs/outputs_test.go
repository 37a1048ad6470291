package packs_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/attune-go/attune/runtime/packs"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// answer is the real output of a tool.
type answer struct {
	// Want is the version, or several of them separated by blanks. Empty means another program, which
	// must not count, and "?" means an output without a version.
	Want string
	// Out is the standard output and the standard error.
	Out string
	// From is where the output was seen.
	From string
}

// answers returns the table of real outputs by definition and priority of the command.
func answers(t *testing.T) map[string][]answer {
	t.Helper()
	text, err := os.ReadFile("testdata/answers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]answer{}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCoreCommandsReadRealAnswers checks that each command of the core pack matches its
// tool's output, reads the tool's version, and refuses other tools of the same name.
func TestCoreCommandsReadRealAnswers(t *testing.T) {
	all := answers(t)
	count := 0
	for _, d := range packs.Core().Definitions {
		for _, c := range d.Distributions.Verification.Ordered() {
			key := d.Ref + " " + strconv.Itoa(c.PriorityOrDefault())
			count += len(all[key])
			if len(all[key]) == 0 {
				t.Errorf("no answer tests %q", key)
			}
			for _, a := range all[key] {
				if a.From == "" {
					t.Errorf("%s: missing the source of %q", key, a.Out)
				}
				matches := regexp.MustCompile(c.Pattern).MatchString(a.Out + "\n")
				if matches != (a.Want != "") {
					t.Errorf("%s: pattern %s matches %q: %t", key, c.Pattern, a.Out, matches)
				}
				if got := versionsOf(c, a.Out); matches && got != strings.TrimSuffix(a.Want, "?") {
					t.Errorf("%s: version %q in %q, want %s", key, got, a.Out, a.Want)
				}
			}
			delete(all, key)
		}
	}
	for key := range all {
		t.Errorf("the core pack has no command %q", key)
	}
	if count < 117 {
		t.Errorf("%d answers are tested, want 117 or more", count)
	}
}

// versionsOf returns the versions that a command reads from an output, separated by blanks.
func versionsOf(c metadata.Command, output string) string {
	if c.VersionPattern == "" {
		v, _, _ := version.Extract(output)
		return v.String()
	}
	pattern := regexp.MustCompile(c.VersionPattern)
	if !c.AllVersions {
		v, _, _ := version.ExtractPattern(pattern, output)
		return v.String()
	}
	var all []string
	for _, e := range version.ExtractAll(pattern, output) {
		all = append(all, e.Version.String())
	}
	return strings.Join(all, " ")
}

func TestCoreJavaReleaseFile(t *testing.T) {
	d, _ := metadata.NewIndex(packs.Core().Definitions).Resolve("java")
	file := d.Distributions.Verification.VersionFile
	for text, want := range map[string]string{
		"IMPLEMENTOR=\"Debian\"\nJAVA_RUNTIME_VERSION=\"17.0.15+6-Debian-1deb12u1\"\nJAVA_VERSION=\"17.0.15\"\nJAVA_VERSION_DATE=\"2025-04-15\"\n": "17.0.15",
		"JAVA_VERSION=\"1.8.0_392\"\nOS_NAME=\"Linux\"\n": "8.0.392",
		"JAVA_VERSION=\"1.8.0\"\nOS_NAME=\"Linux\"\n":     "8.0.0",
	} {
		if got, _, ok := version.ExtractPattern(regexp.MustCompile(file.Pattern), text); !ok || got.String() != want {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	if file.Path != "../release" {
		t.Errorf("the file is %s", file.Path)
	}
}
