package unify_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/unify"
)

// Each obstacle is named by the plan and by up, which leaves the database as it
// was; the SQL that it comes with clears the way.
func TestObstacles(t *testing.T) {
	cases := []struct {
		name, setup string
		// objects that must be named, in any order.
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
