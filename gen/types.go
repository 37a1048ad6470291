package gen

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// named is the package and the name of the type that e means, through the
// aliases of this package; path is empty for a type declared here, and "-" for
// one that Go itself knows.
func (r *resolver) named(file *ast.File, e ast.Expr) (path, name string, arg ast.Expr) {
	switch t := e.(type) {
	case *ast.ParenExpr:
		return r.named(file, t.X)
	case *ast.IndexExpr:
		path, name, _ = r.named(file, t.X)
		return path, name, t.Index
	case *ast.SelectorExpr:
		if of, ok := t.X.(*ast.Ident); ok {
			return importPath(file, of.Name), t.Sel.Name, nil
		}
	case *ast.Ident:
		d := r.types[t.Name]
		if d == nil {
			return "-", t.Name, nil
		}
		if d.spec.Assign.IsValid() && !r.refersTo(d, t.Name) {
			path, name, _ = r.named(d.file, d.spec.Type)
			return path, name, nil
		}
		return "", t.Name, nil
	}
	return "?", typeText(e), nil
}

// refersTo guards against an alias of itself, which only the compiler reports.
func (r *resolver) refersTo(d *declared, name string) bool {
	seen := map[string]bool{}
	for d != nil && d.spec.Assign.IsValid() {
		id, ok := d.spec.Type.(*ast.Ident)
		if !ok {
			return false
		}
		if id.Name == name || seen[id.Name] {
			return true
		}
		seen[id.Name] = true
		d = r.types[id.Name]
	}
	return false
}

// support is the name of a type of the package that generated code is built on;
// empty for any other.
func (r *resolver) support(file *ast.File, e ast.Expr) string {
	if path, name, _ := r.named(file, e); path == supportPath {
		return name
	}
	return ""
}

// typeOf is the model's type of e, or nil after a problem.
func (r *resolver) typeOf(file *ast.File, e ast.Expr, pos token.Position, what string) *Type {
	refuse := func(format string, args ...any) *Type {
		r.problems.add(pos, what+" "+format, args...)
		return nil
	}
	switch t := e.(type) {
	case *ast.StarExpr:
		inner := r.typeOf(file, t.X, pos, what)
		if inner == nil {
			return nil
		}
		if inner.Kind != Object {
			return refuse("is a pointer to what is no document: use document.Optional for a value whose default is not zero")
		}
		inner.Pointer = true
		return inner
	case *ast.ArrayType:
		if t.Len != nil {
			return refuse("is an array of fixed length: use a slice")
		}
		elem := r.elem(file, t.Elt, pos, what)
		if elem == nil {
			return nil
		}
		return &Type{Kind: List, Elem: elem}
	case *ast.MapType:
		return refuse("is a map, which has no order: use json.RawMessage, or a document")
	case *ast.StructType:
		return refuse("is a struct without a name: declare it as a document")
	}
	path, name, arg := r.named(file, e)
	switch {
	case path == "-":
		switch name {
		case "string":
			return &Type{Kind: Text}
		case "bool":
			return &Type{Kind: Bool}
		case "int":
			return &Type{Kind: Int}
		case "float32", "float64":
			return refuse("is a %s, which changes a number's text: use json.RawMessage", name)
		}
		if strings.HasPrefix(name, "int") || strings.HasPrefix(name, "uint") {
			return refuse("is %s: use int, which is held to 32 bits or to min and max", article(name))
		}
	case path == "encoding/json" && name == "RawMessage":
		return &Type{Kind: Raw}
	case path == "time" && name == "Duration":
		return refuse("is a time.Duration, which JSON has as a number: use document.Duration")
	case path == supportPath && name == "Duration":
		return &Type{Kind: Duration}
	case path == supportPath && name == "Optional" && arg != nil:
		inner := r.typeOf(file, arg, pos, what)
		if inner == nil {
			return nil
		}
		if !slices.Contains([]Kind{Bool, Int, Duration}, inner.Kind) {
			return refuse("is an Optional of something that needs none: its zero value is the same as leaving it out")
		}
		inner.Optional = true
		return inner
	case path == "":
		return r.local(file, name, refuse)
	case path != "?" && path != supportPath:
		return refuse("is %s, whose fields are in another package: declare a document in this one, or use json.RawMessage", article(typeText(e)))
	}
	return refuse("is %s, which no document can hold: use string, bool, int, document.Duration, document.Optional of these, "+
		"a document, a list, or json.RawMessage", article(typeText(e)))
}

// local is a type that is declared in this package.
func (r *resolver) local(file *ast.File, name string, refuse func(string, ...any) *Type) *Type {
	if d := r.documents[name]; d != nil {
		if d.List != nil {
			return &Type{Kind: List, Document: d, Elem: d.List.Type.Elem}
		}
		return &Type{Kind: Object, Document: d}
	}
	if _, under, _ := r.named(file, r.types[name].spec.Type); under == "string" {
		return &Type{Kind: Text, Go: name, Enum: r.enums[name]}
	}
	return refuse("is %s, which has no %sdocument above it", article(name), mark)
}

// elem is the type of a list's elements, or nil after a problem.
func (r *resolver) elem(file *ast.File, e ast.Expr, pos token.Position, what string) *Type {
	t := r.typeOf(file, e, pos, what)
	if t == nil {
		return nil
	}
	if t.Kind != Text && t.Kind != Object || t.Pointer {
		r.problems.add(pos, "%s is a list of %s: only text and documents can be elements", what, typeText(e))
		return nil
	}
	return t
}

// recursion reports documents that hold themselves: no reader of a fixed shape
// could follow them.
func (r *resolver) recursion(docs []*Document) {
	done := map[*Document]bool{}
	var visit func(d *Document, open []*Document)
	visit = func(d *Document, open []*Document) {
		if i := slices.Index(open, d); i >= 0 {
			var names []string
			for _, o := range append(open[i:], d) {
				names = append(names, o.Name)
			}
			r.problems.add(d.Pos, "%s holds itself (%s): use json.RawMessage where the depth is not known", d.Name, strings.Join(names, ", "))
			return
		}
		if done[d] {
			return
		}
		for _, f := range d.Fields {
			if of := f.Type.object(); of != nil {
				visit(of, append(open[:len(open):len(open)], d))
			}
		}
		done[d] = true
	}
	for _, d := range docs {
		visit(d, nil)
	}
}

// object is the document that values of the type hold, or nil.
func (t *Type) object() *Document {
	if t.Kind == Object {
		return t.Document
	}
	if t.Elem != nil && t.Elem.Kind == Object {
		return t.Elem.Document
	}
	return nil
}

// written reports methods that are there by hand and would be generated too.
func (r *resolver) written(docs []*Document) {
	for _, d := range docs {
		for _, name := range d.methods() {
			if m := r.methods[d.Name][name]; m != nil {
				r.problems.add(r.at(m.Name.Pos()), "%s.%s is generated: remove this one", d.Name, name)
			}
		}
	}
}

// methods are the names of what is generated for a document.
func (d *Document) methods() []string {
	names := []string{"UnmarshalJSON", "MarshalJSON", "Validate", "IsZero", "read", "write", "validate"}
	if d.List == nil {
		names = append(names, "UnknownKeys", "unknownKeys", "plain")
	}
	if d.Column {
		names = append(names, "Scan", "Value", "Fault")
	}
	for _, f := range d.Fields {
		if f.Default != nil {
			names = append(names, f.Go+"OrDefault")
		}
		if f.Order != nil {
			names = append(names, "Ordered")
		}
	}
	return names
}

// article puts a or an before a word.
func article(word string) string {
	if strings.ContainsRune("AEIOUaeiou", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}
