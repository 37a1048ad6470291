package placement

import (
	"strconv"
	"strings"
)

// Command returns the command line that asks for a requirement. It is empty if terms cannot
// express the requirement.
func Command(r *Requirement) string {
	t, ok := r.Terms()
	if !ok {
		return ""
	}
	words := append([]string{"attune", "place"}, t.Runtimes...)
	option := func(name string, values ...string) {
		for _, value := range values {
			if strings.HasPrefix(value, "-") { // it would count as a flag
				words = append(words, name+"="+value)
				continue
			}
			words = append(words, name, value)
		}
	}
	option("--select", t.Select...)
	option("--tolerate", t.Tolerate...)
	option("--prefer", t.Prefer...)
	if t.Role != "" {
		option("--role", t.Role)
	}
	if t.Slots > 1 {
		option("--slots", strconv.Itoa(t.Slots))
	}
	if t.Prereleases {
		words = append(words, "--prereleases")
	}
	if t.Verified {
		words = append(words, "--verified")
	}
	return command(words...)
}

// command returns words as a line for a POSIX shell.
func command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}

// plain holds the characters that no shell changes.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-"

func quote(word string) string {
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
