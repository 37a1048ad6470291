package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/version"
)

// TestConstraintsAreCheckedWhereTheyAreWritten writes wrong constraints with the models.
// Both databases refuse them, and the error has the position of the fault.
func TestConstraintsAreCheckedWhereTheyAreWritten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		ctx := t.Context()
		good, wrong := ">=3.11,<4", ">=3.11,<4,"
		pack := fixtures.Pack(ctx, t, db, fixtures.PackOpts{})
		action := fixtures.Action(ctx, t, db, fixtures.ActionOpts{Pack: pack, RuntimeVersionConstraint: &good})
		sensor := fixtures.Sensor(ctx, t, db, fixtures.SensorOpts{Pack: pack, RuntimeVersionConstraint: &good})
		refused := func(what, ref string, err error) {
			t.Helper()
			var syntax *version.SyntaxError
			if !errors.As(err, &syntax) || !strings.Contains(err.Error(), ref) || !strings.Contains(err.Error(), "runtime_version_constraint: constraint \">=3.11,<4,\": position 11") {
				t.Errorf("%s: %v, want the fault and its place", what, err)
			}
		}

		another := *action
		another.ID, another.Ref, another.RuntimeVersionConstraint = 0, "x.new", &wrong
		_, err := db.NewInsert().Model(&another).Exec(ctx)
		refused("insert", `action "x.new"`, err)
		fine := another
		fine.Ref, fine.RuntimeVersionConstraint = "x.fine", nil
		_, err = db.NewInsert().Model(&[]schema.Action{fine, another}).Exec(ctx)
		refused("insert of several", `action "x.new"`, err)
		action.RuntimeVersionConstraint = &wrong
		_, err = db.NewUpdate().Model(action).Column("runtime_version_constraint").WherePK().Exec(ctx)
		refused("update", action.Ref, err)
		sensor.RuntimeVersionConstraint = &wrong
		_, err = db.NewUpdate().Model(sensor).WherePK().Exec(ctx)
		refused("update", sensor.Ref, err)

		// The same without a model, as in psql or sqlite3.
		for _, sql := range []string{
			`INSERT INTO action (ref, pack, pack_ref, label, description, entrypoint, runtime_version_constraint)
				SELECT 'x.raw', pack, pack_ref, label, description, entrypoint, 'rubbish!!' FROM action`,
			"UPDATE action SET runtime_version_constraint = 'rubbish!!'", "UPDATE sensor SET runtime_version_constraint = '>=3.11,<4,'",
			"UPDATE action SET runtime_version_constraint = ''",
		} {
			if _, err := db.ExecContext(ctx, sql); err == nil || !strings.Contains(err.Error(), "constraint") {
				t.Errorf("%s: %v; want it to be refused", sql, err)
			}
		}
		if _, err := db.ExecContext(ctx, "UPDATE sensor SET runtime_version_constraint = '~3.12 || >= 3.13rc1, <4'"); err != nil {
			t.Error(err)
		}
		if _, err := db.ExecContext(ctx, "UPDATE action SET runtime_version_constraint = NULL"); err != nil {
			t.Error(err)
		}
		if _, err := db.ExecContext(ctx, "UPDATE action SET runtime_version_constraint = ?", good); err != nil {
			t.Error(err)
		}

		var actions []schema.Action
		if err := db.NewSelect().Model(&actions).Scan(ctx); err != nil || len(actions) != 1 || *actions[0].RuntimeVersionConstraint != good {
			t.Errorf("after all that: %+v, %v", actions, err)
		}
		if _, err := db.NewDelete().Model(action).WherePK().Exec(ctx); err != nil {
			t.Errorf("delete: %v", err)
		}
	})
}
