package unify_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// unifiedElsewhere is what somebody else's migration did: it put the core pack's
// runtimes together, re-pointed actions and sensors by id, and went.
const unifiedElsewhere = `
UPDATE action SET runtime = 10 WHERE runtime IN (11, 12); UPDATE sensor SET runtime = 10 WHERE runtime IN (11, 12);
UPDATE action SET runtime = 14 WHERE runtime IN (13, 15); UPDATE sensor SET runtime = 14 WHERE runtime IN (13, 15);
DROP SCHEMA elsewhere CASCADE; UPDATE worker SET runtime = NULL;
UPDATE runtime SET parent = NULL;
DELETE FROM runtime WHERE id IN (11, 12, 13, 15);
ALTER TABLE runtime DROP COLUMN runtime_type, DROP CONSTRAINT runtime_ref_format;
DROP TYPE runtime_type_enum;
UPDATE runtime SET ref = 'core.' || split_part(ref, '.', 3) WHERE ref LIKE 'core.%' AND id <> 16;
UPDATE runtime SET ref = 'core.shell' WHERE id = 17;
CREATE INDEX idx_runtime_name ON runtime (name);
CREATE INDEX idx_runtime_verification ON runtime USING gin ((distributions->'verification'));
ALTER TABLE runtime ADD COLUMN execution_config jsonb NOT NULL DEFAULT '{}';`

func TestAdopt(t *testing.T) {
	ctx := context.Background()
	db, url := installation(t, "public")
	must(t, db, unifiedElsewhere)
	must(t, db, "TRUNCATE noise")
	before := dump(t, db, url)

	plan, err := unify.Examine(ctx, db, "public")
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Adopt || len(plan.Obstacles) > 0 {
		t.Fatalf("the plan is %s", plan)
	}
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := unify.Adopt(ctx, tx, "public", unify.Options{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, db, "denormalised refs that are stale", `SELECT count(*)::text FROM sensor s JOIN runtime r ON r.id = s.runtime WHERE s.runtime_ref <> r.ref`, "0")
	equal(t, db, "refs", `SELECT string_agg(ref, ' ' ORDER BY ref) FROM runtime`,
		"acme.alone acme.node acme.only acme.ruby core.native core.nodejs core.python core.sensor.builtin core.shell")
	equal(t, db, "dependencies", `SELECT runtime_deps::text FROM pack WHERE id = 2`,
		"{core.python,core.nodejs,acme.ruby,core.sensor.builtin,elsewhere.thing}")
	equal(t, db, "aliases", `SELECT aliases::text FROM runtime WHERE ref = 'core.nodejs'`, `["node", "nodejs"]`)
	equal(t, db, "triggers that fired", `SELECT count(*)::text FROM noise`, "0")

	down(t, db, "public", unify.Options{})
	if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
		t.Errorf("after adopt and down (-before +after):\n%s", diff)
	}
}

// A schema that this package made is adopted with nothing to do.
func TestAdoptAddsNothingTwice(t *testing.T) {
	ctx := context.Background()
	db, url := installation(t, "public")
	up(t, db, "public")
	must(t, db, "DROP TABLE runtime_unification, runtime_unification_ledger, runtime_unification_catalog")
	before := dump(t, db, url)
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := unify.Adopt(ctx, tx, "public", unify.Options{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	must(t, db, "DROP TABLE runtime_unification, runtime_unification_ledger, runtime_unification_catalog")
	if diff := cmp.Diff(before, dump(t, db, url)); diff != "" {
		t.Errorf("after adopting (-before +after):\n%s", diff)
	}
}

// equal checks one value of the database.
func equal(t testing.TB, db bun.IDB, what, query, want string) {
	t.Helper()
	var got string
	if err := db.NewRaw(query).Scan(context.Background(), &got); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}
