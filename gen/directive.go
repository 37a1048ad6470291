package gen

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// mark begins each directive.
const mark = "//attune:"

// directive is a comment line that tells the generator something:
//
//	//attune:document [column] [RULE…]    above a type
//	//attune:guard TABLE.COLUMN…          above a type that is a column
//	//attune:enum                         above a type of text
//	//attune:format NAME [PATTERN]        above a func(string) string
//	//attune:except PATTERN               below a format with a pattern
type directive struct {
	name string
	// text is what follows the name.
	text string
	pos  token.Position
}

var directives = []string{"document", "guard", "enum", "format", "except"}

// directives gives those in the comments above a declaration.
func (p *parsed) directives(comments *ast.CommentGroup) []directive {
	if comments == nil {
		return nil
	}
	var out []directive
	for _, c := range comments.List {
		if d, ok := p.directive(c); ok && slices.Contains(directives, d.name) {
			p.taken[c] = true
			out = append(out, d)
		}
	}
	return out
}

func (p *parsed) directive(c *ast.Comment) (directive, bool) {
	rest, ok := strings.CutPrefix(c.Text, mark)
	if !ok {
		return directive{}, false
	}
	name, text, _ := strings.Cut(rest, " ")
	return directive{name: name, text: strings.TrimSpace(text), pos: p.at(c.Pos())}, true
}

// almost is the directive that a comment would be without the blanks before it.
func (p *parsed) almost(c *ast.Comment) (directive, bool) {
	text, ok := strings.CutPrefix(c.Text, "// ")
	if !ok {
		return directive{}, false
	}
	d, ok := p.directive(&ast.Comment{Slash: c.Slash, Text: "//" + strings.TrimLeft(text, " ")})
	return d, ok && slices.Contains(directives, d.name)
}

// stray reports the directives that stand where nothing reads them, those that
// do not exist, and those that are none for a blank.
func (p *parsed) stray() {
	for _, file := range p.files {
		for _, group := range file.Comments {
			for _, c := range group.List {
				d, ok := p.directive(c)
				if almost, is := p.almost(c); is {
					p.problems.add(almost.pos, "the blank makes this a comment: write %s%s", mark, almost.name)
				}
				switch {
				case !ok || p.taken[c]:
				case !slices.Contains(directives, d.name):
					p.problems.add(d.pos, "there is no directive %s%s: there are %s", mark, d.name, strings.Join(directives, ", "))
				default:
					p.problems.add(d.pos, "%s%s stands above nothing that it could be for", mark, d.name)
				}
			}
		}
	}
}

// one gives the directive of that name, and reports a second one.
func (p *parsed) one(list []directive, name string) (directive, bool) {
	var found []directive
	for _, d := range list {
		if d.name == name {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return directive{}, false
	}
	for _, d := range found[1:] {
		p.problems.add(d.pos, "%s%s is there twice", mark, name)
	}
	return found[0], true
}
