package gen

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/attune-go/attune/gen/internal/model"
)

// supportName returns the name of a type of the package that generated code is built on. It
// returns an empty text for any other type.
func (r *resolver) supportName(t types.Type) string {
	if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() == r.support {
		return named.Obj().Name()
	}
	return ""
}

// typeOf returns the model's type for t, or nil after a fault. e is the expression of the
// whole type.
func (r *resolver) typeOf(t types.Type, e ast.Expr, pos token.Position, what string) *model.Type {
	refuse := func(format string, args ...any) *model.Type {
		r.faults.add(pos, what+" "+format, args...)
		return nil
	}
	name := r.typeName(t)
	switch t := types.Unalias(t).(type) {
	case *types.Pointer:
		inner := r.typeOf(t.Elem(), e, pos, what)
		if inner == nil {
			return nil
		}
		if inner.Kind == model.Time {
			return refuse("is a pointer to a time: use time.Time, whose zero value means a missing key")
		}
		if inner.Kind != model.Object {
			return refuse("is a pointer to something else than a document: use document.Optional for a value whose default is not zero")
		}
		inner.Pointer = true
		return inner
	case *types.Slice:
		elem := r.elem(t.Elem(), e, pos, what)
		if elem == nil {
			return nil
		}
		return &model.Type{Kind: model.List, Elem: elem}
	case *types.Array:
		return refuse("is an array of fixed length: use a slice")
	case *types.Map:
		if key, ok := types.Unalias(t.Key()).(*types.Basic); !ok || key.Kind() != types.String {
			return refuse("is a map with keys of type %s: use map[string], because the keys of JSON are text", r.typeName(t.Key()))
		}
		elem := r.mapValue(t.Elem(), e, pos, what)
		if elem == nil {
			return nil
		}
		return &model.Type{Kind: model.Map, Elem: elem}
	case *types.Struct:
		return refuse("is a struct without a name: declare it as a document")
	case *types.Basic:
		switch scalar := scalarOf(t.Kind()); {
		case scalar != nil:
			return scalar
		case t.Kind() == types.Invalid:
			return r.unknown(e, pos, what)
		case t.Info()&types.IsInteger != 0:
			return refuse("is %s: use int, which has 32 bits or the rules min and max", article(name))
		}
	case *types.Named:
		switch {
		case t.Obj().Pkg() == r.types && t.TypeArgs() == nil:
			return r.local(t, refuse)
		case r.typeName(t) == "json.RawMessage":
			return &model.Type{Kind: model.Raw}
		case r.typeName(t) == "time.Time":
			return &model.Type{Kind: model.Time}
		case r.typeName(t) == "time.Duration":
			return refuse("is a time.Duration, which is a number in JSON: use document.Duration")
		}
		switch r.supportName(t) {
		case "Duration":
			return &model.Type{Kind: model.Duration}
		case "Optional":
			inner := r.typeOf(t.TypeArgs().At(0), e, pos, what)
			if inner == nil {
				return nil
			}
			if !slices.Contains([]model.Kind{model.Bool, model.Int, model.Float, model.Duration}, inner.Kind) {
				return refuse("is an Optional of a type whose zero value already means a missing key: use the type itself")
			}
			inner.Optional = true
			return inner
		}
	}
	return refuse("is %s, which no document can hold: %s", article(name), held)
}

// scalarOf returns the model's type for a basic kind, or nil if no document can hold it.
func scalarOf(kind types.BasicKind) *model.Type {
	switch kind {
	case types.String:
		return &model.Type{Kind: model.Text}
	case types.Bool:
		return &model.Type{Kind: model.Bool}
	case types.Int:
		return &model.Type{Kind: model.Int}
	case types.Float64:
		return &model.Type{Kind: model.Float, Bits: 64}
	case types.Float32:
		return &model.Type{Kind: model.Float, Bits: 32}
	}
	return nil
}

// typeName returns the name of a type in this package.
func (r *resolver) typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == r.types {
			return ""
		}
		return p.Name()
	})
}

// held lists the types that a document can hold.
const held = "use string, bool, int, float64, document.Duration, document.Optional of these, time.Time, a document, a list, " +
	"a map[string], or json.RawMessage"

// unknown reports a type that the type checker does not know.
func (r *resolver) unknown(e ast.Expr, pos token.Position, what string) *model.Type {
	text, refused, sel := types.ExprString(e), r.typeError(e), (*ast.SelectorExpr)(nil)
	ast.Inspect(e, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && sel == nil {
			sel = s
		}
		return sel == nil
	})
	switch {
	case sel != nil && r.importedPackage(sel.X) != r.support:
		r.faults.add(pos, "%s is %s, whose fields are in another package: declare a document in this one, or use json.RawMessage",
			what, article(text))
	case refused != "" && !strings.Contains(refused, "."): // the error is about another type than a stub lacks
		r.faults.add(pos, "%s: %s", what, refused)
	default:
		r.faults.add(pos, "%s is %s, which no document can hold: %s", what, article(text), held)
	}
	return nil
}

// importedPackage returns the package that e names, or nil.
func (r *resolver) importedPackage(e ast.Expr) *types.Package {
	id, _ := e.(*ast.Ident)
	if of, ok := r.info.Uses[id].(*types.PkgName); ok {
		return of.Imported()
	}
	return nil
}

// local returns the model's type for a type that is declared in this package.
func (r *resolver) local(t *types.Named, refuse func(string, ...any) *model.Type) *model.Type {
	name := t.Obj().Name()
	if d := r.documents[t.Obj()]; d != nil {
		if d.List != nil {
			return &model.Type{Kind: model.List, Document: d, Elem: d.List.Type.Elem}
		}
		return &model.Type{Kind: model.Object, Document: d}
	}
	if basic, ok := t.Underlying().(*types.Basic); !ok || basic.Kind() != types.String {
		return refuse("is %s, which lacks the directive %sdocument", article(name), mark)
	}
	for i := range t.NumMethods() {
		if m := t.Method(i).Name(); slices.Contains(encodings, m) {
			return refuse("is %s, whose method %s would not be called: use string, or json.RawMessage", article(name), m)
		}
	}
	return &model.Type{Kind: model.Text, Go: name, Enum: r.enums[t.Obj()]}
}

// encodings lists the methods by which a type defines its own form in JSON.
var encodings = []string{"MarshalJSON", "UnmarshalJSON", "MarshalText", "UnmarshalText"}

// elem returns the type of a list's elements, or nil after a fault.
func (r *resolver) elem(t types.Type, e ast.Expr, pos token.Position, what string) *model.Type {
	elem := r.typeOf(t, e, pos, what)
	if elem == nil {
		return nil
	}
	if !canBeElement(elem) {
		r.faults.add(pos, "%s is a list of %s: its elements can be text, numbers, truth values, durations, times or documents: "+
			"use a document or json.RawMessage", what, r.typeName(t))
		return nil
	}
	return elem
}

// mapValue returns the type of a map's values, or nil after a fault.
func (r *resolver) mapValue(t types.Type, e ast.Expr, pos token.Position, what string) *model.Type {
	elem := r.typeOf(t, e, pos, what)
	if elem == nil {
		return nil
	}
	if elem.Kind != model.List && !canBeElement(elem) {
		r.faults.add(pos, "%s is a map of %s: its values can be text, numbers, truth values, durations, times, documents "+
			"or lists of these: use a document or json.RawMessage", what, r.typeName(t))
		return nil
	}
	return elem
}

// canBeElement reports whether a list can hold the type.
func canBeElement(t *model.Type) bool {
	return t.Elem == nil && t.Kind != model.Raw && !t.Pointer && !t.Optional
}

// checkRecursion reports documents that contain themselves. Readers have a fixed depth and could
// not follow them.
func (r *resolver) checkRecursion(docs []*model.Document) {
	done := map[*model.Document]bool{}
	var visit func(d *model.Document, open []*model.Document)
	visit = func(d *model.Document, open []*model.Document) {
		if i := slices.Index(open, d); i >= 0 {
			var names []string
			for _, o := range append(open[i:], d) {
				names = append(names, o.Name)
			}
			r.faults.add(d.Pos, "%s contains itself (%s): use json.RawMessage where the depth is not known", d.Name, strings.Join(names, ", "))
			return
		}
		if done[d] {
			return
		}
		for _, f := range d.Fields {
			if of := f.Type.Inner(); of != nil {
				visit(of, append(open[:len(open):len(open)], d))
			}
		}
		done[d] = true
	}
	for _, d := range docs {
		visit(d, nil)
	}
}

// article puts "a" or "an" before a word.
func article(word string) string {
	if strings.ContainsRune("AEIOUaeiou", rune(word[0])) {
		return "an " + word
	}
	return "a " + word
}
