package gen

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
)

// supportPath is the package that generated code is built on.
const supportPath = "github.com/attune-go/attune/schema/document"

// stubTexts declare what a document can be made of that is not its own
// package's, as far as types are to be told apart. No other package is ever
// read: it may not be there yet, or take long.
var stubTexts = map[string]string{
	supportPath: `package document; type (
		Duration int64
		Malformed struct{}
		Optional[T any] struct{}
		Unknown []struct{}
	)`,
	"encoding/json": "package json; type RawMessage []byte",
	"time":          "package time; type Duration int64",
}

// stubs are these packages by path. They import no other package.
type stubs map[string]*types.Package

func newStubs(fset *token.FileSet) stubs {
	out := stubs{}
	for path, text := range stubTexts {
		file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err == nil {
			out[path], err = new(types.Config).Check(path, fset, []*ast.File{file}, nil)
		}
		if err != nil {
			panic(fmt.Sprintf("gen: the stub of %s: %v", path, err))
		}
	}
	return out
}

// Import gives a package that types are looked for in. After an error the type
// checker takes any name of that package as a type that nobody knows.
func (s stubs) Import(path string) (*types.Package, error) {
	if p := s[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("package %s is not read", path)
}
