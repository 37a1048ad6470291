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

// mindUnmatched warns of entries of policy.allow and policy.deny that allow or
// deny nothing that is defined: a name that is misspelt denies nothing.
func mindUnmatched(env *cli.Env, p *host.Policy, defs []metadata.Definition) error {
	defs = slices.Concat(defs, core.Definitions())
	commands := detect.Commands(defs)
	allow, deny := p.Unmatched(commands)
	index, local := metadata.NewIndex(defs), host.Local(host.LocalConfig{})
	var faults []string
	for i, entry := range env.File.Policy.Allow {
		if slices.Contains(allow, entry) {
			faults = append(faults, unmatched(env, "policy.allow", i, entry, "allows nothing: no definition has this command", commandLines(commands)))
		}
	}
	for i, entry := range env.File.Policy.Deny {
		if _, named := index.Resolve(entry); named || !slices.Contains(deny, entry) || onHost(local, entry) {
			continue
		}
		faults = append(faults, unmatched(env, "policy.deny", i, entry, "denies nothing: no runtime, no command of a definition and no executable here is called so",
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

// unmatched is what is said of an entry, with where it stands and a guess at what
// was meant.
func unmatched(env *cli.Env, key string, i int, entry, what string, known []string) string {
	text := fmt.Sprintf("%s[%d]: %q %s", key, i, entry, what)
	if where := env.File.Origins[key].Where; where != "" {
		text = where + ": " + text
	}
	if near := cmp.Or(metadata.Nearest(entry, known), asked(entry, known)); near != "" {
		text += "; did you mean " + near + "?"
	}
	return text
}

// asked is a command of the same program: what was written asks it otherwise.
func asked(entry string, known []string) string {
	program, _, _ := strings.Cut(entry, " ")
	for _, line := range known {
		if strings.HasPrefix(line, program+" ") {
			return line
		}
	}
	return ""
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

// names are all by which definitions can be called.
func names(defs []metadata.Definition) (known []string) {
	for i := range defs {
		known = append(known, defs[i].CapabilityName())
		known = append(known, defs[i].Aliases...)
		known = append(known, defs[i].Ref)
	}
	return known
}

// commandLines are commands as they stand in allow and deny, and their programs.
func commandLines(commands []host.Command) (lines []string) {
	for _, c := range commands {
		lines = append(lines, host.CommandLine(c.Binary, c.Args))
	}
	for _, c := range commands {
		lines = append(lines, host.CommandLine(c.Binary, nil))
	}
	return lines
}
