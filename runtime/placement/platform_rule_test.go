package placement_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/placement"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/requirement"
)

// A platformWorker is a row of a platform's table of workers, as its scheduler reads it.
type platformWorker struct {
	role, status    string
	cordoned, stale bool
	document        map[string]any
}

// platformConstraints maps constraints to the platformVersions that satisfy them in a platform. It does not know pre-releases.
var platformConstraints = map[string]string{
	"": "2.7.18 3.11.4 3.12.1 3.13.0 3.13.2", "3.12": "3.12.1", ">=3.12": "3.12.1 3.13.0 3.13.2", ">=3.11,<3.13": "3.11.4 3.12.1", "<3": "2.7.18",
	">3.12": "3.13.0 3.13.2", "~3.11": "3.11.4", "^3": "3.11.4 3.12.1 3.13.0 3.13.2", "!=3.12": "2.7.18 3.11.4 3.13.0 3.13.2", "3.13.2": "3.13.2", ">=4": "",
	"2.7.18 || >=3.13": "2.7.18 3.13.0 3.13.2",
}

var platformVersions = strings.Fields("2.7.18 3.11.4 3.12.1 3.13.0 3.13.2 3.13.0-rc1")

// platformChooses is the rule of a platform's scheduler for an action, in its own words: it knows the worker's row and the
// documents of the action, and shares no code with attune. names holds the names of each runtime.
func platformChooses(w *platformWorker, action map[string]any, names map[string][]string) bool {
	if w.role != "action" || w.status != "active" || w.cordoned || w.stale || w.document == nil {
		return false
	}
	list := func(from any) []any { l, _ := from.([]any); return l }
	object := func(from any) map[string]any { o, _ := from.(map[string]any); return o }
	labels := object(w.document["labels"])
	for name, constraint := range object(action["runtimes"]) {
		known := slices.ContainsFunc(list(w.document["runtimes"]), func(have any) bool {
			return slices.ContainsFunc(names[name], func(n string) bool { return strings.EqualFold(n, have.(string)) })
		})
		versions, hasVersions := object(w.document["runtime_versions"])[name]
		fits := slices.ContainsFunc(list(versions), func(v any) bool {
			release, _, _ := strings.Cut(v.(string), "-")
			return slices.Contains(strings.Fields(platformConstraints[constraint.(string)]), release)
		})
		if !known || hasVersions && !fits { // without versions, the base interpreter runs it
			return false
		}
	}
	for key, value := range object(action["selector"]) {
		if have, ok := labels[key]; !ok || have != value {
			return false
		}
	}
	for _, t := range list(w.document["taints"]) {
		taint := object(t)
		tolerated := slices.ContainsFunc(list(action["tolerations"]), func(t any) bool {
			toleration := object(t)
			if toleration["key"] != taint["key"] || toleration["effect"] != nil && toleration["effect"] != taint["effect"] {
				return false
			}
			text := func(v any) string { s, _ := v.(string); return s }
			return toleration["operator"] == "exists" || text(toleration["value"]) == text(taint["value"])
		})
		if taint["effect"] == "no_schedule" && !tolerated {
			return false
		}
	}
	matches := func(t any) bool {
		for key, value := range object(object(t)["match_labels"]) {
			if have, ok := labels[key]; !ok || have != value {
				return false
			}
		}
		for _, e := range list(object(t)["match_expressions"]) {
			expression := object(e)
			have, ok := labels[expression["key"].(string)]
			in := ok && slices.Contains(list(expression["values"]), have)
			if !map[any]bool{"in": in, "not_in": !in, "exists": ok, "does_not_exist": !ok}[expression["operator"]] {
				return false
			}
		}
		return true
	}
	affinity := object(action["affinity"])
	required := list(affinity["required"])
	return (len(required) == 0 || slices.ContainsFunc(required, matches)) && !slices.ContainsFunc(list(affinity["anti_affinity"]), matches)
}

// platformNames are the names by which a platform knows the runtimes of platformIndex.
var platformNames = map[string][]string{"python": {"python", "python3"}, "Node": {"node", "nodejs", "Node.js"}}

var platformIndex = metadata.NewIndex([]metadata.Definition{
	{Ref: "core.python", Name: "Python", Aliases: metadata.Aliases{"python", "python3"}},
	{Ref: "core.nodejs", Name: "Node.js", Aliases: metadata.Aliases{"node", "nodejs"}},
})

// facts returns what attune knows of a platform's worker.
func (w *platformWorker) facts(t *testing.T) *placement.Facts {
	t.Helper()
	f := &placement.Facts{
		Worker: 1, Name: "w", Role: requirement.Role(strings.Replace(w.role, "action", "worker", 1)), Status: w.status, Cordoned: w.cordoned,
		Stale: w.stale, NeverReported: w.document == nil,
	}
	text, err := json.Marshal(w.document)
	var document struct {
		Runtimes []string
		Versions map[string][]string `json:"runtime_versions"`
		Labels   map[string]string
		Taints   []struct{ Key, Value, Effect string }
	}
	if err == nil {
		err = json.Unmarshal(text, &document)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Labels = document.Labels
	for _, taint := range document.Taints {
		f.Taints = append(f.Taints, requirement.Taint{Key: taint.Key, Value: taint.Value, Effect: requirement.Effect(taint.Effect)})
	}
	for _, name := range document.Runtimes {
		def, _ := platformIndex.Resolve(name)
		versions := []string{""}
		for known, list := range document.Versions {
			if of, _ := platformIndex.Resolve(known); of.Ref == def.Ref {
				versions = list
			}
		}
		for _, v := range versions {
			i := installed(t, v)
			i.Ref, i.Declared = def.Ref, true
			f.Installations = append(f.Installations, i)
		}
	}
	return f
}

// TestPlacesWhatPlatformChooses makes random workers and actions of a platform. attune places nothing where the platform's own
// rule refuses, and passes over what the rule chooses for the reasons alone that docs/placement.md lists.
func TestPlacesWhatPlatformChooses(t *testing.T) {
	t.Parallel()
	g := platformWorld{rand.New(rand.NewPCG(27, 28))}
	placed, stricter := 0, map[requirement.Kind]int{}
	for range 30_000 {
		w, action := g.worker(), g.action()
		text, err := json.Marshal(action)
		if err != nil {
			t.Fatal(err)
		}
		r, err := parse(t, string(text)).Resolve(platformIndex)
		if err != nil {
			t.Fatal(err)
		}
		r.Role = requirement.Worker
		verdict, chosen := placement.Evaluate(&r, w.facts(t)), platformChooses(w, action, platformNames)
		switch {
		case verdict.Fits() && !chosen:
			t.Fatalf("%s is placed on %+v, which the platform refuses", text, w)
		case verdict.Fits():
			placed++
		case chosen:
			for _, reason := range verdict.Reasons {
				if reason.Kind != requirement.Prerelease && reason.Kind != requirement.VersionUnknown {
					t.Fatalf("%s is not placed on %+v, which the platform chooses: %+v", text, w, reason)
				}
				stricter[reason.Kind]++
			}
		}
	}
	if placed < 1000 || stricter[requirement.Prerelease] < 100 || stricter[requirement.VersionUnknown] < 100 {
		t.Errorf("%d placed and %v do not test much", placed, stricter)
	}
}

type platformWorld struct{ *rand.Rand }

func (g platformWorld) one(of ...string) string { return of[g.IntN(len(of))] }

func (g platformWorld) worker() *platformWorker {
	w := &platformWorker{
		role: g.one("action", "action", "action", "action", "sensor"), status: g.one("active", "active", "active", "active", "inactive", "error"),
		cordoned: g.IntN(10) == 0, stale: g.IntN(10) == 0,
	}
	if g.IntN(20) == 0 {
		return w
	}
	runtimes, versions, labels, taints := []any{}, map[string]any{}, map[string]any{}, []any{}
	for _, name := range slices.Sorted(maps.Keys(platformNames)) {
		if g.IntN(5) == 0 {
			continue
		}
		written := g.one(platformNames[name]...)
		if g.IntN(3) == 0 {
			written = strings.ToUpper(written)
		}
		runtimes = append(runtimes, written)
		if g.IntN(6) > 0 {
			versions[name] = []any{g.one(platformVersions...), g.one(platformVersions...)}
		}
	}
	for _, key := range []string{"zone", "disk"} {
		if g.IntN(3) > 0 {
			labels[key] = g.one("a", "b", "c")
		}
	}
	for g.IntN(4) == 0 {
		taint := map[string]any{"key": g.one("gpu", "spot"), "effect": g.one("no_schedule", "prefer_no_schedule")}
		if g.IntN(2) == 0 {
			taint["value"] = g.one("a", "b")
		}
		taints = append(taints, taint)
	}
	w.document = map[string]any{"runtimes": runtimes, "runtime_versions": versions, "labels": labels, "taints": taints}
	return w
}

func (g platformWorld) action() map[string]any {
	runtimes, selector, tolerations, affinity := map[string]any{}, map[string]any{}, []any{}, map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(platformNames)) {
		if g.IntN(2) == 0 {
			runtimes[name] = g.one(slices.Sorted(maps.Keys(platformConstraints))...)
		}
	}
	if g.IntN(3) == 0 {
		selector[g.one("zone", "disk")] = g.one("a", "b")
	}
	for g.IntN(2) == 0 {
		toleration := map[string]any{"key": g.one("gpu", "spot")}
		switch g.IntN(3) {
		case 0:
			toleration["operator"] = "exists"
		case 1:
			toleration["operator"], toleration["value"] = "equal", g.one("a", "b")
		}
		if g.IntN(3) == 0 {
			toleration["effect"] = g.one("no_schedule", "prefer_no_schedule")
		}
		tolerations = append(tolerations, toleration)
	}
	term := func() map[string]any {
		if g.IntN(2) == 0 {
			return map[string]any{"match_labels": map[string]any{g.one("zone", "disk"): g.one("a", "b")}}
		}
		e := map[string]any{"key": g.one("zone", "disk"), "operator": g.one("in", "not_in", "exists", "does_not_exist")}
		if strings.HasSuffix(fmt.Sprint(e["operator"]), "in") {
			e["values"] = []any{g.one("a", "b"), "c"}
		}
		return map[string]any{"match_expressions": []any{e}}
	}
	for _, kind := range []string{"required", "anti_affinity"} {
		terms := []any{}
		for g.IntN(3) == 0 {
			terms = append(terms, term())
		}
		affinity[kind] = terms
	}
	return map[string]any{"runtimes": runtimes, "selector": selector, "tolerations": tolerations, "affinity": affinity}
}
