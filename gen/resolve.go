package gen

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/attune-go/attune/gen/internal/model"
)

// A resolver turns the parsed package into the model.
type resolver struct {
	*parsedPackage
	documents map[types.Object]*model.Document
	// shapes holds the types behind the names of the documents.
	shapes  map[*model.Document]ast.Expr
	formats map[string]*model.Format
	enums   map[types.Object][]model.Constant
	// words holds the rules that follow //attune:document.
	words map[*model.Document][]rule
	// orders holds the rules named order, by the list that they order.
	orders map[*model.Field]rule
}

// resolve returns the model. The error is Faults.
func resolve(p *parsedPackage) (*model.Package, error) {
	r := &resolver{
		parsedPackage: p,
		documents:     map[types.Object]*model.Document{},
		shapes:        map[*model.Document]ast.Expr{},
		formats:       map[string]*model.Format{},
		enums:         map[types.Object][]model.Constant{},
		words:         map[*model.Document][]rule{},
		orders:        map[*model.Field]rule{},
	}
	out := &model.Package{Name: p.name}
	if len(p.faults) == 0 {
		r.collectFormats()
		out.Documents = r.collectDocuments()
		for _, d := range out.Documents {
			r.list(d)
		}
		for _, d := range out.Documents {
			r.fill(d)
		}
		r.link(out.Documents)
		r.checkRecursion(out.Documents)
		r.checkSQLNames(out)
		r.checkDirectives()
		if len(out.Documents) == 0 && len(p.faults) == 0 {
			p.faults.add(p.at(p.files[0].Name.Pos()), "no type of this package has the directive %sdocument", mark)
		}
	}
	return out, p.faults.err()
}

// link finds the fields by which lists are ordered. All documents have been read by then.
func (r *resolver) link(docs []*model.Document) {
	for _, d := range docs {
		for _, f := range d.Fields {
			if rule, ok := r.orders[f]; ok {
				f.Order = r.order(f.Type.Elem, rule)
			}
		}
	}
}

// collectDocuments returns the annotated types.
func (r *resolver) collectDocuments() []*model.Document {
	var out []*model.Document
	for decl, spec := range r.declarations() {
		s, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		comments := s.Doc
		if comments == nil && !decl.Lparen.IsValid() {
			comments = decl.Doc
		}
		if doc := r.document(s, comments); doc != nil {
			out = append(out, doc)
		}
	}
	return out
}

// document returns an annotated type without its fields.
func (r *resolver) document(spec *ast.TypeSpec, comments *ast.CommentGroup) *model.Document {
	list := r.directives(comments)
	d, ok := r.one(list, "document")
	_, enum := r.one(list, "enum")
	name, obj := spec.Name.Name, r.info.Defs[spec.Name]
	doc := &model.Document{Name: name, Pos: r.at(spec.Name.Pos()), Comment: comments.Text()}
	for _, other := range list {
		switch other.name {
		case "guard":
			doc.Guards = append(doc.Guards, r.columns(other.pos, other.text)...)
			if !ok {
				r.faults.add(other.pos, "%sguard is only for types with %sdocument column", mark, mark)
			}
		case "format", "except":
			r.faults.add(other.pos, "%s%s is only for a func(string) string", mark, other.name)
		}
	}
	if obj == nil && (ok || enum) {
		r.faults.add(doc.Pos, "%s", r.typeError(spec.Name))
		return nil
	}
	if enum {
		r.enum(spec, obj)
	}
	if !ok {
		return nil
	}
	if spec.TypeParams != nil || spec.Assign.IsValid() {
		r.faults.add(doc.Pos, "%s must be a plain type to be a document, without type parameters and not an alias", name)
		return nil
	}
	r.documents[obj], r.shapes[doc] = doc, spec.Type
	r.words[doc] = r.documentWords(d, doc)
	if array, ok := spec.Type.(*ast.ArrayType); ok && array.Len == nil {
		doc.List = &model.Field{Pos: d.pos, Type: model.Type{Kind: model.List}}
	}
	return doc
}

// list reads the rules for the elements of a document that is a list.
func (r *resolver) list(doc *model.Document) {
	if doc.List == nil {
		for _, rule := range r.words[doc] {
			r.faults.add(rule.pos, "unknown word %q: a document of keys knows only column", rule.text)
		}
		return
	}
	expr := r.shapes[doc].(*ast.ArrayType).Elt
	elem := r.elem(r.info.TypeOf(expr), expr, doc.List.Pos, doc.Name)
	switch {
	case elem == nil:
		elem = &model.Type{Kind: model.Text}
	case elem.Kind != model.Text:
		r.faults.add(doc.Pos, "%s: a document that is a list must hold text; put this list into a document of keys", doc.Name)
	}
	doc.List.Type.Elem = elem
	r.rules(doc.List, r.words[doc])
}

// documentWords reads the words that follow a document directive, and returns the rules
// among them.
func (r *resolver) documentWords(d directive, doc *model.Document) []rule {
	var rules []rule
	for _, word := range strings.FieldsFunc(d.text, func(c rune) bool { return c == ' ' || c == ',' }) {
		switch word {
		case "column":
			doc.Column = true
		default:
			rules = append(rules, rule{word, d.pos})
		}
	}
	return rules
}

// columns reads the columns that the databases check.
func (r *resolver) columns(pos token.Position, text string) []model.Column {
	var out []model.Column
	for _, word := range strings.Fields(text) {
		table, name, ok := strings.Cut(word, ".")
		if !ok || !plainName(table) || !plainName(name) {
			r.faults.add(pos, "must be TABLE.COLUMN in lower case, got %q", word)
			continue
		}
		out = append(out, model.Column{Table: table, Name: name, Pos: pos})
	}
	if text == "" {
		r.faults.add(pos, "%sguard must name a TABLE.COLUMN", mark)
	}
	return out
}

// plainName reports whether s is a lower-case name.
func plainName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
