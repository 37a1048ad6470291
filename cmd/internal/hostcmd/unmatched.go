package hostcmd

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/core"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/runtime/host"
	"github.com/attune-go/attune/schema/metadata"
)

// mindUnmatched warns of entries of policy.allow and policy.deny that match nothing,
// such as a misspelt name.
func mindUnmatched(env *cli.Env, p *host.Policy, defs []metadata.Definition) error {
	defs = slices.Concat(defs, core.Definitions())
	commands := detect.Commands(defs)
	allow, deny := p.Unmatched(commands)
	index, local := metadata.NewIndex(defs), localHost(env)
	var faults []string
	for i, entry := range env.File.Policy.Allow {
		if slices.Contains(allow, entry) {
			faults = append(faults, unmatched(env, "policy.allow", i, entry,
				"allows nothing: no definition has this command", commandLines(commands)))
		}
	}
	for i, entry := range env.File.Policy.Deny {
		if _, named := index.Resolve(entry); named || !slices.Contains(deny, entry) || onHost(local, entry) {
			continue
		}
		faults = append(faults, unmatched(env, "policy.deny", i, entry,
			"denies nothing: no runtime, no command of a definition and no executable here has this name",
			slices.Concat(names(defs), commandLines(commands))))
	}
	if env.Strict && len(faults) > 0 {
		return errors.New(strings.Join(faults, "\n"))
	}
	for _, f := range faults {
		env.Warn(f)
	}
	return nil
}

// unmatched returns the warning about an entry, with its place and a guess at what
// was meant.
func unmatched(env *cli.Env, key string, i int, entry, what string, known []string) string {
	text := fmt.Sprintf("%s: %q %s", env.Place(fmt.Sprintf("%s[%d]", key, i)), entry, what)
	near := cmp.Or(metadata.Nearest(entry, known), sameProgram(entry, known), nearProgram(entry, known))
	switch whole := sameProgram(entry, known); {
	case near == entry && whole != "":
		text += "; an entry has the command's arguments too, such as " + whole
	case near != "" && near != entry:
		text += "; did you mean " + near + "?"
	}
	return text
}

// sameProgram returns the first known command of the entry's program.
func sameProgram(entry string, known []string) string {
	program, _, _ := strings.Cut(entry, " ")
	for _, line := range known {
		if strings.HasPrefix(line, program+" ") {
			return line
		}
	}
	return ""
}

// nearProgram returns the first known command of the program that the entry probably means.
func nearProgram(entry string, known []string) string {
	var programs []string
	for _, line := range known {
		program, _, _ := strings.Cut(line, " ")
		programs = append(programs, program)
	}
	program, _, _ := strings.Cut(entry, " ")
	return sameProgram(metadata.Nearest(program, programs), known)
}

// onHost reports whether an entry names an executable of this host: deny knows it
// by each of its names, also by those behind links.
func onHost(local *host.LocalHost, entry string) bool {
	if filepath.IsAbs(entry) {
		_, err := local.Stat(entry)
		return err == nil || errors.Is(err, host.ErrHangs)
	}
	return len(local.Lookup(entry)) > 0
}

// names returns the names, aliases and refs of definitions.
func names(defs []metadata.Definition) (known []string) {
	for i := range defs {
		known = append(known, defs[i].CapabilityName())
		known = append(known, defs[i].Aliases...)
		known = append(known, defs[i].Ref)
	}
	return known
}

// commandLines returns commands as allow and deny write them, and their programs.
func commandLines(commands []host.Command) (lines []string) {
	for _, c := range commands {
		lines = append(lines, host.CommandLine(c.Binary, c.Args))
	}
	for _, c := range commands {
		lines = append(lines, host.CommandLine(c.Binary, nil))
	}
	return lines
}
