//go:build !bootstrap

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/cmd/internal/config"
	"github.com/attune-go/attune/gen/detector"
)

type detectorCommand struct {
	Packs    []string `arg:"" name:"pack" optional:"" help:"Folders of packs; core is the embedded core pack."`
	Database string   `help:"Read the definitions of this database instead: postgres://… or sqlite:PATH." placeholder:"URL"`
	Schema   string   `help:"Schema of a Postgres database (default: the one that holds attune's tables)." placeholder:"NAME"`
	Out      string   `default:"." help:"Folder of the generated package (default: the working directory)." placeholder:"DIR"`
	Package  string   `help:"Name of the package (default: the folder's)." placeholder:"NAME"`
	Strict   bool     `help:"Treat unknown keys as errors instead of warnings."`
	Check    bool     `help:"Write nothing; print a diff of stale files, and exit with 1 if there are any."`
}

func (c *detectorCommand) Run(io streams) error {
	switch {
	case len(c.Packs) == 0 && c.Database == "":
		return usageError("detector: give pack folders, core, or --database")
	case len(c.Packs) > 0 && c.Database != "":
		return usageError("detector: pack folders and --database exclude each other")
	case c.Schema != "" && c.Database == "":
		return usageError("detector: --schema goes with --database")
	}
	src, err := c.source(io)
	if err != nil {
		return err
	}
	cfg := detector.Config{Dir: filepath.ToSlash(c.Out), Package: c.Package}
	if cfg.Package == "" {
		dir, err := filepath.Abs(c.Out)
		if err != nil {
			return err
		}
		cfg.Package = filepath.Base(dir)
	}
	files, err := detector.Generate(src, cfg)
	if err != nil {
		return err
	}
	return finish(files, c.Check, io)
}

func (c *detectorCommand) source(io streams) (detector.Source, error) {
	if c.Database != "" {
		return c.rows()
	}
	src, warnings, err := detector.ReadPacks(c.Packs, c.Strict)
	for _, w := range warnings {
		w.Message = "warning: " + w.Message
		fmt.Fprintln(io.err, w)
	}
	return src, err
}

// rows reads the database that the command line names, and no other: what is
// generated must not depend on the environment.
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
	rows, leftOut, err := db.Store.BoundedDefinitions(ctx)
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
