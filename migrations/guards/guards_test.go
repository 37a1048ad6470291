package guards_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/fixtures/verdicts"
	"github.com/attune-go/attune/migrations/guards"
	"github.com/attune-go/attune/schema/metadata"
)

// guarded is a database with the guards.
type guarded struct {
	*testdb.DB
	t        *testing.T
	postgres bool
	schema   string
	next     int
	inserts  map[string]*sql.Stmt // by column
}

func each(t *testing.T, test func(t *testing.T, g *guarded)) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		g := &guarded{DB: db, t: t, inserts: map[string]*sql.Stmt{}, postgres: db.Schema != "" && db.Dialect().Name().String() == "pg"}
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

// insert inserts a runtime with the document, and gives the refusal.
func (g *guarded) insert(doc string) error { return g.insertWith("distributions", "X", doc) }

// insertWith inserts a runtime with a name and a value of a further column, and gives
// the refusal. SQLite compiles the triggers with each statement, which takes far longer
// than to run them; so its statements are prepared.
func (g *guarded) insertWith(column, name, value string) error {
	g.t.Helper()
	g.next++
	ref := fmt.Sprintf("core.x%d", g.next)
	if g.postgres {
		_, err := g.DB.NewRaw("INSERT INTO ? (ref, name, ?) VALUES (?, ?, ?)", bun.Safe(g.table("runtime")), bun.Safe(column), ref, name, value).
			Exec(context.Background())
		return err
	}
	if g.inserts[column] == nil {
		stmt, err := g.DB.DB.DB.Prepare(fmt.Sprintf("INSERT INTO %s (ref, name, %s) VALUES (?, ?, ?)", g.table("runtime"), column))
		if err != nil {
			g.t.Fatal(err)
		}
		g.t.Cleanup(func() { _ = stmt.Close() })
		g.inserts[column] = stmt
	}
	_, err := g.inserts[column].Exec(ref, name, value)
	return err
}

// faults are those that Go finds in a document.
func faults(doc string) metadata.Faults {
	var d metadata.Distributions
	var unread, invalid metadata.Faults
	errors.As(d.UnmarshalJSON([]byte(doc)), &unread)
	errors.As(d.Validate(), &invalid)
	return append(unread, invalid...)
}

// named reports whether a refusal names the place of one of the faults. SQLite
// tells an index above 9 as *, and a list in a list as a whole.
func named(refusal string, faults metadata.Faults) bool {
	for _, f := range faults {
		parts := strings.Split(f.Pointer, "/")
		for i := len(parts) - 1; i > 0; i-- {
			if strings.Contains(refusal, strings.Join(parts, "/")+": ") {
				return true
			}
			if len(parts[i]) > 1 && strings.Trim(parts[i], "0123456789") == "" {
				parts[i] = "*"
			}
		}
		if len(parts) == 1 && strings.Contains(refusal, "distributions: ") || strings.Contains(refusal, strings.Join(parts, "/")+": ") ||
			strings.Contains(refusal, strings.Join(parts[:len(parts)-1], "/")+": an element ") {
			return true
		}
	}
	return false
}

func TestCases(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		for _, c := range verdicts.Distributions() {
			doc := string(c.Doc)
			refused := g.insert(doc)
			if want := c.Want == verdicts.Fault || c.Want == verdicts.YAML; (refused != nil) != want {
				t.Errorf("%s: want %s, got %v", doc, c.Want, refused)
			} else if refused != nil && !named(refused.Error(), faults(doc)) {
				t.Errorf("%s: refused with %v\nbut Go says %v", doc, refused, faults(doc))
			}
		}
	})
}

// What a platform keeps in execution_config is its own, but for what is read.
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

// Names and aliases have columns of their own.
func TestNames(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		refused := func(column, value string) error {
			if column == "name" {
				return g.insertWith("aliases", value, "[]")
			}
			return g.insertWith("aliases", "X", value)
		}
		for _, c := range verdicts.Definitions() {
			var keys struct {
				Name    any
				Aliases json.RawMessage
			}
			if json.Unmarshal(c.Doc, &keys) != nil {
				continue
			}
			if name, ok := keys.Name.(string); ok {
				err := refused("name", name)
				if want := c.Want == verdicts.Fault && c.Pointer == "/name"; (err != nil) != want || err != nil && !strings.Contains(err.Error(), "name: ") {
					t.Errorf("name %q: want %s, got %v", name, c.Want, err)
				}
			}
			if keys.Aliases != nil && string(keys.Aliases) != "null" { // the column takes none: it has a default
				err := refused("aliases", string(keys.Aliases))
				if want := c.Want == verdicts.Fault && strings.HasPrefix(c.Pointer, "/aliases"); (err != nil) != want || err != nil && !strings.Contains(err.Error(), "aliases: ") {
					t.Errorf("aliases %s: want %s, got %v", keys.Aliases, c.Want, err)
				}
			}
		}
		for _, text := range verdicts.Texts() {
			d := metadata.Definition{Ref: "core.x", Name: text}
			if err := refused("name", text); (err != nil) != (d.Validate() != nil) {
				t.Errorf("name %q: Go says %v, the guard says %v", text, d.Validate(), err)
			} else if err != nil && strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("name %q: the refusal holds it: %q", text, err)
			}
			aliases := metadata.Aliases{text}
			list, err := json.Marshal([]string(aliases))
			if err != nil {
				t.Fatal(err)
			}
			if err := refused("aliases", string(list)); (err != nil) != (aliases.Validate() != nil) {
				t.Errorf("alias %q: Go says %v, the guard says %v", text, aliases.Validate(), err)
			}
		}
		// What is not changed is not judged.
		table := g.table("runtime")
		g.drop()
		g.must("INSERT INTO " + table + ` (ref, name, aliases) VALUES ('old.one', '', '["a,b"]')`)
		g.apply()
		g.must("UPDATE " + table + ` SET name = '', aliases = '["a,b"]', description = 'x' WHERE ref = 'old.one'`)
		for _, set := range []string{"name = ' '", `aliases = '["b,a"]'`} {
			if _, err := g.DB.DB.DB.Exec("UPDATE " + table + " SET " + set + " WHERE ref = 'old.one'"); err == nil {
				t.Errorf("%s was not refused", set)
			}
		}
	})
}

func TestGeneratedDocuments(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		for seed := range uint64(1500) {
			g.compare(fmt.Sprint("seed ", seed), verdicts.Random(rand.New(rand.NewPCG(seed, 2))))
		}
		large := uint64(25)
		if testing.Short() && !g.postgres {
			large = 5 // SQLite takes seconds for each
		}
		for seed := range large {
			g.compare(fmt.Sprint("large, seed ", seed), verdicts.RandomLarge(rand.New(rand.NewPCG(seed, 2))))
		}
	})
}

// compare holds the guard's verdict against Go's, of a document that has a
// verdict from both.
func (g *guarded) compare(name, doc string) {
	g.t.Helper()
	refused, want := g.insert(doc), faults(doc)
	if (refused != nil) != (len(want) > 0) {
		g.t.Errorf("%s: Go says %v, the guard says %v\n%.3000s", name, want, refused, doc)
	} else if refused != nil && !named(refused.Error(), want) {
		g.t.Errorf("%s: refused with %v\nbut Go says %v\n%.3000s", name, refused, want, doc)
	}
}

// What is not changed is not judged: an installation may have old rows that are
// wrong, and still change everything else in them.
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
		if err == nil || !strings.Contains(err.Error(), "distributions: /roles/0: must be worker or sensor") {
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
			!strings.Contains(err.Error(), "distributions: /verification/commands/0/binary: is required") {
			t.Errorf("a wrong version: %v", err)
		}
		if err := version(`{"min_version": "1"}`); err != nil {
			t.Error(err)
		}
	})
}

// A refused statement leaves nothing, also when its first rows were fine.
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

// The guards can be applied again, and taken away without a trace.
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

// Whatever the session finds first under the names of functions and operators,
// the guard in Postgres uses those of pg_catalog.
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

// A session that reads backslashes in the old way meets the same guard.
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

// The shells of both databases meet the guards as every program does. A file
// with them opens in the sqlite3 that is installed, which may be an old one.
func TestShells(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		insert := "INSERT INTO " + g.table("runtime") + ` (ref, name, distributions) VALUES ('a.b', 'B', '{"verification": {"commands": [{"binary": "x"}, {"binary": "x --version"}]}}')`
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
		want := "distributions: /verification/commands/1/binary: must be a name that is looked up in PATH, or a plain absolute path"
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s says %v: %s\nwant %s", name, err, out, want)
		}
	})
}
