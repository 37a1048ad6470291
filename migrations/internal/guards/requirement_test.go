package guards_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/requirement"
)

// requirementColumns are the columns with guards.
var requirementColumns = []string{"required_worker_runtimes", "worker_selector", "worker_tolerations", "worker_affinity"}

// verdict returns the faults that Go finds in a document of a column.
func verdict(column, doc string) error {
	var c requirement.Columns
	for i, to := range []*[]byte{&c.Runtimes, &c.Selector, &c.Tolerations, &c.Affinity} {
		if requirementColumns[i] == column {
			*to = []byte(doc)
		}
	}
	return c.Validate()
}

// insertAction inserts an action with a document.
func (g *guarded) insertAction(column, doc string) error {
	g.next++
	_, err := g.DB.NewRaw("INSERT INTO ? (ref, pack, pack_ref, label, entrypoint, ?) VALUES (?, 1, 'etl', 'l', 'e', ?)",
		bun.Safe(g.table("action")), bun.Name(column), fmt.Sprintf("etl.a%d", g.next), doc).Exec(g.t.Context())
	return err
}

// TestRequirementsAreGuarded: the guards refuse documents whose shape Go refuses, and no document that Go reads.
func TestRequirementsAreGuarded(t *testing.T) {
	each(t, func(t *testing.T, g *guarded) {
		g.t = t
		g.must(`INSERT INTO ` + g.table("pack") + ` (id, ref, label, version) VALUES (1, 'etl', 'ETL', '1')`)
		g.must(`INSERT INTO ` + g.table("runtime") + ` (ref, name) VALUES ('core.python', 'Python')`)
		long, labels := strings.Repeat("x", 1025), map[string]string{}
		for i := range 65 {
			labels[fmt.Sprint(i)] = "x"
		}
		many, _ := json.Marshal(labels)
		shape := map[string][]string{
			"required_worker_runtimes": {`"python"`, `["python"]`, `{"python": 3}`, `{"python": ["3"]}`, `{"python": {}}`, string(many)},
			"worker_selector":          {`"zone"`, `["zone"]`, `{"zone": 1}`, `{"zone": true}`, `{"zone": "` + long + `"}`, string(many)},
			"worker_tolerations": {
				`{}`, `["gpu"]`, `[null]`, `[{}]`, `[{"key": ""}]`, `[{"key": 1}]`, `[{"key": "a", "operator": "is"}]`, `[{"key": "a", "effect": "evict"}]`,
				`[{"key": "a", "value": 1}]`, `[{"key": "` + long + `"}]`, `[` + strings.Repeat(`{"key": "a"},`, 64) + `{"key": "a"}]`,
			},
			"worker_affinity": {
				`"x"`, `{"required": {}}`, `{"required": [1]}`, `{"required": [{"match_labels": ["a"]}]}`, `{"required": [{"match_labels": {"a": 1}}]}`,
				`{"anti_affinity": [{"match_expressions": [{"operator": "exists"}]}]}`, `{"required": [{"match_expressions": [{"key": "a"}]}]}`,
				`{"required": [{"match_expressions": [{"key": "a", "operator": "like"}]}]}`, `{"required": [{"match_expressions": [{"key": "a", "operator": "in", "values": "x"}]}]}`,
				`{"preferred": [{"weight": 0, "term": {"match_labels": {"a": "b"}}}]}`, `{"preferred": [{"weight": 101, "term": {"match_labels": {"a": "b"}}}]}`,
				`{"preferred": [{"weight": "50", "term": {"match_labels": {"a": "b"}}}]}`,
			},
		}
		only := map[string][]string{ // what Go alone refuses
			"required_worker_runtimes": {`{"python": ">>3"}`, `{"": "3"}`},
			"worker_selector":          {`{"": "a"}`, `{"a": "b\n"}`},
			"worker_tolerations":       {`[{"key": "a", "operator": "exists", "value": "b"}]`, `[{"key": "a", "valeu": "b"}]`},
			"worker_affinity":          {`{"required": [{}]}`, `{"requird": []}`, `{"preferred": [{"term": {"match_labels": {"a": "b"}}}]}`},
		}
		good := map[string][]string{
			"required_worker_runtimes": {`{}`, `null`, `{"python": ">=3.11", "Node.js": "", "ruby": null}`},
			"worker_selector":          {`{}`, `null`, `{"it's \"100%\"/~": "'; DROP TABLE worker; --"}`, `{"a": ""}`},
			"worker_tolerations":       {`[]`, `null`, `[{"key": "gpu", "operator": "exists"}, {"key": "a", "value": "b", "effect": "no_schedule"}, {"key": "b", "operator": "equal"}]`},
			"worker_affinity":          {`{}`, `null`, randomAffinity(rand.New(rand.NewPCG(1, 1)))},
		}
		for _, column := range requirementColumns {
			for _, doc := range shape[column] {
				if verdict(column, doc) == nil {
					t.Fatalf("%s: %s: Go reads it", column, doc)
				}
				if err := g.insertAction(column, doc); err == nil || !strings.Contains(err.Error(), column) {
					t.Errorf("%s: %.100s: %v, want it refused", column, doc, err)
				}
			}
			for _, doc := range only[column] {
				if err := g.insertAction(column, doc); verdict(column, doc) == nil || err != nil {
					t.Errorf("%s: %s: Go says %v, the guard %v; want that only Go refuses it", column, doc, verdict(column, doc), err)
				}
			}
			for _, doc := range good[column] {
				if err := g.insertAction(column, doc); verdict(column, doc) != nil || err != nil {
					t.Errorf("%s: %s: Go says %v, the guard %v", column, doc, verdict(column, doc), err)
				}
			}
			update := "UPDATE " + g.table("sensor") + " SET " + column + " = '7'"
			g.must(`INSERT INTO ` + g.table("sensor") + ` (ref, label, entrypoint, runtime, runtime_ref) SELECT 'etl.s` + column + `', 'l', 'e', id, ref FROM ` + g.table("runtime") + ` LIMIT 1`)
			if _, err := g.DB.NewRaw(update).Exec(t.Context()); err == nil || !strings.Contains(err.Error(), column) {
				t.Errorf("%s: %v, want it refused", update, err)
			}
		}
		random := rand.New(rand.NewPCG(3, 4))
		for range 150 {
			doc := randomAffinity(random)
			if err := g.insertAction("worker_affinity", doc); verdict("worker_affinity", doc) == nil && err != nil {
				t.Errorf("%s: %v, but Go reads it", doc, err)
			}
		}
	})
}

// randomAffinity returns a document, most of whose parts are right.
func randomAffinity(r *rand.Rand) string {
	one := func(of ...any) any { return of[r.IntN(len(of))] }
	term := func() any {
		t := map[string]any{"match_labels": map[string]any{"zone": one("a", "b", "")}}
		if r.IntN(2) == 0 {
			t["match_expressions"] = []any{map[string]any{"key": one("zone", "it's"), "operator": one("in", "not_in"), "values": []any{one("a", ""), "b"}}}
		}
		if r.IntN(8) == 0 {
			t["match_expressions"] = one(nil, []any{}, []any{map[string]any{"key": "a", "operator": "exists"}}, []any{map[string]any{"key": "a"}})
		}
		return t
	}
	doc := map[string]any{
		"required": []any{term(), term()}, "anti_affinity": one([]any{}, []any{term()}, nil),
		"preferred": []any{map[string]any{"weight": one(1, 50, 100), "term": term()}},
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(text)
}
