package cli

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Wrap breaks text into lines of a width at most, at blanks. What stands between
// backquotes is to be pasted and stays whole, and so does a word that is wider than
// a line.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range words(text) {
		switch {
		case line == "":
			line = word
		case columnsOf(line)+1+columnsOf(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// words returns the parts of a text between which a line may be broken.
func words(text string) []string {
	var list []string
	quoted := false
	for word := range strings.SplitSeq(text, " ") {
		if quoted {
			list[len(list)-1] += " " + word
		} else {
			list = append(list, word)
		}
		if strings.Count(word, "`")%2 == 1 {
			quoted = !quoted
		}
	}
	return list
}

// PrintProse prints text after a label, which is width columns wide at least. On a
// terminal the text is broken at words, and its further lines stand under the first.
func (t *Terminal) PrintProse(style Style, label string, width int, text string) {
	text = typeable(text)
	indent := max(width, utf8.RuneCountInString(label))
	if t.Width > 0 && t.Width-indent >= leastProse {
		text = strings.Join(Wrap(text, t.Width-indent), "\n"+strings.Repeat(" ", indent))
	}
	t.print(t.Paint(style, label) + strings.Repeat(" ", indent-utf8.RuneCountInString(label)) + text + "\n")
}

var (
	// labelled matches the blanks before a line's text, with a label that is padded.
	labelled = regexp.MustCompile(`^ *(\S+ {2,})?`)
	painted  = regexp.MustCompile("\x1b\\[[0-9;]*m")
)

// columnsOf returns how many columns text takes, which may be painted.
func columnsOf(text string) int {
	return utf8.RuneCountInString(painted.ReplaceAllString(text, ""))
}

// broken returns a line that is broken at words. Its further lines stand under the first,
// beside its label.
func (t *Terminal) broken(line string) string {
	label := labelled.FindString(line)
	indent := columnsOf(label)
	if columnsOf(line) <= t.Width || t.Width-indent < leastProse {
		return line
	}
	return label + strings.Join(Wrap(line[len(label):], t.Width-indent), "\n"+strings.Repeat(" ", indent))
}

// printLines prints foreign text after a label. Its own further lines are indented.
func (t *Terminal) printLines(style Style, label, text string) {
	for i, line := range strings.Split(CleanLines(text), "\n") {
		if i > 0 {
			style, label = Plain, " "
		}
		t.PrintProse(style, label, len(label)+1, line)
	}
}
