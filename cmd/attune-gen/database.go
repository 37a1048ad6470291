//go:build database && !bootstrap

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/gen/detector"
)

func (c *detectorCommand) fromDatabase(io streams) error {
	src, err := c.rows()
	if err != nil {
		return err
	}
	return c.generate(src, io)
}

// rows reads the database of the command line. It ignores the environment, because generated code
// must not depend on it.
func (c *detectorCommand) rows() (detector.Source, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	env := &cli.Env{Globals: &cli.Globals{Schema: c.Schema}, File: &config.File{}, Log: slog.New(slog.DiscardHandler)}
	db, err := env.Open(ctx, c.Database)
	if usage := (*cli.UsageError)(nil); errors.As(err, &usage) {
		return detector.Source{}, usageError(usage.Message)
	}
	if err != nil {
		return detector.Source{}, err
	}
	defer db.Close()
	rows, leftOut, err := db.BoundedDefinitions(ctx)
	if err != nil {
		return detector.Source{}, fmt.Errorf("%s: %w", db.Name, err)
	}
	if text := leftOut.String(); text != "" {
		return detector.Source{}, fmt.Errorf("%s: %s", db.Name, text)
	}
	name := db.Name
	if !db.IsEmbedded() {
		name += ", schema " + db.Schema
	}
	return detector.FromRows(name, rows)
}
