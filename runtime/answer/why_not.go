package answer

import (
	"fmt"
	"strings"

	"github.com/attune-go/attune/schema/version"
)

// WhyNot returns why a version does not satisfy a constraint: for each alternative, the terms
// that it does not satisfy.
func WhyNot(c version.Constraint, v version.Version, prereleases bool) []string {
	if v.IsPrerelease() && !prereleases && c.Match(v, true) {
		return []string{"it is a pre-release, and the constraint names none of " + release(v)}
	}
	var reasons []string
	for alternative := range strings.SplitSeq(c.String(), " || ") {
		var failed []string
		for text := range strings.SplitSeq(alternative, ",") {
			term, err := version.ParseConstraint(text)
			if err == nil && !term.Match(v, true) {
				failed = append(failed, text+belongs(text, v))
			}
		}
		if failed == nil {
			failed = []string{alternative}
		}
		reasons = append(reasons, fmt.Sprintf("%s is not %s", v, strings.Join(failed, " nor ")))
	}
	return reasons
}

// belongs explains why a pre-release of a partial version is not below it. It returns an empty
// text if that is not the reason.
func belongs(term string, v version.Version) string {
	partial, below := strings.CutPrefix(term, "<")
	if !below || !v.IsPrerelease() {
		return ""
	}
	whole, err := version.ParseConstraint(partial)
	beyond := strings.TrimPrefix(release(v), strings.TrimSuffix(partial, ".*"))
	if err != nil || !whole.Match(v, true) || strings.Trim(beyond, ".0") != "" {
		return ""
	}
	return fmt.Sprintf(" (%s begins with the pre-releases of %s; <%s includes them if pre-releases count)", partial, release(v), release(v))
}

// release returns the release that a pre-release comes before.
func release(v version.Version) string {
	text, _, _ := strings.Cut(v.String(), "-")
	return text
}
