package gen

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
	"unicode/utf8"

	"github.com/attune-go/attune/gen/internal/model"
)

// enum collects the constants of an enum.
func (r *resolver) enum(spec *ast.TypeSpec, enum types.Object) {
	basic, ok := enum.Type().Underlying().(*types.Basic)
	if !ok || basic.Kind() != types.String || spec.Assign.IsValid() || spec.TypeParams != nil {
		r.faults.add(r.at(spec.Name.Pos()), "%s must be a type of its own with underlying type string to be an enum", enum.Name())
		return
	}
	seen, found := map[string]string{}, false
	for _, spec := range r.declarations() {
		s, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		for i, name := range s.Names {
			if c, ok := r.info.Defs[name].(*types.Const); ok && r.isOf(c, s, enum) {
				found = true
				r.constant(enum, c, s.Values[min(i, len(s.Values)):], seen)
			}
		}
	}
	if !found {
		r.faults.add(r.at(spec.Name.Pos()), "no constant of this package has type %s", enum.Name())
	}
}

// isOf reports whether a constant has the type enum, or would have it if the packages of its
// value were read.
func (r *resolver) isOf(c *types.Const, spec *ast.ValueSpec, enum types.Object) bool {
	if c.Name() == "_" {
		return false
	}
	if c.Type() != types.Typ[types.Invalid] {
		return types.Identical(c.Type(), enum.Type())
	}
	found := false
	ast.Inspect(spec, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && r.info.Uses[id] == enum
		return !found
	})
	return found
}

// constant adds a constant to an enum. seen maps the values so far to their names. value
// holds the constant's expression, and is empty where the line above is repeated.
func (r *resolver) constant(enum types.Object, c *types.Const, value []ast.Expr, seen map[string]string) {
	known := c.Val().Kind() == constant.String
	text, first, refused := "", "", ""
	if known {
		text = constant.StringVal(c.Val())
		first = seen[text]
	}
	if len(value) > 0 {
		refused = r.typeError(value[0])
		if of, ok := ast.Unparen(value[0]).(*ast.Ident); ok && first != "" && r.info.Uses[of] != nil {
			return // another name for a known constant
		}
	}
	pos := r.at(c.Pos())
	switch {
	case refused != "":
		r.faults.add(pos, "the value of %s: %s", c.Name(), refused)
	case !known:
		r.faults.add(pos, "the value of %s depends on other packages: write it out", c.Name())
	case first != "":
		r.faults.add(pos, "%s has the value of %s", c.Name(), first)
	case text == "":
		r.faults.add(pos, "%s is empty, which means the same as a missing key", c.Name())
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		r.faults.add(pos, "%s must be UTF-8 without NUL, got %q", c.Name(), text)
	default:
		seen[text] = c.Name()
		r.enums[enum] = append(r.enums[enum], model.Constant{Go: c.Name(), Value: text})
	}
}
