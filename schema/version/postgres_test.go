package version_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/version"
)

// builds are what distributions and builders write after a version, and what
// looks like it and is not.
var builds = []string{
	"", "", "-7ubuntu2", "+dfsg", "-0+deb12u1", "-release", "(1)-release", "(1)", "p20", "P20", "ubuntu2", "_1", "+", "-", "~", "++", "q20",
	"(1", "-é", ".", "..1", " x", "\n", "_192", "_0", "u192", "U192", "-b08", "b08", "b1", "~rc1-1ubuntu1", "-rc1", ".rc1.", "_rc1", "rcx1", "m", "M3",
	"-ea+15", "-internal+0-adhoc.user.jdk", "-devel_2e6387cbec", "-prerelease", "-pre-x", "a1+", "-RC.01", "c\t", "-\x7f",
}

// spelled are versions as people and tools spell them, right and wrong ones.
func spelled(g generator) []string {
	list := []string{
		"", " ", ".", "v", "go", "gov1", "V1", "GO1.22", "go1.22rc1", "v.1", " \t3.12\r\n", "\v3.12", "3. 12", "١.٢", "1.²", "3.12\u00a0",
		"1.8.0_192", "01.08.0_05", "1.8_5", "2.8.0_192", "1.8.0.0_1", "8u192", "8U192", "8.0u1", "08u05", "1.8.0_392-8u392-ga-1~deb11u1-b08",
		"1.8.0_392a1", "8u1rc1", "1.0.0.0.0", "0", "00", "0.0.0.0.1", "1.2.3-rc-é", strings.Repeat("1.", 200) + "1",
		strings.Repeat("9", 256), strings.Repeat("9", 257), " " + strings.Repeat("9", 256) + " ", strings.Repeat("0", 30) + "7", "1é", "é1",
	}
	list = append(list, versionTexts...)
	for range 1500 {
		list = append(list, pick(g, "", "", "v", "go", "Go", "g", " ")+g.version()+pick(g, builds...)+pick(g, builds...))
	}
	for range 1500 {
		list = append(list, mangled(g, g.version()+pick(g, builds...)))
	}
	return list
}

// mangled changes a few characters of a text.
func mangled(g generator, text string) string {
	runes := []rune(text)
	for range 1 + g.IntN(3) {
		at := g.IntN(len(runes) + 1)
		with := []rune(pick(g, "", ".", "-", "~", "_", "+", "0", "1", "rc", "b", "u", "U", "(", " ", "*", "x", "=", ">", "|", ",", "é"))
		runes = slices.Concat(runes[:at], with, runes[min(len(runes), at+g.IntN(2)):])
	}
	return string(runes)
}

// TestVersionKeyOfPostgres: version_key is Key of Parse, and NULL where Parse
// refuses.
func TestVersionKeyOfPostgres(t *testing.T) {
	db := testdb.Postgres(t, testdb.Schema("attune"))
	inputs := storable(spelled(newGenerator()))
	var got []struct {
		Text string
		Key  *string
	}
	askEach(t, db, inputs, `SELECT t.text, attune.version_key(t.text) AS key`, &got)
	read := 0
	for _, g := range got {
		var want *string
		if v, err := version.Parse(g.Text); err == nil {
			key := v.Key()
			want, read = &key, read+1
		}
		if (want == nil) != (g.Key == nil) || want != nil && *want != *g.Key {
			t.Errorf("version_key(%q) = %s, want %s", g.Text, orNull(g.Key), orNull(want))
		}
	}
	if len(got) != len(inputs) || read < len(inputs)/4 || read > len(inputs)*9/10 {
		t.Errorf("of %d inputs %d are versions: not enough of either kind", len(got), read)
	}
}

// constraints are such as people write them, right and wrong ones.
func constraints() []string {
	g := newGenerator()
	inputs := slices.Concat(constraintTexts, []string{
		"", " ", "*", "=*", "= *", ">*", "* - 2", "1.* - 2", ">1 - 2", "1 -2", "1- 2", "1 - ", "1.2 - 1.4 - 1.6", "1,2", "1,,2", "1,", ",1", "1 || 2", "1|2", "|| 1",
		"1 ||", "1 | | 2", ">=3.12,<4 || 2.7.18", "17.0.4.0.* !=1-rc1", "3.x", "3.X", "3.**", "3..*", "^ 3.12", "~\t3", "==3", "===3", "~>3", "~=3", "=>3", "<>3", "!3",
		"latest", "python", "v3", "go1.22", "V3.12", ">=go1", "8u192", "8U192", "1.8.0_192.*", "1.0.0-rc1U5", "3.12-7ubuntu2", "3.12~rc1", "3.12~rc1-1", "3.12-rc1.*",
		"3.13b1", "3.13m", "8u1b1", "8u1rc1", strings.Repeat("9", 256), strings.Repeat("9", 257), ">=" + strings.Repeat("9", 256) + ".*",
		strings.Repeat("1 ", 512), strings.Repeat("1 ", 513), "1\n2", "1\v2", "3.12\u00a0", "é",
	})
	for range 600 {
		_, text := g.constraint()
		inputs = append(inputs, text, strings.ToUpper(text), mangled(g, text), mangled(g, text))
	}
	return inputs
}

// TestConstraintsOfPostgres: the database refuses what ParseConstraint refuses.
func TestConstraintsOfPostgres(t *testing.T) {
	db := testdb.Postgres(t, testdb.Schema("attune"))
	inputs := storable(constraints())
	var got []struct {
		Text  string
		Valid bool
	}
	askEach(t, db, inputs, `SELECT t.text, attune.version_constraint_valid(t.text) AS valid`, &got)
	accepted := 0
	for _, a := range got {
		_, err := version.ParseConstraint(a.Text)
		if accepted += btoi(a.Valid); a.Valid != (err == nil) {
			t.Errorf("version_constraint_valid(%q) = %v, and ParseConstraint says %v", a.Text, a.Valid, err)
		}
	}
	if len(got) != len(inputs) || accepted < len(inputs)/4 || accepted > len(inputs)*9/10 {
		t.Errorf("of %d inputs %d are constraints: not enough of either kind", len(got), accepted)
	}
}

// TestConstraintsOfSQLite: a statement of anybody's is refused where ParseConstraint
// refuses.
func TestConstraintsOfSQLite(t *testing.T) {
	db := testdb.SQLite(t)
	inputs, accepted := append(constraints(), "1\x00", "\x001", "1\xff"), 0
	for _, text := range inputs {
		_, err := db.ExecContext(t.Context(), "INSERT INTO version_constraint_check VALUES (?)", text)
		_, want := version.ParseConstraint(text)
		if (err == nil) != (want == nil) {
			t.Errorf("%q: SQLite answers %v, ParseConstraint %v", text, err, want)
		}
		accepted += btoi(err == nil)
	}
	if accepted < len(inputs)/4 || accepted > len(inputs)*9/10 {
		t.Errorf("of %d inputs %d are constraints: not enough of either kind", len(inputs), accepted)
	}
}

// storable drops what no column of Postgres can hold.
func storable(texts []string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return !utf8.ValidString(s) || strings.Contains(s, "\x00") })
}

// askEach asks a query of every text, each in a row.
func askEach[T any](t *testing.T, db *testdb.DB, texts []string, query string, answers *[]T) {
	t.Helper()
	for part := range slices.Chunk(texts, 500) {
		var got []T
		values := bun.SafeQuery("(?)", part[0])
		for _, text := range part[1:] {
			values = bun.SafeQuery("?, (?)", values, text)
		}
		if err := db.NewRaw(query+" FROM (VALUES ?) t (text)", values).Scan(t.Context(), &got); err != nil {
			t.Fatal(err)
		}
		*answers = append(*answers, got...)
	}
}

func orNull(s *string) string {
	if s == nil {
		return "NULL"
	}
	return *s
}
