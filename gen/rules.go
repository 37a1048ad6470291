package gen

import (
	"go/token"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-go/attune/gen/internal/model"
)

// A rule is one word of an attune tag, such as min=0.
type rule struct {
	text string
	pos  token.Position
}

// A ruleKind describes a rule, and the kinds of value that it applies to.
type ruleKind struct {
	name  string
	value bool
	kinds []model.Kind
	help  string
}

// ruleKinds lists the rules and the kinds of value that they apply to. The rules of text and
// of numbers also apply to the elements of a list and to the values of a map.
var ruleKinds = []ruleKind{
	{"required", false, []model.Kind{model.Text, model.Time, model.Raw, model.Object, model.List, model.Map},
		"the key must be present and not empty"},
	{"bare", false, []model.Kind{model.Text}, "a YAML file may omit the quotes where the text looks like a number"},
	{"default", true, []model.Kind{model.Bool, model.Int, model.Float, model.Duration}, "the value of a missing key"},
	{"min", true, bounded, "the least value"},
	{"max", true, bounded, "the greatest value"},
	{"above", true, []model.Kind{model.Duration, model.List, model.Map}, "the value must be greater than this"},
	{"format", true, []model.Kind{model.Text, model.List, model.Map}, "the function that checks the text"},
	{"unique", false, []model.Kind{model.List}, "the list must not contain duplicates"},
	{"most", true, []model.Kind{model.List, model.Map}, "the greatest number of elements or of keys"},
	{"length", true, []model.Kind{model.Text, model.List, model.Map}, "the greatest number of characters"},
	{"order", true, []model.Kind{model.List}, "the key by which the elements are ordered, lowest first"},
	{"guard", true, []model.Kind{model.Text, model.Object, model.List, model.Map},
		"the columns whose values the databases check: of text for a text, else of JSON"},
}

// bounded holds the kinds that can have bounds, and those that can hold them.
var bounded = []model.Kind{model.Int, model.Float, model.Duration, model.List, model.Map}

var kindNames = map[model.Kind]string{
	model.Text: "text", model.Bool: "a truth value", model.Int: "a number", model.Float: "a number", model.Duration: "a duration",
	model.Time: "a time", model.Raw: "any value", model.Object: "an object", model.List: "a list", model.Map: "a map",
}

// plurals names what lists and maps hold and what has no bounds.
var plurals = map[model.Kind]string{
	model.Text: "text", model.Bool: "truth values", model.Int: "numbers", model.Float: "numbers", model.Time: "times",
	model.Object: "documents",
}

// rules reads the rules of one field.
func (r *resolver) rules(f *model.Field, list []rule) {
	seen := map[string]bool{}
	for _, rule := range list {
		name, value, hasValue := strings.Cut(rule.text, "=")
		i := slices.IndexFunc(ruleKinds, func(k ruleKind) bool { return k.name == name })
		switch {
		case i < 0:
			r.faults.add(rule.pos, "unknown rule %q: the rules are %s", name, ruleNames())
		case seen[name]:
			r.faults.add(rule.pos, "duplicate rule %s", name)
		case !slices.Contains(ruleKinds[i].kinds, f.Type.Kind):
			r.faults.add(rule.pos, "the rule %s does not apply to %s", name, kindNames[f.Type.Kind])
		case ruleKinds[i].value && value == "":
			r.faults.add(rule.pos, "the rule %s needs a value: %s=…", name, name)
		case !ruleKinds[i].value && hasValue:
			r.faults.add(rule.pos, "the rule %s takes no value", name)
		default:
			r.apply(f, rule, name, value)
		}
		seen[name] = true
	}
	r.checkConsistency(f)
}

func ruleNames() string {
	var names []string
	for _, k := range ruleKinds {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// apply applies one rule to a field.
func (r *resolver) apply(f *model.Field, rule rule, name, value string) {
	elem := f.Type.Leaf()
	switch name {
	case "required":
		f.Required = true
		if f.Type.Kind == model.Object && !f.Type.Pointer {
			r.faults.add(rule.pos, "the rule required needs a pointer: without one a missing object looks like an empty one")
		}
	case "bare":
		f.Bare = true
	case "default":
		f.Default = r.value(&f.Type, rule, value)
	case "min", "max", "above":
		r.bound(f, rule, name, value)
	case "format":
		f.Format = r.formats[value]
		switch {
		case f.Format == nil:
			r.faults.add(rule.pos, "unknown format %s: declare it with %sformat %s above a function", value, mark, value)
		case elem.Kind != model.Text:
			r.faults.add(rule.pos, "the rule format applies only to text, and to lists and maps of text")
		case elem.Enum != nil:
			r.faults.add(rule.pos, "%s is an enum, so the rule format has no effect", elem.Go)
		}
	case "unique":
		f.Unique = true
		if elem.Kind != model.Text {
			r.faults.add(rule.pos, "the rule unique applies only to lists of text")
		}
	case "most":
		f.Most = r.count(rule, value)
	case "length":
		f.Length = r.count(rule, value)
		if elem.Kind != model.Text || elem.Enum != nil {
			r.faults.add(rule.pos, "the rule length applies only to text, and to lists and maps of text, and not to enums")
		}
	case "order":
		if elem.Kind != model.Object {
			r.faults.add(rule.pos, "the rule order applies only to lists of documents")
			return
		}
		r.orders[f] = rule
	case "guard":
		f.Guards = r.columns(rule.pos, value)
	}
}

// order returns the field by which a rule orders the elements, or nil after a fault.
func (r *resolver) order(elem *model.Type, rule rule) *model.Field {
	_, key, _ := strings.Cut(rule.text, "=")
	for _, f := range elem.Document.Fields {
		switch {
		case f.Key != key:
		case f.Type.Kind != model.Int:
			r.faults.add(rule.pos, "%s.%s must be a number to order by it", elem.Document.Name, f.Go)
			return nil
		default:
			return f
		}
	}
	r.faults.add(rule.pos, "%s has no key %q", elem.Document.Name, key)
	return nil
}

// value reads the value of a rule. It returns nil after a fault.
func (r *resolver) value(t *model.Type, rule rule, text string) *model.Value {
	var v model.Value
	var err error
	switch t.Kind {
	case model.Bool:
		v.Bool, err = strconv.ParseBool(text)
		if text != "true" && text != "false" {
			err = strconv.ErrSyntax
		}
	case model.Int:
		v.Int, err = strconv.ParseInt(text, 10, 64)
	case model.Float:
		v.Float, err = strconv.ParseFloat(text, t.Bits)
		if math.IsNaN(v.Float) || math.IsInf(v.Float, 0) {
			err = strconv.ErrSyntax
		}
	case model.Duration:
		v.Duration, err = time.ParseDuration(text)
	}
	if err != nil {
		r.faults.add(rule.pos, "%s: must be %s, got %q", rule.text, kindNames[t.Kind], text)
		return nil
	}
	return &v
}

// count reads a number that must be at least 1. It returns 0 after a fault.
func (r *resolver) count(rule rule, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		r.faults.add(rule.pos, "%s: must be a whole number greater than 0, got %q", rule.text, text)
		return 0
	}
	return n
}

func (r *resolver) bound(f *model.Field, rule rule, name, text string) {
	leaf := f.Type.Leaf()
	if !slices.Contains(bounded, leaf.Kind) || name == "above" && leaf.Kind != model.Duration {
		r.faults.add(rule.pos, "the rule %s does not apply to %s of %s", name, kindNames[f.Type.Kind], plurals[leaf.Kind])
		return
	}
	v := r.value(leaf, rule, text)
	if v == nil {
		return
	}
	switch leaf.Kind {
	case model.Float:
		r.ranged(f)
		if name == "min" {
			f.Low = v.Float
		} else {
			f.High = v.Float
		}
		return
	case model.Duration:
		switch name {
		case "min":
			f.Span.Min = &v.Duration
		case "above":
			f.Span.Above = &v.Duration
		case "max":
			f.Span.Max = &v.Duration
		}
		return
	}
	if int64(int32(v.Int)) != v.Int {
		r.faults.add(rule.pos, "%s: must fit into 32 bits, so that every database and every reader agrees", rule.text)
		return
	}
	r.ranged(f)
	if name == "min" {
		f.Min = v.Int
	} else {
		f.Max = v.Int
	}
}

// ranged notes that the tag bounds a number.
func (r *resolver) ranged(f *model.Field) {
	unbounded(f)
	f.Ranged = true
}

// unbounded gives a number without rules for its range the bounds of its type.
func unbounded(f *model.Field) {
	if f.Ranged {
		return
	}
	f.Min, f.Max = math.MinInt32, math.MaxInt32
	f.High = math.MaxFloat64
	if f.Type.Leaf().Bits == 32 {
		f.High = math.MaxFloat32
	}
	f.Low = -f.High
}

// checkConsistency reports rules that contradict each other or the type.
func (r *resolver) checkConsistency(f *model.Field) {
	unbounded(f)
	leaf := f.Type.Leaf().Kind
	zero := model.Value{}
	if f.Default != nil {
		if *f.Default != zero && !f.Type.Optional {
			r.faults.add(f.Pos, "%s has a default that is not Go's zero value, so it must be a document.Optional", f.Go)
		}
		zero = *f.Default
	}
	switch {
	case leaf == model.Int && f.Min > f.Max || leaf == model.Float && f.Low > f.High:
		r.faults.add(f.Pos, "%s: min must not be greater than max", f.Go)
	case f.Type.Kind == model.Int && (f.Default != nil || !f.Type.Optional) && (zero.Int < f.Min || zero.Int > f.Max):
		r.faults.add(f.Pos, "%s: the value of a missing key must be from %d to %d, got %d", f.Go, f.Min, f.Max, zero.Int)
	case f.Type.Kind == model.Float && (f.Default != nil || !f.Type.Optional) && (zero.Float < f.Low || zero.Float > f.High):
		r.faults.add(f.Pos, "%s: the value of a missing key must be from %s to %s, got %s", f.Go, model.FormatFloat(f.Low, f.Type.Bits),
			model.FormatFloat(f.High, f.Type.Bits), model.FormatFloat(zero.Float, f.Type.Bits))
	case f.Type.Kind == model.Duration && (f.Default != nil || !f.Type.Optional) && !f.Span.Contains(zero.Duration):
		r.faults.add(f.Pos, "%s: the value of a missing key must be within the bounds, got %s", f.Go, zero.Duration)
	}
	if f.Required && f.Default != nil {
		r.faults.add(f.Pos, "%s is required, so it must not have a default", f.Go)
	}
}
