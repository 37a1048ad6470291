package migrations_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/migrations"
)

func TestModelsAgreeWithBothCatalogs(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db testDB) {
		if diff := cmp.Diff([]string{}, driftOf(t, db, "")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestBothCatalogsAgree(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pg, lite := testdb.Postgres(t, testdb.Schema("attune")), testdb.SQLite(t)
	want, err := migrations.Shapes(ctx, pg.DB, "attune")
	if err != nil {
		t.Fatal(err)
	}
	got, err := migrations.Shapes(ctx, lite.DB, "")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-postgres +sqlite):\n%s", diff)
	}
}

func driftOf(t *testing.T, db bun.IDB, schema string) []string {
	t.Helper()
	found, err := migrations.Drift(context.Background(), db, schema)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(found))
	for i, d := range found {
		lines[i] = d.String()
	}
	return lines
}

// undone runs a test in a transaction that is rolled back.
func undone(t *testing.T, db testDB, test func(tx bun.Tx)) {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	test(tx)
}

// Every alteration is named in one line, and nothing else is.
func TestDriftOnPostgres(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t)
	run(t, db, `CREATE SCHEMA other`, `CREATE TABLE other.pack (id bigint PRIMARY KEY)`)
	const noCascade = "runtime.pack: foreign key to pack (id), should be foreign key to pack (id) on delete cascade"
	for _, c := range []struct {
		sql  string
		want []string
	}{
		{`ALTER TABLE pack DROP COLUMN is_standard`, []string{"pack.is_standard: missing, should be boolean not null default false"}},
		{`ALTER TABLE pack RENAME label TO title`, []string{"pack.label: missing, should be text not null"}},
		{`ALTER TABLE pack ADD owner text, ADD cost numeric NOT NULL`, nil},
		{`DROP TABLE worker_runtime CASCADE`, []string{"worker_runtime: missing, should be a table"}},
		{`ALTER TABLE worker_sweep RENAME TO sweeps; CREATE VIEW worker_sweep AS SELECT * FROM sweeps`, []string{"worker_sweep: not a table, should be a table"}},

		{`ALTER TABLE pack ALTER version DROP NOT NULL`, []string{"pack.version: nullable, should be not null"}},
		{`ALTER TABLE runtime ALTER pack_ref SET NOT NULL`, []string{"runtime.pack_ref: not null, should be nullable"}},

		{`ALTER TABLE pack ALTER description TYPE jsonb USING NULL`, []string{"pack.description: jsonb, should be text"}},
		{`ALTER TABLE pack ALTER description TYPE varchar(20)`, []string{"pack.description: character varying(20), should be text"}},
		{`ALTER TABLE pack ALTER description TYPE char(20)`, []string{"pack.description: character(20), should be text"}},
		{`CREATE DOMAIN words AS text; ALTER TABLE pack ALTER description TYPE words`, []string{"pack.description: words, should be text"}},
		{`ALTER TABLE pack ALTER meta TYPE json`, []string{"pack.meta: json, should be jsonb"}},
		{`ALTER TABLE pack ALTER tags DROP DEFAULT, ALTER tags TYPE jsonb USING '[]', ALTER tags SET DEFAULT '[]'`,
			[]string{"pack.tags: jsonb, should be text[]", "pack.tags: default '[]'::jsonb, should be default '{}'"}},
		{`DROP TRIGGER worker_bound_values ON worker; ALTER TABLE worker ALTER refresh_requested TYPE timestamp`,
			[]string{"worker.refresh_requested: timestamp without time zone, should be timestamp with time zone",
				"worker: no trigger worker_bound_values that fires, should be trigger worker_bound_values"}},
		{`ALTER TABLE action ALTER created TYPE timestamp`, []string{"action.created: timestamp without time zone, should be timestamp with time zone"}},
		{`ALTER TABLE capability_change ALTER id TYPE integer`, []string{"capability_change.id: integer, should be bigint"}},
		{`ALTER TABLE worker ALTER port TYPE smallint`, []string{"worker.port: smallint, should be integer"}},
		{`ALTER TABLE worker ALTER port TYPE bigint, ALTER worker_type TYPE varchar; ALTER TABLE action ALTER created TYPE timestamptz(3)`, nil},

		{`ALTER TABLE pack ALTER meta DROP DEFAULT`, []string{"pack.meta: no default, should be default '{}'"}},
		{`ALTER TABLE worker ALTER worker_role SET DEFAULT 'sensor'`,
			[]string{"worker.worker_role: default 'sensor'::worker_role_enum, should be default 'action'"}},
		{`ALTER TABLE sensor ALTER enabled SET DEFAULT false`, []string{"sensor.enabled: default false, should be default true"}},
		{`ALTER TABLE pack ALTER id DROP DEFAULT`, []string{"pack.id: no default, should be default from a sequence"}},

		{`ALTER TABLE action DROP CONSTRAINT action_ref_key`, []string{"action: no unique key (ref), should be unique key (ref)"}},
		{`ALTER TABLE action DROP CONSTRAINT action_pkey`, []string{"action: no unique key (id), should be unique key (id)"}},
		{`ALTER TABLE runtime_version DROP CONSTRAINT runtime_version_runtime_version_key`,
			[]string{"runtime_version: no unique key (runtime, version), should be unique key (runtime, version)"}},
		{`ALTER TABLE action DROP CONSTRAINT action_ref_key; CREATE UNIQUE INDEX ON action (ref) WHERE pack > 7`,
			[]string{"action: no unique key (ref), should be unique key (ref)"}},
		{`ALTER TABLE action DROP CONSTRAINT action_ref_key; CREATE UNIQUE INDEX ON action (lower(ref))`,
			[]string{"action: no unique key (ref), should be unique key (ref)"}},
		{`ALTER TABLE action DROP CONSTRAINT action_ref_key, ADD UNIQUE (ref) DEFERRABLE`, // no target of ON CONFLICT
			[]string{"action: no unique key (ref), should be unique key (ref)"}},
		{`ALTER TABLE action DROP CONSTRAINT action_ref_key; CREATE UNIQUE INDEX ON action (ref) INCLUDE (label)`, nil},
		{`ALTER TABLE runtime_version DROP CONSTRAINT runtime_version_runtime_version_key; CREATE UNIQUE INDEX ON runtime_version (version, runtime)`, nil},

		{`ALTER TABLE runtime DROP CONSTRAINT runtime_pack_fkey`, []string{"runtime.pack: no foreign key, should be foreign key to pack (id) on delete cascade"}},
		{`ALTER TABLE runtime DROP CONSTRAINT runtime_pack_fkey, ADD FOREIGN KEY (pack) REFERENCES pack`, []string{noCascade}},
		{`ALTER TABLE runtime DROP CONSTRAINT runtime_pack_fkey, ADD FOREIGN KEY (pack) REFERENCES pack ON DELETE RESTRICT`, []string{noCascade}},
		{`ALTER TABLE runtime DROP CONSTRAINT runtime_pack_fkey, ADD FOREIGN KEY (pack) REFERENCES other.pack ON DELETE CASCADE`,
			[]string{"runtime.pack: foreign key to other.pack (id) on delete cascade, should be foreign key to pack (id) on delete cascade"}},
		{`ALTER TABLE worker_runtime DROP CONSTRAINT worker_runtime_runtime_fkey, ADD FOREIGN KEY (runtime) REFERENCES runtime ON DELETE CASCADE`,
			[]string{"worker_runtime.runtime: foreign key to runtime (id) on delete cascade, should be foreign key to runtime (id) on delete set null"}},
		{`ALTER TABLE action DROP CONSTRAINT action_runtime_fkey, ADD FOREIGN KEY (runtime) REFERENCES runtime ON DELETE RESTRICT DEFERRABLE NOT VALID`, nil},

		{`DROP TRIGGER worker_runtime_delete ON worker_runtime`,
			[]string{"worker_runtime: no trigger worker_runtime_delete that fires, should be trigger worker_runtime_delete"}},
		{`ALTER TABLE worker_runtime DISABLE TRIGGER worker_runtime_delete`,
			[]string{"worker_runtime: no trigger worker_runtime_delete that fires, should be trigger worker_runtime_delete"}},
	} {
		undone(t, db, func(tx bun.Tx) {
			run(t, tx, c.sql)
			if diff := cmp.Diff(append([]string{}, c.want...), driftOf(t, tx, "")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.sql, diff)
			}
		})
	}
}

// Equal defaults in different spellings. The server shows most of them in its own spelling.
func TestDefaultsInOtherWords(t *testing.T) {
	t.Parallel()
	db := testdb.Postgres(t, testdb.Schema("ops 7"))
	const schema = `"ops 7"`
	try := func(column, expression string, same bool) {
		t.Helper()
		table, name, _ := strings.Cut(column, ".")
		undone(t, db, func(tx bun.Tx) {
			run(t, tx, fmt.Sprintf("ALTER TABLE %s.%s ALTER %s DROP DEFAULT, ALTER %[3]s SET DEFAULT %[4]s", schema, table, name, expression))
			found := driftOf(t, tx, "")
			switch {
			case same && len(found) > 0:
				t.Errorf("%s DEFAULT %s: %v", column, expression, found)
			case !same && (len(found) != 1 || !strings.HasPrefix(found[0], column+": default ")):
				t.Errorf("%s DEFAULT %s: %v, want its default", column, expression, found)
			}
		})
	}
	for column, expressions := range map[string][]string{
		"pack.meta":           {`'{}'`, `' { } '`, `'{}'::jsonb`, `'{}'::json`, `'{}'::text::jsonb`, `('{}')::jsonb`},
		"runtime.aliases":     {`'[]'`, `'[ ]'::json::jsonb`},
		"pack.tags":           {`'{}'`, `ARRAY[]::text[]`, `'{}'::varchar[]`, `ARRAY[]::varchar(10)[]`, `(ARRAY[]::varchar[])::text[]`},
		"pack.is_standard":    {`false`, `'f'`, `'no'`, `(false)`, `'false'::text::boolean`, `0::boolean`},
		"sensor.enabled":      {`true`, `'on'`, `1::boolean`},
		"worker.worker_role":  {`'action'`, `'action'::` + schema + `.worker_role_enum`, `'action'::text::` + schema + `.worker_role_enum`},
		"worker.status":       {`'inactive'`},
		"worker_runtime.path": {`''`, `''::varchar`, `''::varchar(9)`, `(''::text)`},
		"pack.created": {
			`now()`, `current_timestamp`, `CURRENT_TIMESTAMP(3)`, `localtimestamp`, `transaction_timestamp()`, `statement_timestamp()`,
			`clock_timestamp()`, `pg_catalog.now()`, `now() AT TIME ZONE 'utc'`, `timezone('utc', now())`, `date_trunc('second', now())`,
			`'now'::text::timestamptz`,
		},
		"pack.id": {`nextval('"ops 7".action_id_seq')`, `nextval('"ops 7".action_id_seq'::text)`},
	} {
		for _, e := range expressions {
			try(column, e, true)
		}
	}
	for column, expressions := range map[string][]string{
		"pack.meta":           {`'[]'`, `'{"a": 1}'`, `'null'`, `jsonb_build_object('a', '{}')`},
		"runtime.aliases":     {`'{}'`},
		"pack.tags":           {`'{a}'`, `ARRAY['{}']`},
		"pack.is_standard":    {`true`, `NOT false`},
		"worker.worker_role":  {`'sensor'`},
		"worker_runtime.path": {`'/'`, `''''`, `'::text'`, `'a' || ''`},
		"pack.created":        {`'now'`, `'2026-02-03'`}, // the first is the time of the ALTER TABLE
		"pack.id":             {`7`},
	} {
		for _, e := range expressions {
			try(column, e, false)
		}
	}
	undone(t, db, func(tx bun.Tx) {
		run(t, tx, `ALTER TABLE `+schema+`.pack ALTER id DROP DEFAULT, ALTER id ADD GENERATED BY DEFAULT AS IDENTITY`)
		if found := driftOf(t, tx, ""); len(found) > 0 {
			t.Errorf("an identity column: %v", found)
		}
	})
}

// SQLite alters a table by creating it again.
func TestDriftOnSQLite(t *testing.T) {
	t.Parallel()
	db := testdb.SQLite(t)
	for _, c := range []struct {
		table, old, new string
		want            []string
	}{
		{"action", "label                      TEXT NOT NULL", "title TEXT", []string{"action.label: missing, should be TEXT not null"}},
		{"action", "label                      TEXT NOT NULL", "label BLOB NOT NULL", []string{"action.label: BLOB, should be TEXT"}},
		{"action", "label                      TEXT NOT NULL", "label text", []string{"action.label: nullable, should be not null"}},
		{"action", "pack_ref                   TEXT NOT NULL", "pack_ref INTEGER NOT NULL", []string{"action.pack_ref: INTEGER, should be TEXT"}},
		{"action", "CHECK (out_schema IS NULL OR json_valid(out_schema))", "", []string{"action.out_schema: TEXT, should be TEXT checked with json_valid"}},
		{"action", "CONSTRAINT action_ref_key UNIQUE (ref)", "CHECK (ref <> '')", []string{"action: no unique key (ref), should be unique key (ref)"}},
		{"action", "REFERENCES pack (id) ON DELETE CASCADE", "REFERENCES pack",
			[]string{"action.pack: foreign key to pack (id), should be foreign key to pack (id) on delete cascade"}},
		{"action", "REFERENCES runtime (id)", "", []string{"action.runtime: no foreign key, should be foreign key to runtime (id)"}},
		{"action", "out_schema ", "owner TEXT, cost INTEGER NOT NULL, out_schema ", nil},
		{"action", "DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))", "DEFAULT CURRENT_TIMESTAMP", nil},
		{"action", "created                    TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))", "created TIMESTAMP NOT NULL",
			[]string{"action.created: no default, should be default (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))"}},
		{"action", "id                         INTEGER PRIMARY KEY AUTOINCREMENT", "id INTEGER NOT NULL",
			[]string{"action.id: no default, should be default from a sequence", "action: no unique key (id), should be unique key (id)"}},
		{"sensor", "DEFAULT 1", "DEFAULT true", nil},
		{"sensor", "DEFAULT 1", "DEFAULT 0", []string{"sensor.enabled: default 0, should be default true"}},
		{"runtime_version", "meta             TEXT NOT NULL DEFAULT '{}'", `meta TEXT NOT NULL DEFAULT '[]'`,
			[]string{"runtime_version.meta: default '[]', should be default '{}'"}},
		{"runtime_version", "UNIQUE (runtime, version)", "UNIQUE (version, runtime)", nil},
		{"worker_runtime", "REFERENCES runtime (id) ON DELETE SET NULL", "REFERENCES runtime (id) ON DELETE CASCADE",
			[]string{"worker_runtime.runtime: foreign key to runtime (id) on delete cascade, should be foreign key to runtime (id) on delete set null",
				"worker_runtime: no trigger worker_runtime_delete that fires, should be trigger worker_runtime_delete"}}, // it went with the table
	} {
		undone(t, db, func(tx bun.Tx) {
			text := strs(t, tx, `SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '`+c.table+`'`)[0]
			altered := strings.Replace(text, c.old, c.new, 1)
			if altered == text {
				t.Fatalf("%s has no %q:\n%s", c.table, c.old, text)
			}
			run(t, tx, "DROP TABLE "+c.table, altered)
			if diff := cmp.Diff(append([]string{}, c.want...), driftOf(t, tx, "")); diff != "" {
				t.Errorf("%s: %q in place of %q (-want +got):\n%s", c.table, c.new, c.old, diff)
			}
		})
	}
	undone(t, db, func(tx bun.Tx) {
		run(t, tx, "DROP TRIGGER worker_runtime_delete", "DROP VIEW available_runtime", "DROP TABLE capability_change")
		want := []string{
			"worker_runtime: no trigger worker_runtime_delete that fires, should be trigger worker_runtime_delete",
			"capability_change: missing, should be a table",
		}
		if diff := cmp.Diff(want, driftOf(t, tx, "")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
