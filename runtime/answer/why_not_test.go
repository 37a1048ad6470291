package answer_test

import (
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/version"
)

// TestWhyNotIsTrue: whatever is given as a reason is one, and there is always
// one for each alternative.
func TestWhyNotIsTrue(t *testing.T) {
	pairs := 0
	for _, text := range []string{
		"*", ">=3.12,<4", ">3.12", "<=3.12", "!=3.12", "!=3.12.1,>3", "~3.12 || ^2.7", "1.2 - 3.12", "=3.12.1", "3.12.*,!=3.12.1",
		">=3.13.0-rc1,<3.13.0-rc3", "<3.13.0-rc1 || >4", ">4,<3", "!=3.13.0-rc2",
	} {
		c, err := version.ParseConstraint(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, written := range []string{"0.1", "2.7.18", "3.12", "3.12.1", "3.12.1-rc1", "3.13.0-rc1", "3.13.0-rc2", "3.13.0-rc3", "3.13", "4", "4.0.0-beta1", "5.1"} {
			v, err := version.Parse(written)
			if err != nil {
				t.Fatal(err)
			}
			for _, prereleases := range []bool{false, true} {
				if c.Match(v, prereleases) {
					continue
				}
				pairs++
				reasons := answer.WhyNot(c, v, prereleases)
				if c.Match(v, true) {
					if len(reasons) != 1 || !strings.HasPrefix(reasons[0], "it is a pre-release") || prereleases {
						t.Errorf("%s and %s, %v: %q", text, written, prereleases, reasons)
					}
					continue
				}
				if len(reasons) != 1+strings.Count(c.String(), "||") {
					t.Errorf("%s and %s: %q", text, written, reasons)
				}
				for _, r := range reasons {
					_, terms, _ := strings.Cut(r, " is not ")
					for term := range strings.SplitSeq(terms, " nor ") {
						if partial, why, ok := strings.Cut(term, " ("); ok {
							release, _, _ := strings.Cut(v.String(), "-")
							term = partial
							if !v.IsPrerelease() || !strings.Contains(why, "<"+release+" includes them") {
								t.Errorf("%s and %s: %q", text, v, r)
							}
						}
						if one, err := version.ParseConstraint(term); err != nil || strings.Contains(term, ",") || one.Match(v, true) {
							t.Errorf("%s and %s: the term %q satisfies the version or does not parse (%v)", text, written, r, err)
						}
					}
				}
			}
		}
	}
	if pairs < 100 {
		t.Errorf("only %d pairs did not match", pairs)
	}
}
