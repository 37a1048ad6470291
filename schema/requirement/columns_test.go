package requirement_test

import (
	"strings"
	"testing"

	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
)

func TestColumns(t *testing.T) {
	t.Parallel()
	index := metadata.NewIndex([]metadata.Definition{
		{Ref: "core.python", Name: "Python", Aliases: metadata.Aliases{"python", "python3"}},
		{Ref: "core.nodejs", Name: "Node.js", Aliases: metadata.Aliases{"node"}},
	})
	for _, c := range []struct {
		name    string
		columns requirement.Columns
		want    string
	}{
		{"nothing", requirement.Columns{}, `{}`},
		{"the platform's defaults", requirement.Columns{
			Role: requirement.Worker, Runtime: "core.python", Runtimes: []byte(`{}`), Selector: []byte(`{}`), Tolerations: []byte(`[]`), Affinity: []byte(`{}`),
		}, `{"role":"worker","runtimes":{"core.python":"*"}}`},
		{"null and empty lists", requirement.Columns{
			Role: requirement.Sensor, Runtimes: []byte(`[]`), Selector: []byte(`null`), Tolerations: []byte(` null `), Affinity: []byte(` [] `),
		}, `{"role":"sensor"}`},
		{"all", requirement.Columns{
			Runtime: "core.python", Constraint: ">=3.11", Runtimes: []byte(`{"Node.JS": "20"}`), Selector: []byte(`{"zone": "a"}`),
			Tolerations: []byte(`[{"key": "gpu", "operator": "exists"}]`), Affinity: []byte(`{"anti_affinity": [{"match_labels": {"a": "b"}}]}`),
		}, `{"affinity":{"anti_affinity":[{"match_labels":{"a":"b"}}]},"runtimes":{"core.python":">=3.11","core.nodejs":"20"},` +
			`"selector":{"zone":"a"},"tolerations":[{"key":"gpu","operator":"exists"}]}`},
		{"the runtime twice", requirement.Columns{Runtime: "core.python", Constraint: ">=3.11", Runtimes: []byte(`{"python": "<4 || 2.7"}`)},
			`{"runtimes":{"core.python":">=3.11,<4 || >=3.11,2.7"}}`},
		{"the runtime twice, once with any version", requirement.Columns{Runtime: "core.python", Runtimes: []byte(`{"python3": "3.12", "PYTHON": ""}`)},
			`{"runtimes":{"core.python":"3.12"}}`},
		{"a constraint without a runtime", requirement.Columns{Constraint: ">=x"}, `{}`},
		{"faults of all columns", requirement.Columns{
			Runtime: "core.pyton", Constraint: ">=x", Runtimes: []byte(`{"nod": "*", "node": 1}`), Selector: []byte(`{"": "a", "b": 1}`),
			Tolerations: []byte(`[{"kye": "gpu"}]`), Affinity: []byte(`{"required": [{}]`),
		}, `/runtime_version_constraint: constraint ">=x": position 3: a version must begin with a number, got "x"; ` +
			`/required_worker_runtimes/node: must be text, got a number; /worker_selector/b: must be text, got a number; ` +
			`/worker_tolerations/0/kye: unknown key; did you mean key?; ` +
			`/worker_affinity: not JSON: unexpected EOF (byte 17); /worker_selector/: must name a label; ` +
			`/worker_tolerations/0/key: must name the key of a taint; /runtime: unknown runtime "core.pyton"; did you mean core.python?; ` +
			`/required_worker_runtimes/nod: unknown runtime "nod"; did you mean node?`},
		{"another type", requirement.Columns{Runtimes: []byte(`"python"`), Tolerations: []byte(`{}`)},
			`/required_worker_runtimes: must be an object, got text; /worker_tolerations: must be a list, got an object`},
		{"too large", requirement.Columns{Selector: []byte(`{"a": "` + strings.Repeat("b", 1<<20) + `"}`)},
			`/worker_selector: must have at most 65536 bytes, got 1048585`},
	} {
		r, err := c.columns.Requirement(index)
		got, _ := r.MarshalJSON()
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}
