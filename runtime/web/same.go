package web

import (
	"net/url"
	"regexp"
	"strings"
)

// An equivalent is a command line and a call of curl that give an answer of a page.
type equivalent struct {
	// What names the answer.
	What string
	// Command is empty if no command gives it.
	Command string
	Curl    string
}

// sameAs adds an answer of the page, which a command and a GET of the API give too.
func (v *view) sameAs(what string, command []string, path string, query url.Values) {
	address := path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	line := ""
	if len(command) > 0 {
		line = v.web.command(command[0]) + " " + shellLine(command[1:])
	}
	address = strings.ReplaceAll(address, "$", "%24")
	v.same = append(v.same, equivalent{
		What: what, Command: line,
		// The path and the query are percent-encoded, so that double quotes hold them.
		Curl: `curl -H "Authorization: Bearer $ATTUNE_TOKEN" "$ATTUNE_SERVER` + address + `"`,
	})
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
