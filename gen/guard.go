package gen

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/schema/document"
)

// The guards hold a column to the same shape as the accessors do, in SQL. They
// tell one fault, with its place.

// wanted is what a value must be, in the words of the accessors.
func (t *Type) wanted() string {
	switch t.Kind {
	case Text, Duration:
		return "text"
	case Bool:
		return "true or false"
	case Int:
		return "a whole number"
	case Object:
		return "an object"
	case List:
		return "a list"
	}
	return "anything"
}

// demand is what a format wants, to follow a pointer and a colon: the first
// sentence of what its function's comment says that it accepts.
func (f *Format) demand() string {
	text := strings.TrimSpace(prose(f.Comment, f.Func, ""))
	rest, ok := strings.CutPrefix(text, "accepts ")
	if !ok {
		return "is no " + f.Name
	}
	if i := strings.Index(rest, ". "); i >= 0 {
		rest = rest[:i]
	}
	return "must be " + strings.TrimSuffix(rest, ".")
}

// demandEnum is what an enum wants.
func demandEnum(enum []Constant) string {
	var out strings.Builder
	for i, c := range enum {
		switch {
		case i > 0 && i == len(enum)-1:
			out.WriteString(" or ")
		case i > 0:
			out.WriteString(", ")
		}
		out.WriteString(c.Value)
	}
	return "must be " + out.String()
}

func (f *Field) demandInt() string {
	return fmt.Sprintf("must be a whole number from %d to %d", f.Min, f.Max)
}

func demandDuration(f *Field) string {
	return fmt.Sprintf("must be a duration such as %q", sample(f))
}

// demandShort and demandFew are what the bounds of a text and of a list want.
func (f *Field) demandShort() string {
	return fmt.Sprintf("is longer than %d characters", f.length())
}

func (f *Field) demandFew() string { return fmt.Sprintf("has more than %d elements", f.Most) }

const (
	demandRequired  = "is required"
	demandOnce      = "an element is there twice"
	demandText      = "must be text, not a BLOB"
	demandJSON      = "is no JSON"
	demandNoNUL     = "must not hold NUL"
	demandSurrogate = "half of a surrogate pair is missing"
	demandKey       = "a key is there twice"
)

// What the limits of package document want.
var (
	demandSmall  = fmt.Sprintf("the document has more than %d bytes", document.MaxSize)
	demandDepth  = fmt.Sprintf("nested more than %d deep", document.MaxDepth)
	demandDigits = fmt.Sprintf("a number has more than %d digits without an exponent", document.MaxDigits)
)

// guarded is what columns hold that are judged alike.
type guarded struct {
	// what it is in Go, and where; name tells it from others, in SQL.
	what    string
	pos     token.Position
	name    string
	columns []Column
	// field is the whole as the value of a key would be.
	field *Field
	// plain: the columns hold text, and no JSON.
	plain bool
}

// guarded are the documents and the texts that have guards.
func (p *Package) guarded() []guarded {
	var out []guarded
	for _, d := range p.Documents {
		if len(d.Guards) > 0 {
			whole := d.List
			if whole == nil {
				whole = &Field{Type: Type{Kind: Object, Document: d}}
			}
			out = append(out, guarded{d.Name, d.Pos, snake(d.Name), d.Guards, whole, false})
		}
		for _, f := range d.Fields {
			if len(f.Guards) > 0 {
				out = append(out, guarded{d.Name + "." + f.Go, f.Pos, snake(d.Name) + "_" + f.Guards[0].Name, f.Guards, f, true})
			}
		}
	}
	return out
}

// function is the one of Postgres that judges the columns, and the view of SQLite.
func (w guarded) function() string { return "attune_guard_" + w.name }

// names are those of the columns, each once.
func (w guarded) names() []string {
	var out []string
	for _, c := range w.columns {
		if !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// snake is the name of a type as SQL has names.
func snake(name string) string {
	var out strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				out.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		out.WriteRune(c)
	}
	return out.String()
}

// sqlName is a name as SQL has it, where a word of SQL is a name too.
func sqlName(name string) string { return `"` + name + `"` }

// placeholder is where the schema's name is put into the guards.
const placeholder = "{schema}"

// sqlText is a text as SQL has it. A placeholder is none in it.
func sqlText(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	apart := strings.ReplaceAll(quoted, placeholder, "{' || 'schema}")
	if apart != quoted {
		return "(" + apart + ")"
	}
	return quoted
}

// sqlList are texts in parentheses.
func sqlList(list ...string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = sqlText(s)
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}

func enumValues(enum []Constant) []string {
	out := make([]string, len(enum))
	for i, c := range enum {
		out[i] = c.Value
	}
	return out
}

// sample is a duration for a message.
func sample(f *Field) string {
	if f.Default != nil {
		return f.Default.Duration.String()
	}
	return (10 * time.Second).String()
}

const guardHead = `-- ` + "%s" + `
--
-- The guards of %s: wrong metadata is refused where it is
-- written, with the place and the fault. To be run after the migrations whenever
-- this text has changed; each statement can be repeated. {schema} is the name of
-- the installation's schema in quotes.
`
