package unify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// On random rows, the merge in SQL has the same result as a plain implementation of its rule in Go, and
// down restores the rows.
func TestMergeAgainstItsRule(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db, url := legacyDB(t, "public")
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			legacy := randomRows(rand.New(rand.NewPCG(seed, 1)))
			for _, row := range legacy {
				must(t, tx, fmt.Sprintf(`INSERT INTO runtime (id, ref, runtime_type, name, distributions) VALUES (%d, '%s.%s.%s', '%s', 'N', '%s')`,
					row.id, row.pack, row.side, row.name, row.side, row.text))
			}
			before := rows(t, tx)
			if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(mergeAll(t, legacy), unified(t, tx)); diff != "" {
				t.Errorf("%s\nmerged (-rule +database):\n%s", url, diff)
			}
			if _, err := unify.Down(ctx, tx, "public", unify.Options{}); err != nil {
				t.Fatal(err)
			}
			after := rows(t, tx)
			slices.Sort(before)
			slices.Sort(after)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("after down (-before +after):\n%s", diff)
			}
		})
	}
}

type legacyRow struct {
	id               int
	pack, side, name string
	text             string
}

func unified(t *testing.T, db bun.IDB) map[string]any {
	t.Helper()
	var found []struct{ Ref, Doc string }
	if err := db.NewRaw(`SELECT id || ' ' || ref AS ref, distributions::text AS doc FROM runtime`).Scan(context.Background(), &found); err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	for _, f := range found {
		all[f.Ref] = decode(f.Doc)
	}
	return all
}

func decode(text string) (v any) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

// mergeAll is the rule: action before sensor, the name of the result before others, low IDs before high
// ones. The first row survives.
func mergeAll(t *testing.T, legacy []legacyRow) map[string]any {
	names := map[string]string{"python3": "python", "node": "nodejs", "bash": "shell", "sh": "shell"}
	groups := map[string][]legacyRow{}
	for _, row := range legacy {
		name := row.name
		if other, ok := names[name]; ok && row.pack == "core" {
			name = other
		}
		groups[row.pack+"."+name] = append(groups[row.pack+"."+name], row)
	}
	all := map[string]any{}
	for ref, group := range groups {
		name := strings.Split(ref, ".")[1]
		slices.SortFunc(group, func(a, b legacyRow) int {
			if a.side != b.side {
				return strings.Compare(a.side, b.side)
			}
			if (a.name == name) != (b.name == name) {
				if a.name == name {
					return -1
				}
				return 1
			}
			return a.id - b.id
		})
		var docs []map[string]any
		for _, row := range group {
			docs = append(docs, asObject(decode(row.text)))
		}
		merged := docs[0]
		if len(docs) > 1 {
			merged = mergeDocs(docs)
		}
		if own, ok := merged["verification"].(map[string]any); merged["verification"] == nil || ok && isNone(own) {
			if core, ok := coreVerification(t, ref).(map[string]any); ok {
				whole := maps.Clone(core)
				for key, value := range own {
					if _, ok := core[key]; !ok || !slices.Contains([]string{"always_available", "check_required", "commands"}, key) {
						whole[key] = value
					}
				}
				merged["verification"] = whole
			}
		}
		all[fmt.Sprint(group[0].id, " ", ref)] = merged
	}
	return all
}

func asObject(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		doc := map[string]any{}
		var commands, rest []any
		for _, e := range v {
			if s, ok := e.(string); ok && s != "" && !strings.ContainsAny(s, " \t\n") {
				commands = append(commands, map[string]any{"binary": s, "args": []any{"--version"}})
			} else {
				rest = append(rest, e)
			}
		}
		if commands != nil {
			doc["verification"] = map[string]any{"commands": commands}
		}
		if rest != nil {
			doc["legacy"] = rest
		}
		return doc
	}
	return map[string]any{"legacy": v}
}

// isNone reports whether a value counts as an empty verification.
func isNone(verification map[string]any) bool {
	none := map[string]any{"always_available": false, "check_required": true, "commands": []any{}}
	for key, value := range none {
		if got := verification[key]; got != nil && !reflect.DeepEqual(got, value) {
			return false
		}
	}
	return true
}

func mergeDocs(docs []map[string]any) map[string]any {
	merged, verification := map[string]any{}, map[string]any(nil)
	var lists [][]any
	for _, doc := range docs {
		for key, value := range doc {
			if _, ok := merged[key]; !ok {
				merged[key] = value
			}
		}
	}
	// Rows with a verification come before those without.
	slices.SortStableFunc(docs, func(a, b map[string]any) int {
		of := func(doc map[string]any) int {
			if side, ok := doc["verification"].(map[string]any); ok && isNone(side) {
				return 1
			}
			return 0
		}
		return of(a) - of(b)
	})
	for _, doc := range docs {
		side, ok := doc["verification"].(map[string]any)
		if !ok {
			continue
		}
		if verification == nil {
			verification = map[string]any{}
		}
		for key, value := range side {
			if list, ok := value.([]any); key == "commands" && ok {
				lists = append(lists, list)
			} else if _, ok := verification[key]; !ok {
				verification[key] = value
			}
		}
	}
	if len(lists) == 1 {
		verification["commands"] = lists[0]
	} else if len(lists) > 1 {
		verification["commands"] = mergeCommands(lists)
	}
	if verification != nil {
		merged["verification"] = verification
	}
	return merged
}

func mergeCommands(lists [][]any) []any {
	type entry struct {
		value    any
		meaning  string
		priority int64
	}
	var all []entry
	for _, list := range lists {
		for _, value := range list {
			e := entry{value: value, priority: 999}
			if command, ok := value.(map[string]any); ok {
				full := map[string]any{"args": []any{}, "exit_code": json.Number("0"), "pattern": "", "optional": false, "version_pattern": "", "timeout": "10s"}
				for k, v := range command {
					full[k] = v
				}
				if n, ok := full["priority"].(json.Number); ok {
					e.priority, _ = n.Int64()
				}
				delete(full, "priority")
				value = full
			}
			text, _ := json.Marshal(value)
			e.meaning = string(text)
			all = append(all, e)
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int { return int(a.priority - b.priority) })
	seen, commands := map[string]bool{}, []any{}
	for _, e := range all {
		if !seen[e.meaning] {
			seen[e.meaning] = true
			commands = append(commands, e.value)
		}
	}
	return commands
}

// coreVerification is the verification that the core pack's runtimes get if they have none.
func coreVerification(t *testing.T, ref string) any {
	t.Helper()
	text, err := os.ReadFile("core.json")
	if err != nil {
		t.Fatal(err)
	}
	core, _ := decode(string(text)).(map[string]any)[ref].(map[string]any)
	return core["verification"]
}

func randomRows(r *rand.Rand) []legacyRow {
	var all []legacyRow
	for _, pack := range []string{"core", "acme", "p-1"} {
		for _, name := range []string{"python", "python3", "native", "own", "x_1"} {
			for _, side := range []string{"sensor", "action"} {
				if r.IntN(4) > 0 {
					all = append(all, legacyRow{pack: pack, side: side, name: name, text: jsonOf(randomDocument(r))})
				}
			}
		}
	}
	for i, id := range r.Perm(len(all)) {
		all[i].id = id + 1
	}
	return all
}

func jsonOf(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

func pick(r *rand.Rand, values ...any) any { return values[r.IntN(len(values))] }

func randomDocument(r *rand.Rand) any {
	switch r.IntN(8) {
	case 0:
		return pick(r, nil, "python3", 7, true, 1.25)
	case 1:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, pick(r, "ruby", "jruby", "", "two words", 3, nil, map[string]any{"a": 1}))
		}
		return list
	}
	doc := map[string]any{}
	for _, key := range []string{"min_version", "legacy", "other", "roles."} {
		if r.IntN(3) == 0 {
			doc[key] = pick(r, "1", "2", nil, 3, []any{1, "x"}, map[string]any{"deep": nil})
		}
	}
	switch r.IntN(6) {
	case 0:
		doc["verification"] = pick(r, nil, "odd", []any{1}, map[string]any{})
	case 1:
	default:
		doc["verification"] = randomVerification(r)
	}
	return doc
}

func randomVerification(r *rand.Rand) map[string]any {
	v := map[string]any{}
	for _, key := range []string{"env", "always_available", "check_required", "own"} {
		if r.IntN(3) == 0 {
			v[key] = pick(r, true, false, []any{"A"}, nil)
		}
	}
	if r.IntN(6) == 0 {
		v["commands"] = pick(r, "odd", nil, map[string]any{"binary": "x"})
	} else if r.IntN(5) > 0 {
		commands := []any{}
		for range r.IntN(4) {
			commands = append(commands, randomCommand(r))
		}
		v["commands"] = commands
	}
	return v
}

func randomCommand(r *rand.Rand) any {
	if r.IntN(10) == 0 {
		return pick(r, "odd", 5, nil)
	}
	c := map[string]any{"binary": pick(r, "a", "b")}
	for _, key := range []struct {
		name   string
		values []any
	}{
		{"args", []any{[]any{}, []any{"-v"}}}, {"exit_code", []any{0, 1}}, {"pattern", []any{"", "x"}}, {"optional", []any{false, true}},
		{"timeout", []any{"10s", "3s"}}, {"priority", []any{1, 2, 999, "high"}}, {"unknown", []any{1}},
	} {
		if r.IntN(4) == 0 {
			c[key.name] = pick(r, key.values...)
		}
	}
	return c
}

// A core runtime with an empty verification gets the core definition's, and keeps its other keys.
func TestCoreFillsWhatSaysNothing(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, verification, want string }{
		{"no commands", `{"commands": []}`, `{"always_available": true, "commands": []}`},
		{"other keys", `{"env": ["X"], "commands": null, "own": 1}`, `{"always_available": true, "commands": null, "env": ["X"], "own": 1}`},
		{"defaults", `{"always_available": false, "check_required": true}`, `{"always_available": true, "check_required": true}`},
		{"a command", `{"commands": [{"binary": "x"}]}`, ""},
		{"no check", `{"check_required": false, "commands": []}`, ""},
		{"always there", `{"always_available": true, "commands": []}`, ""},
		{"wrong type", `{"commands": "x"}`, ""},
		{"no object", `"odd"`, ""},
	}
	db, _ := legacyDB(t, "public")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback() }()
			must(t, tx, fmt.Sprintf(`INSERT INTO runtime (ref, runtime_type, name, distributions) VALUES ('core.action.native', 'action', 'N', '{"verification": %[1]s}'),
('core.sensor.native', 'sensor', 'N', '{"verification": %[1]s}'), ('acme.action.native', 'action', 'N', '{"verification": %[1]s}')`, c.verification))
			plan, err := unify.Examine(ctx, tx, "public")
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(plan.Runtimes, func(m unify.Merge) bool { return m.Ref == "core.native" })
			if got := slices.Contains(plan.Runtimes[i].FromCore, "verification"); got != (c.want != "") || len(plan.Runtimes[i].Conflicts) > 0 {
				t.Errorf("got %+v", plan.Runtimes[i])
			}
			if _, err := unify.Up(ctx, tx, "public", unify.Options{}); err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == "" {
				want = c.verification
			}
			equal(t, tx, "verification", fmt.Sprintf(`SELECT string_agg((distributions->'verification' = CASE ref WHEN 'core.native' THEN '%s'::jsonb ELSE '%s' END)::text, ' ') FROM runtime`,
				want, c.verification), "true true")
		})
	}
}

// A side with an empty verification does not win over a side with a verification.
func TestVerificationThatSaysNothingLoses(t *testing.T) {
	t.Parallel()
	db, _ := legacyDB(t, "public")
	must(t, db, `INSERT INTO runtime (ref, runtime_type, name, distributions) VALUES
('acme.action.x', 'action', 'X', '{"verification": {"always_available": false, "env": ["A"], "commands": []}}'), ('acme.sensor.x', 'sensor', 'X', '{"verification": {"always_available": true, "env": ["B"]}}')`)
	up(t, db, "public")
	equal(t, db, "verification", `SELECT (distributions->'verification')::text FROM runtime`, `{"env": ["B"], "commands": [], "always_available": true}`)
}
