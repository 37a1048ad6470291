package version_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	semver "github.com/Masterminds/semver/v3"
	goversion "github.com/hashicorp/go-version"

	"github.com/attune-go/attune/schema/version"
)

// What the well-known libraries say of the same text, wherever they read it;
// every difference has a reason, and every reason a difference.

const (
	masterminds = "Masterminds/semver"
	hashicorp   = "hashicorp/go-version"
)

// library asks a library; ok is false where it refuses one of its arguments.
type library struct {
	compare func(a, b string) (result int, ok bool)
	match   func(constraint, v string) (result, ok bool)
}

var libraries = map[string]library{
	masterminds: {
		compare: func(a, b string) (int, bool) {
			v, err := semver.NewVersion(a)
			w, err2 := semver.NewVersion(b)
			if err != nil || err2 != nil {
				return 0, false
			}
			return v.Compare(w), true
		},
		match: func(constraint, text string) (bool, bool) {
			c, err := semver.NewConstraint(constraint)
			v, err2 := semver.NewVersion(text)
			if err != nil || err2 != nil {
				return false, false
			}
			return c.Check(v), true
		},
	},
	hashicorp: {
		compare: func(a, b string) (int, bool) {
			v, err := goversion.NewVersion(a)
			w, err2 := goversion.NewVersion(b)
			if err != nil || err2 != nil {
				return 0, false
			}
			return v.Compare(w), true
		},
		match: func(constraint, text string) (bool, bool) {
			c, err := goversion.NewConstraint(constraint)
			v, err2 := goversion.NewVersion(text)
			if err != nil || err2 != nil {
				return false, false
			}
			return c.Check(v), true
		},
	},
}

// question is what a library answers otherwise; constraint is empty where two
// versions are compared.
type question struct{ library, constraint, a, b string }

func (q question) String() string {
	if q.constraint == "" {
		return fmt.Sprintf("`%s` and `%s`, %s", q.b, q.a, q.library)
	}
	return fmt.Sprintf("`%s` for `%s`, %s", q.b, strings.ReplaceAll(q.constraint, "|", "\\|"), q.library)
}

func (q question) either(parts ...string) bool {
	for _, part := range parts {
		if strings.Contains(q.a, part) || strings.Contains(q.b, part) {
			return true
		}
	}
	return false
}

type reason struct {
	why     string
	explain func(question) bool
}

// The first reason that applies counts.
var orderReasons = []reason{
	{"a suffix that names no pre-release says who built the version; theirs is a pre-release, or metadata that is ordered",
		func(q question) bool { return q.either("ubuntu", "+dfsg", "3-1", "deb12u1") }},
	{"the tools' rc10 comes after rc2; they compare the digits as text",
		func(q question) bool { return q.either("rc10") }},
	{"PHP's RC1 is anybody's rc1; theirs tell upper from lower case",
		func(q question) bool { return q.either("RC1") }},
	{"more identifiers come later, as in semantic versioning; go-version puts letters before none",
		func(q question) bool {
			return q.library == hashicorp && q.a == "1.0.0-alpha.beta" && q.b == "1.0.0-alpha"
		}},
}

var constraintReasons = []reason{
	{"a suffix that names no pre-release says who built the version; theirs is a pre-release",
		func(q question) bool { return q.either("ubuntu", "3-1", "deb12u1", "p20") }},
	{"8u192 is Java 8.0.192; go-version reads a pre-release of 8",
		func(q question) bool { return q.either("8u192") }},
	{"a partial version stands for all that begin so; go-version adds zeros",
		func(q question) bool {
			return q.library == hashicorp && strings.Count(q.constraint, ".") < 2 && !isPrerelease(q.b)
		}},
	{"!= lets no pre-release in; go-version takes each, semver each if it names one",
		func(q question) bool { return strings.HasPrefix(q.constraint, "!=") && isPrerelease(q.b) }},
	{"the tools' rc10 comes after rc2; they compare the digits as text",
		func(q question) bool { return q.either("rc10") || strings.Contains(q.constraint, "rc10") }},
	{"PHP's RC1 is anybody's rc1; theirs tell upper from lower case",
		func(q question) bool { return q.either("RC1") }},
	{"<3.13.0-rc2 names pre-releases of 3.13.0; semver takes those of every version",
		func(q question) bool {
			return q.library == masterminds && q.constraint == "<3.13.0-rc2" && isPrerelease(q.b)
		}},
	{">=3.13.0-rc2,<4 names a pre-release; go-version wants one named in both terms",
		func(q question) bool {
			return q.library == hashicorp && q.constraint == ">=3.13.0-rc2,<4" && q.b == "3.13.0-rc2"
		}},
}

var librariesVersions = strings.Fields(`
	0.0.1 0.3.0 0.3.9 0.4.0 1 1.0 1.0.0 1.2 1.2.3 v1.2.3 1.9.0 1.10.0 2.0.0
	3.11.9 3.12 3.12.0 3.12.1 3.12.99 3.13.0 4.0.0 17.0.4 17.0.4.1 17.0.4.0
	1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1
	3.12.1-rc1 3.13.0-rc1 3.13.0-rc2 3.13.0-rc10 3.13.0-RC1 3.13.0rc1 3.13.0-rc.1+b5
	1.2.3-7ubuntu2 1.2.3+dfsg 1.2.3-1 1.2.3-deb12u1 3.1.2p20 8u192
	1.8.0_192 go1.22rc1 5.2.15(1)-release`)

var librariesConstraints = []string{
	"*", "3", "3.12", "3.12.1", "3.12.*",
	"=3.12", "!=3.12", ">3.12", ">=3.12", "<3.12", "<=3.12",
	"=3.12.0", "!=3.12.0", ">3.12.0", ">=3.12.0", "<3.12.0", "<=3.12.0",
	"~3", "~3.12", "~3.12.1", "^3.12", "^0", "^0.3", "^0.3.0", "^0.0.1",
	"3.11 - 3.12", "3.11.9 - 3.12.1", ">=3.11,<4", ">=3.11 <4", "2 || 3.12",
	"3.13.0-rc1", "!=3.13.0-rc1", ">=3.13.0-rc1", "<3.13.0-rc2", "^3.13.0-rc1", ">=3.13.0-rc10", ">=3.13.0-rc2,<4",
}

func TestOrderBesideLibraries(t *testing.T) {
	explainer := newExplainer(t, orderReasons)
	for name, lib := range libraries {
		for i, a := range librariesVersions {
			for _, b := range librariesVersions[:i] {
				theirs, ok := lib.compare(a, b)
				ours := parse(t, a).Compare(parse(t, b))
				explainer.add(question{name, "", a, b}, ok, ours == theirs)
			}
		}
	}
	explainer.finish(1000)
}

func TestConstraintsBesideLibraries(t *testing.T) {
	explainer := newExplainer(t, constraintReasons)
	for name, lib := range libraries {
		for _, text := range librariesConstraints {
			c := constraint(t, text)
			for _, v := range librariesVersions {
				theirs, ok := lib.match(text, v)
				ours := c.Match(parse(t, v), false)
				explainer.add(question{name, text, "", v}, ok, ours == theirs)
			}
		}
	}
	explainer.finish(1500)
}

// explainer counts answers that are the same, and finds the others' reasons.
type explainer struct {
	t       *testing.T
	reasons []reason
	used    map[string]int
	example map[string]string // of each reason, the one that sorts first
	agreed  int
}

func newExplainer(t *testing.T, reasons []reason) *explainer {
	return &explainer{t: t, reasons: reasons, used: map[string]int{}, example: map[string]string{}}
}

func (e *explainer) add(q question, answered, same bool) {
	if !answered {
		return
	}
	if same {
		e.agreed++
		return
	}
	for _, r := range e.reasons {
		if r.explain(q) {
			e.used[r.why]++
			if example := q.String(); e.example[r.why] == "" || example < e.example[r.why] {
				e.example[r.why] = example
			}
			return
		}
	}
	e.t.Errorf("%+v is answered otherwise, for no known reason", q)
}

func (e *explainer) finish(least int) {
	var table strings.Builder
	table.WriteString("| answers | reason | for example |\n|---|---|---|\n")
	fmt.Fprintf(&table, "| %d | the same | |\n", e.agreed)
	for _, r := range e.reasons {
		if e.used[r.why] == 0 {
			e.t.Errorf("no difference has the reason: %s", r.why)
		}
		fmt.Fprintf(&table, "| %d | %s | %s |\n", e.used[r.why], r.why, e.example[r.why])
	}
	page, err := os.ReadFile("../../docs/versions.md")
	if err != nil || !strings.Contains(string(page), table.String()) {
		e.t.Errorf("docs/versions.md lacks this table (%v):\n%s", err, &table)
	}
	if e.agreed < least {
		e.t.Errorf("only %d answers are the same, want %d", e.agreed, least)
	}
}

func isPrerelease(text string) bool {
	v, err := version.Parse(text)
	return err == nil && v.IsPrerelease()
}
