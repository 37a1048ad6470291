// Package detector generates the package that detects a set of runtimes: refs, checked
// definitions, typed capabilities, and the detectors of worker and sensor.
//
// It reads definitions with accessors that package gen generates, so gen must not
// import it.
package detector

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"go/format"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/attune-go/attune/gen"
	"github.com/attune-go/attune/schema/metadata"
)

// A Source holds definitions without a fault, with their places for messages.
type Source struct {
	// Definitions is sorted by ref. Each ref occurs once.
	Definitions []metadata.Definition
	// Pos maps the ref of each definition to its place.
	Pos map[string]token.Position
	// Core reports whether the core pack is among them.
	Core bool
}

// A Config names the generated package.
type Config struct {
	// Dir is the folder of the package. Defaults to the working directory.
	Dir string
	// Package is the name of the package. Defaults to the last part of Dir.
	Package string
}

// ErrPackage reports a name that Go does not accept for a package.
var ErrPackage = errors.New("not a valid name of a Go package")

// Generate returns the files of a package that detects src. The error wraps ErrPackage,
// or is gen.Faults for definitions without distinct names in Go.
func Generate(src Source, cfg Config) (gen.Files, error) {
	if cfg.Package == "" {
		cfg.Package = path.Base(cfg.Dir)
	}
	if !token.IsIdentifier(cfg.Package) || cfg.Package == "_" {
		return nil, fmt.Errorf("%w: %q", ErrPackage, cfg.Package)
	}
	m, err := outputOf(src, cfg.Package)
	if err != nil {
		return nil, err
	}
	text, err := emit(m)
	if err != nil {
		return nil, err
	}
	return gen.Files{path.Join(cfg.Dir, "detector_gen.go"): text}, nil
}

// An output is the data of the template.
type output struct {
	Header, Package string
	Runtimes        []runtime
	Packs           []string
	// Core reports whether the core pack is among the packs.
	Core bool
	// JSON and Time report whether the definitions need these packages.
	JSON, Time bool
}

// A runtime is one definition as Go code.
type runtime struct {
	Ref, Go, Digest string
	// Literal is a composite literal without its type.
	Literal string
}

func outputOf(src Source, pkg string) (*output, error) {
	if len(src.Definitions) == 0 {
		return nil, errors.New("generate detector: no definition")
	}
	names, err := goNames(src)
	if err != nil {
		return nil, err
	}
	m := &output{Header: gen.Header, Package: pkg, Core: src.Core}
	for i := range src.Definitions {
		def := &src.Definitions[i]
		var w literal
		if err := w.definition(def, "Ref"+names[def.Ref]); err != nil {
			return nil, fmt.Errorf("write %s as Go: %w", def.Ref, err)
		}
		m.JSON, m.Time = m.JSON || w.json, m.Time || w.time
		m.Runtimes = append(m.Runtimes, runtime{Ref: def.Ref, Go: names[def.Ref], Digest: def.Digest(), Literal: w.String()})
		m.Packs = append(m.Packs, metadata.PackOf(def.Ref))
	}
	m.Packs = slices.Compact(slices.Sorted(slices.Values(m.Packs)))
	return m, nil
}

// PackNames returns the names of the packs for a comment. Valid refs need no quotes.
func (m *output) PackNames() string {
	if n := len(m.Packs); n > 1 {
		return "packs " + strings.Join(m.Packs[:n-1], ", ") + " and " + m.Packs[n-1]
	}
	return "pack " + m.Packs[0]
}

//go:embed detector.tmpl
var text string

var file = template.Must(template.New("detector").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(text))

func emit(m *output) ([]byte, error) {
	var out bytes.Buffer
	if err := file.Execute(&out, m); err != nil {
		return nil, err
	}
	text, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("format generated code: %w\n%s", err, out.Bytes())
	}
	return text, nil
}
