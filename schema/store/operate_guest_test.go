package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/fixtures/platform"
	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// TestOperateInGuest: operators cordon and taint the platform's workers and attune's. A platform that has the
// columns of cordons gets them there, and nothing else of its rows changes.
func TestOperateInGuest(t *testing.T) {
	t.Parallel()
	eachGuest(t, func(t *testing.T, db *testdb.DB, shape platform.Shape) {
		ctx, must := t.Context(), ids(t)
		st := openGuest(t, db, store.Config{})
		request := store.Registration{
			Name: "attune-worker-x", Role: metadata.Worker, Instance: ptr("i1"), HeartbeatInterval: ptr(30), Capabilities: guestCaps("3.12.1"),
		}
		ours, _, err := st.Workers.Register(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		var alpha int64
		if err := db.NewRaw("SELECT id FROM attune.worker WHERE name = 'worker-alpha'").Scan(ctx, &alpha); err != nil {
			t.Fatal(err)
		}
		columns := shape.Has(platform.A)
		rows := text(t, db, foreignRows)
		sameIDs(t, "cordon", must(st.Workers.Cordon(ctx, "disk", alpha, ours.ID)), alpha, ours.ID)
		sameIDs(t, "cordon again", must(st.Workers.Cordon(ctx, "disk", alpha, ours.ID)))
		sameIDs(t, "another reason", must(st.Workers.Cordon(ctx, "disk full", alpha)), alpha)
		if columns {
			got := text(t, db, `SELECT concat_ws(' ', cordoned, cordon_reason, cordoned_by, cordoned_at > now() - interval '1 hour') FROM attune.worker WHERE id = ?`, alpha)
			if got != "t disk full t" || text(t, db, "SELECT count(*) FROM attune.attune_worker_cordon") != "0" {
				t.Errorf("the platform's columns are %q", got)
			}
		} else if diff := cmp.Diff(rows, text(t, db, foreignRows)); diff != "" {
			t.Errorf("rows of the platform (-before +after):\n%s", diff)
		}
		taint := requirement.Taint{Key: "operator", Value: "x", Effect: requirement.NoSchedule}
		sameIDs(t, "taint", must(st.Workers.Taint(ctx, taint, alpha, ours.ID)), alpha, ours.ID)
		if _, _, err := st.Workers.Register(ctx, request); err != nil {
			t.Fatal(err)
		}
		if _, err := st.Workers.Report(ctx, ours.ID, "i1", *guestCaps("3.13.0")); err != nil {
			t.Fatal(err)
		}
		facts, err := st.Workers.Facts(ctx, store.FactsQuery{Workers: []int64{alpha, ours.ID}})
		if err != nil {
			t.Fatal(err)
		}
		for i, reason := range []string{"disk full", "disk"} {
			f := facts[i]
			if slots := []int{10, 1}[i]; f.Slots != slots {
				t.Errorf("%s has %d slots, want %d", f.Name, f.Slots, slots)
			}
			if !f.Cordoned || f.CordonReason != reason || f.Taints[len(f.Taints)-1] != taint {
				t.Errorf("%+v", f)
			}
			v := placement.Evaluate(&requirement.Requirement{}, &f)
			kinds := map[requirement.Kind]string{}
			for _, r := range v.Reasons {
				kinds[r.Kind] = r.Actual
			}
			if kinds[requirement.Cordoned] != reason || kinds[requirement.Tainted] != "operator=x:no_schedule" {
				t.Errorf("%s: %+v", f.Name, v.Reasons)
			}
		}
		sameIDs(t, "uncordon", must(st.Workers.Uncordon(ctx, alpha, ours.ID)), alpha, ours.ID)
		sameIDs(t, "uncordon again", must(st.Workers.Uncordon(ctx, alpha, ours.ID)))
		if got := text(t, db, foreignRows); !columns && got != rows {
			t.Errorf("rows of the platform (-before +after):\n%s", cmp.Diff(rows, got))
		}
		sameIDs(t, "untaint", must(st.Workers.Untaint(ctx, "operator", "", alpha)), alpha)
		if err := st.Workers.Delete(ctx, ours.ID); err != nil {
			t.Fatal(err)
		}
		if n := text(t, db, "SELECT count(*) FROM attune.attune_worker_operator_taint"); n != "0" {
			t.Errorf("%s taints are left", n)
		}
	})
}

// A platform that gets the columns later keeps the cordons from before. They move there when they are written.
func TestCordonsWhenThePlatformGetsThem(t *testing.T) {
	t.Parallel()
	ctx, must := t.Context(), ids(t)
	db := guestOf(t, platform.V)
	before := openGuest(t, db, store.Config{})
	var alpha, beta int64
	if err := db.NewRaw("SELECT min(id), max(id) FROM attune.worker").Scan(ctx, &alpha, &beta); err != nil {
		t.Fatal(err)
	}
	must(before.Workers.Cordon(ctx, "disk", alpha, beta))
	if _, err := db.ExecContext(ctx, `ALTER TABLE attune.worker ADD cordoned boolean NOT NULL DEFAULT false, ADD cordon_reason text, ADD cordoned_by bigint, ADD cordoned_at timestamptz`); err != nil {
		t.Fatal(err)
	}
	st := openGuest(t, db, store.Config{})
	cordons := func(want ...string) {
		t.Helper()
		rows, err := st.Workers.Cordons(ctx, []int64{alpha, beta})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range rows {
			got = append(got, *c.Reason)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("cordons (-want +got):\n%s", diff)
		}
	}
	cordons("disk", "disk")
	if _, err := db.ExecContext(ctx, `UPDATE attune.worker SET cordoned = true, cordon_reason = 'theirs' WHERE id = ?`, beta); err != nil {
		t.Fatal(err)
	}
	cordons("disk", "theirs")
	sameIDs(t, "cordon", must(st.Workers.Cordon(ctx, "memory", alpha)), alpha)
	cordons("memory", "theirs")
	sameIDs(t, "uncordon", must(st.Workers.Uncordon(ctx, alpha, beta)), alpha, beta)
	cordons()
}
