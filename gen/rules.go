package gen

import (
	"go/token"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rule is one word of an attune tag, such as min=0.
type rule struct {
	text string
	pos  token.Position
}

// ruleKinds says for which kinds of value a rule is. The rules of text are for
// the elements of a list too.
var ruleKinds = []struct {
	name  string
	value bool
	kinds []Kind
	help  string
}{
	{"required", false, []Kind{Text, Raw, Object, List}, "the key must be there, and must not be empty"},
	{"bare", false, []Kind{Text}, "in a YAML file the text may stand without quotes where it looks like a number"},
	{"default", true, []Kind{Bool, Int, Duration}, "the value where the key is left out"},
	{"min", true, []Kind{Int, Duration}, "the least value"},
	{"max", true, []Kind{Int, Duration}, "the greatest value"},
	{"above", true, []Kind{Duration}, "the value must be more than this"},
	{"format", true, []Kind{Text, List}, "the function that judges the text"},
	{"unique", false, []Kind{List}, "no element is there twice"},
	{"most", true, []Kind{List}, "how many elements the list has at most"},
	{"length", true, []Kind{Text, List}, "how many characters the text has at most"},
	{"order", true, []Kind{List}, "the key of the elements by which they are used, lowest first"},
	{"guard", true, []Kind{Text}, "the column of text whose values the databases check"},
}

var kindNames = map[Kind]string{Text: "text", Bool: "a truth value", Int: "a number", Duration: "a duration", Raw: "any value",
	Object: "an object", List: "a list"}

// rules reads the rules of one field.
func (r *resolver) rules(f *Field, list []rule) {
	seen := map[string]bool{}
	for _, rule := range list {
		name, value, hasValue := strings.Cut(rule.text, "=")
		i := slices.IndexFunc(ruleKinds, func(k struct {
			name  string
			value bool
			kinds []Kind
			help  string
		}) bool {
			return k.name == name
		})
		switch {
		case i < 0:
			r.problems.add(rule.pos, "there is no rule %q: there are %s", name, ruleNames())
		case seen[name]:
			r.problems.add(rule.pos, "the rule %s is there twice", name)
		case !slices.Contains(ruleKinds[i].kinds, f.Type.Kind):
			r.problems.add(rule.pos, "the rule %s is not for %s", name, kindNames[f.Type.Kind])
		case ruleKinds[i].value && value == "":
			r.problems.add(rule.pos, "the rule %s needs a value: %s=…", name, name)
		case !ruleKinds[i].value && hasValue:
			r.problems.add(rule.pos, "the rule %s has no value", name)
		default:
			r.apply(f, rule, name, value)
		}
		seen[name] = true
	}
	r.consistent(f)
}

func ruleNames() string {
	var names []string
	for _, k := range ruleKinds {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// apply sets what one rule says.
func (r *resolver) apply(f *Field, rule rule, name, value string) {
	elem := &f.Type
	if f.Type.Elem != nil {
		elem = f.Type.Elem
	}
	switch name {
	case "required":
		f.Required = true
		if f.Type.Kind == Object && !f.Type.Pointer {
			r.problems.add(rule.pos, "the rule required needs a pointer: without one nobody sees whether the object was there")
		}
	case "bare":
		f.Bare = true
	case "default":
		f.Default = r.value(f.Type.Kind, rule, value)
	case "min", "max", "above":
		r.bound(f, rule, name, value)
	case "format":
		f.Format = r.formats[value]
		switch {
		case f.Format == nil:
			r.problems.add(rule.pos, "there is no format %s: a function has %sformat %s above it", value, mark, value)
		case elem.Kind != Text:
			r.problems.add(rule.pos, "the rule format is for text, and for lists of text")
		case elem.Enum != nil:
			r.problems.add(rule.pos, "%s has only certain values, so the rule format can say nothing more", elem.Go)
		}
	case "unique":
		f.Unique = true
		if elem.Kind != Text {
			r.problems.add(rule.pos, "the rule unique is for lists of text")
		}
	case "most":
		f.Most = r.count(rule, value)
	case "length":
		f.Length = r.count(rule, value)
		if elem.Kind != Text || elem.Enum != nil {
			r.problems.add(rule.pos, "the rule length is for text without certain values, and for lists of it")
		}
	case "order":
		if elem.Kind != Object {
			r.problems.add(rule.pos, "the rule order is for lists of documents")
			return
		}
		r.orders[f] = rule
	case "guard":
		f.Guards = r.columns(rule.pos, value)
	}
}

// order finds the field of the elements that a rule orders them by; nil after a
// problem.
func (r *resolver) order(elem *Type, rule rule) *Field {
	_, key, _ := strings.Cut(rule.text, "=")
	for _, f := range elem.Document.Fields {
		switch {
		case f.Key != key:
		case f.Type.Kind != Int:
			r.problems.add(rule.pos, "%s.%s is no number, so there is no order by it", elem.Document.Name, f.Go)
			return nil
		default:
			return f
		}
	}
	r.problems.add(rule.pos, "%s has no key %q", elem.Document.Name, key)
	return nil
}

// value reads a value of a rule; nil after a problem.
func (r *resolver) value(kind Kind, rule rule, text string) *Value {
	var v Value
	var err error
	switch kind {
	case Bool:
		v.Bool, err = strconv.ParseBool(text)
		if text != "true" && text != "false" {
			err = strconv.ErrSyntax
		}
	case Int:
		v.Int, err = strconv.ParseInt(text, 10, 64)
	case Duration:
		v.Duration, err = time.ParseDuration(text)
	}
	if err != nil {
		r.problems.add(rule.pos, "%s: %q is not %s", rule.text, text, kindNames[kind])
		return nil
	}
	return &v
}

// count reads a number of things, which is at least 1; 0 after a problem.
func (r *resolver) count(rule rule, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		r.problems.add(rule.pos, "%s: %q is not a whole number above 0", rule.text, text)
		return 0
	}
	return n
}

func (r *resolver) bound(f *Field, rule rule, name, text string) {
	v := r.value(f.Type.Kind, rule, text)
	if v == nil {
		return
	}
	if f.Type.Kind == Duration {
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
		r.problems.add(rule.pos, "%s: a number is held to 32 bits, so that every database and every reader agrees", rule.text)
		return
	}
	if !f.Ranged {
		f.Min, f.Max, f.Ranged = math.MinInt32, math.MaxInt32, true
	}
	if name == "min" {
		f.Min = v.Int
	} else {
		f.Max = v.Int
	}
}

// consistent reports rules that contradict each other or the type.
func (r *resolver) consistent(f *Field) {
	if f.Type.Kind == Int && !f.Ranged {
		f.Min, f.Max = math.MinInt32, math.MaxInt32
	}
	zero := Value{}
	if f.Default != nil {
		if *f.Default != zero && !f.Type.Optional {
			r.problems.add(f.Pos, "%s has a default that is not Go's zero value, so it must be a document.Optional", f.Go)
		}
		zero = *f.Default
	}
	switch {
	case f.Type.Kind == Int && f.Min > f.Max:
		r.problems.add(f.Pos, "%s: min is more than max", f.Go)
	case f.Type.Kind == Int && (f.Default != nil || !f.Type.Optional) && (zero.Int < f.Min || zero.Int > f.Max):
		r.problems.add(f.Pos, "%s: %d, the value where the key is left out, is not from %d to %d", f.Go, zero.Int, f.Min, f.Max)
	case f.Type.Kind == Duration && (f.Default != nil || !f.Type.Optional) && !f.Span.holds(zero.Duration):
		r.problems.add(f.Pos, "%s: %s, the value where the key is left out, is out of its bounds", f.Go, zero.Duration)
	}
	if f.Required && f.Default != nil {
		r.problems.add(f.Pos, "%s is required, so it has no default", f.Go)
	}
}

func (s Span) holds(d time.Duration) bool {
	return (s.Min == nil || d >= *s.Min) && (s.Above == nil || d > *s.Above) && (s.Max == nil || d <= *s.Max)
}
