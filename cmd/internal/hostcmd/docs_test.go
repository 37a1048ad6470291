package hostcmd_test

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/config"
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

// TestKeysHaveFlags checks that `attune config` names the flags and variables that
// the services have.
func TestKeysHaveFlags(t *testing.T) {
	for _, role := range []metadata.Role{metadata.Worker, metadata.Sensor} {
		p := hostcmd.Program(role)
		parser, err := kong.New(p.Grammar, p.Vars.CloneWith(kong.Vars{"version": ""}))
		if err != nil {
			t.Fatal(err)
		}
		variables := map[string]string{}
		for _, command := range parser.Model.Children {
			if command.Name != "run" {
				continue
			}
			for _, flags := range command.AllFlags(false) {
				for _, f := range flags {
					variables["--"+f.Name] = strings.Join(f.Envs, " ")
				}
			}
		}
		for _, name := range []string{"--help", "--version", "--json", "--no-color", "--takeover", "--fresh", "--verbose"} {
			delete(variables, name) // they have no key
		}
		for _, k := range config.Keys(string(role)) {
			if k.Flag == "" {
				continue
			}
			variable, ok := variables[k.Flag]
			if !ok || variable != k.Variable && k.Flag != "--pack" { // the variable is of the policy's own list
				t.Errorf("%s: %s of %s has the variable %q, not %q", k.Name, k.Flag, role, variable, k.Variable)
			}
			delete(variables, k.Flag)
		}
		for flag := range variables {
			t.Errorf("%s run has %s, which is of no key", role, flag)
		}
	}
}
