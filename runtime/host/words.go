package host

import (
	"errors"
	"strings"
)

// word is a word of a command line; quoted if any of it was.
type word struct {
	text   string
	quoted bool
}

// CommandLine is a command as one line: words separated by spaces, quoted where
// they need it, so that policy entries can be copied from what is printed. No
// shell is meant to read it.
func CommandLine(binary string, args []string) string {
	var b strings.Builder
	b.WriteString(quoteWord(binary))
	for _, a := range args {
		b.WriteByte(' ')
		b.WriteString(quoteWord(a))
	}
	return b.String()
}

// plainWord are the characters that need no quotes.
const plainWord = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%^~"

func quoteWord(s string) string {
	if s != "" && strings.Trim(s, plainWord) == "" {
		return s
	}
	if !strings.Contains(s, "'") {
		return "'" + s + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// splitWords reads a command line: spaces separate words; '…' is taken as
// written; in "…" and outside, a backslash takes the next character as written.
func splitWords(line string) ([]word, error) {
	var words []word
	var cur strings.Builder
	in, quoted, quote, escaped := false, false, byte(0), false
	for _, b := range []byte(line) { // what means something is ASCII
		switch {
		case escaped:
			cur.WriteByte(b)
			escaped = false
		case b == '\\' && quote != '\'':
			escaped, in, quoted = true, true, true
		case quote != 0 && b == quote:
			quote = 0
		case quote != 0:
			cur.WriteByte(b)
		case b == '\'' || b == '"':
			quote, in, quoted = b, true, true
		case b == ' ' || b == '\t':
			if in {
				words = append(words, word{cur.String(), quoted})
			}
			cur.Reset()
			in, quoted = false, false
		default:
			cur.WriteByte(b)
			in = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if escaped {
		return nil, errors.New("it ends with a backslash")
	}
	if in {
		words = append(words, word{cur.String(), quoted})
	}
	return words, nil
}
