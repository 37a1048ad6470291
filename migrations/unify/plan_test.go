package unify_test

import (
	"context"
	"testing"

	"github.com/attune-go/attune/migrations/unify"
)

func TestPlanPrint(t *testing.T) {
	db, _ := installation(t, "public")
	plan, err := unify.Examine(context.Background(), db, "public")
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + plan.String())
	up(t, db, "public")
	dp, err := unify.ExamineDown(context.Background(), db, "public")
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + dp.String())
}
