package placement

import (
	"strings"

	"github.com/attune-go/attune/schema/requirement"
)

// Why returns reasons in words for people, without what workers have. name returns the name by which they know the
// runtime with a ref.
func Why(reasons []Reason, name func(ref string) string) string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = inWords(r, name(r.Runtime))
	}
	return strings.Join(words, "; ")
}

// Actual returns what a worker has in place of what is wanted, in words.
func Actual(reasons []Reason) string {
	words := make([]string, len(reasons))
	for i, r := range reasons {
		words[i] = r.Actual
	}
	return strings.Join(words, "; ")
}

func inWords(r Reason, runtime string) string {
	switch r.Kind {
	case requirement.WrongRole:
		return "its role is not " + r.Wanted
	case requirement.Inactive, requirement.Stale, requirement.Cordoned:
		return string(r.Kind)
	case requirement.NeverReported:
		return "never reported"
	case requirement.Tainted:
		return "not tolerated: taint " + strings.TrimPrefix(r.Wanted, "toleration of ")
	case requirement.NotSelected, requirement.NotAffine:
		return "wanted " + r.Wanted
	case requirement.RuntimeAbsent:
		return "no " + runtime
	case requirement.RuntimeUnknown:
		return runtime + " could not be determined"
	case requirement.WrongVersion:
		return runtime + " is not " + r.Wanted
	case requirement.VersionUnknown:
		return "the version of " + runtime + " is unknown, wanted " + r.Wanted
	case requirement.Prerelease:
		return runtime + " is a pre-release, wanted " + r.Wanted
	case requirement.DeclaredOnly:
		return runtime + " is only declared"
	case requirement.Busy:
		return "wanted " + r.Wanted
	}
	return string(r.Kind) + ", wanted " + r.Wanted
}
