package packs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// syntaxFault returns an error of the YAML parser as a fault. The parser often names
// the line where the surrounding block began. The line to look at is the first with
// which the beginning of the file fails in the same way.
func syntaxFault(data []byte, err error) Fault {
	message := yamlMessage(err)
	lines := bytes.SplitAfter(data, []byte("\n"))
	n := sort.Search(len(lines), func(i int) bool { return firstError(bytes.Join(lines[:i+1], nil)) == message })
	n = min(n, len(lines)-1)
	before, line := bytes.Join(lines[:n], nil), string(bytes.TrimRight(lines[n], "\r\n"))
	at, remedy := 0, ""
	switch {
	case strings.Contains(message, "escape character"), strings.Contains(message, "hexdecimal"):
		at = badEscape(line, func(part string) bool { return firstError(append(bytes.Clone(before), part...)) == message })
		remedy = ": in double quotes a backslash begins an escape; write it in single quotes"
	case strings.HasPrefix(message, "did not find expected"), strings.Contains(message, "start any token"),
		strings.Contains(message, "anchor"):
		at = special(line, strings.Contains(message, "anchor") || strings.Contains(message, "alphabetic"))
		remedy = meaning(line[max(at, 0):])
	}
	if at < 0 {
		at, remedy = 0, ""
	}
	return syntax(n+1, 1+utf8.RuneCountInString(line[:at]), "not YAML: "+message+remedy)
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// yamlMessage returns the text of a parser's error without the line.
func yamlMessage(err error) string { return yamlLine.ReplaceAllString(err.Error(), "") }

// firstError returns the message of the first error in data, or "" if it has none.
func firstError(data []byte) string {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		switch err := decoder.Decode(new(yaml.Node)); {
		case errors.Is(err, io.EOF):
			return ""
		case err != nil:
			return yamlMessage(err)
		}
	}
}

// escape matches a backslash in double quotes with what YAML allows behind it.
var escape = regexp.MustCompile("^\\\\(?:[0abtnvfre \"'/\\\\N_LP\t]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|$)")

// badEscape returns the offset in line of the first backslash that begins no escape and
// makes the line fail there, or -1. In single quotes it does not make it fail.
func badEscape(line string, fails func(part string) bool) int {
	for i := 0; i < len(line); i++ {
		if line[i] != '\\' {
			continue
		}
		if !escape.MatchString(line[i:]) {
			_, n := utf8.DecodeRuneInString(line[i+1:])
			if fails(line[:i+1+n]) {
				return i
			}
		}
		i++ // a second backslash belongs to the first
	}
	return -1
}

// special returns the offset in line of the character that YAML probably reads as its
// own where the author meant text, or -1: a bracket that opens a list or mapping which
// does not end with the value, a bracket within text, or a reserved character at the
// beginning of a value. anchors includes * and &.
func special(line string, anchors bool) int {
	reserved := "%@`"
	if anchors {
		reserved += "*&"
	}
	var open []int // offsets of brackets
	begins := true // a value or key can begin here
	for i := 0; i < len(line); i++ {
		c, rest := line[i], strings.TrimLeft(line[i+1:], " \t")
		last := len(rest) == 0 || len(rest) < len(line)-i-1 // nothing or a blank follows
		bracket, flow := c == '[' || c == '{', len(open) > 0
		switch {
		case c == ' ' || c == '\t':
			if strings.HasPrefix(rest, "#") {
				i = len(line)
			}
		case begins && (c == '\'' || c == '"'):
			i, begins = endOfQuotes(line, i), false
		case begins && bracket:
			open = append(open, i)
		case begins && strings.IndexByte(reserved, c) >= 0, flow && bracket:
			return i
		case flow && (c == ']' || c == '}'):
			opened := open[len(open)-1]
			open, begins = open[:len(open)-1], false
			after := "#:"
			if len(open) > 0 {
				after = "#:,]}"
			}
			if rest != "" && !strings.ContainsRune(after, rune(rest[0])) {
				return opened
			}
		case flow && c == ',', c == ':' && last, begins && c == '-' && last:
			begins = true
		default:
			begins = false
		}
	}
	if len(open) > 0 {
		return open[0]
	}
	return -1
}

// endOfQuotes returns the offset of the quote that ends the text in quotes at i, or of
// the end of the line.
func endOfQuotes(line string, i int) int {
	quote := line[i]
	for i++; i < len(line); i++ {
		switch {
		case quote == '"' && line[i] == '\\':
			i++
		case line[i] == quote && strings.HasPrefix(line[i+1:], "'") && quote == '\'':
			i++
		case line[i] == quote:
			return i
		}
	}
	return len(line)
}

// meaning returns what the character at the beginning of text means to YAML, and what to
// do about it.
func meaning(text string) string {
	switch {
	case strings.HasPrefix(text, "["):
		return ": the [ begins a list; if it is text, write it in single quotes"
	case strings.HasPrefix(text, "{"):
		return ": the { begins a mapping; if it is text, write it in single quotes"
	case text == "":
		return ""
	}
	return fmt.Sprintf(": text cannot begin with %.1s here; write it in single quotes", text)
}
