package gen_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/gen"
	"github.com/attune-go/attune/gen/testdata/full"
	"github.com/attune-go/attune/gen/testdata/hostile"
	"github.com/attune-go/attune/migrations"
)

// guardedTable creates a table with the guards of a golden folder. It returns a function that inserts a
// document, and optionally a name and a level.
func guardedTable(t *testing.T, db *testdb.DB, folder, table, column string) func(document any, more ...any) error {
	t.Helper()
	file := "sqlite.sql"
	if db.Dialect().Name() == dialect.PG {
		file = "postgres.sql"
	}
	text, err := os.ReadFile("testdata/" + folder + "/guards/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return guardedBy(t, db, string(text), table, column)
}

func guardedBy(t *testing.T, db *testdb.DB, guards, table, column string) func(document any, more ...any) error {
	t.Helper()
	ctx := context.Background()
	schema, kind := `"main"`, "text"
	if db.Dialect().Name() == dialect.PG {
		schema, kind = `"`+db.Schema+`"`, "jsonb"
	}
	table = schema + `."` + table + `"`
	_, err := db.ExecContext(ctx, "CREATE TABLE "+table+` ("`+column+`" `+kind+", name text, level text)")
	if err == nil {
		err = migrations.ApplyGuards(ctx, db, db.Schema, guards)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(document any, more ...any) error {
		if len(more) == 0 {
			more = []any{"a", nil}
		}
		_, err := db.NewRaw("INSERT INTO ? VALUES (?, ?, ?)", bun.Safe(table), document, more[0], more[1]).Exec(ctx)
		return err
	}
}

// The guards of a type with every feature refuse what Go refuses, except for what only Go can check.
func TestGuardsOfEveryKind(t *testing.T) {
	onlyGo := []string{`"note": "nothing"`, `"wait": "0s"`, `"every": "2h"`, `"parts": [{"id": "a"}, {"id": "a"}]`}
	formats := []string{`"words": ["A"]`, `"words": [""]`, `"tags": ["A b"]`} // which SQLite does not judge
	both := []string{
		``, `"x": 1`, `"title": 1`, `"title": null`, `"level": "high"`, `"level": ""`, `"level": "x"`, `"level": 1`, `"words": ["a-b"]`, `"words": ["a", "a"]`,
		`"words": [null]`, `"words": {}`, `"labels": ["", "x", "x"]`, `"labels": [1]`, `"labels": ["a", "b", "c"]`, `"labels": ["a", "b", "c", "d"]`, `"labels": ["` + strings.Repeat("é", 40) + `"]`, `"labels": ["` + strings.Repeat("é", 41) + `"]`, `"tags": []`, `"tags": ["a", "b"]`,
		`"tags": ["a", "a"]`, `"tags": 1`, `"free": [""]`, `"note": ""`, `"note": []`, `"loud": true`, `"loud": 1`, `"checked": null`,
		`"checked": "x"`, `"count": 10`, `"count": 11`, `"count": -1`, `"rank": 1`, `"rank": 0`, `"any": 2`, `"any": 3.0`, `"any": 3.5`, `"wide": 2147483648`,
		`"every": "1s"`, `"every": ""`, `"every": 1`, `"wait": null`, `"late": {}`, `"spare": null`, `"spare": {}`, `"spare": {"id": "a", "rank": 1.5}`,
		`"spare": {"id": "a", "od/d ~key": 1}`, `"spare": {"id": "a", "od/d ~key": "x"}`, `"spare": []`, `"parts": [{"id": "a"}, {"id": "b", "rank": -7}]`,
		`"parts": [null]`, `"parts": [{"id": ""}]`, `"parts": [{"id": "a"}, {}]`, `"extra": null`, `"extra": [1, {"a": null}]`, `"name": "saw"`,
	}
	whole := []string{`{}`, `null`, `[]`, `1`,
		`{"name": "saw", "levels": ["low"], "main": {"id": "a"}, "whole": {"id": "b"}, "inner": {"id": "c"}, "must": null}`,
		`{"name": "saw", "levels": ["low"], "main": {"id": "a"}, "whole": null, "inner": {"id": "c"}, "must": 1}`,
		`{"name": "saw", "levels": ["low"], "main": {"id": "a"}, "inner": {"id": "c"}, "must": 1}`,
		`{"name": "saw", "levels": [], "main": {"id": "a"}, "whole": {"id": "b"}, "inner": {"id": "c"}, "must": false}`,
		`{"name": "saw", "levels": ["low", "high", "low"], "main": {"id": "a"}, "whole": {"id": "b"}, "inner": {"id": "c"}, "must": ""}`,
		`{"name": "", "levels": ["low"], "main": {"id": "a"}, "whole": {"id": "b"}, "inner": {"id": "c"}, "must": 0}`,
		`{"name": "saw", "levels": ["low"], "main": null, "whole": {"id": "b"}, "inner": {"id": "c"}, "must": 0}`}
	around := func(more string) string {
		if more == "" || more == `"name": "saw"` {
			return "{" + least + "}"
		}
		return "{" + least + ", " + more + "}"
	}
	for _, more := range both {
		whole = append(whole, around(more))
	}
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		insert := guardedTable(t, db, "full", "tool", "document")
		for _, doc := range whole {
			var v full.Tool
			invalid := v.UnmarshalJSON([]byte(doc))
			if invalid == nil {
				invalid = v.Validate()
			}
			if refused := insert(doc); (refused == nil) != (invalid == nil) {
				t.Errorf("%s: Go says %v, the guard says %v", doc, invalid, refused)
			}
		}
		for _, more := range formats {
			if err := insert(around(more)); (err != nil) != (db.Dialect().Name() == dialect.PG) {
				t.Errorf("%s: %v", more, err)
			}
		}
		for _, more := range onlyGo {
			if err := insert(around(more)); err != nil {
				t.Errorf("%s: %v", more, err)
			}
		}
		if err := insert(nil); err == nil || !strings.Contains(err.Error(), "document: is required") {
			t.Errorf("no document: %v", err)
		}
	})
}

// Columns of text follow the rules of their field.
func TestGuardsOfText(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		insert := guardedTable(t, db, "full", "tool", "document")
		for _, c := range []struct {
			name, level any
			want        string
		}{
			{"a-b", nil, ""},
			{"a", "", ""},
			{"a", "high", ""},
			{nil, nil, "name: is required"},
			{"", nil, "name: is required"},
			{"a b", nil, "name: must be a valid word"},
			{"a'", nil, "name: must be a valid word"},
			{strings.Repeat("a", 4096), nil, ""},
			{strings.Repeat("a", 4097), nil, "name: must have at most 4096 characters"},
			{"a", "x", "level: must be low or high"},
			{"a", "null", "level: must be low or high"},
		} {
			err := insert("{"+least+"}", c.name, c.level)
			if db.Dialect().Name() != dialect.PG && (c.want == "name: must be a valid word" || strings.HasSuffix(c.want, "4096 characters")) {
				c.want = "" // a format, and the bound of texts that have one
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("name %.20q, level %q: %v; want %q", c.name, c.level, err, c.want)
			}
		}
		if db.Dialect().Name() == dialect.PG {
			return // which has text in such a column, and no NUL in it
		}
		if err := insert("{"+least+"}", []byte("a"), nil); err == nil || !strings.Contains(err.Error(), "name: must be text") {
			t.Errorf("a blob: %v", err)
		}
		if err := insert("{"+least+"}", bun.Safe("'a' || char(0) || ' '"), nil); err == nil || !strings.Contains(err.Error(), "name: must not contain NUL") {
			t.Errorf("NUL: %v", err)
		}
	})
}

// A list is checked in one pass, so that duplicates are found in a long list too.
func TestGuardsOfLongLists(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		insert := guardedTable(t, db, "full", "tool", "document")
		var words strings.Builder
		for i := range 40_000 {
			word := []byte{'w', '-'}
			for ; i > 0; i /= 10 {
				word = append(word, byte('a'+i%10))
			}
			fmt.Fprintf(&words, `"%sx",`, word)
		}
		list := func(last string) string { return "{" + least + `, "words": [` + words.String() + last + "]}" }
		if err := insert(list(`"last"`)); err != nil {
			t.Errorf("without a fault: %v", err)
		}
		want := "/words/40000: duplicate element"
		if db.Dialect().Name() != dialect.PG {
			want = "/words: duplicate element"
		}
		for _, last := range []string{`"w-hx"`, `"w-hx", "w-gx", "w-hx"`} {
			if err := insert(list(last)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
}

// Keys and values that look like syntax are data in the guards.
func TestGuardsOfHostileText(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		insert := guardedTable(t, db, "hostile", "odd", "document")
		text, err := hostile.Odd{Quote: "x", Kind: hostile.Quoted}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := insert(string(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		wrong := strings.Replace(string(text), `:"x"`, `:1`, 1)
		if err := insert(wrong); err == nil || !strings.Contains(err.Error(), `/quo'te" $$ `) {
			t.Errorf("%s: %v", wrong, err)
		}
		if err := insert(`{"kind": "other"}`); err == nil || !strings.Contains(err.Error(), "/kind: must be plain or it's") {
			t.Errorf("another kind: %v", err)
		}
	})
}

// Keywords of SQL can be names of tables and columns.
func TestGuardsOfWordsOfSQL(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		insert := guardedTable(t, db, "reading", "order", "user")
		if err := insert(`{"level": "high", "name": "a"}`); err != nil {
			t.Error(err)
		}
		if err := insert(`{"level": "loud"}`); err == nil || !strings.Contains(err.Error(), "user: /level: must be low or high") {
			t.Errorf("another level: %v", err)
		}
	})
}

// A field of any kind can be a column of its own.
func TestGuardsOfFields(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		insert := guardedFields(t, db)
		for column, docs := range map[string]struct{ good, bad []string }{
			"labels": {
				[]string{`{}`, `null`, `{"a": "abcd", "b": null}`},
				[]string{`[]`, `"a"`, `{"a": 1}`, `{"a": "abcde"}`, `{"a": "", "b": "", "c": ""}`, `{"a": ["b"]}`},
			},
			"groups": {[]string{`{}`, `null`, `{"a": ["b"], "c": [], "d": null}`}, []string{`[]`, `{"a": "b"}`, `{"a": [1]}`, `{"a": ["abcde"]}`, `{"a": [null]}`}},
			"limits": {[]string{`{}`, `null`, `{"a": 1, "b": 2.0}`}, []string{`[]`, `{"a": 0}`, `{"a": "1"}`, `{"a": 1.5}`}},
			"rules": {
				[]string{`[]`, `null`, `[{"key": "a"}, {"key": "b", "x": 1}]`},
				[]string{`{}`, `[{}]`, `[{"key": ""}]`, `[null]`, `["a"]`, `[{"key": "a"}, {"key": "b"}, {"key": "c"}]`},
			},
			"main": {[]string{`{"key": "b"}`}, []string{`{}`, `null`, `[]`, `{"key": 1}`}},
		} {
			for _, doc := range docs.good {
				if err := insert(column, doc); err != nil {
					t.Errorf("%s: %s: %v", column, doc, err)
				}
			}
			for _, doc := range docs.bad {
				if err := insert(column, doc); err == nil || !strings.Contains(err.Error(), column) || !strings.Contains(err.Error(), ": ") {
					t.Errorf("%s: %s: got %v, want it refused", column, doc, err)
				}
			}
		}
	})
}

// guardedFields creates the table of the golden folder fields with its guards. It returns a function that
// inserts a document into a column.
func guardedFields(t *testing.T, db *testdb.DB) func(column, document string) error {
	t.Helper()
	file, kind, schema := "sqlite.sql", "text", `"main"`
	if db.Dialect().Name() == dialect.PG {
		file, kind, schema = "postgres.sql", "jsonb", `"`+db.Schema+`"`
	}
	text, err := os.ReadFile("testdata/fields/guards/" + file)
	if err != nil {
		t.Fatal(err)
	}
	create := `CREATE TABLE ` + schema + `.site (labels ?0, groups ?0, limits ?0, rules ?0, more ?0, main ?0 DEFAULT '{"key": "a"}')`
	if _, err = db.NewRaw(create, bun.Safe(kind)).Exec(t.Context()); err == nil {
		err = migrations.ApplyGuards(t.Context(), db, db.Schema, string(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(column, document string) error {
		_, err := db.NewRaw("INSERT INTO "+schema+".site (?) VALUES (?)", bun.Name(column), document).Exec(t.Context())
		return err
	}
}

// The guards accept documents of the greatest depth.
func TestGuardsOfNestedObjects(t *testing.T) {
	var source strings.Builder
	source.WriteString(`package p

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard t.c
type T struct {
	A    []L1             ` + "`json:\"a,omitempty\"`" + `
	More document.Unknown ` + "`json:\"-\"`" + `
	bad  document.Malformed
}
`)
	const levels = 40 // of two each
	for i := 1; i <= levels; i++ {
		field := fmt.Sprintf("A []L%d `json:\"a,omitempty\"`\n\tB int `json:\"b\"`", i+1)
		if i == levels {
			field = "B int `json:\"b\"`"
		}
		fmt.Fprintf(&source, "\n//attune:document\ntype L%d struct {\n\t%s\n\tMore document.Unknown `json:\"-\"`\n}\n", i, field)
	}
	files, err := gen.Metadata(gen.Source{Files: map[string][]byte{"p.go": []byte(source.String())}}, gen.MetadataConfig{Guards: "g"})
	if err != nil {
		t.Fatal(err)
	}
	nested := func(n int, value string) string {
		return strings.Repeat(`{"a": [`, n) + `{"b": ` + value + "}" + strings.Repeat("]}", n)
	}
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		file := "g/sqlite.sql"
		if db.Dialect().Name() == dialect.PG {
			file = "g/postgres.sql"
		}
		insert := guardedBy(t, db, string(files[file]), "t", "c")
		if err := insert(nested(31, "1")); err != nil {
			t.Errorf("a number: %.300s", err)
		}
		if err := insert(nested(31, `""`)); err == nil || !strings.Contains(err.Error(), "must be a whole number") {
			t.Errorf("no number: %.300v", err)
		}
	})
}

// TestGuardsOfTwoPackages gives two packages a type of one name. Each column keeps its rules.
func TestGuardsOfTwoPackages(t *testing.T) {
	guards := func(column, rule string) map[string][]byte {
		files, err := gen.Metadata(gen.Source{Files: map[string][]byte{"p.go": []byte(`package p

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard ` + column + `
type Options struct {
	Size document.Optional[int] ` + "`json:\"size,omitzero\" attune:\"" + rule + "\"`" + `
	More document.Unknown ` + "`json:\"-\"`" + `
	bad  document.Malformed
}
`)}}, gen.MetadataConfig{Guards: "g"})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	small, large := guards("box.options", "default=5,max=10"), guards("hall.options", "default=200,min=100")
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		file := "g/sqlite.sql"
		if db.Dialect().Name() == dialect.PG {
			file = "g/postgres.sql"
		}
		box := guardedBy(t, db, string(small[file]), "box", "options")
		hall := guardedBy(t, db, string(large[file]), "hall", "options")
		for name, insert := range map[string]func(any, ...any) error{"box": box, "hall": hall} {
			for size, fits := range map[string]bool{`{"size": 5}`: name == "box", `{"size": 500}`: name == "hall"} {
				if err := insert(size); (err == nil) != fits {
					t.Errorf("%s into %s: %v", size, name, err)
				}
			}
		}
	})
}
