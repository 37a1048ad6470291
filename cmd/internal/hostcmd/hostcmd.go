// Package hostcmd is the command line that worker and sensor share. Each of them has its
// role, its settings and its variables.
package hostcmd

import (
	"strings"

	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/runtime/detect"
	"github.com/attune-go/attune/schema/metadata"
)

type grammar struct {
	cli.Globals
	cli.Hidden

	Detect   detectCmd   `cmd:"" help:"Show which runtimes this host has."`
	Explain  explainCmd  `cmd:"" help:"Show every attempt to verify one runtime, and what would help."`
	Record   recordCmd   `cmd:"" help:"Record this host's answers in a YAML file for detect --host."`
	Register registerCmd `cmd:"" help:"Detect, and write this ${role}'s row to the database."`
	Run      runCmd      `cmd:"" help:"Keep this ${role}'s row up to date until stopped."`

	Completion cli.CompletionCmd `cmd:"" help:"Print a script that completes command lines in a shell."`
}

// Program returns the command line of a role.
func Program(role metadata.Role) *cli.Program {
	g := new(grammar)
	return &cli.Program{
		Name: string(role), Grammar: g, Globals: &g.Globals, Bind: []any{role},
		Description: "Find out which runtimes this host really has, on behalf of a " + string(role) + ". " +
			"detect, explain and record write nothing; " +
			"without --database they read the definitions of the embedded file, or else of the core pack. " +
			"$" + detect.EnvironmentVariable(role) + " (python,shell or none) wins over the config file, and that over detection. " +
			"Exit status: 0 done, 1 failed, 2 wrong usage, 3 differs or not available (--exit-code), 130 interrupted.",
		Vars: kong.Vars{
			"role": string(role), "ROLE": strings.ToUpper(string(role)),
			"heartbeat_interval": config.Default("worker.heartbeat_interval"),
			"verify_interval":    config.Default("worker.verify_interval"),
			"full_every":         config.Default("worker.full_every"),
			"unconfirmed_for":    config.Default("worker.unconfirmed_for"),
			"keep_history":       config.Default("worker.keep_history"),
			"max_age":            config.Default("worker.max_age"),
			"idle_timeout":       config.Default("database.idle_timeout"),
		},
	}
}
