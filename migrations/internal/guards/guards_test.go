package guards_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations/internal/guards"
	"github.com/attune-go/attune/migrations/internal/verdicts"
	"github.com/attune-go/attune/schema/metadata"
)

// guarded is a database with the guards.
type guarded struct {
	*testdb.DB
	t        *testing.T
	postgres bool
	schema   string
	next     int
}

// each runs a test beside others, on each database with its guards.
func each(t *testing.T, test func(t *testing.T, g *guarded)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		g := &guarded{DB: db, t: t, postgres: db.Schema != "" && db.Dialect().Name().String() == "pg"}
		g.schema = `"main"`
		if g.postgres {
			g.schema = `"` + db.Schema + `"`
		}
		g.apply()
		test(t, g)
	})
}

func (g *guarded) set() guards.Set {
	if g.postgres {
		return guards.Postgres()
	}
	return guards.SQLite()
}

func (g *guarded) apply() {
	g.t.Helper()
	g.must(strings.ReplaceAll(g.set().Apply, "{schema}", g.schema))
}
func (g *guarded) drop() {
	g.t.Helper()
	g.must(strings.ReplaceAll(g.set().Drop, "{schema}", g.schema))
}

func (g *guarded) must(sql string) {
	g.t.Helper()
	if _, err := g.DB.DB.DB.ExecContext(context.Background(), sql); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guarded) table(name string) string { return g.schema + "." + name }

// insert inserts a runtime with the document, and returns the refusal.
func (g *guarded) insert(doc string) error {
	g.next++
	_, err := g.DB.NewRaw("INSERT INTO ? (ref, name, distributions) VALUES (?, 'X', ?)", bun.Safe(g.table("runtime")), fmt.Sprintf("core.x%d", g.next), doc).
		Exec(context.Background())
	return err
}

// faults returns the faults that Go finds in a document.
func faults(doc string) metadata.Faults {
	var d metadata.Distributions
	var unread, invalid metadata.Faults
	errors.As(d.UnmarshalJSON([]byte(doc)), &unread)
	errors.As(d.Validate(), &invalid)
	return append(unread, invalid...)
}

// named reports whether a refusal names the place of one of the faults. SQLite names an element of a list
// *, and for a duplicate element the list.
func (g *guarded) named(refusal error, faults metadata.Faults) bool {
	for _, f := range faults {
		f.Pointer = g.pointer(f.Pointer)
		at := f.Pointer + ": "
		if f.Pointer == "" {
			at = "distributions: "
		}
		if strings.Contains(refusal.Error(), at) ||
			strings.Contains(refusal.Error(), strings.TrimSuffix(f.Pointer, "/*")+": duplicate element") {
			return true
		}
	}
	return false
}

// pointer returns a pointer in the form of the guards.
func (g *guarded) pointer(pointer string) string {
	if g.postgres {
		return pointer
	}
	return index.ReplaceAllString(pointer, "/*")
}

var index = regexp.MustCompile(`/[0-9]+\b`)

func (g *guarded) judge() verdicts.Judge {
	if g.postgres {
		return verdicts.Postgres
	}
	return verdicts.SQLite
}

func TestCases(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		for _, c := range verdicts.Distributions() {
			doc := string(c.Doc)
			refused := g.insert(doc)
			if (refused != nil) != c.SeenBy(g.judge()) {
				t.Errorf("%s: a fault for %s, got %v", doc, c.Judges, refused)
			} else if refused != nil && !g.named(refused, faults(doc)) {
				t.Errorf("%s: refused with %v\nbut Go says %v", doc, refused, faults(doc))
			}
		}
	})
}

// A whole definition is written into the columns of two tables.
func TestDefinitions(t *testing.T) {
	type columns struct {
		Distributions   json.RawMessage
		ExecutionConfig json.RawMessage `json:"execution_config"`
	}
	or := func(column json.RawMessage, value string) string {
		if column == nil {
			return value
		}
		return string(column)
	}
	each(t, func(t *testing.T, g *guarded) {
		for _, c := range verdicts.Definitions() {
			var d struct {
				columns
				Name     any
				Aliases  json.RawMessage
				Versions []columns
			}
			if json.Unmarshal(c.Doc, &d) != nil || c.Doc[0] != '{' || string(d.Aliases) == "null" { // which the column does not take: it has a default
				continue
			}
			if _, ok := d.Name.(string); !ok && d.Name != nil {
				continue
			}
			g.next++
			ref := fmt.Sprintf("core.x%d", g.next)
			_, err := g.NewRaw("INSERT INTO ? (ref, name, aliases, distributions, execution_config) VALUES (?, ?, ?, ?, ?)", bun.Safe(g.table("runtime")),
				ref, d.Name, or(d.Aliases, "[]"), or(d.Distributions, "{}"), or(d.ExecutionConfig, "{}")).Exec(context.Background())
			for i, v := range d.Versions {
				if err == nil {
					_, err = g.NewRaw("INSERT INTO ? (runtime, version, sort_key, distributions, execution_config) SELECT id, ?, '', ?, ? FROM ? WHERE ref = ?",
						bun.Safe(g.table("runtime_version")), fmt.Sprint(i), or(v.Distributions, "{}"), or(v.ExecutionConfig, "{}"), bun.Safe(g.table("runtime")), ref).
						Exec(context.Background())
				}
			}
			if (err != nil) != c.SeenBy(g.judge()) {
				t.Errorf("%s: a fault for %s, got %v", c.Doc, c.Judges, err)
			}
		}
	})
}

// A platform may keep anything in execution_config, except in the keys that are read.
func TestExecutionConfigs(t *testing.T) {
	docs := []string{`{}`, `null`, `{"interpreter": {"binary": "python3", "args": ["-u"], "x": 1}, "environment": 1, "y": [null]}`,
		`{"interpreter": null}`, `[]`, `"x"`, `1`, `{"interpreter": 5}`, `{"interpreter": "python3"}`, `{"interpreter": {"binary": 3}}`,
		`{"interpreter": {"args": "x"}}`, `{"interpreter": {"args": [1]}}`, `{"interpreter": {"file_extension": []}}`}
	each(t, func(t *testing.T, g *guarded) {
		if err := g.insert(`{}`); err != nil {
			t.Fatal(err)
		}
		if _, err := g.NewRaw("INSERT INTO ? (runtime, version, sort_key) SELECT id, '3.1', '' FROM ?", bun.Safe(g.table("runtime_version")), bun.Safe(g.table("runtime"))).
			Exec(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, doc := range docs {
			var c metadata.ExecutionConfig
			want := errors.Join(c.UnmarshalJSON([]byte(doc)), c.Validate())
			for _, table := range []string{"runtime", "runtime_version"} {
				_, err := g.NewRaw("UPDATE ? SET execution_config = ?", bun.Safe(g.table(table)), doc).Exec(context.Background())
				if (err != nil) != (want != nil) || err != nil && !strings.Contains(err.Error(), "execution_config: ") {
					t.Errorf("%s of %s: Go says %v, the guard %v", doc, table, want, err)
				}
			}
		}
	})
}

// Names and aliases have their own columns. Postgres checks their characters.
func TestNames(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		refused := func(name, aliases string) error {
			g.next++
			_, err := g.DB.NewRaw("INSERT INTO ? (ref, name, aliases) VALUES (?, ?, ?)", bun.Safe(g.table("runtime")), fmt.Sprintf("core.x%d", g.next), name, aliases).
				Exec(context.Background())
			return err
		}
		for _, text := range verdicts.Texts() {
			d := metadata.Definition{Ref: "core.x", Name: text}
			if err := refused(text, "[]"); (err != nil) != (g.postgres && d.Validate() != nil) {
				t.Errorf("name %q: Go says %v, the guard says %v", text, d.Validate(), err)
			} else if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("name %q: the refusal holds it: %q", text, err)
			}
			aliases := metadata.Aliases{text}
			list, err := json.Marshal([]string(aliases))
			if err != nil {
				t.Fatal(err)
			}
			if err := refused("X", string(list)); (err != nil) != (g.postgres && aliases.Validate() != nil) {
				t.Errorf("alias %q: Go says %v, the guard says %v", text, aliases.Validate(), err)
			}
		}
		// Unchanged values are not checked.
		table := g.table("runtime")
		g.drop()
		g.must("INSERT INTO " + table + ` (ref, name, aliases) VALUES ('old.one', '', '["a,b"]')`)
		g.apply()
		g.must("UPDATE " + table + ` SET name = '', aliases = '["a,b"]', description = 'x' WHERE ref = 'old.one'`)
		for _, set := range []string{"name = NULL", `aliases = '["a", "a"]'`} {
			if _, err := g.DB.DB.DB.Exec("UPDATE " + table + " SET " + set + " WHERE ref = 'old.one'"); err == nil {
				t.Errorf("%s was not refused", set)
			}
		}
	})
}

func TestGeneratedDocuments(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		for seed := range uint64(1500) {
			g.compare(fmt.Sprint("seed ", seed), verdicts.Random(rand.New(rand.NewPCG(seed, 2))), g.postgres)
			g.compare(fmt.Sprint("shape, seed ", seed), verdicts.RandomShape(rand.New(rand.NewPCG(seed, 3))), true)
		}
		for seed := range uint64(25) {
			g.compare(fmt.Sprint("large, seed ", seed), verdicts.RandomLarge(rand.New(rand.NewPCG(seed, 2))), g.postgres)
		}
	})
}

// compare checks the guard's verdict against Go's. The guard must not refuse anything else, and must refuse
// as much if it sees everything.
func (g *guarded) compare(name, doc string, all bool) {
	g.t.Helper()
	refused, want := g.insert(doc), faults(doc)
	if refused != nil && !g.named(refused, want) {
		g.t.Errorf("%s: refused with %v\nbut Go says %v\n%.3000s", name, refused, want, doc)
	} else if refused == nil && len(want) > 0 && all {
		g.t.Errorf("%s: Go says %v, the guard nothing\n%.3000s", name, want, doc)
	}
}

// Unchanged values are not checked: a database may have old wrong rows, and must be able to change everything
// else in them.
func TestOldRowsAndOtherColumns(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		g.drop()
		if err := g.insert(`["python3"]`); err != nil {
			t.Fatalf("without guards: %v", err)
		}
		g.apply()
		runtime := g.table("runtime")
		g.must("UPDATE " + runtime + " SET name = 'Y', description = 'wrong as ever'")
		g.must("UPDATE " + runtime + " SET name = 'Z', distributions = distributions")
		g.must("UPDATE " + runtime + ` SET distributions = '["python3"]'`)
		_, err := g.DB.NewRaw("UPDATE ? SET distributions = ?", bun.Safe(runtime), `{"roles": ["x"]}`).Exec(context.Background())
		if err == nil || !strings.Contains(err.Error(), "distributions: "+g.pointer("/roles/0")+": must be worker or sensor") {
			t.Errorf("another wrong document: %v", err)
		}
		g.must("UPDATE " + runtime + ` SET distributions = '{"roles": ["worker"]}'`)
	})
}

func TestVersionsAreGuardedToo(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		if err := g.insert(`{}`); err != nil {
			t.Fatal(err)
		}
		version := func(doc string) error {
			_, err := g.DB.NewRaw("INSERT INTO ? (runtime, version, sort_key, distributions) SELECT id, '1', '1', ? FROM ?",
				bun.Safe(g.table("runtime_version")), doc, bun.Safe(g.table("runtime"))).Exec(context.Background())
			return err
		}
		if err := version(`{"verification": {"commands": [{"binary": ""}]}}`); err == nil ||
			!strings.Contains(err.Error(), "distributions: "+g.pointer("/verification/commands/0/binary")+": is required") {
			t.Errorf("a wrong version: %v", err)
		}
		if err := version(`{"min_version": "1"}`); err != nil {
			t.Error(err)
		}
	})
}

// A refused statement leaves nothing behind, even if its first rows were fine.
func TestStatementsOfManyRows(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		_, err := g.DB.NewRaw("INSERT INTO ? (ref, name, distributions) VALUES ('a.a', 'A', '{}'), ('a.b', 'B', '[]')", bun.Safe(g.table("runtime"))).
			Exec(context.Background())
		if err == nil {
			t.Error("it was not refused")
		}
		n := -1
		if err := g.DB.NewRaw("SELECT count(*) FROM ?", bun.Safe(g.table("runtime"))).Scan(context.Background(), &n); err != nil || n != 0 {
			t.Errorf("%d rows are left, %v", n, err)
		}
	})
}

// The guards can be applied again, and dropped without a trace.
func TestRepeatable(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		g.apply()
		g.apply()
		if err := g.insert(`[]`); err == nil {
			t.Error("no guard after applying again")
		}
		g.drop()
		g.drop()
		left := "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'attune_guard%'"
		if g.postgres {
			left = "SELECT (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'attune_guard%') + (SELECT count(*) FROM pg_proc WHERE proname LIKE 'attune_guard%')"
		}
		n := -1
		if err := g.DB.NewRaw(left).Scan(context.Background(), &n); err != nil || n != 0 {
			t.Errorf("%d things are left, %v", n, err)
		}
	})
}

// Whatever functions and operators the session finds first, the guard in Postgres uses those of pg_catalog.
func TestHostileSearchPath(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		if !g.postgres {
			t.Skip("SQLite has no search path")
		}
		g.must(`CREATE SCHEMA evil;
			CREATE FUNCTION evil.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql AS $$ SELECT 'null' $$;
			CREATE FUNCTION evil.char_length(text) RETURNS int LANGUAGE sql AS $$ SELECT 0 $$;
			CREATE FUNCTION evil.get(jsonb, text) RETURNS jsonb LANGUAGE sql AS $$ SELECT NULL::jsonb $$;
			CREATE OPERATOR evil.-> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = evil.get)`)
		tx, err := g.DB.DB.DB.BeginTx(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.Exec("SET LOCAL search_path = evil, pg_catalog"); err != nil {
			t.Fatal(err)
		}
		_, err = tx.Exec("INSERT INTO " + g.table("runtime") + ` (ref, name, distributions) VALUES ('a.b', 'B', '{"roles": [1]}')`)
		if err == nil || !strings.Contains(err.Error(), "/roles/0: must be text") {
			t.Errorf("got %v", err)
		}
	})
}

// The guard works the same in a session that reads backslashes in the old way.
func TestOldBackslashes(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		if !g.postgres {
			t.Skip("SQLite reads backslashes in one way")
		}
		tx, err := g.DB.DB.DB.BeginTx(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		if _, err := tx.Exec("SET LOCAL standard_conforming_strings = off"); err != nil {
			t.Fatal(err)
		}
		insert := "INSERT INTO " + g.table("runtime") + ` (ref, name, distributions) VALUES ('a.b', 'B', '{"verification": {"commands": [{"binary": "%s"}]}}')`
		if _, err := tx.Exec(fmt.Sprintf(insert, "x")); err != nil {
			t.Error(err)
		}
		if _, err := tx.Exec(fmt.Sprintf(insert, "x y")); err == nil || !strings.Contains(err.Error(), "/binary: must be a name") {
			t.Error(err)
		}
	})
}

// The guards work for the shells of both databases too. The installed sqlite3, which may be old, opens a file
// with guards.
func TestShells(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		insert := "INSERT INTO " + g.table("runtime") + ` (ref, name, distributions) VALUES ('a.b', 'B', '{"verification": {"commands": [{"binary": "x"}, {"binary": "x", "exit_code": 256}]}}')`
		name, args := "psql", []string{"--no-psqlrc", "-c", insert, g.URL}
		if !g.postgres {
			name, args = "sqlite3", []string{strings.TrimPrefix(g.URL, "sqlite:"), insert}
			if _, err := os.Stat(args[0]); err != nil {
				file := filepath.Join(t.TempDir(), "guarded.db")
				g.must("VACUUM INTO '" + file + "'")
				args[0] = file
			}
		}
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed", name)
		}
		out, err := exec.Command(name, args...).CombinedOutput()
		want := "distributions: " + g.pointer("/verification/commands/1/exit_code") + ": must be a whole number from 0 to 255"
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s says %v: %s\nwant %s", name, err, out, want)
		}
	})
}
