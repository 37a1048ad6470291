package version_test

import (
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/version"
)

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{"3.12.1", "3.13.0rc1", "1.8.0_192"} {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := version.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkExtract(b *testing.B) {
	for name, output := range map[string]string{
		"python":    "Python 3.11.7\n\n",
		"perl":      perl,
		"java":      "\nopenjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6-Debian-1deb12u1)\n",
		"128K":      strings.Repeat("x86_64 (1.2\n", 11<<10),
		"128K line": strings.Repeat("a1b2 ", 26<<10),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(output)))
			for b.Loop() {
				version.Extract(output)
			}
		})
	}
}

func BenchmarkParseConstraint(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := version.ParseConstraint(">=3.11,<4 || 2.7"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	c, v := constraint(b, ">=3.11,<4 || 2.7"), parse(b, "3.12.4")
	b.ReportAllocs()
	for b.Loop() {
		if !c.Match(v, false) {
			b.Fatal("no match")
		}
	}
}
