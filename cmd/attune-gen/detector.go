//go:build !bootstrap

package main

import (
	"errors"
	"fmt"
	"path/filepath"

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
	if c.Database != "" {
		return c.fromDatabase(io)
	}
	src, warnings, err := detector.ReadPacks(c.Packs, c.Strict)
	for _, w := range warnings {
		w.Message = "warning: " + w.Message
		fmt.Fprintln(io.err, w)
	}
	if err != nil {
		return err
	}
	return c.generate(src, io)
}

// generate writes the package of the definitions of src.
func (c *detectorCommand) generate(src detector.Source, io streams) error {
	cfg := detector.Config{Dir: filepath.ToSlash(c.Out), Package: c.Package}
	if cfg.Package == "" {
		dir, err := filepath.Abs(c.Out)
		if err != nil {
			return err
		}
		cfg.Package = filepath.Base(dir)
	}
	files, err := detector.Generate(src, cfg)
	switch {
	case errors.Is(err, detector.ErrPackage):
		return fmt.Errorf("%w; give one with --package", err)
	case err != nil:
		return err
	}
	return finish(files, c.Check, io)
}
