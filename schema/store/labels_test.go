package store_test

import (
	"fmt"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestLabelsFollowTheDocument: a write of a document writes the rows of its labels and taints.
func TestLabelsFollowTheDocument(t *testing.T) {
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
