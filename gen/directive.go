package gen

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// mark begins each directive.
const mark = "//attune:"

// A directive is a comment line that the generator reads:
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

// directives returns the directives in the comments above a declaration.
func (p *parsedPackage) directives(comments *ast.CommentGroup) []directive {
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

func (p *parsedPackage) directive(c *ast.Comment) (directive, bool) {
	rest, ok := strings.CutPrefix(c.Text, mark)
	if !ok {
		return directive{}, false
	}
	name, text, _ := strings.Cut(rest, " ")
	return directive{name: name, text: strings.TrimSpace(text), pos: p.at(c.Pos())}, true
}

// nearDirective returns the directive that a comment would be without the blanks before it.
func (p *parsedPackage) nearDirective(c *ast.Comment) (directive, bool) {
	text, ok := strings.CutPrefix(c.Text, "// ")
	if !ok {
		return directive{}, false
	}
	d, ok := p.directive(&ast.Comment{Slash: c.Slash, Text: "//" + strings.TrimLeft(text, " ")})
	return d, ok && slices.Contains(directives, d.name)
}

// checkDirectives reports directives in places where nothing reads them, unknown directives, and
// comments that would be directives without a blank.
func (p *parsedPackage) checkDirectives() {
	for _, file := range p.files {
		for _, group := range file.Comments {
			for _, c := range group.List {
				d, ok := p.directive(c)
				if almost, is := p.nearDirective(c); is {
					p.faults.add(almost.pos, "the blank makes this a comment: write %s%s", mark, almost.name)
				}
				switch {
				case !ok || p.taken[c]:
				case !slices.Contains(directives, d.name):
					p.faults.add(d.pos, "unknown directive %s%s: the directives are %s", mark, d.name, strings.Join(directives, ", "))
				default:
					p.faults.add(d.pos, "%s%s does not belong to a declaration", mark, d.name)
				}
			}
		}
	}
}

// one returns the directive of a name, and reports duplicates.
func (p *parsedPackage) one(list []directive, name string) (directive, bool) {
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
		p.faults.add(d.pos, "duplicate %s%s", mark, name)
	}
	return found[0], true
}
