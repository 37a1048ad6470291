package gen

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
	"unicode/utf8"
)

// enum collects the constants of a type that has only their values.
func (r *resolver) enum(spec *ast.TypeSpec, enum types.Object) {
	basic, ok := enum.Type().Underlying().(*types.Basic)
	if !ok || basic.Kind() != types.String || spec.Assign.IsValid() || spec.TypeParams != nil {
		r.problems.add(r.at(spec.Name.Pos()), "%s must be a type of its own with underlying type string to be an enum", enum.Name())
		return
	}
	seen, found := map[string]string{}, false
	for _, spec := range r.declared() {
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
		r.problems.add(r.at(spec.Name.Pos()), "no constant of this package has type %s", enum.Name())
	}
}

// isOf reports whether a constant is of the type enum, or would be if Go knew
// what its value is made of.
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

// constant adds a constant to an enum, whose values so far are seen. value is
// what it is made of, and what follows; nothing where the line above is repeated.
func (r *resolver) constant(enum types.Object, c *types.Const, value []ast.Expr, seen map[string]string) {
	known := c.Val().Kind() == constant.String
	text, first, refused := "", "", ""
	if known {
		text = constant.StringVal(c.Val())
		first = seen[text]
	}
	if len(value) > 0 {
		refused = r.refused(value[0])
		if of, ok := ast.Unparen(value[0]).(*ast.Ident); ok && first != "" && r.info.Uses[of] != nil {
			return // another name of a constant that is there
		}
	}
	pos := r.at(c.Pos())
	switch {
	case refused != "":
		r.problems.add(pos, "the value of %s: %s", c.Name(), refused)
	case !known:
		r.problems.add(pos, "the value of %s is not known without other packages: write it out", c.Name())
	case first != "":
		r.problems.add(pos, "%s has the value of %s", c.Name(), first)
	case text == "":
		r.problems.add(pos, "%s is the empty text, which is the same as leaving the key out", c.Name())
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		r.problems.add(pos, "%s is %q, which no document can hold: text is UTF-8 without NUL", c.Name(), text)
	default:
		seen[text] = c.Name()
		r.enums[enum] = append(r.enums[enum], Constant{c.Name(), text})
	}
}
