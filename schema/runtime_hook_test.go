package schema_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
)

// TestDocumentsAreCheckedWhereTheyAreWritten writes wrong documents with the models. bun
// reports their faults, and reads and deletes rows that have some.
func TestDocumentsAreCheckedWhereTheyAreWritten(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		ctx := t.Context()
		row := fixtures.Runtime(ctx, t, db, fixtures.RuntimeOpts{})
		refused := func(what string, err error, pointers ...string) {
			t.Helper()
			var faults document.Faults
			if !errors.As(err, &faults) {
				t.Errorf("%s: %v, want document.Faults", what, err)
				return
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Pointer)
			}
			if diff := cmp.Diff(pointers, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		wrong := metadata.Distributions{MinVersion: "three"}
		bad := *row
		bad.ID, bad.Ref, bad.Distributions, bad.Aliases = 0, "acme.bad", wrong, metadata.Aliases{"bad", "bad"}
		_, err := db.NewInsert().Model(&bad).Exec(ctx)
		refused("insert", err, "/aliases/1", "/distributions/min_version")
		_, err = db.NewInsert().Model(&[]schema.Runtime{bad}).Exec(ctx)
		refused("insert of several", err, "/aliases/1", "/distributions/min_version")
		bad = *row
		bad.Distributions = wrong
		_, err = db.NewUpdate().Model(&bad).Column("distributions").WherePK().Exec(ctx)
		refused("update", err, "/distributions/min_version")
		_, err = db.NewInsert().Model(&schema.RuntimeVersion{Runtime: row.ID, Version: "1", SortKey: "1", Distributions: wrong}).Exec(ctx)
		refused("insert of a version", err, "/distributions/min_version")
		if n, err := db.NewSelect().Model(&bad).WherePK().Count(ctx); n != 1 || err != nil {
			t.Errorf("select: %d rows, %v", n, err)
		}
		if _, err := db.NewDelete().Model(&bad).WherePK().Exec(ctx); err != nil {
			t.Errorf("delete: %v", err)
		}
	})
}
