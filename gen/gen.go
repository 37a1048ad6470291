// Package gen writes code and documents from annotated Go types. It reads the source of a
// package, makes a model of it, and returns the files to write. Nothing is written unless
// everything could be generated.
//
// # Annotated types
//
// A type with the directive //attune:document above it is a document: a struct whose fields
// have json tags, or a list of text. Directives:
//
//	//attune:document [column]                a struct
//	//attune:document [column] [RULE…]        a list of text
//	//attune:guard TABLE.COLUMN…              the databases refuse wrong values of these columns
//	//attune:enum                             a type of text whose values are its constants
//	//attune:format NAME [PATTERN]            a func(string) string that returns the fault of a text
//	//attune:except PATTERN                   texts that this format's pattern accepts and its function does not
//
// A column is read from and written to a database on its own. Rules are in the tag attune,
// such as attune:"required,format=version":
//
//	required        the key must be present and not empty; not for numbers and truth values
//	bare            a YAML file may omit the quotes where the text looks like a number: 3.10
//	default=VALUE   the value of a missing key: generates DefaultTypeField and FieldOrDefault
//	min=N max=N     bounds of a number or a duration; whole numbers have 32 bits by default
//	above=D         an exclusive lower bound of a duration
//	format=NAME     the format of the text, or of each text of the list
//	unique          the list must not contain duplicates
//	most=N          the greatest number of elements, or of keys of a map
//	length=N        the greatest number of characters
//	order=KEY       generates Ordered, which returns the elements by ascending KEY
//	guard=T.COLUMN  the databases refuse wrong values of this column: text for a text, else JSON
//
// Fields are of type string (or a type of text of the package), bool, int, float64, float32,
// document.Duration, document.Optional of all of these but text, time.Time, a document (or a
// pointer to one), or json.RawMessage for any value. A field can also be a list of these types
// or of documents, but not of json.RawMessage or of pointers; and a map[string] of what a list
// can hold, or of lists. Each struct needs a field of type document.Unknown, and a column one
// of type document.Malformed. A type of text must not have its own methods for JSON, because
// they would not be called.
//
// The rules min, max, above, format and length of a list or a map apply to what it holds. A
// null in a map means the same as a missing key. Maps are written by ascending keys. A float
// is rounded to the nearest value of its type and written in its shortest form; its bounds
// apply to the number as it is written. NaN and infinity are faults. A time has the format of
// RFC 3339, with at most nanoseconds; the zero time means a missing key.
//
// The files that go build would compile here are read, but other packages are not. So an
// annotated type, a constant of an enum and a function of a rule must be understandable
// without them. Other code may have errors, such as calls of methods that are not yet
// generated.
//
// The JSON Schema and the databases check texts by a format's pattern. It is matched against
// the whole text, and must agree with the function. A format without a pattern is checked by
// Go alone.
package gen

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/attune-go/attune/gen/internal/model"
)

// A MetadataConfig configures what is generated for a package.
type MetadataConfig struct {
	// Out is the name of the Go file. Defaults to documents_gen.go.
	Out string
	// NoGo writes no Go file. The types then only describe what else is generated.
	NoGo bool
	// Schemas maps the names of document types to the files of their JSON Schemas.
	Schemas map[string]string
	// Guards is the folder for the SQL guards: postgres.sql, sqlite.sql, and the statements
	// that remove them, postgres.drop.sql and sqlite.drop.sql. Empty generates no guards.
	// Their objects are named after table and column, joined by an underscore. The guards of two
	// packages in one database schema overwrite each other if these names are equal, as those of
	// a.b_c and a_b.c; within one package this is refused.
	Guards string
	// Hint is added to the errors of Postgres, as the end of a sentence. It explains how to see
	// every fault instead of the first.
	Hint string
	// Page is the file of the reference page, in Markdown. Empty generates no page.
	Page string
	// Title is the page's title. Defaults to the name of the first type.
	Title string
}

// Metadata returns the files for the annotated types of src. The error is Faults if the
// source is wrong.
func Metadata(src Source, cfg MetadataConfig) (Files, error) {
	source := parse(src)
	pkg, err := resolve(source)
	if err != nil {
		return nil, err
	}
	if cfg.Out == "" {
		cfg.Out = "documents_gen.go"
	}
	files := Files{}
	text, err := emitAccessors(pkg)
	if err != nil {
		return nil, err
	}
	if err := source.names(pkg, text); err != nil {
		return nil, err
	}
	if !cfg.NoGo {
		if err := files.add(path.Join(src.Dir, cfg.Out), text); err != nil {
			return nil, err
		}
	}
	for name, file := range cfg.Schemas {
		root := documentOf(pkg, name)
		if root == nil {
			return nil, fmt.Errorf("JSON Schema %s: %w %s", file, ErrNoDocument, name)
		}
		text, err := emitSchema(pkg, root)
		if err != nil {
			return nil, err
		}
		if err := files.add(file, text); err != nil {
			return nil, err
		}
	}
	if cfg.Guards != "" {
		if err := addGuards(files, pkg, cfg); err != nil {
			return nil, err
		}
	}
	if cfg.Page != "" {
		if err := files.add(cfg.Page, emitPage(pkg, cfg.Title)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func addGuards(files Files, p *model.Package, cfg MetadataConfig) error {
	if len(guardTargets(p)) == 0 {
		return fmt.Errorf("guards in %s: no type has the directive %sguard, and no field the rule guard", cfg.Guards, mark)
	}
	sqlite, err := emitSQLite(p)
	if err != nil {
		return err
	}
	hint := "Only the first fault is reported here"
	if cfg.Hint != "" {
		hint += "; " + cfg.Hint
	}
	for name, text := range map[string][]byte{"postgres.sql": emitPostgres(p, hint+"."), "postgres.drop.sql": emitPostgresDrop(p),
		"sqlite.sql": sqlite, "sqlite.drop.sql": emitSQLiteDrop(p)} {
		if err := files.add(path.Join(cfg.Guards, name), text); err != nil {
			return err
		}
	}
	return nil
}

// ErrNoDocument means that no annotated type has the name.
var ErrNoDocument = errors.New("no annotated type")

func documentOf(p *model.Package, name string) *model.Document {
	i := slices.IndexFunc(p.Documents, func(d *model.Document) bool { return d.Name == name })
	if i < 0 {
		return nil
	}
	return p.Documents[i]
}
