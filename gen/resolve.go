package gen

import (
	"go/ast"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// supportPath is the package that generated code is built on.
const supportPath = "github.com/attune-go/attune/schema/document"

// maxKeys bounds the keys of one type: the decoder has a bit for each.
const maxKeys = 64

// resolver makes the model of what was parsed.
type resolver struct {
	*parsed
	documents map[string]*Document
	formats   map[string]*Format
	enums     map[string][]Constant
	// words are the rules that stand behind //attune:document.
	words map[*Document][]rule
}

// resolve makes the model. The error is Problems.
func resolve(p *parsed) (*Package, error) {
	r := &resolver{parsed: p, documents: map[string]*Document{}, formats: map[string]*Format{}, enums: map[string][]Constant{},
		words: map[*Document][]rule{}}
	out := &Package{Name: p.name}
	if len(p.problems) == 0 {
		r.collectFormats()
		for _, t := range p.ordered {
			if d := r.document(t); d != nil {
				out.Documents = append(out.Documents, d)
			}
		}
		for _, d := range out.Documents {
			r.list(d)
		}
		for _, d := range out.Documents {
			r.fill(d)
		}
		r.link(out.Documents)
		r.recursion(out.Documents)
		r.written(out.Documents)
		r.stray()
		if len(out.Documents) == 0 && len(p.problems) == 0 {
			where := token.Position{Filename: "."}
			if len(p.files) > 0 {
				where = p.at(p.files[0].Name.Pos())
			}
			p.problems.add(where, "no type of this package has %sdocument above it", mark)
		}
	}
	return out, p.problems.err()
}

// link brings orders to the fields that they are by, which are all read now.
func (r *resolver) link(docs []*Document) {
	for _, d := range docs {
		for _, f := range d.Fields {
			if f.Order == nil {
				continue
			}
			for _, of := range f.Type.Elem.Document.Fields {
				if of.Key == f.Order.Key {
					f.Order = of
				}
			}
		}
	}
}

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
	if !isFunc(f.Type, []string{"string"}, []string{"string"}) {
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
	}
	return p
}

// isFunc compares a signature with names of types.
func isFunc(t *ast.FuncType, params, results []string) bool {
	return t.TypeParams == nil && sameTypes(t.Params, params) && sameTypes(t.Results, results)
}

func sameTypes(list *ast.FieldList, want []string) bool {
	var have []string
	if list != nil {
		for _, f := range list.List {
			for range max(1, len(f.Names)) {
				have = append(have, typeText(f.Type))
			}
		}
	}
	return strings.Join(have, ",") == strings.Join(want, ",")
}

// typeText is a type as it is written, for the few forms that matter.
func typeText(e ast.Expr) string {
	switch t := e.(type) {
	case *ast.Ident:
		return t.Name
	case *ast.SelectorExpr:
		return typeText(t.X) + "." + t.Sel.Name
	case *ast.StarExpr:
		return "*" + typeText(t.X)
	case *ast.ArrayType:
		if t.Len == nil {
			return "[]" + typeText(t.Elt)
		}
		return "[…]" + typeText(t.Elt)
	case *ast.MapType:
		return "map[" + typeText(t.Key) + "]" + typeText(t.Value)
	case *ast.IndexExpr:
		return typeText(t.X) + "[" + typeText(t.Index) + "]"
	case *ast.InterfaceType:
		return "interface"
	case *ast.FuncType:
		return "func"
	case *ast.ChanType:
		return "chan"
	case *ast.StructType:
		return "struct"
	}
	return "?"
}

// document notes an annotated type, as yet without its fields.
func (r *resolver) document(t *declared) *Document {
	list := r.directives(t.comments)
	d, ok := r.one(list, "document")
	_, enum := r.one(list, "enum")
	name := t.spec.Name.Name
	doc := &Document{Name: name, Pos: r.at(t.spec.Name.Pos()), Comment: t.comments.Text()}
	for _, other := range list {
		switch other.name {
		case "guard":
			r.guard(doc, other)
			if !ok {
				r.problems.add(other.pos, "%sguard is for a type that has %sdocument column", mark, mark)
			}
		case "format", "except":
			r.problems.add(other.pos, "%s%s is for a func(string) string", mark, other.name)
		}
	}
	if enum {
		r.enum(t)
	}
	if !ok {
		return nil
	}
	if t.spec.TypeParams != nil || t.spec.Assign.IsValid() {
		r.problems.add(doc.Pos, "%s must be a plain type to be a document, without type parameters and no alias", name)
		return nil
	}
	r.documents[name] = doc
	r.words[doc] = r.documentWords(d, doc)
	if array, ok := t.spec.Type.(*ast.ArrayType); ok && array.Len == nil {
		doc.List = &Field{Pos: d.pos, Type: Type{Kind: List}}
	}
	return doc
}

// list reads the elements of a document that is a list.
func (r *resolver) list(doc *Document) {
	if doc.List == nil {
		for _, rule := range r.words[doc] {
			r.problems.add(rule.pos, "%q is no word for a document of keys: there are column and check", rule.text)
		}
		return
	}
	t := r.types[doc.Name]
	elem := r.elem(t.file, t.spec.Type.(*ast.ArrayType).Elt, doc.List.Pos, doc.Name)
	switch {
	case elem == nil:
		elem = &Type{Kind: Text}
	case elem.Kind != Text:
		r.problems.add(doc.Pos, "%s: a document that is a list holds text; put it into a document of keys", doc.Name)
	}
	if doc.Check {
		r.problems.add(doc.List.Pos, "check=FUNC judges the elements of a list; check alone is for a document of keys")
	}
	doc.List.Type.Elem = elem
	r.rules(doc.List, r.words[doc])
}

// documentWords reads what stands behind a document directive, and gives the
// rules.
func (r *resolver) documentWords(d directive, doc *Document) []rule {
	var rules []rule
	for _, word := range strings.FieldsFunc(d.text, func(c rune) bool { return c == ' ' || c == ',' }) {
		switch word {
		case "column":
			doc.Column = true
		case "check":
			doc.Check = true
			m := r.methods[doc.Name]["check"]
			if m == nil || !isFunc(m.Type, []string{"*document.Checker"}, nil) {
				r.problems.add(d.pos, "%s has no method check(*document.Checker)", doc.Name)
			}
		default:
			rules = append(rules, rule{word, d.pos})
		}
	}
	return rules
}

func (r *resolver) guard(doc *Document, d directive) {
	for _, word := range strings.Fields(d.text) {
		table, column, ok := strings.Cut(word, ".")
		if !ok || !plainName(table) || !plainName(column) {
			r.problems.add(d.pos, "%q must be TABLE.COLUMN in lower case", word)
			continue
		}
		doc.Guards = append(doc.Guards, Column{table, column})
	}
	if len(doc.Guards) == 0 {
		r.problems.add(d.pos, "%sguard names no TABLE.COLUMN", mark)
	}
}

// plainName reports whether s needs no quotes in SQL.
func plainName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func (r *resolver) enum(t *declared) {
	name := t.spec.Name.Name
	if typeText(t.spec.Type) != "string" || t.spec.Assign.IsValid() {
		r.problems.add(r.at(t.spec.Name.Pos()), "%s must be a type of its own with underlying type string to be an enum", name)
		return
	}
	seen := map[string]string{}
	for _, c := range r.consts[name] {
		switch {
		case !c.literal:
			r.problems.add(c.pos, "the value of %s must be a text literal", c.Go)
		case seen[c.Value] != "":
			r.problems.add(c.pos, "%s has the value of %s", c.Go, seen[c.Value])
		case c.Value == "":
			r.problems.add(c.pos, "%s is the empty text, which is the same as leaving the key out", c.Go)
		default:
			seen[c.Value] = c.Go
			r.enums[name] = append(r.enums[name], c.Constant)
		}
	}
	if len(r.consts[name]) == 0 {
		r.problems.add(r.at(t.spec.Name.Pos()), "no constant of this package has type %s", name)
	}
}

// fill reads a document's fields.
func (r *resolver) fill(doc *Document) {
	t := r.types[doc.Name]
	if len(doc.Guards) > 0 && !doc.Column {
		r.problems.add(doc.Pos, "%s has %sguard, so it must be %sdocument column", doc.Name, mark, mark)
	}
	if doc.List != nil {
		return
	}
	s, ok := t.spec.Type.(*ast.StructType)
	if !ok {
		r.problems.add(doc.Pos, "%s is a %s; a document is a struct, or a list of text", doc.Name, typeText(t.spec.Type))
		return
	}
	keys := map[string]*Field{}
	for _, f := range s.Fields.List {
		if len(f.Names) == 0 {
			r.problems.add(r.at(f.Pos()), "an embedded field has no key: give it a name and a json tag")
		}
		for _, name := range f.Names {
			r.field(doc, t, f, name, keys)
		}
	}
	if doc.Unknown == "" {
		r.problems.add(doc.Pos, "%s has no field of type document.Unknown, so the keys that it does not name would be lost", doc.Name)
	}
	if doc.Column && doc.Malformed == "" {
		r.problems.add(doc.Pos, "%s is a column and has no field of type document.Malformed, so a row that cannot be read would be lost", doc.Name)
	}
	if len(doc.Fields) > maxKeys {
		r.problems.add(doc.Pos, "%s has %d keys; at most %d are possible", doc.Name, len(doc.Fields), maxKeys)
	}
}

// field reads one field of a document.
func (r *resolver) field(doc *Document, t *declared, f *ast.Field, name *ast.Ident, keys map[string]*Field) {
	pos := r.at(name.Pos())
	support := r.support(t.file, f.Type)
	switch support {
	case "Unknown":
		if doc.Unknown != "" {
			r.problems.add(pos, "%s.%s: the unknown keys are in %s already", doc.Name, name.Name, doc.Unknown)
		}
		doc.Unknown = name.Name
		if tag, _ := r.tag(f, "json"); tag != "-" {
			r.problems.add(pos, "%s.%s holds the keys that no field names: its tag must be `json:\"-\"`", doc.Name, name.Name)
		}
		return
	case "Malformed":
		if name.IsExported() {
			r.problems.add(pos, "%s.%s must not be exported", doc.Name, name.Name)
		}
		doc.Malformed = name.Name
		return
	}
	tag, ok := r.tag(f, "json")
	key, options, _ := strings.Cut(tag, ",")
	switch {
	case !name.IsExported() || key == "-":
		return // the program's own
	case !ok || key == "":
		r.problems.add(pos, "%s.%s has no key: give it a json tag, or `json:\"-\"`", doc.Name, name.Name)
		return
	case keys[key] != nil:
		r.problems.add(pos, "%s.%s: the key %q is that of %s already", doc.Name, name.Name, key, keys[key].Go)
		return
	case len(key) > 120 || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0xfffd }):
		r.problems.add(pos, "%s.%s: %q is no key that a person could write", doc.Name, name.Name, key)
		return
	}
	comment := f.Doc.Text()
	if comment == "" {
		comment = f.Comment.Text()
	}
	out := &Field{Go: name.Name, Key: key, Pos: pos, Comment: comment}
	for _, o := range strings.Split(options, ",") {
		switch o {
		case "omitempty", "omitzero":
			out.Omit = true
		case "":
		default:
			r.problems.add(pos, "%s.%s: the option %q of its json tag cannot be honoured", doc.Name, name.Name, o)
		}
	}
	typ := r.typeOf(t.file, f.Type, pos, doc.Name+"."+name.Name)
	if typ == nil {
		return
	}
	out.Type = *typ
	keys[key] = out
	doc.Fields = append(doc.Fields, out)
	r.rules(out, r.tagRules(f))
	mayBeNothing := typ.Optional || typ.Pointer || typ.Kind == List || typ.Kind == Raw || typ.Document != nil && typ.Document.List != nil
	if mayBeNothing && !out.Omit {
		r.problems.add(pos, "%s.%s may be nothing, so its json tag must say omitempty or omitzero", doc.Name, name.Name)
	}
}

// tag gives one key of a field's tag.
func (r *resolver) tag(f *ast.Field, key string) (string, bool) {
	if f.Tag == nil {
		return "", false
	}
	text, err := strconv.Unquote(f.Tag.Value)
	if err != nil {
		return "", false
	}
	return reflect.StructTag(text).Lookup(key)
}

// tagRules gives the rules of a field's tag, with their places.
func (r *resolver) tagRules(f *ast.Field) []rule {
	text, ok := r.tag(f, "attune")
	if !ok {
		if f.Tag != nil && strings.Contains(f.Tag.Value, "attune:") {
			r.problems.add(r.at(f.Tag.Pos()), "the attune tag cannot be read: it is written `attune:\"…\"`, one blank behind the tag before it")
		}
		return nil
	}
	var out []rule
	at := strings.Index(f.Tag.Value, `attune:"`) + len(`attune:"`)
	for _, word := range strings.Split(text, ",") {
		out = append(out, rule{word, r.at(f.Tag.Pos() + token.Pos(at))})
		at += len(word) + 1
	}
	return out
}
