package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestHelpIsAsWideAsTheTerminal, whatever COLUMNS says, and leaves COLUMNS as it was.
func TestHelpIsAsWideAsTheTerminal(t *testing.T) {
	t.Setenv("COLUMNS", "90")
	var out bytes.Buffer
	var grammar struct{}
	parser, err := kong.New(&grammar, kong.Writers(&out, &out), kong.Exit(func(int) {}),
		kong.Description(strings.Repeat("word ", 40)), kong.Help(helpFor(&Terminal{Width: 50})))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"--help"}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 51 {
			t.Errorf("too wide: %q", line)
		}
	}
	if !strings.Contains(out.String(), "word word") || os.Getenv("COLUMNS") != "90" {
		t.Errorf("COLUMNS is %q after\n%s", os.Getenv("COLUMNS"), out.String())
	}
}
