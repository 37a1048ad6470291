package gen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
)

// name is one that generated text declares.
type name struct {
	// of is the type whose method it is, and empty for what stands on its own.
	of, text string
	// what it is made for, and where that is.
	what string
	pos  token.Position
}

func (n name) String() string {
	if n.of == "" {
		return n.text
	}
	return n.of + "." + n.text
}

// names are those that the Go file declares for a document.
func (d *Document) names() []name {
	var out []name
	add := func(what string, pos token.Position, of string, names ...string) {
		for _, n := range names {
			out = append(out, name{of, n, what, pos})
		}
	}
	add(d.Name, d.Pos, d.Name, "UnmarshalJSON", "MarshalJSON", "Validate", "IsZero", "read", "write", "validate")
	if d.List == nil {
		add(d.Name, d.Pos, "", keyVar(d))
		add(d.Name, d.Pos, d.Name, "UnknownKeys", "unknownKeys")
	}
	if needsPlain(d) {
		add(d.Name, d.Pos, d.Name, "plain")
	}
	if d.HasBare() {
		add(d.Name, d.Pos, d.Name, "Bare")
	}
	if d.Column {
		add(d.Name, d.Pos, d.Name, "Scan", "Value")
	}
	if d.HasColumn() {
		add(d.Name, d.Pos, d.Name, "Fault")
	}
	for _, f := range d.Fields {
		what := d.Name + "." + f.Go
		if f.Default != nil {
			add(what, f.Pos, "", defaultConst(d, f))
			add(what, f.Pos, d.Name, f.Go+"OrDefault")
		}
		if f.Order != nil {
			add(what, f.Pos, d.Name, "Ordered", "sorted"+f.Go)
		}
		if elemObject(f) {
			add(what, f.Pos, "", plural(d, f))
		}
	}
	return out
}

// names reports the names that the generated Go, which is text, would need and
// cannot have: a field or a method by hand has them, or another declaration.
func (p *parsed) names(model *Package, text []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	seen := map[string]name{}
	for _, d := range model.Documents {
		for _, n := range d.names() {
			if p.twice(n, seen) {
				continue
			}
			obj := p.anywhere(n.text)
			if n.of != "" {
				obj = p.member(d, n.text)
			}
			if v, ok := obj.(*types.Var); ok && v.IsField() {
				p.problems.add(p.at(v.Pos()), "%s is a method that is generated: give the field another name; its key can stay", n)
			} else if obj != nil {
				p.problems.add(p.at(obj.Pos()), "%s is generated for %s: remove this one, or give it another name", n, n.what)
			}
		}
	}
	p.hidden(model, file)
	return p.problems.err()
}

// inSQL reports the names that guards would need in a database and cannot have:
// each function, each view and each trigger of SQLite has its own.
func (p *parsed) inSQL(model *Package) {
	seen := map[string]name{}
	fits := func(name string, pos token.Position) {
		if len(name) > 63 {
			p.problems.add(pos, "the name %s has %d bytes, of which Postgres keeps 63", name, len(name))
		}
	}
	for _, w := range model.guarded() {
		p.twice(name{text: w.function(), what: w.what, pos: w.pos}, seen)
		fits(w.function(), w.pos)
		for _, c := range w.columns {
			p.twice(name{text: sqliteTrigger(c, "insert"), what: "the guard of " + c.Table + "." + c.Name, pos: c.Pos}, seen)
			fits(c.Table, c.Pos)
			fits(triggerName(c), c.Pos)
		}
	}
}

// twice reports a name that is generated already, and notes one that is not.
func (p *parsed) twice(n name, seen map[string]name) bool {
	first, twice := seen[n.String()]
	switch {
	case !twice:
		seen[n.String()] = n
	case first.what == n.what:
		p.problems.add(n.pos, "%s is there already, at %s", n.what, first.pos)
	default:
		p.problems.add(n.pos, "%s would be generated twice: for %s, and for %s, at %s", n, n.what, first.what, first.pos)
	}
	return twice
}

// member is a field of a document's type, or a method by hand, or nil.
func (p *parsed) member(d *Document, name string) types.Object {
	obj, _, _ := types.LookupFieldOrMethod(p.object(d.Name).Type(), true, p.types, name)
	return obj
}

// anywhere is what the package declares, or one of its files imports, under a
// name; or nil.
func (p *parsed) anywhere(name string) types.Object {
	obj := p.object(name)
	for file := range p.types.Scope().Children() {
		if obj == nil {
			obj = file.Lookup(name)
		}
	}
	return obj
}

// hidden reports what the generated Go could not name, because the name is there
// that of a variable, of a package, or of what is Go's own.
func (p *parsed) hidden(model *Package, file *ast.File) {
	variables, used := map[string]bool{}, map[string]bool{}
	declare := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok {
				variables[id.Name] = true
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			used[n.Name] = true
		case *ast.Field:
			for _, id := range n.Names {
				declare(id)
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				declare(id)
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				declare(n.Lhs...)
			}
		case *ast.RangeStmt:
			declare(n.Key, n.Value)
		}
		return true
	})
	refuse := func(name, what string) {
		p.problems.add(p.at(p.object(name).Pos()), "%s is %s in generated code: give this another name", name, what)
	}
	for _, name := range model.refers() {
		if variables[name] {
			refuse(name, "a variable")
		}
	}
	for _, imported := range append(model.imports(), supportPath) {
		if name := path.Base(imported); p.object(name) != nil {
			refuse(name, "a package")
		}
	}
	for _, name := range p.types.Scope().Names() {
		if used[name] && types.Universe.Lookup(name) != nil {
			refuse(name, "Go's own")
		}
	}
}

// refers are the names of the package that its generated Go uses.
func (p *Package) refers() []string {
	var out []string
	note := func(f *Field) {
		for _, t := range []*Type{&f.Type, f.Type.Elem} {
			if t == nil {
				continue
			}
			out = append(out, t.Go)
			for _, c := range t.Enum {
				out = append(out, c.Go)
			}
		}
		if f.Format != nil {
			out = append(out, f.Format.Func)
		}
	}
	for _, d := range p.Documents {
		out = append(out, d.Name)
		if d.List != nil {
			note(d.List)
		}
		for _, f := range d.Fields {
			note(f)
		}
	}
	return out
}
