package store_test

import (
	"errors"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

func selected(t *testing.T, e env, s store.Selection) []string {
	t.Helper()
	list, err := e.Workers.Select(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for i := range list {
		names = append(names, list[i].Name)
	}
	return names
}

func TestSelect(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		py := func(version, path string) schema.WorkerRuntime { return row("core.python", "python", version, path) }
		declared := row("", "fortran", "", "")
		running(t, e, "a_b", py("3.11.7", "/p"), py("3.12.1", "/q"))
		acb := running(t, e, "acb", py("3.13.0rc1", "/p"))
		running(t, e, "A[x]", py("", ""), declared)
		running(t, e, "none", negative("core.python", "python", "timeout", "after 10s"))
		crashed := running(t, e, "crashed", py("2.7.18", "/p"))
		silent(t, e, crashed.ID, 91)
		swept := running(t, e, "swept")
		silent(t, e, swept.ID, 91)
		e.exec(t, "UPDATE {schema}.worker SET status = 'inactive' WHERE id = ?", swept.ID)
		ended := running(t, e, "ended")
		silent(t, e, ended.ID, 91)
		if err := e.Workers.Deactivate(t.Context(), ended.ID, "i1"); err != nil {
			t.Fatal(err)
		}
		// Rows that others made: no interval, and documents of any form.
		hybrid := schema.RoleHybrid
		for name, caps := range map[string]string{"other list": `[1]`, "other labels": `{"labels": ["zone"]}`, "other null": `null`} {
			w := &schema.Worker{Name: name, WorkerType: schema.WorkerLocal, WorkerRole: hybrid, Status: ptr(schema.WorkerActive), LastHeartbeat: ptr(time.Unix(0, 0)), Capabilities: []byte(caps)}
			if err := e.Workers.Create(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		labels := func(name, text string) {
			e.exec(t, "UPDATE {schema}.worker SET capabilities = ? WHERE name = ?", text, name)
		}
		labels("a_b", `{"labels": {"zone": "a", "disk": "ssd"}}`)
		labels("acb", `{"labels": {"zone": "b", "it's \"odd\"": "?"}}`)

		e.exec(t, "UPDATE {schema}.worker SET host = '10.0.0.7' WHERE name = 'acb'")

		need := func(ref, text string) store.RuntimeFilter {
			r := store.RuntimeFilter{Ref: ref}
			if text != "" {
				r.Constraint = constraint(t, text)
			}
			return r
		}
		pre := need("core.python", ">=3.12")
		pre.Prereleases = true
		label := func(key, value string) []store.Label { return []store.Label{{Key: key, Value: &value}} }
		others := []string{"other labels", "other list", "other null"}
		for name, c := range map[string]struct {
			store.Selection
			want []string
		}{
			"all":               {store.Selection{}, append([]string{"A[x]", "a_b", "acb", "crashed", "ended", "none"}, append(others, "swept")...)},
			"limit":             {store.Selection{Limit: 2}, []string{"A[x]", "a_b"}},
			"name":              {store.Selection{Names: []string{"a_b"}}, []string{"a_b"}},
			"pattern":           {store.Selection{Names: []string{"a?b"}}, []string{"a_b", "acb"}},
			"own signs":         {store.Selection{Names: []string{"a_*", "*[x]", "%", "A!*"}}, []string{"A[x]", "a_b"}},
			"name or id":        {store.Selection{Names: []string{"none"}, IDs: []int64{acb.ID}}, []string{"acb", "none"}},
			"name or host":      {store.Selection{Names: []string{"none"}, Hosts: []string{"10.0.0.7", "nowhere"}}, []string{"acb", "none"}},
			"no such text":      {store.Selection{Names: []string{"a\x00"}}, []string{}},
			"no such pattern":   {store.Selection{Names: []string{"a\xff*"}}, []string{}},
			"no such host":      {store.Selection{Hosts: []string{"\xff"}}, []string{}},
			"or no such text":   {store.Selection{Names: []string{"a\x00", "\xff*", "none"}, Hosts: []string{"\xff", "10.0.0.7"}}, []string{"acb", "none"}},
			"no such text, id":  {store.Selection{Names: []string{"a\x00"}, IDs: []int64{acb.ID}}, []string{"acb"}},
			"no such label":     {store.Selection{Labels: label("zone", "\xff")}, []string{}},
			"role":              {store.Selection{Roles: []metadata.Role{metadata.Sensor}}, others},
			"status":            {store.Selection{Statuses: []schema.WorkerStatus{schema.WorkerInactive}}, []string{"ended", "swept"}},
			"unknown status":    {store.Selection{Statuses: []schema.WorkerStatus{"asleep"}}, []string{}},
			"stale":             {store.Selection{Stale: true}, []string{"crashed", "swept"}},
			"stale or inactive": {store.Selection{Stale: true, Statuses: []schema.WorkerStatus{schema.WorkerInactive}}, []string{"crashed", "ended", "swept"}},
			"stale and name":    {store.Selection{Stale: true, Names: []string{"s*"}}, []string{"swept"}},
			"label":             {store.Selection{Labels: label("zone", "a")}, []string{"a_b"}},
			"labels":            {store.Selection{Labels: append(label("zone", "a"), store.Label{Key: "disk"})}, []string{"a_b"}},
			"label, any value":  {store.Selection{Labels: []store.Label{{Key: "zone"}}}, []string{"a_b", "acb"}},
			"odd label":         {store.Selection{Labels: label(`it's "odd"`, "?")}, []string{"acb"}},
			"has":               {store.Selection{Has: []store.RuntimeFilter{need("core.python", "")}}, []string{"A[x]", "a_b", "acb", "crashed"}},
			"has version":       {store.Selection{Has: []store.RuntimeFilter{need("core.python", "~3.12 || <3")}}, []string{"a_b", "crashed"}},
			"has pre-release":   {store.Selection{Has: []store.RuntimeFilter{pre}}, []string{"a_b", "acb"}},
			"has both":          {store.Selection{Has: []store.RuntimeFilter{need("core.python", "3.11.*"), need("core.python", "3.12.*")}}, []string{"a_b"}},
			"has none such":     {store.Selection{Has: []store.RuntimeFilter{need("core.python", ">4,<3")}}, []string{}},
			"has declared":      {store.Selection{Has: []store.RuntimeFilter{{Name: "fortran"}}}, []string{"A[x]"}},
			"lacks":             {store.Selection{Lacks: []store.RuntimeFilter{need("core.python", "")}, Limit: 3}, []string{"ended", "none", "other labels"}},
			"lacks version":     {store.Selection{Lacks: []store.RuntimeFilter{need("core.python", ">=3.12")}, Names: []string{"a*", "A*", "c*"}}, []string{"A[x]", "acb", "crashed"}},
			"lacks none such":   {store.Selection{Lacks: []store.RuntimeFilter{need("core.python", ">4,<3")}, Names: []string{"a_b"}}, []string{"a_b"}},
			"has and lacks":     {store.Selection{Has: []store.RuntimeFilter{need("core.python", "")}, Lacks: []store.RuntimeFilter{need("core.python", ">=3")}}, []string{"A[x]", "acb", "crashed"}},
		} {
			if diff := gocmp.Diff(c.want, selected(t, e, c.Selection)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}

		list, err := e.Workers.Select(t.Context(), store.Selection{Names: []string{"crashed", "none", "swept"}})
		if err != nil || len(list) != 3 {
			t.Fatalf("%d workers, %v", len(list), err)
		}
		for i, want := range []struct {
			stale   bool
			atLeast time.Duration
		}{{true, 91 * time.Second}, {false, 0}, {true, 91 * time.Second}} {
			got := list[i]
			if got.Stale != want.stale || got.Silent == nil || *got.Silent < want.atLeast || *got.Silent > want.atLeast+time.Hour {
				t.Errorf("%s: stale %v, silent for %v; want %v and at least %v", got.Name, got.Stale, got.Silent, want.stale, want.atLeast)
			}
		}
		names, err := e.Workers.Names(t.Context())
		if diff := gocmp.Diff(append([]string{"A[x]", "a_b", "acb", "crashed", "ended", "none"}, append(others, "swept")...), names); diff != "" || err != nil {
			t.Errorf("names (-want +got): %v\n%s", err, diff)
		}
		for name, want := range map[string]store.RuntimeFilter{
			"Fortran": {Name: "fortran"}, "python": {Ref: "core.python", Name: "python"}, "CORE.python": {Ref: "core.python", Name: "python"},
		} {
			undefined, err := e.WorkerRuntimes.Undefined(t.Context(), name)
			if diff := gocmp.Diff(&want, undefined); diff != "" || err != nil {
				t.Errorf("undefined %s (-want +got): %v\n%s", name, err, diff)
			}
		}
		if undefined, err := e.WorkerRuntimes.Undefined(t.Context(), "cobol"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("undefined cobol: %v, %v", undefined, err)
		}
	})
}
