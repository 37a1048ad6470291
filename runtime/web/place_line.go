package web

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/attune-go/attune/schema/requirement"
)

// placeTerms reads a requirement as the arguments and flags of `attune place`, with or without these two words, so
// that a command line can be pasted. Values are checked by Terms.Requirement.
func placeTerms(line string) (t requirement.Terms, err error) {
	args := words(line)
	if len(args) > 1 && args[0] == "attune" && args[1] == "place" {
		args = args[2:]
	}
	lists := map[string]*[]string{"--select": &t.Select, "--tolerate": &t.Tolerate, "--prefer": &t.Prefer}
	switches := map[string]*bool{"--prereleases": &t.Prereleases, "--verified": &t.Verified}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if !strings.HasPrefix(arg, "-") {
			t.Runtimes = append(t.Runtimes, arg)
			continue
		}
		name, value, given := strings.Cut(arg, "=")
		if given != (switches[name] == nil) { // the value is the next word
			switch {
			case switches[name] != nil:
				return t, fmt.Errorf("%s has no value", name)
			case len(args) == 0:
				return t, fmt.Errorf("%.50s needs a value", name)
			}
			value, args = args[0], args[1:]
		}
		switch {
		case switches[name] != nil:
			*switches[name] = true
		case lists[name] != nil:
			*lists[name] = append(*lists[name], value)
		case name == "--role":
			t.Role = value
		case name == "--slots":
			if t.Slots, err = strconv.Atoi(value); err != nil || t.Slots < 1 {
				return t, fmt.Errorf("--slots must be at least 1, got %.50q", value)
			}
		default:
			return t, fmt.Errorf("unknown flag %.50q; known are --select, --tolerate, --prefer, --role, --slots, --prereleases, --verified", name)
		}
	}
	return t, nil
}
