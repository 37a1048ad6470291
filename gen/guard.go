package gen

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"time"

	"github.com/attune-go/attune/gen/internal/model"
	"github.com/attune-go/attune/schema/document"
)

// The guards check a column in SQL for the same shape as the accessors. They report the
// first fault, with its place.

// requirement returns what a value must be, in the words of the accessors.
func requirement(t *model.Type) string {
	switch t.Kind {
	case model.Text, model.Duration, model.Time:
		return "text"
	case model.Bool:
		return "true or false"
	case model.Int:
		return "a whole number"
	case model.Float:
		return "a number"
	case model.Object, model.Map:
		return "an object"
	case model.List:
		return "a list"
	}
	return "anything"
}

// demandFormat returns the message for a text that the format refuses. It is made of the first
// sentence of the function's comment, which says what the function accepts.
func demandFormat(f *model.Format) string {
	text := strings.TrimSpace(prose(f.Comment, f.Func, ""))
	rest, ok := strings.CutPrefix(text, "accepts ")
	if !ok {
		return "must be a valid " + f.Name
	}
	if i := strings.Index(rest, ". "); i >= 0 {
		rest = rest[:i]
	}
	return "must be " + strings.TrimSuffix(rest, ".")
}

// demandEnum returns the message for a value that an enum lacks.
func demandEnum(enum []model.Constant) string {
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

func demandInt(f *model.Field) string {
	return fmt.Sprintf("must be a whole number from %d to %d", f.Min, f.Max)
}

func demandFloat(f *model.Field) string {
	low, high := floatBounds(f)
	return fmt.Sprintf("must be a number from %s to %s", low, high)
}

// floatBounds returns the bounds of a floating-point number in decimal digits.
func floatBounds(f *model.Field) (low, high string) {
	return model.FormatFloat(f.Low, f.Type.Bits), model.FormatFloat(f.High, f.Type.Bits)
}

var demandTime = fmt.Sprintf("must be a time such as %q", document.SampleTime)

func demandDuration(f *model.Field) string {
	return fmt.Sprintf("must be a duration such as %q", sample(f))
}

// demandShort and demandFew return the messages for a text and a list that are too long.
func demandShort(f *model.Field) string {
	return fmt.Sprintf("must have at most %d characters", f.MaxLength())
}

func demandFew(f *model.Field) string {
	if f.Type.Kind == model.Map {
		return fmt.Sprintf("must have at most %d keys", f.Most)
	}
	return fmt.Sprintf("must have at most %d elements", f.Most)
}

const (
	demandRequired = "is required"
	demandOnce     = "duplicate element"
	demandText     = "must be text, got a BLOB"
	demandJSON     = "must be valid JSON"
	demandNoNUL    = "must not contain NUL"
	demandKey      = "duplicate key"
)

// The messages for documents beyond the limits of package document.
var (
	demandSmall  = fmt.Sprintf("the document must have at most %d bytes", document.MaxSize)
	demandDepth  = fmt.Sprintf("must be nested at most %d deep", document.MaxDepth)
	demandDigits = fmt.Sprintf("a number must have at most %d digits without an exponent", document.MaxDigits)
)

// A guardTarget is a value that is checked in one or more columns, in the same way.
type guardTarget struct {
	// what names the value in Go.
	what    string
	pos     token.Position
	columns []model.Column
	// field describes the value as if it belonged to a key.
	field *model.Field
	// plain means that the columns hold text instead of JSON.
	plain bool
}

// guardTargets returns the documents and texts that have guards.
func guardTargets(p *model.Package) []guardTarget {
	var out []guardTarget
	for _, d := range p.Documents {
		if len(d.Guards) > 0 {
			whole := d.List
			if whole == nil {
				whole = &model.Field{Type: model.Type{Kind: model.Object, Document: d}}
			}
			out = append(out, guardTarget{d.Name, d.Pos, d.Guards, whole, false})
		}
		for _, f := range d.Fields {
			if len(f.Guards) > 0 {
				out = append(out, guardTarget{d.Name + "." + f.Go, f.Pos, f.Guards, f, f.Type.Kind == model.Text})
			}
		}
	}
	return out
}

// function returns the name of the trigger function in Postgres and of the view in SQLite. The
// first column gives it, because packages may have types of the same name.
func (w guardTarget) function() string {
	return "attune_guard_" + w.columns[0].Table + "_" + w.columns[0].Name
}

// names returns the distinct names of the columns.
func (w guardTarget) names() []string {
	var out []string
	for _, c := range w.columns {
		if !slices.Contains(out, c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

// sqlName quotes a name for SQL, because it may be a keyword.
func sqlName(name string) string { return `"` + name + `"` }

// placeholder stands for the name of the schema in the guards.
const placeholder = "{schema}"

// sqlText returns a string literal of SQL. A placeholder in the text stays as it is.
func sqlText(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	apart := strings.ReplaceAll(quoted, placeholder, "{' || 'schema}")
	if apart != quoted {
		return "(" + apart + ")"
	}
	return quoted
}

// sqlList returns a list of string literals in parentheses.
func sqlList(list ...string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = sqlText(s)
	}
	return "(" + strings.Join(quoted, ", ") + ")"
}

func enumValues(enum []model.Constant) []string {
	out := make([]string, len(enum))
	for i, c := range enum {
		out[i] = c.Value
	}
	return out
}

// sample returns a duration for a message.
func sample(f *model.Field) string {
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
-- the schema in quotes.
`
