package version

import (
	"fmt"
	"strings"
)

// maxConstraint is the maximum length of a constraint in bytes.
const maxConstraint = 1024

// ParseConstraint reads a constraint. It refuses a distribution's or a builder's suffix
// in a version, because dropping it would turn 1.2-1.4 into 1.2. The error is a
// *SyntaxError.
func ParseConstraint(text string) (Constraint, error) {
	if err := checkLength("constraint", text, maxConstraint); err != nil {
		return Constraint{}, err
	}
	p := &constraintParser{text: text}
	c := p.constraint()
	if p.err != nil {
		return Constraint{}, p.err
	}
	return c, nil
}

// A constraintParser reads text from at on. It keeps the first error and then stands at
// the end.
type constraintParser struct {
	text string
	at   int
	err  error
}

// constraint is alternative { "||" alternative }.
func (p *constraintParser) constraint() Constraint {
	var c Constraint
	var texts []string
	for {
		text, all, named := p.alternative()
		texts = append(texts, text)
		c.all, c.named = c.all.union(all), c.named.union(named)
		if p.blank(); !p.take("||") {
			break
		}
	}
	if p.at < len(p.text) {
		p.fail(p.at, "unexpected "+quote(p.text[p.at:]))
	}
	c.text = strings.Join(texts, " || ")
	return c
}

// alternative is term { [ "," ] term }.
func (p *constraintParser) alternative() (text string, all, named spans) {
	var texts []string
	all = spans{{}}
	for {
		text, keys, names := p.term()
		texts = append(texts, text)
		all, named = all.intersect(keys), named.union(names)
		p.blank()
		comma := p.take(",")
		if p.blank(); !comma && (p.at == len(p.text) || p.text[p.at] == '|') {
			return strings.Join(texts, ","), all, all.intersect(named)
		}
	}
}

// term is [ operator ] version, or version "-" version.
func (p *constraintParser) term() (text string, keys, named spans) {
	p.blank()
	start := p.at
	operator := p.operator()
	p.blank()
	low := p.operand()
	if p.err != nil {
		return "", nil, nil
	}
	if len(low.numbers) == 0 && operator != "" && operator != "=" {
		p.fail(start, fmt.Sprintf("%s needs a version; * alone is every version", operator))
		return "", nil, nil
	}
	if p.hyphen() {
		if p.blank(); operator != "" {
			p.fail(start, `a range such as "1.2 - 1.4" takes no operator`)
			return "", nil, nil
		}
		high := p.operand()
		keys = low.apply(">=").intersect(high.apply("<="))
		return low.String() + " - " + high.String(), keys, low.named().union(high.named())
	}
	if operator != "!=" {
		named = low.named()
	}
	return strings.TrimPrefix(operator, "=") + low.String(), low.apply(operator), named
}

// hyphen takes the hyphen of a range: blanks stand on both sides.
func (p *constraintParser) hyphen() bool {
	rest := strings.TrimLeft(p.text[p.at:], blanks)
	if len(rest) == len(p.text)-p.at || len(rest) < 2 || rest[0] != '-' || !isBlank(rest[1]) {
		return false
	}
	p.at = len(p.text) - len(rest) + 1
	return true
}

func (p *constraintParser) operator() string {
	rest := p.text[p.at:]
	n := len(rest) - len(strings.TrimLeft(rest, "=!<>~^"))
	operator := rest[:n]
	switch operator {
	case "", "=", "!=", ">", ">=", "<", "<=", "~", "^":
		p.at += n
	case "==", "===":
		p.fail(p.at, "unknown operator "+operator+"; write =")
	case "~>", "~=":
		p.fail(p.at, "unknown operator "+operator+"; ~1.2 is >=1.2,<1.3 and ^1.2 is >=1.2,<2")
	case "=>", "=<", "<>", "!", "!==":
		known := map[string]string{"=>": ">=", "=<": "<=", "<>": "!=", "!": "!=", "!==": "!="}[operator]
		p.fail(p.at, "unknown operator "+operator+"; write "+known)
	default:
		p.fail(p.at, "unknown operator "+operator)
	}
	return operator
}

// operand is "*", or numbers and perhaps ".*" or a pre-release.
func (p *constraintParser) operand() (o operand) {
	start := p.at
	if p.word() == "" {
		p.fail(start, "a version is missing; * is every version")
		return o
	}
	if o.wildcard = p.take("*"); !o.wildcard {
		o.parts = p.version()
		o.wildcard = o.pre == "" && p.take(".*")
	}
	if rest := p.word(); rest != "" {
		p.fail(p.at, unexpectedAfterVersion(rest))
	}
	return o
}

func (p *constraintParser) version() parts {
	start := p.at
	p.at += prefix(p.text[start:])
	found, n := scan(p.text[p.at:])
	if p.at += n; n == 0 {
		p.fail(start, "a version must begin with a number, got "+quote(p.word())+conjunction(p.word()))
	} else if p.at-start > maxVersion {
		p.fail(start+maxVersion, fmt.Sprintf("a version must have at most %d bytes, got %d", maxVersion, p.at-start))
	}
	return found
}

// conjunction says how to write what other languages have between two terms.
func conjunction(word string) string {
	switch {
	case strings.HasPrefix(word, "&"), strings.EqualFold(word, "and"):
		return "; a comma or a blank is and: >=3.12,<4"
	case strings.EqualFold(word, "or"):
		return "; || is or"
	}
	return ""
}

func unexpectedAfterVersion(rest string) string {
	switch {
	case strings.HasPrefix(rest, "-") && len(rest) > 1 && isDigit(rest[1]):
		return "unexpected " + quote(rest) + `; a range has blanks around the hyphen, "1.2 - 1.4", and a distribution's suffix is left out`
	case strings.HasPrefix(rest, ".x") || strings.HasPrefix(rest, ".X"):
		return "unexpected " + quote(rest) + "; write .*"
	}
	return "unexpected " + quote(rest) + conjunction(rest)
}

// word returns what is left up to a blank, a comma or a bar.
func (p *constraintParser) word() string {
	rest := p.text[p.at:]
	if n := strings.IndexAny(rest, blanks+",|"); n >= 0 {
		return rest[:n]
	}
	return rest
}

func (p *constraintParser) take(s string) bool {
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

const blanks = " \t\r\n"

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }

func (p *constraintParser) blank() {
	for p.at < len(p.text) && isBlank(p.text[p.at]) {
		p.at++
	}
}

func (p *constraintParser) fail(at int, message string) {
	if p.err == nil {
		text := p.text
		if len(text) > 80 {
			text = text[:80] + "…"
		}
		p.err = &SyntaxError{"constraint", text, at + 1, message}
	}
	p.at = len(p.text)
}

// String returns the operand as ParseConstraint reads it.
func (o operand) String() string {
	text := strings.Join(o.numbers, ".")
	switch {
	case o.pre != "":
		return text + "-" + o.pre
	case !o.wildcard:
		return text
	case text == "":
		return "*"
	}
	return text + ".*"
}
