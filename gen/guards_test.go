package gen_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/gen/testdata/full"
	"github.com/attune-go/attune/gen/testdata/hostile"
)

// guardedTable makes a table with the guards of a golden folder, and gives a
// function that inserts a document.
func guardedTable(t *testing.T, db *testdb.DB, folder, table string) func(doc string) error {
	t.Helper()
	ctx := context.Background()
	file, schema, column := "sqlite.sql", `"main"`, "text"
	if db.Dialect().Name() == dialect.PG {
		file, schema, column = "postgres.sql", `"`+db.Schema+`"`, "jsonb"
	}
	text, err := os.ReadFile("testdata/" + folder + "/guards/" + file)
	if err != nil {
		t.Fatal(err)
	}
	create := "CREATE TABLE " + schema + "." + table + " (document " + column + ");\n"
	// The driver itself: what is to be run holds question marks.
	if _, err := db.DB.DB.ExecContext(ctx, create+strings.ReplaceAll(string(text), "{schema}", schema)); err != nil {
		t.Fatal(err)
	}
	return func(doc string) error {
		_, err := db.NewRaw("INSERT INTO ? VALUES (?)", bun.Safe(schema+"."+table), doc).Exec(ctx)
		return err
	}
}

// The guards of a type with everything in it refuse what Go refuses, but for
// what only Go can know.
func TestGuardsOfEveryKind(t *testing.T) {
	onlyGo := []string{`"note": "nothing"`, `"wait": "0s"`, `"every": "2h"`, `"parts": [{"id": "a"}, {"id": "a"}]`}
	both := []string{
		``, `"x": 1`, `"title": 1`, `"title": null`, `"level": "high"`, `"level": ""`, `"level": "x"`, `"level": 1`, `"words": ["a-b"]`, `"words": ["a", "a"]`,
		`"words": ["A"]`, `"words": [""]`, `"words": [null]`, `"words": {}`, `"labels": ["", "x", "x"]`, `"labels": [1]`, `"tags": []`, `"tags": ["a", "b"]`,
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
		insert := guardedTable(t, db, "full", "tool")
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
	})
}

// Keys and values that would be syntax are data in the guards.
func TestGuardsOfHostileText(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		insert := guardedTable(t, db, "hostile", "odd")
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
