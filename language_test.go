package attune_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// The text of every source and page reads as plain English.
func TestLanguage(t *testing.T) {
	faults, err := checkLanguage(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// Each file of testdata/language holds lines that the check refuses, marked BAD and
// the kind of fault, and lines that it accepts.
func TestLanguageCheck(t *testing.T) {
	for _, name := range []string{"sample.go", "sample.sql", "sample.md"} {
		text, err := os.ReadFile(filepath.Join("testdata", "language", name))
		if err != nil {
			t.Fatal(err)
		}
		found, err := checkFile(name, text)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, fault := range found {
			got[fmt.Sprintf("%d: %s", fault.line, fault.kind)] = true
		}
		want := map[string]bool{}
		for i, line := range strings.Split(string(text), "\n") {
			if _, kind, ok := strings.Cut(line, "BAD "); ok {
				kind, _, _ = strings.Cut(kind, ".")
				want[fmt.Sprintf("%d: %s", i+1, kind)] = true
			}
		}
		if len(want) == 0 {
			t.Errorf("%s has no bad line", name)
		}
		for fault := range want {
			if !got[fault] {
				t.Errorf("%s:%s was not found", name, fault)
			}
		}
		for fault := range got {
			if !want[fault] {
				t.Errorf("%s:%s was found in a good line", name, fault)
			}
		}
	}
}

// A languageFault is a place where the text of a file breaks a rule.
type languageFault struct {
	file    string
	line    int
	kind    string
	excerpt string
}

func (f languageFault) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.file, f.line, f.kind, f.excerpt)
}

// A phrase is a wording that the project does not use.
type phrase struct {
	kind    string
	pattern *regexp.Regexp
	// fine reports whether a match is plain English after all; nil means never.
	fine func(match string) bool
}

var phrases = []phrase{
	{"negated noun", regexp.MustCompile(`(?i)(?:\bthere\s+)?\bis\s+no\s+\w+`), func(match string) bool {
		words := strings.Fields(strings.ToLower(match))
		return words[0] == "there" || words[len(words)-1] == "longer"
	}},
	{"none as predicate", regexp.MustCompile(`(?i)\b(?:is|are)\s+none\b`), nil},
	{"relative of", regexp.MustCompile(`(?i)\bof\s+(?:which|whom)\b`), nil},
	{"chain of that", regexp.MustCompile(`(?i)\bthose\s+that\s+of\b`), nil},
	{"that as noun", regexp.MustCompile(`(?i)\bthat\s+of\s+(?:the|an?)\b`), nil},
	{"subject of a riddle", regexp.MustCompile(`(?i)\bwhoever\b`), nil},
	{"free relative who", regexp.MustCompile(`(?i)\bwho\s+(?:asks|beats|has|calls|reads|writes|waits|comes)\b`), nil},
	{"verb with of", regexp.MustCompile(`(?i)\b(?:says|tells|told|said)\s+of\b`), nil},
	{"foreign negation", regexp.MustCompile(`(?i)\bnot\s+any\s+more\b`), nil},
	{"default as riddle", regexp.MustCompile(`(?i)\b(?:nil|empty|zero):\s+(?:none|any|nothing)\b`), nil},
	{"leading Of", regexp.MustCompile(`(?:^|[.!?:;|]\s|(?:^|\n)\s*[-*#|]+)\s*Of\s`), nil},
}

// refusals are wordings of messages that refuse a value. They read `must be X, got Y`. Only texts
// of programs are checked, because tests say what they wanted and got in words of their own.
var refusals = []phrase{
	{"not for got", regexp.MustCompile(`\bmust\s[^;:]*,\s+not\s|^,\s+not\s`), nil},
	{"expected for must", regexp.MustCompile(`\b(?:expected|want)\b[^;:]*,\s+got\b`), nil},
	{"value before its rule", regexp.MustCompile(`(?:^|:\s)%[.\d]*(?:\[\d\])?[dqv]\s+(?:must|is\s+(?:not|neither|negative)|contains|has)\b`), nil},
	{"comparison for a limit", regexp.MustCompile(`(?:longer|more)\s+than\s+%(?:\[\d\])?d\s+(?:characters|elements|bytes|digits|[KM]iB)\b`), nil},
}

// thirdPerson matches the verb that follows the name in a function's doc.
var thirdPerson = regexp.MustCompile(`^[a-z]+s$`)

// notVerbs lists words in s that are not verbs, and verbs that hide what a function does.
var notVerbs = map[string]bool{
	"is": true, "was": true, "has": true, "as": true, "its": true, "this": true, "does": true,
	"says": true, "tells": true, "gives": true, "looks": true, "always": true,
}

// maxWidth is the greatest number of characters in a line of Go. Tests, raw strings and
// directives, which cannot be broken, may be wider.
const maxWidth = 140

// checkLanguage checks the files below a folder, nested modules included.
func checkLanguage(root string) (faults []languageFault, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", "testdata", "node_modules":
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		switch filepath.Ext(path) {
		case ".go", ".sql", ".md":
		default:
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, err := checkFile(path, text)
		faults = append(faults, found...)
		return err
	})
	return faults, err
}

// checkFile checks one file.
func checkFile(name string, text []byte) ([]languageFault, error) {
	c := languageCheck{name: name}
	if filepath.Ext(name) != ".go" {
		c.paragraphs(string(text))
		return c.faults, nil
	}
	if strings.HasSuffix(name, "_gen.go") || bytes.Contains(text[:min(len(text), 300)], []byte("// Code generated")) {
		return nil, nil
	}
	err := c.source(text)
	return c.faults, err
}

// A languageCheck collects the faults of one file.
type languageCheck struct {
	name   string
	faults []languageFault
}

func (c *languageCheck) add(line int, kind, excerpt string) {
	c.faults = append(c.faults, languageFault{c.name, line, kind, excerpt})
}

// phrases checks a passage that begins at a line.
func (c *languageCheck) phrases(line int, text string, list []phrase) {
	for _, p := range list {
		for _, at := range p.pattern.FindAllStringIndex(text, -1) {
			if p.fine != nil && p.fine(text[at[0]:at[1]]) {
				continue
			}
			excerpt := strings.Join(strings.Fields(text[max(0, at[0]-20):min(len(text), at[1]+20)]), " ")
			c.add(line+strings.Count(text[:at[1]], "\n"), p.kind, strconv.Quote(excerpt))
		}
	}
}

// sqlMarker matches what makes a line of SQL a comment.
var sqlMarker = regexp.MustCompile(`(?m)^[ \t]*--`)

// paragraphs checks a file that consists of prose, or of SQL with comments.
func (c *languageCheck) paragraphs(text string) {
	line := 1
	text = sqlMarker.ReplaceAllString(text, "")
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		c.phrases(line, paragraph, phrases)
		line += strings.Count(paragraph, "\n") + 2
	}
}

// source checks a file of Go.
func (c *languageCheck) source(text []byte) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, c.name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	raw := map[int]bool{} // lines of raw strings
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			c.doc(fset, n)
		case *ast.BasicLit:
			if n.Kind != token.STRING {
				break
			}
			from, to := fset.Position(n.Pos()).Line, fset.Position(n.End()).Line
			if n.Value[0] == '`' {
				for line := from; line <= to; line++ {
					raw[line] = true
				}
			}
			if value, err := strconv.Unquote(n.Value); err == nil {
				c.phrases(from, value, phrases)
				if !strings.HasSuffix(c.name, "_test.go") {
					c.phrases(from, value, refusals)
				}
			}
		}
		return true
	})
	for _, group := range file.Comments {
		for _, comment := range paragraphsOf(fset, group) {
			c.phrases(comment.line, comment.text, phrases)
		}
	}
	if !strings.HasSuffix(c.name, "_test.go") {
		c.widths(text, raw)
	}
	return nil
}

// A passage is text that begins at a line.
type passage struct {
	line int
	text string
}

// paragraphsOf returns the paragraphs of a comment.
func paragraphsOf(fset *token.FileSet, group *ast.CommentGroup) []passage {
	var out []passage
	open := false
	for _, comment := range group.List {
		line := fset.Position(comment.Pos()).Line
		for text := range strings.SplitSeq(comment.Text, "\n") {
			text = strings.TrimSpace(strings.Trim(text, "/*"))
			switch {
			case text == "":
				open = false
			case open:
				out[len(out)-1].text += "\n" + text
			default:
				out, open = append(out, passage{line, text}), true
			}
			line++
		}
	}
	return out
}

// doc checks the comment of an exported function or method. A test's says what it proves.
func (c *languageCheck) doc(fset *token.FileSet, fn *ast.FuncDecl) {
	if fn.Doc == nil || !fn.Name.IsExported() || strings.HasSuffix(c.name, "_test.go") {
		return
	}
	words := strings.Fields(fn.Doc.Text())
	line := fset.Position(fn.Doc.Pos()).Line
	switch {
	case len(words) < 2 || words[0] != fn.Name.Name:
		c.add(line, "doc without its name", fn.Name.Name)
	case !thirdPerson.MatchString(words[1]) || notVerbs[words[1]]:
		c.add(line, "doc without a verb", words[0]+" "+words[1])
	}
}

// directive matches a comment that a tool reads.
var directive = regexp.MustCompile(`^//[a-z]+:`)

// widths checks the width of lines. raw holds the lines of raw strings.
func (c *languageCheck) widths(text []byte, raw map[int]bool) {
	for i, line := range strings.Split(string(text), "\n") {
		if width := utf8.RuneCountInString(line); width > maxWidth && !raw[i+1] && !directive.MatchString(line) {
			c.add(i+1, "line too wide", strconv.Itoa(width))
		}
	}
}
