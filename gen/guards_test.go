package gen_test

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/gen"
	"github.com/attune-go/attune/gen/testdata/full"
	"github.com/attune-go/attune/gen/testdata/hostile"
)

// guardedTable makes a table with the guards of a golden folder, and gives a
// function that inserts a document, and a name and a level where they are given.
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
	create := "CREATE TABLE " + table + ` ("` + column + `" ` + kind + ", name text, level text);\n"
	// The driver itself: what is to be run holds question marks.
	if _, err := db.DB.DB.ExecContext(ctx, create+strings.ReplaceAll(guards, "{schema}", schema)); err != nil {
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

// The guards of a type with everything in it refuse what Go refuses, but for
// what only Go can know.
func TestGuardsOfEveryKind(t *testing.T) {
	onlyGo := []string{`"note": "nothing"`, `"wait": "0s"`, `"every": "2h"`, `"parts": [{"id": "a"}, {"id": "a"}]`}
	both := []string{
		``, `"x": 1`, `"title": 1`, `"title": null`, `"level": "high"`, `"level": ""`, `"level": "x"`, `"level": 1`, `"words": ["a-b"]`, `"words": ["a", "a"]`,
		`"words": ["A"]`, `"words": [""]`, `"words": [null]`, `"words": {}`, `"labels": ["", "x", "x"]`, `"labels": [1]`, `"labels": ["a", "b", "c"]`, `"labels": ["a", "b", "c", "d"]`, `"labels": ["` + strings.Repeat("é", 40) + `"]`, `"labels": ["` + strings.Repeat("é", 41) + `"]`, `"tags": []`, `"tags": ["a", "b"]`,
		`"tags": ["a", "a"]`, `"tags": ["A b"]`, `"tags": 1`, `"free": [""]`, `"note": ""`, `"note": []`, `"loud": true`, `"loud": 1`, `"checked": null`,
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

// Columns of text are held to what the field is.
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
			{"a b", nil, "name: is no word"},
			{"a'", nil, "name: is no word"},
			{strings.Repeat("a", 4096), nil, ""},
			{strings.Repeat("a", 4097), nil, "name: is longer than 4096 characters"},
			{"a", "x", "level: must be low or high"},
			{"a", "null", "level: must be low or high"},
		} {
			err := insert("{"+least+"}", c.name, c.level)
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
		if err := insert("{"+least+"}", bun.Safe("'a' || char(0) || ' '"), nil); err == nil || !strings.Contains(err.Error(), "name: must not hold NUL") {
			t.Errorf("NUL: %v", err)
		}
	})
}

// A list is judged in one go: what is there twice is found in a long one too.
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
		want := "/words/40000: is there twice"
		if db.Dialect().Name() != dialect.PG {
			want = "/words: an element is there twice"
		}
		for _, last := range []string{`"w-hx"`, `"w-hx", "w-gx", "w-hx"`} {
			if err := insert(list(last)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	})
}

// Keys and values that would be syntax are data in the guards.
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

// Words of SQL can be names of tables and columns.
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

// What is just within the limits of SQLite works there, and what is beyond them
// is refused when it is generated.
func TestGuardsAtTheLimitsOfSQLite(t *testing.T) {
	const head = `package p

import "github.com/attune-go/attune/schema/document"

//attune:document column
//attune:guard t.c
type T struct {
	A    A                ` + "`json:\"a\"`" + `
	More document.Unknown ` + "`json:\"-\"`" + `
	bad  document.Malformed
}
`
	nested := func(n int, value string) string {
		return `{"a": ` + strings.Repeat(`{"b": `, n) + `{"b": ` + value + strings.Repeat("}", n+2)
	}
	declare := func(name string, fields ...string) string {
		return "\n//attune:document\ntype " + name + " struct {\n" + strings.Join(fields, "\n") + "\nMore document.Unknown `json:\"-\"`\n}\n"
	}
	for name, c := range map[string]struct {
		// source has n of something; the document wrong has a fault in the last.
		source, right, wrong func(n int) string
		fault, past          string
	}{
		"rules": {
			func(n int) string {
				var lists []string
				source := head
				for i := range 8 { // of at most 64 keys
					var fields []string
					for j := range max(0, min(64, n-64*i)) {
						fields = append(fields, fmt.Sprintf("F%d []string `json:\"f%d,omitempty\"`", j, j))
					}
					source += declare(fmt.Sprintf("L%d", i), fields...)
					lists = append(lists, fmt.Sprintf("L%d L%[1]d `json:\"l%[1]d\"`", i))
				}
				return source + declare("A", lists...)
			},
			func(int) string { return `{"a": {"l0": {"f0": ["x"]}}}` },
			func(n int) string { return fmt.Sprintf(`{"a": {"l%d": {"f%d": [1]}}}`, (n-1)/64, (n-1)%64) },
			"must be text", "the guards of SQLite have at most 500 rules",
		},
		"patterns": {
			func(n int) string {
				source := head + "\n// letter accepts a.\n//\n//attune:format letter a\nfunc letter(string) string { return \"\" }\n"
				var lists []string
				for i := range 8 {
					var fields []string
					for j := range max(0, min(64, n-64*i)) {
						fields = append(fields, fmt.Sprintf("F%d []string `json:\"f%d,omitempty\" attune:\"format=letter\"`", j, j))
					}
					source += declare(fmt.Sprintf("L%d", i), fields...)
					lists = append(lists, fmt.Sprintf("L%d L%[1]d `json:\"l%[1]d\"`", i))
				}
				return source + declare("A", lists...)
			},
			func(int) string { return `{"a": {"l0": {"f0": ["a"]}}}` },
			func(n int) string { return fmt.Sprintf(`{"a": {"l%d": {"f%d": ["b"]}}}`, (n-1)/64, (n-1)%64) },
			"must be a", "the guards of SQLite follow patterns in at most 900",
		},
		"nesting": {
			func(n int) string {
				source := head + declare("A", "B L1 `json:\"b\"`")
				for i := 1; i < n; i++ {
					source += declare(fmt.Sprintf("L%d", i), fmt.Sprintf("B L%d `json:\"b\"`", i+1))
				}
				return source + declare(fmt.Sprintf("L%d", n), "B int `json:\"b\"`")
			},
			func(n int) string { return nested(n, "1") },
			func(n int) string { return nested(n, `""`) },
			"must be a whole number", "the guards of SQLite look into at most 64",
		},
	} {
		t.Run(name, func(t *testing.T) {
			generate := func(n int) (string, error) {
				files, err := gen.Metadata(gen.Source{Files: map[string][]byte{"p.go": []byte(c.source(n))}}, gen.MetadataConfig{Guards: "g"})
				return string(files["g/sqlite.sql"]), err
			}
			most := sort.Search(512, func(i int) bool { _, err := generate(i + 1); return err != nil })
			if _, err := generate(most + 1); err == nil || !strings.Contains(err.Error(), c.past) {
				t.Errorf("%d: %v", most+1, err)
			}
			guards, err := generate(most)
			if err != nil {
				t.Fatal(err)
			}
			insert := guardedBy(t, testdb.SQLite(t), guards, "t", "c")
			if err := insert(c.right(most)); err != nil {
				t.Errorf("%d: %.300s", most, err)
			}
			if err := insert(c.wrong(most)); err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%d, with a fault: %.300v", most, err)
			}
		})
	}
}
