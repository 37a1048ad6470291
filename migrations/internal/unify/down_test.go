package unify_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// Rows that were added or changed since go to the side that uses them.
func TestDownTakesWhatCameSince(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, since string
		// query returns want after down.
		query, want string
	}{
		{"runtime used by an action", `
INSERT INTO runtime (id, ref, name, distributions) VALUES (50, 'acme.new', 'New', '{}');
INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime) VALUES ('new', 2, 'acme', 'N', 'n', 50)`,
			`SELECT string_agg(id || ' ' || ref || ' ' || runtime_type, ', ') FROM runtime WHERE name = 'New'`, "50 acme.action.new action"},
		{"runtime used by a sensor", `
INSERT INTO runtime (id, ref, name, distributions) VALUES (50, 'acme.new', 'New', '{}');
INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) VALUES ('new', 'N', 'n', 50, 'acme.new')`,
			`SELECT string_agg(r.id || ' ' || r.ref || ' ' || runtime_type || ' ' || s.runtime_ref, ', ') FROM runtime r JOIN sensor s ON s.runtime = r.id WHERE name = 'New'`,
			"50 acme.sensor.new sensor acme.sensor.new"},
		{"runtime used by both", `
INSERT INTO runtime (id, ref, name, distributions, labels) VALUES (50, 'acme.new', 'New', '{"a": 1}', '{x,y}');
INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime) VALUES ('new', 2, 'acme', 'N', 'n', 50);
INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) VALUES ('new', 'N', 'n', 50, 'acme.new');
INSERT INTO worker (name, worker_type, runtime) VALUES ('new', 'local', 50)`,
			`SELECT string_agg(concat_ws(' ', r.ref, runtime_type, distributions, labels, (SELECT ref FROM action WHERE runtime = r.id),
  (SELECT ref || '/' || runtime_ref FROM sensor WHERE runtime = r.id), (SELECT name FROM worker WHERE runtime = r.id)), '; ' ORDER BY r.ref) FROM runtime r WHERE name = 'New'`,
			`acme.action.new action {"a": 1} {x,y} new new; acme.sensor.new sensor {"a": 1} {x,y} new/acme.sensor.new`},
		{"runtime used by nobody", `INSERT INTO runtime (ref, name, distributions) VALUES ('acme.new', 'New', '{}'), ('acme.old', 'New', '{"roles": ["sensor"]}')`,
			`SELECT string_agg(ref, ' ' ORDER BY ref) FROM runtime WHERE name = 'New'`, "acme.action.new acme.sensor.new acme.sensor.old"},
		{"sensor of a runtime with both sides", `
INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) VALUES ('new', 'N', 'n', 10, 'core.python')`,
			`SELECT runtime || ' ' || runtime_ref FROM sensor WHERE ref = 'new'`, "11 core.sensor.python"},
		{"sensor of a runtime that only actions had", `
INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) VALUES ('new', 'N', 'n', 23, 'acme.alone')`,
			`SELECT s.runtime_ref || ' ' || r.ref || ' ' || r.runtime_type || ' ' || r.distributions FROM sensor s JOIN runtime r ON r.id = s.runtime WHERE s.ref = 'new'`,
			"acme.sensor.alone acme.sensor.alone sensor 17"},
		{"action of a runtime that only sensors had", `
INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime) VALUES ('new', 2, 'acme', 'N', 'n', 22)`,
			`SELECT r.ref || ' ' || r.runtime_type FROM action a JOIN runtime r ON r.id = a.runtime WHERE a.ref = 'new'`, "acme.action.only action"},
		{"action and sensor of the builtin", `
INSERT INTO sensor (ref, label, entrypoint, runtime, runtime_ref) VALUES ('new', 'N', 'n', 16, 'core.sensor.builtin')`,
			`SELECT runtime || ' ' || runtime_ref FROM sensor WHERE ref = 'new'`, "16 core.sensor.builtin"},
		{"sensor that changed its runtime", `UPDATE sensor SET runtime = 20, runtime_ref = 'acme.ruby' WHERE ref = 'acme.s0'`,
			`SELECT runtime || ' ' || runtime_ref FROM sensor WHERE ref = 'acme.s0'`, "21 acme.sensor.ruby"},
		{"sensors that are gone", `DELETE FROM sensor WHERE runtime = 10`, `SELECT count(*)::text FROM sensor WHERE runtime IN (10, 11, 12)`, "0"},
		{"metadata that was changed", `UPDATE runtime SET distributions = '{"mine": 1}', description = 'mine', installation = NULL WHERE ref = 'core.python'`,
			`SELECT string_agg(concat_ws(' ', ref, name, distributions, description, installation), '; ' ORDER BY id) FROM runtime WHERE id IN (10, 11, 12)`,
			`core.action.python Python {"mine": 1} mine; core.sensor.python Python for sensors {"mine": 1} mine; core.sensor.python3 Python 3 {"mine": 1} mine`},
		{"ref that was changed", `UPDATE runtime SET ref = 'acme.jewel' WHERE ref = 'acme.ruby'; UPDATE sensor SET runtime_ref = 'acme.jewel' WHERE runtime = 20`,
			`SELECT string_agg(DISTINCT r.ref || ' ' || coalesce(s.runtime_ref, ''), '; ') FROM runtime r LEFT JOIN sensor s ON s.runtime = r.id WHERE r.id IN (20, 21)`,
			"acme.action.jewel ; acme.sensor.jewel acme.sensor.jewel"},
		{"runtime that is gone", `DELETE FROM action WHERE runtime = 20; DELETE FROM sensor WHERE runtime = 20; DELETE FROM elsewhere.late WHERE runtime = 20 OR fallback = 20;
UPDATE runtime SET parent = NULL WHERE parent = 20; DELETE FROM runtime WHERE id = 20`,
			`SELECT count(*)::text FROM runtime WHERE id IN (20, 21)`, "0"},
		{"pack that was added", `INSERT INTO pack (ref, label, version, runtime_deps) VALUES ('new', 'N', '1', '{core.python,acme.only,x}')`,
			`SELECT runtime_deps::text FROM pack WHERE ref = 'new'`, "{core.action.python,acme.sensor.only,x}"},
		{"pack that was changed", `UPDATE pack SET runtime_deps = runtime_deps || '{acme.alone}' WHERE id = 2`,
			`SELECT runtime_deps::text FROM pack WHERE id = 2`,
			"{core.action.python,core.action.nodejs,acme.action.ruby,core.sensor.builtin,elsewhere.thing,acme.action.alone}"},
		{"table that was added", `CREATE TABLE later (runtime bigint REFERENCES runtime (id), runtime_ref text); INSERT INTO later VALUES (10, 'core.python'), (NULL, 'core.nodejs')`,
			`SELECT string_agg(runtime_ref, ' ' ORDER BY runtime) FROM later`, "core.action.python core.action.nodejs"},
		{"worker that registered", `UPDATE worker SET identity = 'worker/w0', instance = 'x', heartbeat_interval = 30 WHERE name = 'w0'; UPDATE runtime SET digest = 'd'`,
			`SELECT count(*)::text FROM worker WHERE name = 'w0'`, "1"},
	}
	db, _ := installation(t, "public")
	up(t, db, "public")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			must(t, tx, c.since)
			if _, err := unify.ExamineDown(ctx, tx, "public"); err != nil {
				t.Fatal(err)
			}
			if _, err := unify.Down(ctx, tx, "public", unify.Options{}); err != nil {
				t.Fatal(err)
			}
			equal(t, tx, "after down", c.query, c.want)
			equal(t, tx, "sensors whose ref is not their runtime's", `SELECT count(*)::text FROM sensor s JOIN runtime r ON r.id = s.runtime
WHERE s.runtime_ref <> r.ref AND s.ref NOT IN ('acme.s3', 'acme.s4')`, "0")
			// The way up is free again.
			if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Data without a legacy form is listed and refused, and given up if forced.
func TestDownRefusesLoss(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, since, object string }{
		{"constraint of an action", `UPDATE action SET runtime_version_constraint = '>=3' WHERE id = 1`, "column action.runtime_version_constraint"},
		{"constraint of a sensor", `UPDATE sensor SET runtime_version_constraint = '>=3' WHERE id = 1`, "column sensor.runtime_version_constraint"},
		{"version", `INSERT INTO runtime_version (runtime, version, sort_key) VALUES (10, '3.12', 'x')`, "table runtime_version"},
		{"execution config", `UPDATE runtime SET execution_config = '{"interpreter": {}}' WHERE id = 10`, "column runtime.execution_config"},
		{"aliases", `UPDATE runtime SET aliases = '["snake"]' WHERE id = 10`, "column runtime.aliases"},
		{"refs that become one", `
INSERT INTO runtime (id, ref, name, distributions) VALUES (50, 'core.node', 'New', '{}');
INSERT INTO action (ref, pack, pack_ref, label, entrypoint, runtime) VALUES ('new', 2, 'acme', 'N', 'n', 50)`, "runtime core.node"},
	}
	db, _ := installation(t, "public")
	up(t, db, "public")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			must(t, tx, "SET CONSTRAINTS ALL IMMEDIATE; "+c.since)
			before := rows(t, tx)
			plan, err := unify.ExamineDown(ctx, tx, "public")
			if err != nil {
				t.Fatal(err)
			}
			if len(plan.Losses) != 1 || plan.Losses[0].Object != c.object {
				t.Errorf("got losses %v, want %s", plan.Losses, c.object)
			}
			if _, err = unify.Down(ctx, tx, "public", unify.Options{}); !errors.Is(err, unify.ErrLoss) || !strings.Contains(err.Error(), c.object) {
				t.Fatalf("down gave %v, want ErrLoss with %s", err, c.object)
			}
			if diff := cmp.Diff(before, rows(t, tx)); diff != "" {
				t.Errorf("down wrote before it refused:\n%s", diff)
			}
			report, err := unify.Down(ctx, tx, "public", unify.Options{Force: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plan.Losses, report.Losses); diff != "" || !strings.Contains(report.String(), "Given up\n  ! "+c.object) {
				t.Errorf("it does not say what it gave up (-plan +report):\n%s\n%s", diff, report)
			}
			equal(t, tx, "the action that used a ref which another row has",
				`SELECT coalesce((SELECT runtime::text FROM action WHERE ref = 'new'), '13')`, "13")
		})
	}
}

// Objects of others that depend on dropped ones are named.
func TestDownNamesObstacles(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, _ := installation(t, "public")
	up(t, db, "public")
	must(t, db, `
CREATE VIEW v AS SELECT aliases FROM runtime;
CREATE TABLE other (version bigint CONSTRAINT of_version REFERENCES runtime_version (id), ref text CONSTRAINT of_ref REFERENCES runtime (ref));
CREATE INDEX mine ON worker (identity)`)
	plan, err := unify.ExamineDown(ctx, db, "public")
	if err != nil {
		t.Fatal(err)
	}
	wantObjects(t, plan.Obstacles, []string{"view public.v", "constraint of_version", "key of_ref of table public.other"})
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := unify.Down(ctx, tx, "public", unify.Options{})
		return err
	})
	if !errors.Is(err, unify.ErrObstacles) {
		t.Fatalf("down gave %v, want ErrObstacles", err)
	}
	for _, o := range plan.Obstacles {
		must(t, db, o.SQL)
	}
	down(t, db, "public", unify.Options{})
}

func TestDownWithoutRecord(t *testing.T) {
	t.Parallel()
	db, _ := legacyDB(t, "public")
	if _, err := unify.ExamineDown(context.Background(), db, "public"); !errors.Is(err, unify.ErrNoRecord) {
		t.Errorf("got %v, want ErrNoRecord", err)
	}
}

// The plan to undo is printed like the plan to unify: what Up dropped is added, and so on.
func TestDownPlanSaysWhatHappens(t *testing.T) {
	t.Parallel()
	db, _ := installation(t, "public")
	up(t, db, "public")
	plan, err := unify.ExamineDown(context.Background(), db, "public")
	if err != nil {
		t.Fatal(err)
	}
	text := plan.String()
	for _, line := range []string{
		"+ column runtime.runtime_type", "+ index idx_runtime_type", "+ constraint runtime_sides",
		"- column runtime.aliases", "- table runtime_version", "- index idx_runtime_name", "- unique key worker_identity_key",
		"~ check runtime_ref_format", "~ column runtime.distributions",
	} {
		if !strings.Contains(text, "\n  "+line+"\n") {
			t.Errorf("the plan lacks %q:\n%s", line, text)
		}
	}
}
