package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/store"
)

// TestLabelsFollowTheDocument: a write of a document writes the rows of its labels and taints.
func TestLabelsFollowTheDocument(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		w := running(t, e, "a")
		other := running(t, e, "b")
		ids := []int64{w.ID, other.ID}
		check := func(name string, want ...string) {
			t.Helper()
			got := []string{}
			labels, err := e.Workers.Labels(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range labels {
				got = append(got, fmt.Sprintf("%d %s=%s", l.Worker-w.ID, l.Key, l.Value))
			}
			taints, err := e.Workers.Taints(t.Context(), ids)
			if err != nil {
				t.Fatal(err)
			}
			for _, taint := range taints {
				value := ""
				if taint.Value != nil {
					value = "=" + *taint.Value
				}
				got = append(got, fmt.Sprintf("%d %s%s:%s", taint.Worker-w.ID, taint.Key, value, taint.Effect))
			}
			if want == nil {
				want = []string{}
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		write := func(document string) {
			t.Helper()
			e.exec(t, "UPDATE {schema}.worker SET capabilities = ? WHERE id = ?", document, w.ID)
		}
		check("nothing")
		write(`{"labels": {"zone": "a", "rack": 7, "ssd": true, "nested": {}, "list": [], "none": null, "it's \"odd\"": "%_"},
			"taints": [{"key": "gpu", "effect": "no_schedule"}, {"key": "spot", "value": "x", "effect": "prefer_no_schedule"},
				{"key": "old", "effect": "evict"}, {"effect": "no_schedule"}, 7, {"key": 7, "effect": "no_schedule"}]}`)
		check("all shapes", `0 it's "odd"=%_`, "0 rack=7", "0 ssd=true", "0 zone=a", "0 gpu:no_schedule", "0 spot=x:prefer_no_schedule")
		write(`{"labels": {"zone": "b"}, "taints": {}}`)
		check("fewer", "0 zone=b")
		write(`{"labels": ["zone"], "taints": "gpu"}`)
		check("other shapes")
		long := fmt.Sprintf("%02000d", 7)
		write(`{"labels": {"zone": "c", "long": "` + long + `", "` + long + `": "x"}, "taints": [{"key": "` + long + `", "effect": "no_schedule"}]}`)
		check("too long", "0 zone=c")
		write(`[1]`)
		check("a list")
		write(`{"labels": {"zone": "d"}}`)
		e.exec(t, "DELETE FROM {schema}.worker WHERE id = ?", w.ID)
		check("deleted")
	})
}

// TestLabelsHaveBounds: a report whose labels or taints the database would not keep is refused, and what is within
// the bounds is kept, whatever its characters.
func TestLabelsHaveBounds(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		w := running(t, e, "a")
		report := func(labels map[string]any, taints ...any) error {
			text, err := json.Marshal(map[string]any{"runtimes": []string{}, "labels": labels, "taints": taints})
			if err != nil {
				t.Fatal(err)
			}
			_, err = e.Workers.Report(t.Context(), w.ID, "i1", store.Capabilities{Document: text})
			return err
		}
		taint := func(key, value string) map[string]string {
			return map[string]string{"key": key, "value": value, "effect": "prefer_no_schedule"}
		}
		many, tooMany, taints := map[string]any{}, map[string]any{"x": ""}, []any{}
		for i := range requirement.MaxPairs {
			many[fmt.Sprint(i)], tooMany[fmt.Sprint(i)], taints = "v", "v", append(taints, taint(fmt.Sprint(i), ""))
		}
		long := func(of string) string { return strings.Repeat(of, 10_000) }
		for _, c := range []struct {
			err  error
			want string
		}{
			{report(tooMany), "labels: must have at most 1000 elements, got 1001"},
			{report(nil, append(taints, taint("x", ""))...), "taints: must have at most 1000 elements, got 1001"},
			{report(map[string]any{long("k"): "v"}), "must have at most 900 bytes in key and value, got 10001"},
			{report(map[string]any{"k": long("ü")}), `label "k": must have at most 900 bytes in key and value, got 20001`},
			{report(map[string]any{"k": strings.Repeat(`"`, 450)}), `label "k": must have at most 900 bytes in key and value, got 901`},
			{report(map[string]any{"k": "a\nb"}), `label "k": must not contain control characters`},
			{report(map[string]any{"": "a"}), `label "": must name a label`},
			{report(nil, taint(long("k"), "")), "must have at most 900 bytes in key and value, got 10000"},
			{report(nil, taint("k", "a\x1b")), `taint "k": must not contain control characters`},
		} {
			if !errors.Is(c.err, store.ErrInvalid) || !strings.Contains(c.err.Error(), c.want) {
				t.Errorf("got %.300v, want %s", c.err, c.want)
			}
		}
		odd := []string{`it's`, `100%`, `"`, `\`, `?0`, `a'; DROP TABLE worker; --`, "ü🙂", strings.Repeat("x", 449), strings.Repeat(`\`, 225), strings.Repeat("🙂", 112)}
		labels := map[string]any{"number": 7, "nested": map[string]any{}, "list": []any{}}
		for _, text := range odd {
			labels[text] = text
		}
		if err := report(labels, 7, map[string]any{"key": 1}, taint(odd[5], odd[5])); err != nil {
			t.Fatal(err)
		}
		rows, err := e.Workers.Labels(t.Context(), []int64{w.ID})
		if err != nil || len(rows) != len(odd)+1 {
			t.Errorf("%d labels are kept, want %d, %v", len(rows), len(odd)+1, err)
		}
		if err := report(many, taints...); err != nil {
			t.Fatal(err)
		}
		rows, err = e.Workers.Labels(t.Context(), []int64{w.ID})
		if err != nil || len(rows) != requirement.MaxPairs {
			t.Errorf("%d labels are kept, want all, %v", len(rows), err)
		}
		widest := taint(strings.Repeat(`"`, 225), strings.Repeat(`\`, 225))
		if err := report(nil, widest); err != nil {
			t.Fatal(err)
		}
		kept, err := e.Workers.Taints(t.Context(), []int64{w.ID})
		if err != nil || len(kept) != 1 || kept[0].Key != widest["key"] {
			t.Errorf("taints %+v, %v", kept, err)
		}
	})
}
