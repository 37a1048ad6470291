package main

import (
	"fmt"

	"github.com/attune-go/attune/gen"
)

type metadataCommand struct {
	Dir        string            `arg:"" optional:"" default:"." help:"Folder of the package (default: the working directory)."`
	Out        string            `default:"documents_gen.go" help:"Name of the Go file in that folder." placeholder:"NAME"`
	JSONSchema map[string]string `name:"json-schema" help:"File for the JSON Schema of an annotated type; may be given several times." placeholder:"TYPE=FILE"`
	Guards     string            `help:"Folder for the SQL by which both databases refuse what is wrong in guarded columns." placeholder:"FOLDER"`
	Hint       string            `help:"What to do to know every fault: the guards of Postgres say it behind the first one." placeholder:"TEXT"`
	Page       string            `help:"File for the reference page, in Markdown." placeholder:"FILE"`
	Title      string            `help:"Title of the reference page." placeholder:"TEXT"`
	Check      bool              `help:"Write nothing; print what is stale as a diff, and exit with 1 if anything is."`
}

func (c *metadataCommand) Run(io streams) error {
	src, err := gen.ReadSource(c.Dir)
	if err != nil {
		return err
	}
	files, err := gen.Metadata(src, gen.MetadataConfig{Out: c.Out, Schemas: c.JSONSchema, Guards: c.Guards, Hint: c.Hint, Page: c.Page, Title: c.Title})
	if err != nil {
		return err
	}
	return finish(files, c.Check, io)
}

// finish writes the files, or compares them with what is there.
func finish(files gen.Files, check bool, io streams) error {
	if check {
		stale, err := files.Check(io.out)
		if err == nil && stale {
			return errStale
		}
		return err
	}
	written, err := files.Write()
	for _, name := range written {
		fmt.Fprintf(io.out, "wrote %s\n", name)
	}
	return err
}
