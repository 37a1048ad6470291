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
		variable string
		to       *[]string
		split    func(string) []string
	}{
		{"ATTUNE_POLICY_ALLOW", &f.Policy.Allow, commandLines},
		{"ATTUNE_POLICY_DENY", &f.Policy.Deny, commandLines},
		{"ATTUNE_POLICY_ENV", &f.Policy.Env, names},
		{"ATTUNE_POLICY_TRUSTED_PACKS", &f.Policy.TrustedPacks, filepath.SplitList},
	} {
		if value := getenv(list.variable); value != "" {
			*list.to = list.split(value)
		}
	}
}

// names are the words of a text, with commas, semicolons or blanks between them.
func names(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return unicode.IsSpace(c) || c == ',' || c == ';' })
}

// commandLines are the lines of a text, or its parts between semicolons.
func commandLines(text string) []string {
	var out []string
	for line := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == '\n' || c == ';' }) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
