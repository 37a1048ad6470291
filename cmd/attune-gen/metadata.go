package main

import (
	"fmt"
	"strings"

	"github.com/attune-go/attune/gen"
)

type metadataCommand struct {
	Dir        string       `arg:"" optional:"" default:"." help:"Folder of the package (default: the working directory)."`
	Out        string       `default:"documents_gen.go" help:"Name of the Go file in that folder." placeholder:"NAME"`
	NoGo       bool         `name:"no-go" help:"Write no Go file, for types that only describe guards, schemas or the page."`
	JSONSchema []schemaFile `name:"json-schema" sep:"none" help:"File for the JSON Schema of an annotated type. Repeatable." placeholder:"TYPE=FILE"`
	Guards     string       `help:"Folder for the SQL of the database guards, which refuse faults in guarded columns." placeholder:"FOLDER"`
	Hint       string       `help:"Hint that the Postgres guards add to the first fault, such as the command that lists every fault." placeholder:"TEXT"`
	Page       string       `help:"File for the reference page, in Markdown." placeholder:"FILE"`
	Title      string       `help:"Title of the reference page." placeholder:"TEXT"`
	Check      bool         `help:"Write nothing; print a diff of stale files, and exit with 1 if there are any."`
}

// A schemaFile is the file for the JSON Schema of a type.
type schemaFile struct{ typeName, file string }

func (s *schemaFile) UnmarshalText(text []byte) error {
	var ok bool
	if s.typeName, s.file, ok = strings.Cut(string(text), "="); !ok || s.typeName == "" || s.file == "" {
		return fmt.Errorf("must be TYPE=FILE, such as Queue=queue.schema.json, got %q", text)
	}
	return nil
}

func (c *metadataCommand) Run(io streams) error {
	src, err := gen.ReadSource(c.Dir)
	if err != nil {
		return err
	}
	schemas := make(map[string]string, len(c.JSONSchema))
	for _, s := range c.JSONSchema {
		if schemas[s.typeName] != "" {
			return usageError("metadata: duplicate --json-schema " + s.typeName)
		}
		schemas[s.typeName] = s.file
	}
	files, err := gen.Metadata(src, gen.MetadataConfig{
		Out: c.Out, NoGo: c.NoGo, Schemas: schemas, Guards: c.Guards, Hint: c.Hint, Page: c.Page, Title: c.Title,
	})
	if err != nil {
		return err
	}
	return finish(files, c.Check, io)
}

// finish writes the files, or compares them with those on disk.
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
