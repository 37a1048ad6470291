package web

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-go/attune/schema/requirement"
)

// placeArguments returns the arguments and flags of a line, which may begin with `attune place` in any form of it, so that a
// command can be pasted.
func placeArguments(line string) []string {
	args := words(line)
	if i := slices.Index(args, "place"); i > 0 && slices.Contains([]string{"attune", "attunectl"}, path.Base(args[i-1])) {
		return args[i+1:]
	}
	return args
}

// subjectOf returns the kind and the ref of the action or sensor that is all that the arguments name, or empty texts.
func subjectOf(args []string) (kind, ref string) {
	if len(args) == 1 {
		name, value, _ := strings.Cut(args[0], "=")
		args = []string{name, value}
	}
	if len(args) == 2 && (args[0] == "--action" || args[0] == "--sensor") {
		return strings.TrimPrefix(args[0], "--"), args[1]
	}
	return "", ""
}

// placeTerms reads a requirement as the arguments and flags of `attune place`. Values are checked by Terms.Requirement.
func placeTerms(args []string) (t requirement.Terms, err error) {
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
			return t, fmt.Errorf("unknown flag %.50q; known are --select, --tolerate, --prefer, --role, --slots, --prereleases, "+
				"--verified, and --action or --sensor alone", name)
		}
	}
	return t, nil
}
