package gen_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/gen"
)

// The check for taken names covers exactly the names that the file declares.
func TestNamesAreThoseOfTheFile(t *testing.T) {
	for _, dir := range []string{"testdata/full", "testdata/hostile", "testdata/kinds", "testdata/reading", "../schema/metadata"} {
		src, err := gen.ReadSource(dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := gen.DeclaredNames(src)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), dir+"/documents_gen.go", nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		if diff := cmp.Diff(declared(file), got); diff != "" {
			t.Errorf("%s (-declared +looked for):\n%s", dir, diff)
		}
	}
}

func declared(file *ast.File) []string {
	var out []string
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				of := d.Recv.List[0].Type
				if star, ok := of.(*ast.StarExpr); ok {
					of = star.X
				}
				name = of.(*ast.Ident).Name + "." + name
			}
			out = append(out, name)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if s, ok := spec.(*ast.ValueSpec); ok && s.Names[0].Name != "_" {
					out = append(out, s.Names[0].Name)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
