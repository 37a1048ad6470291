package cli

import (
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
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
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
	indent := max(width, utf8.RuneCountInString(label))
	if t.Width > 0 && t.Width-indent >= leastProse {
		text = strings.Join(Wrap(text, t.Width-indent), "\n"+strings.Repeat(" ", indent))
	}
	t.Printf("%s%s%s\n", t.Paint(style, label), strings.Repeat(" ", indent-utf8.RuneCountInString(label)), text)
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
