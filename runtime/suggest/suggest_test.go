package suggest_test

import (
	"testing"

	"github.com/attune-go/attune/runtime/suggest"
)

func TestNearest(t *testing.T) {
	known := []string{"binary", "args", "exit_code", "pattern", "priority", "optional"}
	for word, want := range map[string]string{
		"pattren":  "pattern",
		"exitcode": "exit_code",
		"arg":      "args",
		"bianry":   "binary",
		"binary":   "binary",
		"zzz":      "",
		"":         "",
		"x":        "",
	} {
		if got, ok := suggest.Nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", word, got, ok, want)
		}
	}
}
