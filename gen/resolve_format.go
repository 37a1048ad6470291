package gen

import (
	"go/ast"
	"strings"
)

// collectFormats finds the functions that judge texts.
func (r *resolver) collectFormats() {
	for _, file := range r.files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil {
				continue
			}
			list := r.directives(f.Doc)
			d, ok := r.one(list, "format")
			except, _ := r.one(list, "except")
			for _, other := range list {
				if other.name != "format" && other.name != "except" {
					r.problems.add(other.pos, "%s%s is for a type", mark, other.name)
				}
			}
			if ok {
				r.format(d, except, f)
			} else if except.name != "" {
				r.problems.add(except.pos, "%sexcept is for a function with %sformat", mark, mark)
			}
		}
	}
}

func (r *resolver) format(d, except directive, f *ast.FuncDecl) {
	name, pattern, _ := strings.Cut(d.text, " ")
	if name == "" {
		r.problems.add(d.pos, "%sformat needs a name", mark)
		return
	}
	if first := r.formats[name]; first != nil {
		r.problems.add(d.pos, "format %s is %s already, at %s", name, first.Func, first.Pos)
		return
	}
	if refused := r.refused(f.Name); refused != "" {
		r.problems.add(r.at(f.Name.Pos()), "%s", refused)
	} else if !judgesText(r.info.Defs[f.Name]) {
		r.problems.add(r.at(f.Name.Pos()), "%s must be func(string) string, to be format %s: it says what is wrong, and nothing where nothing is", f.Name.Name, name)
	}
	out := &Format{Name: name, Func: f.Name.Name, Pos: d.pos, Comment: f.Doc.Text()}
	out.Pattern = r.pattern(d, name, pattern)
	out.Except = r.pattern(except, name, except.text)
	if except.name != "" && (out.Pattern == nil || out.Except == nil) {
		r.problems.add(except.pos, "%sexcept takes texts away from a pattern, so it needs one, and the format too", mark)
	}
	r.formats[name] = out
}

// pattern reads the pattern in a directive; nil is none.
func (r *resolver) pattern(d directive, format, text string) *Pattern {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	p, err := NewPattern(text)
	if err != nil {
		r.problems.add(d.pos, "the pattern of format %s: %v", format, err)
		return nil
	}
	p.Pos = d.pos
	return p
}
