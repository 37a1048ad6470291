package unify_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// A ref that belongs to no certain key becomes what its text determines, and is restored. What cannot
// be re-pointed is noted.
func TestRefsBesideSeveralKeys(t *testing.T) {
	t.Parallel()
	db, url := installation(t, "public")
	must(t, db, `
CREATE TABLE twain (id int PRIMARY KEY, action_runtime bigint REFERENCES runtime (id), sensor_runtime bigint REFERENCES runtime (id), runtime_ref text);
INSERT INTO twain VALUES (1, 10, 11, 'core.action.python'), (2, 13, 15, 'core.sensor.nodejs'), (3, NULL, NULL, 'core.sensor.python3'), (4, 10, 10, NULL),
  (5, 10, 12, 'core.sensor.builtin'), (6, 10, 12, 'core.python'), (7, 10, 12, 'x');
CREATE TABLE exec (exec_runtime bigint REFERENCES runtime (id), exec_runtime_ref text, runtime_ref varchar(40), note text);
INSERT INTO exec VALUES (11, 'core.sensor.python', 'core.sensor.python', 'twin'), (11, 'core.sensor.python', 'core.sensor.python', 'twin'),
  (10, 'core.action.python', 'core.sensor.python', 'twin'), (12, NULL, 'core.sensor.python3', 'twin');
CREATE TABLE odd (runtime bigint REFERENCES runtime (id), other bigint REFERENCES runtime (id), runtime_ref int, far_runtime_ref text GENERATED ALWAYS AS ('x') STORED);
CREATE TABLE keyed (one bigint REFERENCES runtime (id), a bigint REFERENCES runtime (id), runtime_ref text, PRIMARY KEY (one, runtime_ref));
INSERT INTO keyed VALUES (11, 12, 'core.sensor.python'), (12, 10, 'core.action.node')`)
	before := dump(t, db, url)
	plan, err := unify.Examine(context.Background(), db, "public")
	if err != nil {
		t.Fatal(err)
	}
	wantObjects(t, plan.Obstacles, nil)
	for _, want := range []string{"public.odd.runtime_ref is generated or not text", "public.odd.far_runtime_ref is generated or not text"} {
		if !slices.ContainsFunc(plan.Notes, func(n string) bool { return strings.HasPrefix(n, want) }) {
			t.Errorf("got notes %q, want %q among them", plan.Notes, want)
		}
	}
	if diff := cmp.Diff(plan.Tables, up(t, db, "public").Tables); diff != "" {
		t.Errorf("re-pointed (-plan +up):\n%s", diff)
	}
	equal(t, db, "both", `SELECT string_agg(runtime_ref, ' ' ORDER BY id) FROM twain`, "core.python core.nodejs core.python core.sensor.builtin core.python x")
	equal(t, db, "exec", `SELECT string_agg(DISTINCT concat_ws(' ', exec_runtime, exec_runtime_ref, runtime_ref), ', ') FROM exec`, "10 core.python, 10 core.python core.python")
	equal(t, db, "keyed", `SELECT string_agg(concat_ws(' ', one, a, runtime_ref), ', ' ORDER BY runtime_ref) FROM keyed`, "10 10 core.nodejs, 10 10 core.python")

	down(t, db, "public", unify.Options{})
	if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
		t.Errorf("after up and down (-before +after):\n%s", diff)
	}
	up(t, db, "public")
	must(t, db, `INSERT INTO twain VALUES (8, 10, 10, 'core.python'), (9, 10, 10, 'acme.only')`)
	down(t, db, "public", unify.Options{})
	equal(t, db, "what was added since", `SELECT string_agg(runtime_ref, ' ' ORDER BY id) FROM twain WHERE id > 5`, "core.python x core.action.python acme.sensor.only")
}

// Two rows may become duplicates under a unique key of such a ref.
func TestUniqueRefBesideSeveralKeys(t *testing.T) {
	t.Parallel()
	db, _ := installation(t, "public")
	must(t, db, `
CREATE TABLE twain (id int PRIMARY KEY, a bigint REFERENCES runtime (id), b bigint REFERENCES runtime (id), runtime_ref text UNIQUE);
INSERT INTO twain VALUES (1, 10, 11, 'core.action.python'), (2, 13, 15, 'core.sensor.python')`)
	plan, err := unify.Examine(context.Background(), db, "public")
	if err != nil {
		t.Fatal(err)
	}
	wantObjects(t, plan.Obstacles, []string{"unique key twain_runtime_ref_key of table public.twain"})
}
