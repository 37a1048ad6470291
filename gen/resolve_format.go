package gen

import (
	"go/ast"
	"strings"

	"github.com/attune-go/attune/gen/internal/model"
)

// collectFormats finds the functions that check texts.
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
					r.faults.add(other.pos, "%s%s is only for types", mark, other.name)
				}
			}
			if ok {
				r.format(d, except, f)
			} else if except.name != "" {
				r.faults.add(except.pos, "%sexcept is only for functions with %sformat", mark, mark)
			}
		}
	}
}

func (r *resolver) format(d, except directive, f *ast.FuncDecl) {
	name, pattern, _ := strings.Cut(d.text, " ")
	if name == "" {
		r.faults.add(d.pos, "%sformat needs a name", mark)
		return
	}
	if first := r.formats[name]; first != nil {
		r.faults.add(d.pos, "duplicate format %s: the first is %s at %s", name, first.Func, first.Pos)
		return
	}
	if refused := r.typeError(f.Name); refused != "" {
		r.faults.add(r.at(f.Name.Pos()), "%s", refused)
	} else if !judgesText(r.info.Defs[f.Name]) {
		r.faults.add(r.at(f.Name.Pos()), "%s must be func(string) string to be format %s: it returns the fault of a text, or an empty text",
			f.Name.Name, name)
	}
	out := &model.Format{Name: name, Func: f.Name.Name, Pos: d.pos, Comment: f.Doc.Text()}
	out.Pattern = r.pattern(d, name, pattern)
	out.Except = r.pattern(except, name, except.text)
	if except.name != "" && (out.Pattern == nil || out.Except == nil) {
		r.faults.add(except.pos, "%sexcept needs a pattern, and so does %[1]sformat", mark)
	}
	r.formats[name] = out
}

// pattern reads the pattern in a directive. It returns nil without a pattern.
func (r *resolver) pattern(d directive, format, text string) *model.Pattern {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	p, err := model.NewPattern(text)
	if err != nil {
		r.faults.add(d.pos, "the pattern of format %s: %v", format, err)
		return nil
	}
	p.Pos = d.pos
	return p
}
