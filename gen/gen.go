// Package gen writes code and documents from annotated Go types: it reads a
// package's source, makes a model of it, and gives the files to write. Nothing
// is written unless everything could be made.
//
// # Annotated types
//
// A type with the directive //attune:document above it is a document: a struct
// whose fields have json tags, or a list of text. Directives:
//
//	//attune:document [column]                a struct
//	//attune:document [column] [RULE…]        a list of text
//	//attune:guard TABLE.COLUMN…              the databases refuse wrong values of these columns
//	//attune:enum                             a type of text that has only the values of its constants
//	//attune:format NAME [PATTERN]            a func(string) string that says what is wrong with a text
//	//attune:except PATTERN                   texts that the pattern of that format accepts and the function does not
//
// A column is read from and written to a database on its own. Rules stand in a tag,
// attune:"required,format=version":
//
//	required        the key must be there, and must not be empty
//	bare            a YAML file may have it without quotes where it looks like a number: 3.10
//	default=VALUE   the value where the key is left out: makes DefaultTypeField and FieldOrDefault
//	min=N max=N     bounds of a number or a duration; without them a number is held to 32 bits
//	above=D         a duration must be more than this
//	format=NAME     the format judges the text, or each text of the list
//	unique          no text is in the list twice
//	order=KEY       makes Ordered: the elements by ascending KEY
//	guard=T.COLUMN  the databases refuse wrong values of this column of text
//
// Fields are of type string (or a type of text of the package), bool, int,
// document.Duration, document.Optional of these three, a document (or a pointer
// to one), a list of text or of documents, or json.RawMessage for any value.
// Each struct has a field of type document.Unknown, and a column one of type
// document.Malformed. Methods by which a type of text says itself what it is in
// JSON are not called, so such a type is refused.
//
// The package is read as go build reads it here, but other packages are not: only
// what an annotated type, a constant of an enum or a function of a rule is made of
// must be known without them. All else may be wrong, such as what calls methods
// that are yet to be generated.
//
// A format's pattern is what the JSON Schema and the databases hold texts to;
// it is matched against the whole text, and must say what the function says. A
// format without one is known to Go alone.
package gen

import (
	"errors"
	"fmt"
	"path"
	"slices"
)

// MetadataConfig says what to make of a package.
type MetadataConfig struct {
	// Out is the name of the Go file. Empty: documents_gen.go.
	Out string
	// Schemas are the files of JSON Schemas, by the type of their documents.
	// Nil: none.
	Schemas map[string]string
	// Guards is the folder of the SQL guards: postgres.sql, sqlite.sql, and
	// postgres.drop.sql, sqlite.drop.sql to take them away. Empty: none.
	Guards string
	// Hint says in the guards of Postgres what to do to know every fault, as the
	// end of a sentence. Empty: nothing.
	Hint string
	// Page is the file of the reference page, in Markdown. Empty: none.
	Page string
	// Title is the page's. Empty: the name of the first type.
	Title string
}

// Metadata makes the files for the annotated types of src. The error is
// Problems where the source is at fault.
func Metadata(src Source, cfg MetadataConfig) (Files, error) {
	source := parse(src)
	model, err := resolve(source)
	if err != nil {
		return nil, err
	}
	if cfg.Out == "" {
		cfg.Out = "documents_gen.go"
	}
	files := Files{}
	text, err := emitAccessors(model)
	if err != nil {
		return nil, err
	}
	if err := source.names(model, text); err != nil {
		return nil, err
	}
	if err := files.add(path.Join(src.Dir, cfg.Out), text); err != nil {
		return nil, err
	}
	for name, file := range cfg.Schemas {
		root := model.document(name)
		if root == nil {
			return nil, fmt.Errorf("JSON Schema %s: %w %s", file, ErrNoDocument, name)
		}
		text, err := emitSchema(model, root)
		if err != nil {
			return nil, err
		}
		if err := files.add(file, text); err != nil {
			return nil, err
		}
	}
	if cfg.Guards != "" {
		if err := addGuards(files, model, cfg); err != nil {
			return nil, err
		}
	}
	if cfg.Page != "" {
		if err := files.add(cfg.Page, emitPage(model, cfg.Title)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func addGuards(files Files, p *Package, cfg MetadataConfig) error {
	if len(p.guarded()) == 0 {
		return fmt.Errorf("guards in %s: no type has %sguard above it, and no field the rule guard", cfg.Guards, mark)
	}
	sqlite, err := emitSQLite(p)
	if err != nil {
		return err
	}
	hint := "Only the first fault is told here"
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

// ErrNoDocument is a name that no annotated type has.
var ErrNoDocument = errors.New("there is no annotated type")

func (p *Package) document(name string) *Document {
	i := slices.IndexFunc(p.Documents, func(d *Document) bool { return d.Name == name })
	if i < 0 {
		return nil
	}
	return p.Documents[i]
}
