package version_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/attune-go/attune/schema/version"
)

func FuzzParse(f *testing.F) {
	for _, text := range append(slices.Clone(versionTexts), "17.0.15+6-Debian-1deb12u1", "1.2~rc1-1ubuntu1", "8.0.100-preview.7", "", "3..1") {
		f.Add(text, "3.13.0-rc.1")
	}
	f.Fuzz(func(t *testing.T, text, other string) {
		v, err := version.Parse(text)
		if err != nil {
			if v != (version.Version{}) {
				t.Fatalf("%q: both %s and %v", text, v, err)
			}
			return
		}
		if again, err := version.Parse(v.String()); err != nil || again != v {
			t.Fatalf("%q was read as %s, and that as %s (%v)", text, v, again, err)
		}
		w, err := version.Parse(other)
		if err != nil {
			return
		}
		want := modelOf(v.String()).compare(modelOf(w.String()))
		if got := v.Compare(w); got != want || (v == w) != (want == 0) || w.Compare(v) != -want {
			t.Fatalf("%s compared with %s = %d, want %d", v, w, got, want)
		}
	})
}

func FuzzExtract(f *testing.F) {
	f.Add("\nPicked up JAVA_TOOL_OPTIONS: -Dfoo=1.2.3\r\nopenjdk version \"1.8.0_192\"\n")
	f.Add("jruby 9.4.3.0 (3.1.4) 2023-06-07 on 17.0.7+7\n")
	f.Add("\x1b[1;32mgcc\x1b[0m (crosstool-NG 1.25.0) 13.2.0")
	f.Add("go version devel go1.23-2e6387cbec\xff")
	f.Add(perl)
	f.Fuzz(func(t *testing.T, output string) {
		v, raw, ok := version.Extract(output)
		if !ok {
			if raw != "" || v != (version.Version{}) {
				t.Fatalf("not ok, but %s from %q", v, raw)
			}
			return
		}
		if again, err := version.Parse(v.String()); err != nil || again != v {
			t.Fatalf("extracted %s, which is read as %s (%v)", v, again, err)
		}
		if len(raw) > 200 || !utf8.ValidString(raw) || strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("raw is %q", raw)
		}
	})
}

func FuzzConstraint(f *testing.F) {
	for _, text := range append(slices.Clone(constraintTexts), "1.2 - ", ">=3.12,<4 || 2.7.18", "17.0.4.0.* !=1-rc1", "") {
		f.Add(text, "3.13.0-rc1")
	}
	f.Fuzz(func(t *testing.T, text, candidate string) {
		c, err := version.ParseConstraint(text)
		if err != nil {
			syntax, ok := err.(*version.SyntaxError)
			if !ok || syntax.Position < 1 || syntax.Position > len(text)+1 {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		sameAgain(t, c)
		v, err := version.Parse(candidate)
		if err != nil {
			return
		}
		for _, prereleases := range []bool{false, true} {
			if got, want := inRanges(c.Ranges(prereleases), v), btoi(c.Match(v, prereleases)); got != want {
				t.Fatalf("%q: %s is in %d ranges, want %d", text, v, got, want)
			}
		}
	})
}
