package web

import (
	"net/url"
	"regexp"
	"strings"
)

// An equivalent is a command line and a call of curl that give an answer of a page.
type equivalent struct {
	// What names the answer.
	What          string
	Command, Curl string
}

// sameAs adds an answer of the page, which a command and a GET of the API give too.
func (v *view) sameAs(what string, command []string, path string, query url.Values) {
	address := path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	address = strings.ReplaceAll(address, "$", "%24")
	v.same = append(v.same, equivalent{
		What: what, Command: v.web.line(command),
		// The path and the query are percent-encoded, so that double quotes hold them.
		Curl: `curl -H "Authorization: Bearer $ATTUNE_TOKEN" "$ATTUNE_SERVER` + address + `"`,
	})
}

// line returns a command for a POSIX shell, with its program as people type it.
func (w *Web) line(command []string) string {
	return w.command(command[0]) + " " + shellLine(command[1:])
}

// option returns a flag of a command with its value. A value that looks like a flag is in the same word.
func option(name, value string) []string {
	if strings.HasPrefix(value, "-") {
		return []string{name + "=" + value}
	}
	return []string{name, value}
}

// plainWord matches the words that a shell takes as they are.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

// shellLine returns a command for a POSIX shell.
func shellLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = word
		if !plainWord.MatchString(word) {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
