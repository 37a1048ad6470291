package web

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestWords reads filter lines as a shell would.
func TestWords(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"":                                   nil,
		"  ":                                 nil,
		"web-*":                              {"web-*"},
		" a\tb  c\n":                         {"a", "b", "c"},
		"'has:python@>=3.12 <4' role:worker": {"has:python@>=3.12 <4", "role:worker"},
		`label:a="b c"`:                      {"label:a=b c"},
		`''`:                                 {""},
		`'a`:                                 {"a"},
		`"it's"`:                             {"it's"},
	} {
		if got := words(line); !slices.Equal(got, want) {
			t.Errorf("words(%q) = %q, want %q", line, got, want)
		}
	}
}

// FuzzQuoted checks that a term that a page puts into the filter is read as that term.
func FuzzQuoted(f *testing.F) {
	for _, term := range []string{"", "label:zone=a", "a b", `it's "so"`, "'", "\n", "é\u2028"} {
		f.Add(term)
	}
	f.Fuzz(func(t *testing.T, term string) {
		if !utf8.ValidString(term) {
			t.Skip("addresses are decoded to valid text")
		}
		if got := words("x " + quoted(term) + " y"); len(got) != 3 || got[1] != term {
			t.Errorf("quoted(%q) = %s, read as %q", term, quoted(term), got)
		}
	})
}

// TestShellLine lets a shell read the lines that a page shows.
func TestShellLine(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("sh is missing")
	}
	for _, args := range [][]string{
		{"web-*"}, {"has:python@>=3.12"}, {"it's", `"`, "$HOME", "`id`", "a;b", "!!", `\`, "", "~", "#x", "a=b", "é"},
	} {
		out, err := exec.CommandContext(t.Context(), shell, "-c", shellLine(append([]string{"printf", `%s\n`}, args...))).Output()
		if want := strings.Join(args, "\n") + "\n"; err != nil || string(out) != want {
			t.Errorf("%s: %v, %q, want %q", shellLine(args), err, out, want)
		}
	}
}
