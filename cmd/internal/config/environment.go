package config

import (
	"path/filepath"
	"strings"
	"unicode"
)

// environment lets variables win over the lists of the policy, which have no
// flags. A variable that is empty says nothing.
func (f *File) environment(getenv func(string) string) {
	for _, list := range []struct {
		key   string
		to    *[]string
		split func(string) []string
	}{
		{"policy.allow", &f.Policy.Allow, commandLines},
		{"policy.deny", &f.Policy.Deny, commandLines},
		{"policy.env", &f.Policy.Env, names},
		{"policy.trusted_packs", &f.Policy.TrustedPacks, filepath.SplitList},
	} {
		variable := "ATTUNE_" + strings.ToUpper(strings.ReplaceAll(list.key, ".", "_"))
		if value := getenv(variable); value != "" {
			*list.to = list.split(value)
			f.Origins[list.key] = Origin{FromEnvironment, variable}
		}
	}
}

// names returns the words of a text that commas, semicolons or blanks separate.
func names(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || c == ',' || c == ';' })
}

// commandLines returns the lines of a text, or its parts between semicolons.
func commandLines(text string) []string {
	var out []string
	for line := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == '\n' || c == ';' }) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
