// Package detector writes the package that detects a set of runtimes: refs,
// checked definitions, typed capabilities, and the detectors of worker and
// sensor.
//
// It is the half of the generator that reads definitions, and so needs what the
// other half writes: gen itself must not import it.
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

// Source are definitions without a fault, and what a message must know of them.
type Source struct {
	// Definitions sorted by ref, no ref twice.
	Definitions []metadata.Definition
	// Pos is where each stands, by ref.
	Pos map[string]token.Position
	// Core: the core pack is among them.
	Core bool
}

// Config says what to write.
type Config struct {
	// Dir is the folder of the package. Empty is the working directory.
	Dir string
	// Package is the package's name. Empty is the last part of Dir.
	Package string
}

// Generate makes the files of a package that detects src. The error is
// gen.Problems where a definition is at fault.
func Generate(src Source, cfg Config) (gen.Files, error) {
	if cfg.Package == "" {
		cfg.Package = path.Base(cfg.Dir)
	}
	if !token.IsIdentifier(cfg.Package) || cfg.Package == "_" {
		return nil, fmt.Errorf("%q is no name of a Go package: give one with --package", cfg.Package)
	}
	m, err := modelOf(src, cfg.Package)
	if err != nil {
		return nil, err
	}
	text, err := emit(m)
	if err != nil {
		return nil, err
	}
	return gen.Files{path.Join(cfg.Dir, "detector_gen.go"): text}, nil
}

// model is what the template is filled with.
type model struct {
	Header, Package string
	Runtimes        []runtime
	Packs           []string
	// Core: the commands of the core pack are among the package's own.
	Core bool
	// JSON and Time: the definitions need these packages.
	JSON, Time bool
}

// runtime is one definition as the code has it.
type runtime struct {
	Ref, Go, Digest string
	// Literal is the definition as a composite literal without its type.
	Literal string
}

func modelOf(src Source, pkg string) (*model, error) {
	if len(src.Definitions) == 0 {
		return nil, errors.New("there is no definition to detect")
	}
	names, err := goNames(src)
	if err != nil {
		return nil, err
	}
	m := &model{Header: gen.Header, Package: pkg, Core: src.Core}
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

// Of names the packs for a comment. Their refs have been judged, and are words.
func (m *model) Of() string {
	if n := len(m.Packs); n > 1 {
		return "packs " + strings.Join(m.Packs[:n-1], ", ") + " and " + m.Packs[n-1]
	}
	return "pack " + m.Packs[0]
}

//go:embed detector.tmpl
var text string

var file = template.Must(template.New("detector").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(text))

func emit(m *model) ([]byte, error) {
	var out bytes.Buffer
	if err := file.Execute(&out, m); err != nil {
		return nil, err
	}
	text, err := format.Source(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("the generated Go does not parse: %w\n%s", err, out.Bytes())
	}
	return text, nil
}
