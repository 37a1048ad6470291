package gen

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The guards hold a column to the same shape as the accessors do, in SQL. They
// tell one fault, with its place.

// maxPatterned is how long a text may be that a pattern judges, in characters:
// more than any path or name has, and little enough for SQL to follow. Package
// document has the same bound.
const maxPatterned = 4096

// maxDocument is the largest document, in bytes, as in package document.
const maxDocument = 1 << 20

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

const (
	demandRequired = "is required"
	demandOnce     = "an element is there twice"
	demandShort    = "is longer than 4096 characters"
)

// guarded are the documents that have guards.
func (p *Package) guarded() []*Document {
	var out []*Document
	for _, d := range p.Documents {
		if len(d.Guards) > 0 {
			out = append(out, d)
		}
	}
	return out
}

// columns are the names of a document's columns, each once.
func (d *Document) columns() []string {
	var out []string
	for _, g := range d.Guards {
		if !slices.Contains(out, g.Name) {
			out = append(out, g.Name)
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

// sqlText is a text as SQL has it. A placeholder is none in it.
func sqlText(s string) string {
	quoted := "'" + strings.ReplaceAll(s, "'", "''") + "'"
	apart := strings.NewReplacer("{schema}", "{' || 'schema}", "{digest}", "{' || 'digest}").Replace(quoted)
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
-- digest: {digest}
--
-- The guards of %s: wrong metadata is refused where it is
-- written, with the place and the fault. To be run after the migrations whenever
-- this text has changed; each statement can be repeated. {schema} is the name of
-- the installation's schema in quotes.
`

// signed puts the digest of a text into it, by which a database tells which text
// it has.
func signed(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return []byte(strings.ReplaceAll(text, "{digest}", hex.EncodeToString(sum[:8])))
}
