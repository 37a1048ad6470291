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

// stubTexts declares the types of other packages that documents may use. Other packages are
// never read, because they may not exist yet, or take long.
var stubTexts = map[string]string{
	supportPath: `package document; type (
		Duration int64
		Malformed struct{}
		Optional[T any] struct{}
		Unknown []struct{}
	)`,
	"encoding/json": "package json; type RawMessage []byte",
	"time":          "package time; type (Duration int64; Time struct{})",
}

// stubs maps paths to these packages. They import nothing.
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

// Import returns the stub of a package. After an error the type checker treats the names of
// that package as unknown types.
func (s stubs) Import(path string) (*types.Package, error) {
	if p := s[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("package %s is not read", path)
}
