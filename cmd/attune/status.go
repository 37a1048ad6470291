package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/attune-go/attune/cmd/internal/cli"
)

type statusCmd struct{}

// Help returns the longer text of --help.
func (c *statusCmd) Help() string {
	return "Shows which version of attune answers, how many workers and sensors there are in each status, whether definitions are " +
		"malformed, and the newest change. With --server it also counts that server's open streams. Its metrics for " +
		"Prometheus are at /metrics. Writes nothing. `attune migrate status` compares the tables with what this release needs."
}

// Run shows the state of the fleet and of what answers.
func (c *statusCmd) Run(ctx context.Context, env *cli.Env) error {
	src, err := sourceToLook(ctx, env)
	if err != nil {
		return err
	}
	defer src.close()
	s, err := src.status(ctx)
	if err != nil {
		return fmt.Errorf("status of %s: %w", src.name(), err)
	}
	if env.JSON {
		return cli.PrintJSON(env.Out, s)
	}
	tables := "attune's own"
	if s.Guest {
		tables = "a platform's, in which attune is a guest"
	}
	workers := "none yet"
	if s.Workers.All > 0 {
		workers = strconv.Itoa(s.Workers.All) + ": " + byStatus(&s.Workers)
	}
	out := env.Out
	statusLine(out, "program", cli.Plain, "attune "+s.Program)
	statusLine(out, "asked", cli.Plain, src.name())
	statusLine(out, "tables", cli.Plain, tables)
	statusLine(out, "workers", cli.Plain, workers)
	printDefinitions(out, &definitions{Count: s.Definitions, Malformed: s.Malformed})
	change := "none yet"
	if s.LastChange > 0 {
		change = "number " + strconv.FormatInt(s.LastChange, 10)
	}
	statusLine(out, "last change", cli.Plain, change)
	if s.Streams != nil {
		statusLine(out, "streams", cli.Plain, strconv.Itoa(*s.Streams)+" open")
	}
	statusLine(out, "time", cli.Plain, s.Now.UTC().Format(time.RFC3339)+" by the database's clock")
	return nil
}
