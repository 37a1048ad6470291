package unify_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// The plan and up name each obstacle, and up leaves the database unchanged. The SQL of the obstacle
// clears it.
func TestObstacles(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, setup string
		// objects lists the objects that must be named, in any order.
		objects []string
	}{
		{"composite key", `
ALTER TABLE runtime ADD UNIQUE (id, ref);
CREATE TABLE other (id bigint, ref text, CONSTRAINT two FOREIGN KEY (id, ref) REFERENCES runtime (id, ref));`,
			[]string{"key two of table public.other"}},
		{"key to ref", `CREATE TABLE other (ref text CONSTRAINT byref REFERENCES runtime (ref) ON UPDATE CASCADE)`,
			[]string{"key byref of table public.other"}},
		{"computed key", `CREATE TABLE other (a bigint, runtime bigint GENERATED ALWAYS AS (a) STORED CONSTRAINT computed REFERENCES runtime (id))`,
			[]string{"key computed of table public.other"}},
		{"views on views", `
CREATE VIEW a_view AS SELECT id, runtime_type FROM runtime;
CREATE VIEW b_view AS SELECT id FROM a_view;
CREATE MATERIALIZED VIEW c_view AS SELECT count(*) FROM b_view;`,
			[]string{"view public.a_view", "view public.b_view", "view public.c_view"}},
		{"star view", `CREATE VIEW all_of_it AS SELECT * FROM runtime`, []string{"view public.all_of_it"}},
		{"functions by their text", `
CREATE FUNCTION f() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM runtime WHERE runtime_type = 'action'); END $$;
CREATE PROCEDURE p() LANGUAGE sql AS $$ DELETE FROM runtime WHERE runtime_type = 'sensor' $$;`,
			[]string{"function public.f()", "function public.p()"}},
		{"trigger and its function", `
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.runtime_type = 'action' THEN RETURN NULL; END IF; RETURN NEW; END $$;
CREATE TRIGGER watch AFTER INSERT ON runtime FOR EACH ROW EXECUTE FUNCTION f();`,
			[]string{"function public.f()"}},
		{"trigger of the column", `
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER watch AFTER UPDATE OF runtime_type ON runtime FOR EACH ROW EXECUTE FUNCTION f();`,
			[]string{"trigger watch of table public.runtime"}},
		{"function of the enum", `CREATE FUNCTION f(a runtime_type_enum, b runtime_type_enum[]) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
			[]string{"function public.f(public.runtime_type_enum,public.runtime_type_enum[])"}},
		{"policy", `CREATE POLICY only_actions ON runtime USING (runtime_type = 'action')`,
			[]string{"policy only_actions of table public.runtime"}},
		{"computed column", `ALTER TABLE runtime ADD COLUMN acts boolean GENERATED ALWAYS AS (runtime_type = 'action') STORED`,
			[]string{"column public.runtime.acts"}},
		{"statistics", `CREATE STATISTICS together ON pack, runtime_type FROM runtime`, []string{"statistics together"}},
		{"publication", `CREATE PUBLICATION pub FOR TABLE runtime (id, ref, runtime_type) WITH (publish = 'insert')`, []string{"publication pub"}},
		{"other columns of the enum", `
CREATE TABLE other (side runtime_type_enum DEFAULT 'action', sides runtime_type_enum[] DEFAULT '{action}');
INSERT INTO other DEFAULT VALUES;`,
			[]string{"column public.other.side", "column public.other.sides"}},
		{"domain and composite", `
CREATE DOMAIN sided AS runtime_type_enum; CREATE TABLE other (side sided); INSERT INTO other VALUES ('sensor');
CREATE TYPE pair AS (a runtime_type_enum, b int);`,
			[]string{"type public.sided", "column public.pair.a"}},
		{"unique key", `
CREATE TABLE other (a int, b int, runtime bigint REFERENCES runtime (id), PRIMARY KEY (a, b), CONSTRAINT once UNIQUE (a, runtime));
INSERT INTO other VALUES (1, 1, 10), (1, 2, 11), (1, 3, 12), (2, 1, 11), (3, 1, NULL), (3, 2, NULL)`,
			[]string{"unique key once of table public.other"}},
		{"unique index on expressions, without a key", `
CREATE TABLE other (a text, runtime bigint REFERENCES runtime (id), gone boolean DEFAULT false);
CREATE UNIQUE INDEX once ON other (lower(a), (runtime + 1)) WHERE NOT gone;
INSERT INTO other VALUES ('x', 10, false), ('X', 11, false), ('y', 11, false), ('y', 12, true)`,
			[]string{"unique key once of table public.other"}},
		{"unique ref", `
CREATE TABLE other (id int PRIMARY KEY, runtime bigint REFERENCES runtime (id), runtime_ref text UNIQUE);
INSERT INTO other VALUES (1, 10, 'core.action.python'), (2, 11, 'core.sensor.python'), (3, NULL, 'core.action.bash'), (4, NULL, 'core.sensor.bash')`,
			[]string{"unique key other_runtime_ref_key of table public.other"}},
		{"unique key of a partition", `
CREATE TABLE other (id int, runtime bigint REFERENCES runtime (id)) PARTITION BY RANGE (id);
CREATE TABLE other_1 PARTITION OF other FOR VALUES FROM (0) TO (10);
CREATE TABLE other_2 PARTITION OF other FOR VALUES FROM (10) TO (20);
CREATE UNIQUE INDEX once ON other_1 (runtime);
INSERT INTO other VALUES (1, 10), (2, 11), (11, 10), (12, 11)`,
			[]string{"unique key once of table public.other"}},
		{"exclusion", `
CREATE TABLE other (id int PRIMARY KEY, runtime bigint REFERENCES runtime (id), r int8range GENERATED ALWAYS AS (int8range(runtime, runtime, '[]')) STORED,
  during tsrange, CONSTRAINT apart EXCLUDE USING gist (int8range(runtime, runtime, '[]') WITH =, during WITH &&));
INSERT INTO other (id, runtime, during) VALUES (1, 10, '[2020-01-01,2021-01-01)'), (2, 11, '[2020-06-01,2022-01-01)'), (3, 11, '[2023-01-01,2024-01-01)')`,
			[]string{"unique key apart of table public.other"}},
		{"no partition of a list", `
CREATE TABLE other (id int, runtime bigint REFERENCES runtime (id)) PARTITION BY LIST (runtime);
CREATE TABLE other_11 PARTITION OF other FOR VALUES IN (11, 15); CREATE TABLE other_null PARTITION OF other FOR VALUES IN (NULL);
INSERT INTO other VALUES (1, 11), (2, 15), (3, NULL)`, []string{"partitions of table public.other"}},
		{"no partition of a range, by ref", `
CREATE TABLE other (id int, runtime bigint REFERENCES runtime (id), runtime_ref text) PARTITION BY RANGE (runtime_ref, id);
CREATE TABLE other_1 PARTITION OF other FOR VALUES FROM ('core.action.', 0) TO ('core.nodejs', 0);
CREATE TABLE other_2 PARTITION OF other FOR VALUES FROM ('core.sensor', 0) TO ('core.sensorz', 0);
INSERT INTO other VALUES (1, 10, 'core.action.python'), (2, 13, 'core.action.node')`, []string{"partitions of table public.other"}},
		{"no partition of a partition", `
CREATE TABLE other (id int, runtime bigint REFERENCES runtime (id)) PARTITION BY RANGE (id);
CREATE TABLE other_1 PARTITION OF other FOR VALUES FROM (0) TO (10) PARTITION BY HASH (runtime);
CREATE TABLE other_2 PARTITION OF other FOR VALUES FROM (10) TO (20) PARTITION BY LIST ((runtime + 1));
CREATE TABLE other_2_11 PARTITION OF other_2 FOR VALUES IN (12, 13);
DO $$ BEGIN FOR r IN 0..7 LOOP IF satisfies_hash_partition('other_1'::regclass, 8, r, 12::bigint) THEN
  EXECUTE format('CREATE TABLE other_1_1 PARTITION OF other_1 FOR VALUES WITH (MODULUS 8, REMAINDER %s)', r); END IF; END LOOP; END $$;
INSERT INTO other VALUES (1, 12), (11, 11), (12, 12)`, []string{"partitions of table public.other_1", "partitions of table public.other_2"}},
		{"typed tables, composites and aggregates", `
CREATE TYPE pair AS (a runtime_type_enum, b runtime_type_enum[]);
CREATE TABLE typed OF pair (a DEFAULT 'action'); INSERT INTO typed (b) VALUES ('{sensor}');
CREATE TABLE other (p pair, c int); INSERT INTO other VALUES (('action', '{action}'), 1);
CREATE FUNCTION last(runtime_type_enum, runtime_type_enum) RETURNS runtime_type_enum LANGUAGE sql AS 'SELECT $2';
CREATE AGGREGATE agg_last(runtime_type_enum) (SFUNC = last, STYPE = runtime_type_enum, INITCOND = 'action');
CREATE FUNCTION number(runtime_type_enum) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE CAST (runtime_type_enum AS int) WITH FUNCTION number(runtime_type_enum) AS ASSIGNMENT`,
			[]string{"column public.pair.a", "column public.pair.b", "public.agg_last(", "public.last(", "function public.number(", "cast from"}},
		{"functions that get rows of runtime", `CREATE FUNCTION side(r runtime) RETURNS text LANGUAGE sql AS 'SELECT r.runtime_type::text';
CREATE FUNCTION quoted() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM "public"."runtime" r WHERE r.runtime_type IS NULL); END'`,
			[]string{"function public.side(", "function public.quoted()"}},
		{"rules of a table, and views on it that do not mind", `
CREATE TABLE other (a int); CREATE VIEW minds_not AS SELECT a FROM other; CREATE RULE keeps AS ON DELETE TO other DO ALSO NOTHING;
CREATE RULE counts AS ON INSERT TO other DO ALSO DELETE FROM runtime WHERE runtime_type = 'sensor'`,
			[]string{"rule counts of table public.other"}},
		{"check on another table", `
CREATE TABLE other (id int PRIMARY KEY, runtime bigint REFERENCES runtime (id), runtime_ref text CONSTRAINT old CHECK (runtime_ref ~ '(action|sensor)'));
INSERT INTO other VALUES (1, 10, 'core.action.python')`,
			[]string{"check old of table public.other"}},
		{"check on runtime", `ALTER TABLE runtime ADD CONSTRAINT kept CHECK (distributions <> '{}' OR name <> 'Own node' OR ref = 'acme.action.node')`,
			[]string{"check kept of table public.runtime"}},
		{"packs", `UPDATE runtime SET pack = 3 WHERE id = 21`, []string{"runtimes acme.action.ruby (20), acme.sensor.ruby (21)"}},
		{"no form", `ALTER TABLE runtime DROP CONSTRAINT runtime_ref_format; UPDATE runtime SET ref = 'core.python' WHERE id = 24; UPDATE runtime SET ref = 'a.action.b.c' WHERE id = 23`,
			[]string{"runtime 24, core.python", "runtime 23, a.action.b.c"}},
		{"a table that inherits", `CREATE TABLE heir () INHERITS (runtime)`,
			[]string{"table public.heir", "constraint runtime_sides", "column public.heir.runtime_type"}},
		{"rules", `CREATE RULE quiet AS ON UPDATE TO sensor DO INSTEAD NOTHING; CREATE RULE never AS ON DELETE TO runtime DO INSTEAD NOTHING`,
			[]string{"rule quiet of table public.sensor", "rule never of table public.runtime"}},
		{"published without a key", `CREATE PUBLICATION pub FOR TABLE elsewhere.bare`, []string{"table elsewhere.bare"}},
		{"names", `
CREATE TABLE runtime_unification (x int); CREATE VIEW runtime_version AS SELECT 1 AS id; CREATE INDEX idx_runtime_name ON runtime (ref);
CREATE TABLE idx_runtime_verification (x int)`,
			[]string{"name public.runtime_unification", "name public.runtime_version", "name public.idx_runtime_name", "name public.idx_runtime_verification"}},
		{"columns of another type", `ALTER TABLE worker ADD COLUMN identity uuid; ALTER TABLE runtime ADD COLUMN aliases text[]`,
			[]string{"column public.worker.identity", "column public.runtime.aliases"}},
		{"equal identities", `ALTER TABLE worker ADD COLUMN identity text; UPDATE worker SET identity = 'a'`, []string{"column public.worker.identity"}},
	}
	db, _ := installation(t, "public")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			must(t, tx, c.setup)

			plan, err := unify.Examine(ctx, tx, "public")
			if err != nil {
				t.Fatal(err)
			}
			wantObjects(t, plan.Obstacles, c.objects)

			before := rows(t, tx)
			var refused *unify.ObstacleError
			err = tx.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
				_, err := unify.Up(ctx, tx, "public", unify.Options{})
				if diff := cmp.Diff(before, rows(t, tx)); diff != "" {
					t.Errorf("up wrote before it refused:\n%s", diff)
				}
				return err
			})
			if !errors.As(err, &refused) || !errors.Is(err, unify.ErrObstacles) {
				t.Fatalf("up gave %v, want an ObstacleError", err)
			}
			if diff := cmp.Diff(plan.Obstacles, refused.Obstacles); diff != "" {
				t.Errorf("up names other obstacles than the plan:\n%s", diff)
			}
			for _, o := range plan.Obstacles {
				must(t, tx, o.SQL)
			}
			if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
				t.Fatalf("after the obstacles' SQL: %v", err)
			}
		})
	}
}

func wantObjects(t *testing.T, got []unify.Obstacle, want []string) {
	t.Helper()
	var objects []string
	for _, o := range got {
		objects = append(objects, o.Object)
	}
	if len(got) != len(want) {
		t.Errorf("got obstacles %q, want %q", objects, want)
	}
	for _, object := range want {
		if !strings.Contains(strings.Join(objects, "\n"), object) {
			t.Errorf("got obstacles %q, want %q among them", objects, object)
		}
	}
}

// What the SQL of an obstacle drops can be created again from its comment.
func TestObstaclesSayWhatWas(t *testing.T) {
	t.Parallel()
	db, _ := installation(t, "public")
	ctx := context.Background()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	must(t, tx, `
SET CONSTRAINTS ALL IMMEDIATE;
CREATE VIEW a_view WITH (security_barrier=true) AS SELECT id, runtime_type FROM runtime;
CREATE MATERIALIZED VIEW b_view AS SELECT id FROM a_view; CREATE UNIQUE INDEX b_index ON b_view (id);
GRANT SELECT ON a_view, b_view TO PUBLIC; GRANT UPDATE (id) ON a_view TO PUBLIC; COMMENT ON VIEW a_view IS 'it''s a view
of two lines';
GRANT SELECT ON runtime TO pg_monitor; ALTER VIEW a_view OWNER TO pg_monitor;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  -- lines of its own
  RETURN NEW; END $$;
CREATE TRIGGER instead INSTEAD OF INSERT ON a_view FOR EACH ROW EXECUTE FUNCTION f();
CREATE TRIGGER watch AFTER UPDATE OF runtime_type ON runtime FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE runtime DISABLE TRIGGER watch;
CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.runtime_type := 'action'; RETURN NEW; END $$;
CREATE TRIGGER side BEFORE INSERT ON runtime FOR EACH ROW EXECUTE FUNCTION g();
CREATE PROCEDURE p(side runtime_type_enum DEFAULT 'action') LANGUAGE sql AS $$ SELECT 1 $$; REVOKE ALL ON PROCEDURE p FROM PUBLIC; GRANT EXECUTE ON PROCEDURE p TO pg_monitor;
CREATE FUNCTION last(runtime_type_enum, runtime_type_enum) RETURNS runtime_type_enum LANGUAGE sql AS 'SELECT $2';
CREATE AGGREGATE agg_last(runtime_type_enum) (SFUNC = last, STYPE = runtime_type_enum, INITCOND = 'action', PARALLEL = SAFE);
CREATE CAST (runtime_type_enum AS int) WITH INOUT AS ASSIGNMENT;
CREATE POLICY one ON runtime AS RESTRICTIVE FOR UPDATE TO pg_monitor, pg_read_all_stats USING (runtime_type = 'action') WITH CHECK (id > 0);
CREATE POLICY two ON runtime FOR INSERT WITH CHECK (runtime_type = 'sensor');
CREATE TABLE other (a int, side runtime_type_enum DEFAULT 'action', sides runtime_type_enum[] DEFAULT '{action}');
CREATE RULE counts AS ON INSERT TO other DO ALSO DELETE FROM runtime WHERE runtime_type = 'sensor';
CREATE STATISTICS together (dependencies) ON pack, runtime_type FROM runtime;
CREATE PUBLICATION pub FOR TABLE runtime (id, ref, runtime_type) WHERE (id > 5) WITH (publish = 'insert');
ALTER TABLE runtime ADD COLUMN acts boolean GENERATED ALWAYS AS (runtime_type = 'action') STORED;
CREATE DOMAIN sided AS runtime_type_enum DEFAULT 'sensor' NOT NULL CONSTRAINT c CHECK (VALUE <> 'action'); CREATE TABLE third (side sided)`)
	state := func() []string {
		lines := catalogLines(t, tx)
		slices.Sort(lines)
		return lines
	}
	before := state()
	plan, err := unify.Examine(ctx, tx, "public")
	if err != nil {
		t.Fatal(err)
	}
	var was []string
	for _, o := range plan.Obstacles {
		must(t, tx, o.SQL)
		_, comment, ok := strings.Cut(o.SQL, "\n-- it was: ")
		if !ok {
			t.Errorf("%s does not say what was:\n%s", o.Object, o.SQL)
		}
		was = append(was, strings.ReplaceAll(comment, "\n-- ", "\n"))
	}
	if slices.Equal(before, state()) {
		t.Error("the obstacles' SQL changed nothing")
	}
	for _, statements := range slices.Backward(was) {
		must(t, tx, statements)
	}
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("what was (-before +after):\n%s\n%s", diff, strings.Join(was, "\n"))
	}
}

// A function that seems to mean another table's runtime_type is noted, and prevents nothing.
func TestFunctionsOfOthersAreNoted(t *testing.T) {
	t.Parallel()
	db, _ := installation(t, "public")
	must(t, db, `
CREATE SCHEMA other; CREATE TABLE other.runtime (runtime_type text); CREATE TABLE elsewhere.job (runtime_type text);
CREATE FUNCTION elsewhere.jobs() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM elsewhere.job WHERE runtime_type = 'x'); END $$;
CREATE FUNCTION elsewhere.others() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM other.runtime WHERE runtime_type = 'x'); END $$`)
	plan, err := unify.Examine(context.Background(), db, "public")
	if err != nil {
		t.Fatal(err)
	}
	wantObjects(t, plan.Obstacles, nil)
	for _, name := range []string{"function elsewhere.jobs() names runtime_type", "function elsewhere.others() names runtime_type"} {
		if !strings.Contains(strings.Join(plan.Notes, "\n"), name) {
			t.Errorf("got notes %q, want %q among them", plan.Notes, name)
		}
	}
	up(t, db, "public")
	equal(t, db, "the function", "SELECT elsewhere.jobs()::text", "0")
}
