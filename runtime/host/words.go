package host

import (
	"errors"
	"strings"
)

// A word is a word of a command line. quoted means that a part of it was quoted.
type word struct {
	text   string
	quoted bool
}

// CommandLine returns a command as one line of words, quoted if necessary. Entries of policy
// have this form. It is not for shells.
func CommandLine(binary string, args []string) string {
	var b strings.Builder
	b.WriteString(quoteWord(binary))
	for _, a := range args {
		b.WriteByte(' ')
		b.WriteString(quoteWord(a))
	}
	return b.String()
}

// plainWord holds the characters that do not need quotes.
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

// splitWords splits a command line at spaces. '…' is literal. In "…" and outside of quotes, a
// backslash makes the next character literal.
func splitWords(line string) ([]word, error) {
	var words []word
	var cur strings.Builder
	in, quoted, quote, escaped := false, false, byte(0), false
	for _, b := range []byte(line) { // special characters are ASCII
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
		return nil, errors.New("missing closing quote")
	}
	if escaped {
		return nil, errors.New("trailing backslash")
	}
	if in {
		words = append(words, word{cur.String(), quoted})
	}
	return words, nil
}
