package main

import (
	"encoding/json"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

// after is what stands behind a line that begins with a word.
func after(text, word string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, word+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

func TestMigrateStatusOfWhatIsAsItShouldBe(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolated(t)
		uses(t, db)
		got := run(t, "migrate", "status", "--exit-code")
		want(t, got, 0)
		for word, text := range map[string]string{
			"guards": "in place", "tables": "as they should be", "others'": "", "definitions": "0, none malformed", "WHERE": "",
		} {
			if after(got.out, word) != text {
				t.Errorf("%s: want %q in\n%s", word, text, got.out)
			}
		}
		var s struct {
			migrations.Status
			Definitions *definitions
		}
		if err := json.Unmarshal([]byte(run(t, "migrate", "status", "--json").out), &s); err != nil {
			t.Fatal(err)
		}
		if !s.AsExpected() || s.Others == nil || len(s.Others) > 0 || s.Definitions == nil || s.Definitions.Malformed == nil {
			t.Errorf("--json: %+v", s)
		}
	})
}

func TestMigrateStatusNamesDrift(t *testing.T) {
	t.Parallel()
	isolated(t)
	db := testdb.Postgres(t, testdb.Schema("ops"))
	uses(t, db)
	exec := func(sql string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), "SET search_path = ops; "+sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("ALTER TABLE sensor ADD trigger_ref text, ADD cost numeric(10,2) NOT NULL")
	got := run(t, "migrate", "status", "--exit-code")
	want(t, got, 0, "as they should be", "2 columns")
	others := "OTHERS' COLUMN      TYPE           NOTE\n" +
		"sensor.cost         numeric(10,2)  not null, without a default\n" +
		"sensor.trigger_ref  text           -\n"
	if !strings.HasSuffix(got.out, "\n\n"+others) {
		t.Errorf("want at the end\n%s\nin\n%s", others, got.out)
	}

	exec("ALTER TABLE pack ALTER meta DROP DEFAULT, ALTER label TYPE varchar(40); ALTER TABLE action DROP CONSTRAINT action_ref_key;" +
		"ALTER TABLE runtime DISABLE TRIGGER attune_guard_distributions;" +
		`INSERT INTO runtime (ref, name, distributions) VALUES ('acme.bad', 'Bad', '{"verification": {"commands": 3}, "min_version": "x"}');` +
		`INSERT INTO runtime (ref, name, aliases) VALUES ('acme.two', 'Two', '["two", "Two"]')`)
	drift := "WHERE       IS                     SHOULD BE\n" +
		"pack.label  character varying(40)  text\n" +
		"pack.meta   no default             default '{}'\n" +
		"action      no unique key (ref)    unique key (ref)\n"
	want(t, run(t, "migrate", "status"), 0, drift)
	got = run(t, "migrate", "status", "--exit-code")
	want(t, got, cli.ExitPending, "\n\n"+drift+"\n"+others, "incomplete", "3 differences", "2, 2 of them malformed:\n  acme.bad: /distributions/", "\n  acme.two: /aliases/1: duplicate \"Two\" in another case")

	var s struct {
		migrations.Status
		Definitions definitions
	}
	if err := json.Unmarshal([]byte(run(t, "migrate", "status", "--json").out), &s); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([]migrations.Difference{
		{Table: "pack", Column: "label", Is: "character varying(40)", ShouldBe: "text"},
		{Table: "pack", Column: "meta", Is: "no default", ShouldBe: "default '{}'"},
		{Table: "action", Is: "no unique key (ref)", ShouldBe: "unique key (ref)"},
	}, s.Drift); diff != "" {
		t.Errorf("--json, drift (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]migrations.OtherColumn{
		{Table: "sensor", Column: "cost", Type: "numeric(10,2)", Required: true},
		{Table: "sensor", Column: "trigger_ref", Type: "text"},
	}, s.Others); diff != "" {
		t.Errorf("--json, others (-want +got):\n%s", diff)
	}
	if s.Guards != migrations.GuardsIncomplete || s.Definitions.Count != 2 || len(s.Definitions.Malformed) != 2 {
		t.Errorf("--json: guards %q, definitions %+v", s.Guards, s.Definitions)
	}

	// Definitions that cannot be read are said to be so, and nothing else is lost.
	exec("ALTER TABLE runtime DROP COLUMN aliases CASCADE")
	want(t, run(t, "migrate", "status"), 0, "not read: ", "runtime.aliases  missing", "jsonb not null default '[]'")
}

// A terminal that is too narrow for the columns gets sentences, which are broken at words.
func TestDriftOnANarrowTerminal(t *testing.T) {
	t.Parallel()
	list := []migrations.Difference{
		{Table: "runtime", Column: "pack", Is: "no foreign key", ShouldBe: "foreign key to pack (id) on delete cascade"},
		{Table: "worker", Is: "missing", ShouldBe: "a table"},
	}
	const table = "\nWHERE         IS              SHOULD BE\n" +
		"runtime.pack  no foreign key  foreign key to pack (id) on delete cascade\n" +
		"worker        missing         a table\n"
	const lines = "\nruntime.pack: no foreign key, should be foreign key to pack (id) on delete cascade\n" +
		"worker: missing, should be a table\n"
	broken := strings.Replace(lines, "on delete", "on\ndelete", 1)
	for width, want := range map[int]string{0: table, 72: table, 71: broken, 20: lines} {
		var b strings.Builder
		printDrift(&cli.Terminal{Writer: &b, Person: width > 0, Width: width}, list)
		if diff := gocmp.Diff(want, b.String()); diff != "" {
			t.Errorf("on %d columns (-want +got):\n%s", width, diff)
		}
	}
}

// What is not migrated is not compared; it is not as it should be either.
func TestMigrateStatusWhilePending(t *testing.T) {
	t.Parallel()
	isolated(t)
	db := testdb.Postgres(t)
	uses(t, db)
	want(t, run(t, "migrate", "down"), 0, "undone")
	got := run(t, "migrate", "status", "--exit-code")
	want(t, got, cli.ExitPending, "pending")
	if !strings.HasPrefix(after(got.out, "tables"), "not compared") || after(got.out, "guards") != "in place" || after(got.out, "definitions") != "" {
		t.Errorf("one migration short:\n%s", got.out)
	}
	if out := run(t, "migrate", "status", "--json").out; strings.Contains(out, "drift") || strings.Contains(out, "definitions") {
		t.Errorf("one migration short, --json:\n%s", out)
	}
	undoTo(t, migrations.WorkerRuntime)
	want(t, run(t, "migrate", "plan", "--down"), 0, "drop      the guards of metadata")
	want(t, run(t, "migrate", "down"), 0, "dropped   the guards of metadata")
	got = run(t, "migrate", "status", "--exit-code")
	want(t, got, cli.ExitPending, "legacy")
	if after(got.out, "guards") != "" {
		t.Errorf("the legacy schema has guards:\n%s", got.out)
	}
}

func TestMigrateSaysWhatBecomesOfGuards(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		isolated(t)
		uses(t, db)
		want(t, run(t, "migrate", "plan", "--exit-code"), 0, "nothing to do")
		want(t, run(t, "migrate", "up"), 0, "nothing to do")
		testdb.Unguard(t, db, db.Schema)
		want(t, run(t, "migrate", "status", "--exit-code"), cli.ExitPending, "missing: wrong metadata is not refused")
		got := run(t, "migrate", "plan", "--exit-code")
		want(t, got, cli.ExitPending, "put       the guards of metadata in place (missing)", "nothing was written")
		if strings.Contains(got.out, "nothing to do") {
			t.Errorf("the plan says that there is nothing to do:\n%s", got.out)
		}
		want(t, run(t, "migrate", "up"), 0, "in place  the guards of metadata")
		want(t, run(t, "migrate", "status", "--exit-code"), 0)
		testdb.Unguard(t, db, db.Schema)
		want(t, run(t, "migrate", "up", "--json"), 0, `"guards": true`)
	})
}
