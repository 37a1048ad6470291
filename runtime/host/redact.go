package host

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A redactor replaces the home folder in a recording by defaultHome, and the user's name by
// that in defaultHome.
type redactor struct {
	homes []string
	name  string // empty if it is not replaced
}

// newRedactor returns a redactor of home and the user's name. It keeps root, and a name that
// is also a command, such as the user node of a container image: replacing it would change
// /usr/bin/node.
func newRedactor(home, user string, commands map[string]bool) redactor {
	var r redactor
	if home != "" && home != "/" {
		r.homes = append(r.homes, home)
		if real := realPath(home); real != home && real != "/" {
			r.homes = append(r.homes, real)
		}
	}
	if len(user) > 1 && user != "root" && !commands[user] {
		r.name = user
	}
	return r
}

func (r redactor) text(s string) string {
	for _, home := range r.homes {
		s = replaceWord(s, home, defaultHome)
	}
	if r.name != "" {
		s = replaceWord(s, r.name, path.Base(defaultHome))
	}
	return s
}

// replaceWord replaces old unless it is part of a longer name.
func replaceWord(s, old, with string) string {
	var b strings.Builder
	for done := 0; ; {
		i := strings.Index(s[done:], old)
		if i < 0 {
			b.WriteString(s[done:])
			return b.String()
		}
		start, end := done+i, done+i+len(old)
		b.WriteString(s[done:start])
		before, _ := utf8.DecodeLastRuneInString(s[:start])
		after, _ := utf8.DecodeRuneInString(s[end:])
		if inName(before) || inName(after) {
			b.WriteString(old)
		} else {
			b.WriteString(with)
		}
		done = end
	}
}

// inName reports whether a character continues a name: the "-" of alice-dev does, but
// neither "." nor "@".
func inName(r rune) bool {
	return r == '_' || r == '-' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
