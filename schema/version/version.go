// Package version reads the versions that tools print and people write, orders
// them, and decides whether one satisfies a constraint.
//
// A version is at least three numbers and perhaps a pre-release: "3.12" is
// 3.12.0, Python's "3.13.0rc1" is 3.13.0-rc1, Java's "1.8.0_192" is 8.0.192.
// Its sort key is text whose byte order is version order, so that a database
// can do by an index what Compare and Constraint.Match do here.
package version

import "strings"

// Version is one version in canonical form. Two versions are equal (==) if and
// only if they are the same version, however they were written. The zero
// Version stands for an unknown one; it sorts before every other.
type Version struct {
	text string
	key  string
}

// Parse reads a version as somebody wrote it: "3.12", "v1.2", "go1.22rc1",
// "1.8.0_192", "5.2.15(1)-release". Blanks and line ends around it are dropped.
//
//   - Missing numbers are zero. Further ones are kept unless zero: 17.0.4.1.
//   - A pre-release is one of a fixed set of words (rc, beta, nightly, ea …)
//     and what follows it, as in semantic versioning; a single letter a, b, c
//     or m counts if a number follows it.
//   - Anything else after the numbers names the builder, not the version, and is
//     dropped: "-7ubuntu2", "+dfsg", "-0+deb12u1", "-release". So is Ruby's
//     patch level ("3.1.2p20"): each 3.1.2 has the same one.
//   - Java's old scheme, 1.N.M_U and NuU, is N.M.U and N.0.U.
//
// The error is a *SyntaxError.
func Parse(text string) (Version, error) {
	s := strings.Trim(text, " \t\r\n")
	if err := checkLength("version", s, maxVersion); err != nil {
		return Version{}, err
	}
	start := prefix(s)
	p, n := scan(s[start:])
	if n == 0 {
		return Version{}, &SyntaxError{"version", s, start + 1, "a version must begin with a number"}
	}
	end := start + n
	end += buildSuffix(s[end:])
	if end < len(s) {
		return Version{}, &SyntaxError{"version", s, end + 1, "unexpected " + quote(s[end:])}
	}
	return p.version(), nil
}

// String returns the canonical form: at least three numbers, and "-" before a
// pre-release, which is in lower case: "3.13.0-rc1". Parse reads it back.
func (v Version) String() string { return v.text }

// Key returns the sort key. Keys are equal where versions are, and their byte
// order is version order: compare them with COLLATE "C" in Postgres and BINARY
// in SQLite. They are ASCII without control characters.
func (v Version) Key() string { return v.key }

// Compare returns -1, 0 or 1. Numbers are compared as numbers; a pre-release
// comes before its release; in pre-releases the order is that of semantic
// versioning, but for runs of digits, which are numbers everywhere: rc2 comes
// before rc10.
func (v Version) Compare(w Version) int { return strings.Compare(v.key, w.key) }

// IsPrerelease reports whether v comes before the release of its numbers.
func (v Version) IsPrerelease() bool { return strings.IndexByte(v.text, '-') >= 0 }
