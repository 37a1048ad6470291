package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// ids returns the result of an operation.
func ids(t *testing.T) func(changed []int64, err error) []int64 {
	return func(changed []int64, err error) []int64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
}

func sameIDs(t *testing.T, what string, got []int64, want ...int64) {
	t.Helper()
	if want == nil {
		want = []int64{}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s: changed (-want +got):\n%s", what, diff)
	}
}

// TestCordon: a cordon keeps a worker from being placed until it is lifted. A report, a heartbeat and a new
// registration do not touch it, and it is deleted with the worker.
func TestCordon(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx, must := t.Context(), ids(t)
		a, b, c := running(t, e, "a"), running(t, e, "b"), running(t, e, "c")
		sameIDs(t, "two workers and none", must(e.Workers.Cordon(ctx, "disk", c.ID, a.ID, 99_999)), a.ID, c.ID)
		sameIDs(t, "again", must(e.Workers.Cordon(ctx, "disk", a.ID, c.ID)))
		sameIDs(t, "without a reason", must(e.Workers.Cordon(ctx, "", a.ID, b.ID)), b.ID)
		sameIDs(t, "another reason", must(e.Workers.Cordon(ctx, `it's 100% "full"; ?`, a.ID, b.ID)), a.ID, b.ID)
		sameIDs(t, "nobody", must(e.Workers.Cordon(ctx, "x")))
		if _, err := e.Workers.Heartbeat(ctx, a.ID, "i1"); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Workers.Report(ctx, a.ID, "i1", *found(t)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := e.Workers.Register(ctx, store.Registration{
			Name: "a", Role: metadata.Worker, Instance: ptr("i2"), HeartbeatInterval: ptr(30), Capabilities: found(t), Takeover: true,
		}); err != nil {
			t.Fatal(err)
		}
		cordons, err := e.Workers.Cordons(ctx, []int64{c.ID, b.ID, a.ID, 99_999})
		if err != nil || len(cordons) != 3 {
			t.Fatalf("%+v, %v", cordons, err)
		}
		for i, reason := range []string{`it's 100% "full"; ?`, `it's 100% "full"; ?`, "disk"} {
			got := cordons[i]
			if got.Reason == nil || *got.Reason != reason || time.Since(got.Created).Abs() > time.Hour || got.Created.Location() != time.UTC {
				t.Errorf("cordon %+v, want the reason %q and the present time", got, reason)
			}
			if (got.CreatedBy != nil) != e.postgres || e.postgres && *got.CreatedBy != value[string](t, e, "SELECT session_user") {
				t.Errorf("by %v, want the database's user", got.CreatedBy)
			}
		}
		facts, err := e.Workers.Facts(ctx, store.FactsQuery{})
		if err != nil || !facts[0].Cordoned || facts[0].CordonReason != `it's 100% "full"; ?` || facts[2].CordonReason != "disk" {
			t.Errorf("%+v, %v", facts, err)
		}
		placed := func(want ...string) {
			t.Helper()
			got, err := e.Workers.Place(ctx, &requirement.Requirement{}, 0)
			var names []string
			for _, p := range got {
				names = append(names, p.Name)
			}
			slices.Sort(names)
			if err != nil || !slices.Equal(names, want) {
				t.Errorf("placed %q, %v; want %q", names, err, want)
			}
		}
		placed()
		sameIDs(t, "uncordon", must(e.Workers.Uncordon(ctx, b.ID, c.ID, 99_999)), b.ID, c.ID)
		sameIDs(t, "uncordon again", must(e.Workers.Uncordon(ctx, b.ID, c.ID)))
		placed("b", "c")
		if err := e.Workers.Delete(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		if n := value[int](t, e, "SELECT count(*) FROM {schema}.worker_cordon"); n != 0 {
			t.Errorf("%d cordons are left", n)
		}
	})
}

// TestTaint: an operator's taint stays beside those of the host, whatever the host reports.
func TestTaint(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx, must := t.Context(), ids(t)
		a, b := running(t, e, "a"), running(t, e, "b")
		gpu := requirement.Taint{Key: "gpu", Value: "a100", Effect: requirement.NoSchedule}
		soft := requirement.Taint{Key: "gpu", Effect: requirement.PreferNoSchedule}
		sameIDs(t, "taint", must(e.Workers.Taint(ctx, gpu, b.ID, a.ID, 99_999)), a.ID, b.ID)
		sameIDs(t, "taint again", must(e.Workers.Taint(ctx, gpu, a.ID)))
		sameIDs(t, "the other effect", must(e.Workers.Taint(ctx, soft, a.ID)), a.ID)
		gpu.Value = ""
		sameIDs(t, "another value", must(e.Workers.Taint(ctx, gpu, b.ID)), b.ID)
		host := store.Capabilities{Document: json.RawMessage(`{"runtimes": [], "taints": [{"key": "gpu", "value": "h100", "effect": "no_schedule"}, {"key": "spot", "effect": "no_schedule"}]}`)}
		if _, err := e.Workers.Report(ctx, a.ID, "i1", host); err != nil {
			t.Fatal(err)
		}
		taints := func(id int64, want ...string) {
			t.Helper()
			facts, err := e.Workers.Facts(ctx, store.FactsQuery{Workers: []int64{id}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, taint := range facts[0].Taints {
				got = append(got, taint.String())
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("taints (-want +got):\n%s", diff)
			}
		}
		taints(a.ID, "gpu=h100:no_schedule", "spot:no_schedule", "gpu=a100:no_schedule", "gpu:prefer_no_schedule")
		taints(b.ID, "gpu:no_schedule")
		rows, err := e.Workers.OperatorTaints(ctx, []int64{a.ID})
		if err != nil || len(rows) != 2 || rows[0].Value != "a100" || (rows[0].CreatedBy != nil) != e.postgres || rows[0].Created.IsZero() {
			t.Errorf("%+v, %v", rows, err)
		}
		for _, c := range []struct {
			tolerated string
			want      int
		}{{"", 0}, {"gpu=h100 spot", 0}, {"gpu=a100 spot", 0}, {"gpu spot", 2}, {"gpu=a100 gpu=h100 spot", 1}} {
			r, err := requirement.Terms{Tolerate: strings.Fields(c.tolerated)}.Requirement()
			if err != nil {
				t.Fatal(err)
			}
			if placed, err := e.Workers.Place(ctx, &r, 0); err != nil || len(placed) != c.want {
				t.Errorf("%q tolerated: %d placed, %v; want %d", c.tolerated, len(placed), err, c.want)
			}
		}
		sameIDs(t, "untaint one effect", must(e.Workers.Untaint(ctx, "gpu", requirement.PreferNoSchedule, a.ID, b.ID)), a.ID)
		sameIDs(t, "a host's taint", must(e.Workers.Untaint(ctx, "spot", "", a.ID, b.ID)))
		must(e.Workers.Taint(ctx, soft, a.ID))
		sameIDs(t, "untaint", must(e.Workers.Untaint(ctx, "gpu", "", a.ID, b.ID)), a.ID, b.ID)
		taints(a.ID, "gpu=h100:no_schedule", "spot:no_schedule")
		must(e.Workers.Taint(ctx, soft, a.ID))
		if err := e.Workers.Delete(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
		if n := value[int](t, e, "SELECT count(*) FROM {schema}.worker_operator_taint"); n != 0 {
			t.Errorf("%d taints are left", n)
		}
	})
}

// Whatever an operator writes is data. What a database could not hold is refused before it is asked.
func TestOperateBadInput(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx, must := t.Context(), ids(t)
		w := running(t, e, "a")
		for _, text := range []string{
			`it's`, `100%`, `"`, `?`, `?0`, `{}`, `\`, `$1`, `a'; DROP TABLE worker; --`, `'); DELETE FROM worker; --`, "ü🙂", strings.Repeat("k", 900),
		} {
			sameIDs(t, text, must(e.Workers.Cordon(ctx, text, w.ID)), w.ID)
			taint := requirement.Taint{Key: text, Effect: requirement.NoSchedule}
			if len(text) < 400 {
				taint.Value = text
			}
			if text == `\` || text == `"` || len(text) < 900 || !strings.ContainsAny(text, `"\`) {
				sameIDs(t, text, must(e.Workers.Taint(ctx, taint, w.ID)), w.ID)
			}
			facts, err := e.Workers.Facts(ctx, store.FactsQuery{})
			if err != nil || facts[0].CordonReason != text || !slices.Contains(facts[0].Taints, taint) {
				t.Errorf("%s: read back %+v, %v", text, facts[0], err)
			}
			sameIDs(t, text, must(e.Workers.Untaint(ctx, text, "", w.ID)), w.ID)
		}
		for _, reason := range []string{"a\x00", "a\nb", "a\x1b[31m", "\xff", strings.Repeat("ü", 1025), strings.Repeat("x", 10_000)} {
			if _, err := e.Workers.Cordon(ctx, reason, w.ID); !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "reason: must") {
				t.Errorf("reason %.20q: %v", reason, err)
			}
		}
		must(e.Workers.Cordon(ctx, strings.Repeat("ü", 1024), w.ID))
		for _, taint := range []requirement.Taint{
			{}, {Key: "a"}, {Key: "a", Effect: "evict"}, {Effect: requirement.NoSchedule}, {Key: "a\x00", Effect: requirement.NoSchedule},
			{Key: "a", Value: "b\n", Effect: requirement.NoSchedule}, {Key: "\xff", Effect: requirement.NoSchedule},
			{Key: strings.Repeat("k", 10_000), Effect: requirement.NoSchedule}, {Key: "k", Value: strings.Repeat(`"`, 450), Effect: requirement.NoSchedule},
		} {
			if _, err := e.Workers.Taint(ctx, taint, w.ID); !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "must") {
				t.Errorf("taint %.30v: %v", taint, err)
			}
		}
		_, err := e.Workers.Taint(ctx, requirement.Taint{Key: requirement.ReportOnly, Effect: requirement.NoSchedule}, w.ID)
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "every requirement tolerates attune/report-only") {
			t.Errorf("a taint that keeps nothing off: %v", err)
		}
		sameIDs(t, "a key that nothing has", must(e.Workers.Untaint(ctx, "a\x00", "", w.ID)))
		sameIDs(t, "an effect that nothing has", must(e.Workers.Untaint(ctx, "a", "evict", w.ID)))
		for _, statement := range []string{
			`INSERT INTO {schema}.worker_operator_taint (worker, key, effect) VALUES (?, '', 'no_schedule')`,
			`INSERT INTO {schema}.worker_operator_taint (worker, key, effect) VALUES (?, 'a', 'evict')`,
			`INSERT INTO {schema}.worker_operator_taint (worker, key, effect, value) VALUES (?, 'a', 'no_schedule', '` + strings.Repeat("v", 2000) + `')`,
			`UPDATE {schema}.worker_cordon SET reason = '' WHERE worker = ?`,
			`UPDATE {schema}.worker_cordon SET reason = '` + strings.Repeat("v", 1025) + `' WHERE worker = ?`,
		} {
			if _, err := e.NewRaw(e.sql(statement), w.ID).Exec(ctx); err == nil {
				t.Errorf("%s: it was taken", statement)
			}
		}
	})
}

var errUndo = errors.New("undo")

// An operation is part of the caller's transaction, and listeners hear of it when that commits.
func TestOperateInTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		a, b := running(t, e, "a"), running(t, e, "b")
		var next func(context.Context) string
		if e.postgres {
			next = listen(t, e, store.ChangeChannel)
		}
		in := func(end error, fn func(w *store.Workers) ([]int64, error)) {
			t.Helper()
			err := e.RunInTx(ctx, nil, func(_ context.Context, tx bunTx) error {
				if changed, err := fn(store.New(tx, store.Config{Schema: e.schema}).Workers); err != nil || len(changed) == 0 {
					t.Errorf("changed %v, %v", changed, err)
				}
				return end
			})
			if !errors.Is(err, end) {
				t.Fatal(err)
			}
		}
		in(errUndo, func(w *store.Workers) ([]int64, error) { return w.Cordon(ctx, "x", a.ID) })
		if cordons, err := e.Workers.Cordons(ctx, []int64{a.ID}); err != nil || len(cordons) != 0 {
			t.Errorf("after a rollback: %+v, %v", cordons, err)
		}
		in(nil, func(w *store.Workers) ([]int64, error) { return w.Cordon(ctx, "x", b.ID) })
		in(nil, func(w *store.Workers) ([]int64, error) {
			return w.Taint(ctx, requirement.Taint{Key: "gpu", Effect: requirement.NoSchedule}, a.ID, b.ID)
		})
		if _, err := e.Workers.Cordon(ctx, "x", b.ID); err != nil { // changes nothing
			t.Fatal(err)
		}
		in(nil, func(w *store.Workers) ([]int64, error) { return w.Untaint(ctx, "gpu", "", a.ID) })
		if !e.postgres {
			return
		}
		for _, want := range []store.ChangeNotice{{Worker: b.ID}, {}, {Worker: a.ID}} {
			want.Schema = e.schema
			var got store.ChangeNotice
			if payload := next(ctx); json.Unmarshal([]byte(payload), &got) != nil || got != want {
				t.Errorf("notice %s, want %+v", payload, want)
			}
		}
	})
}

// A database that was not migrated is told from one without workers.
func TestOperateBeforeMigration(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		ctx := t.Context()
		w := running(t, e, "a")
		e.exec(t, "DROP TABLE {schema}.worker_cordon")
		e.exec(t, "DROP TABLE {schema}.worker_operator_taint")
		gpu := requirement.Taint{Key: "gpu", Effect: requirement.NoSchedule}
		for name, err := range map[string]error{
			"cordon": second(e.Workers.Cordon(ctx, "x", w.ID)), "uncordon": second(e.Workers.Uncordon(ctx, w.ID)),
			"taint": second(e.Workers.Taint(ctx, gpu, w.ID)), "untaint": second(e.Workers.Untaint(ctx, "gpu", "", w.ID)),
			"facts": second(e.Workers.Facts(ctx, store.FactsQuery{})), "place": second(e.Workers.Place(ctx, &requirement.Requirement{}, 0)),
		} {
			if !errors.Is(err, store.ErrNoTables) || !strings.Contains(err.Error(), "migrate the database") {
				t.Errorf("%s: %v, want ErrNoTables", name, err)
			}
		}
	})
}
