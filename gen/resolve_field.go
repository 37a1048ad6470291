package gen

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strconv"
	"strings"

	"github.com/attune-go/attune/gen/internal/model"
)

// maxKeys bounds the keys of one type, because the decoder has a bit for each.
const maxKeys = 64

// fill reads a document's fields.
func (r *resolver) fill(doc *model.Document) {
	if len(doc.Guards) > 0 && !doc.Column {
		r.faults.add(doc.Pos, "%s has %sguard, so it needs %sdocument column", doc.Name, mark, mark)
	}
	if doc.List != nil {
		return
	}
	expr := r.shapes[doc]
	s, ok := expr.(*ast.StructType)
	if !ok {
		r.faults.add(doc.Pos, "%s must be a struct or a list of text to be a document, got %s", doc.Name, article(types.ExprString(expr)))
		return
	}
	keys := map[string]*model.Field{}
	for _, f := range s.Fields.List {
		if len(f.Names) == 0 {
			r.faults.add(r.at(f.Pos()), "an embedded field has no key: give it a name and a json tag")
		}
		for _, name := range f.Names {
			r.field(doc, f, name, keys)
		}
	}
	if doc.Unknown == "" {
		r.faults.add(doc.Pos, "%s needs a field of type document.Unknown, or keys that it does not name would be lost", doc.Name)
	}
	if doc.Column && doc.Malformed == "" {
		r.faults.add(doc.Pos, "%s is a column and needs a field of type document.Malformed, or a row that cannot be read would be lost",
			doc.Name)
	}
	if len(doc.Fields) > maxKeys {
		r.faults.add(doc.Pos, "%s must have at most %d keys, got %d", doc.Name, maxKeys, len(doc.Fields))
	}
}

// field reads one field of a document.
func (r *resolver) field(doc *model.Document, f *ast.Field, name *ast.Ident, keys map[string]*model.Field) {
	pos := r.at(name.Pos())
	switch r.supportName(r.info.TypeOf(f.Type)) {
	case "Unknown":
		if doc.Unknown != "" {
			r.faults.add(pos, "%s.%s: duplicate field for unknown keys: the first is %s", doc.Name, name.Name, doc.Unknown)
		}
		doc.Unknown = name.Name
		if tag, _ := r.tag(f, "json"); tag != "-" {
			r.faults.add(pos, "%s.%s holds the unknown keys, so its tag must be `json:\"-\"`", doc.Name, name.Name)
		}
		return
	case "Malformed":
		if name.IsExported() {
			r.faults.add(pos, "%s.%s must not be exported", doc.Name, name.Name)
		}
		doc.Malformed = name.Name
		return
	}
	tag, ok := r.tag(f, "json")
	key, options, _ := strings.Cut(tag, ",")
	switch {
	case tag == "-" || !name.IsExported() && !ok:
		if _, ruled := r.tag(f, "attune"); ruled {
			r.faults.add(pos, "%s.%s has rules but no key: add a json tag, or remove the attune tag", doc.Name, name.Name)
		}
		return // for the program's own use
	case !name.IsExported():
		r.faults.add(pos, "%s.%s is not exported, so it cannot have a key: export it, or remove the json tag", doc.Name, name.Name)
		return
	case !ok || key == "":
		r.faults.add(pos, "%s.%s has no key: add a json tag, or `json:\"-\"`", doc.Name, name.Name)
		return
	case keys[key] != nil:
		r.faults.add(pos, "%s.%s: duplicate key %q: the first is %s", doc.Name, name.Name, key, keys[key].Go)
		return
	case len(key) > 120 || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0xfffd }):
		r.faults.add(pos, "%s.%s: the key %q cannot be typed by a person", doc.Name, name.Name, key)
		return
	}
	comment := f.Doc.Text()
	if comment == "" {
		comment = f.Comment.Text()
	}
	out := &model.Field{Go: name.Name, Key: key, Pos: pos, Comment: comment}
	for _, o := range strings.Split(options, ",") {
		switch o {
		case "omitempty", "omitzero":
			out.Omit = true
		case "":
		default:
			r.faults.add(pos, "%s.%s: unsupported option %q in the json tag", doc.Name, name.Name, o)
		}
	}
	typ := r.typeOf(r.info.TypeOf(f.Type), f.Type, pos, doc.Name+"."+name.Name)
	if typ == nil {
		return
	}
	out.Type = *typ
	keys[key] = out
	doc.Fields = append(doc.Fields, out)
	r.rules(out, r.tagRules(f))
	mayBeNothing := typ.Optional || typ.Pointer || typ.Kind == model.List || typ.Kind == model.Map || typ.Kind == model.Raw ||
		typ.Document != nil && typ.Document.List != nil
	if mayBeNothing && !out.Omit {
		r.faults.add(pos, "%s.%s may be absent, so its json tag needs omitempty or omitzero", doc.Name, name.Name)
	}
}

// tag returns the value of one key of a field's tag.
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

// tagRules returns the rules of a field's tag, with their places.
func (r *resolver) tagRules(f *ast.Field) []rule {
	text, ok := r.tag(f, "attune")
	if !ok {
		if f.Tag != nil && strings.Contains(f.Tag.Value, "attune:") {
			r.faults.add(r.at(f.Tag.Pos()), "malformed attune tag: write `attune:\"…\"`, one blank after the previous tag")
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
