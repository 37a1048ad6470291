package hostcmd_test

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/hostcmd"
	"github.com/attune-go/attune/schema/metadata"
)

// TestDocsListEveryVariable and every flag of the services.
func TestDocsListEveryVariable(t *testing.T) {
	text, err := os.ReadFile("../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	p := hostcmd.Program(metadata.Worker)
	parser, err := kong.New(p.Grammar, p.Vars.CloneWith(kong.Vars{"version": ""}))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"help": true, "version": true, "json": true, "no-color": true}
	found := false
	for _, command := range parser.Model.Children {
		if command.Name != "run" {
			continue
		}
		found = true
		for _, flags := range command.AllFlags(false) {
			for _, f := range flags {
				if known[f.Name] {
					continue
				}
				for _, word := range append([]string{"--" + f.Name}, f.Envs...) {
					if !strings.Contains(string(text), "`"+word) {
						t.Errorf("docs/configuration.md lacks %s", word)
					}
				}
			}
		}
	}
	if !found {
		t.Error("there is no command run")
	}
}
