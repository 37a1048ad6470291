package cli_test

import (
	"strings"
	"testing"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/schema/capability"
)

// TestPrintAbsent shows that a name that several packs share stands as its refs, each once.
func TestPrintAbsent(t *testing.T) {
	caps := &capability.Document{
		Runtimes: []string{"python"},
		Undetected: []capability.Absence{
			{Ref: "acme.ruby", Name: "ruby", Outcome: capability.NotFound},
			{Ref: "core.lua", Name: "lua", Outcome: capability.NotFound},
			{Ref: "core.ruby", Name: "ruby", Outcome: capability.NotFound},
			{Ref: "acme.go", Name: "go", Outcome: capability.Timeout},
			{Ref: "core.go", Name: "go", Outcome: capability.NotExecutable},
			{Ref: "acme.python", Name: "python", Outcome: capability.NotFound},
			{Name: "cobol", Outcome: capability.NoVerification},
		},
	}
	var out strings.Builder
	cli.PrintAbsent(cli.NewTerminal(&out, true), caps, "why?")
	want := "could not tell: acme.go (timeout)\n" +
		"not usable: core.go (not_executable), cobol (no_verification)\n" +
		"not found: acme.ruby, lua, core.ruby, acme.python\n" +
		"why?\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
