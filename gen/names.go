package gen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"

	"github.com/attune-go/attune/gen/internal/model"
)

// A name is declared by generated text.
type name struct {
	// of is the receiver's type of a method, and empty for other declarations.
	of, text string
	// what names the part of the source that the name is made for, and pos its place.
	what string
	pos  token.Position
}

func (n name) String() string {
	if n.of == "" {
		return n.text
	}
	return n.of + "." + n.text
}

// namesOf returns the names that the Go file declares for a document.
func namesOf(d *model.Document) []name {
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

// names reports the names that the generated Go needs and that are taken by a field, a
// method, or another declaration.
func (p *parsedPackage) names(pkg *model.Package, text []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	seen := map[string]name{}
	for _, d := range pkg.Documents {
		for _, n := range namesOf(d) {
			if p.reportDuplicate(n, seen) {
				continue
			}
			obj := p.lookUp(n.text)
			if n.of != "" {
				obj = p.member(d, n.text)
			}
			if v, ok := obj.(*types.Var); ok && v.IsField() {
				p.faults.add(p.at(v.Pos()), "%s is a method that is generated: give the field another name; its key can stay", n)
			} else if obj != nil {
				p.faults.add(p.at(obj.Pos()), "%s is generated for %s: remove this one, or give it another name", n, n.what)
			}
		}
	}
	p.checkHidden(pkg, file)
	return p.faults.err()
}

// checkSQLNames reports the names that guards need in a database and cannot have. Each function,
// and each view and trigger of SQLite, has its own name.
func (p *parsedPackage) checkSQLNames(pkg *model.Package) {
	seen := map[string]name{}
	fits := func(name string, pos token.Position) {
		if len(name) > 63 {
			p.faults.add(pos, "the name %s must have at most 63 bytes for Postgres, got %d", name, len(name))
		}
	}
	for _, w := range guardTargets(pkg) {
		p.reportDuplicate(name{text: w.function(), what: w.what, pos: w.pos}, seen)
		fits(w.function(), w.pos)
		for _, c := range w.columns {
			p.reportDuplicate(name{text: sqliteTrigger(c, "insert"), what: "guard of " + c.Table + "." + c.Name, pos: c.Pos}, seen)
			fits(c.Table, c.Pos)
			fits(triggerName(c), c.Pos)
		}
	}
}

// reportDuplicate reports a name that is already generated, and remembers a new one. It returns whether
// the name is a duplicate.
func (p *parsedPackage) reportDuplicate(n name, seen map[string]name) bool {
	first, twice := seen[n.String()]
	switch {
	case !twice:
		seen[n.String()] = n
	case first.what == n.what:
		p.faults.add(n.pos, "duplicate %s: the first is at %s", n.what, first.pos)
	default:
		p.faults.add(n.pos, "duplicate generated name %s: for %s, and for %s at %s", n, n.what, first.what, first.pos)
	}
	return twice
}

// member returns a field or method of a document's type, or nil.
func (p *parsedPackage) member(d *model.Document, name string) types.Object {
	obj, _, _ := types.LookupFieldOrMethod(p.object(d.Name).Type(), true, p.types, name)
	return obj
}

// lookUp returns what the package declares, or one of its files imports, under a name. It
// returns nil for an unused name.
func (p *parsedPackage) lookUp(name string) types.Object {
	obj := p.object(name)
	for file := range p.types.Scope().Children() {
		if obj == nil {
			obj = file.Lookup(name)
		}
	}
	return obj
}

// checkHidden reports declarations that the generated Go could not name, because there the name
// belongs to a variable, to a package or to Go itself.
func (p *parsedPackage) checkHidden(pkg *model.Package, file *ast.File) {
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
		p.faults.add(p.at(p.object(name).Pos()), "%s is %s in generated code: give this another name", name, what)
	}
	for _, name := range referencesOf(pkg) {
		if variables[name] {
			refuse(name, "a variable")
		}
	}
	for _, imported := range append(importsOf(pkg), supportPath) {
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

// referencesOf returns the names of the package that its generated Go uses.
func referencesOf(p *model.Package) []string {
	var out []string
	note := func(f *model.Field) {
		for _, t := range []*model.Type{&f.Type, f.Type.Elem} {
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
