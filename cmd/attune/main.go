// Command attune administers an attune database: migrations, packs, runtimes and
// workers.
package main

import (
	"github.com/alecthomas/kong"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/migrations"
)

type grammar struct {
	cli.Globals
	cli.Hidden

	Server string `help:"Ask this server instead of a database, with the token in ATTUNE_TOKEN: the URL of an attune serve." env:"ATTUNE_SERVER" placeholder:"URL"`

	Migrate  migrateCmd  `cmd:"" help:"Bring the database to this release's schema, or back."`
	Packs    packsCmd    `cmd:"" help:"Write, check, load and unload packs of runtime definitions."`
	Runtimes runtimesCmd `cmd:"" help:"Show and delete the runtimes that the database defines."`
	Workers  workersCmd  `cmd:"" help:"Show, refresh and delete registered workers and sensors."`
	Place    placeCmd    `cmd:"" help:"Show which workers can run something, and why the others cannot."`
	Explain  explainCmd  `cmd:"" help:"Show why a worker does or does not have a runtime, from what it reported."`
	Serve    serveCmd    `cmd:"" help:"Serve the HTTP API."`
	Tokens   tokensCmd   `cmd:"" help:"Create, list and revoke tokens of the HTTP API."`
	Status   statusCmd   `cmd:"" help:"Show the state of the fleet: workers by status, malformed definitions, the newest change."`
	Versions versionsCmd `cmd:"" help:"Match versions against a constraint."`
	Config   configCmd   `cmd:"" help:"Show the effective configuration and the source of each value."`

	Completion cli.CompletionCmd `cmd:"" help:"Print a script that completes command lines in a shell."`
}

const description = "Administer an attune database. Without --database, it is this user's file " +
	"under $XDG_STATE_HOME/attune. Exit status: 0 done, 1 failed, 2 wrong usage, " +
	"3 differs (--exit-code; versions match) or fits nowhere (place)."

func program() *cli.Program {
	g := new(grammar)
	return &cli.Program{
		Name: "attune", Description: description, Grammar: g, Globals: &g.Globals, Names: completions,
		Vars: kong.Vars{"lock_timeout": migrations.DefaultLockTimeout.String()},
	}
}

func main() { program().Main() }
