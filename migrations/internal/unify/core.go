package unify

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// coreJSON is a frozen copy of the core pack's definitions from when this migration was
// written. What a migration does must not change when the pack
// does: it is never edited.
//
//go:embed core.json
var coreJSON []byte

const (
	corePack = "core"
	// builtinRef keeps its ref: it really is for sensors only.
	builtinRef = "core.sensor.builtin"
)

// coreRuntime is the core pack's definition of one runtime.
type coreRuntime struct {
	Name string `json:"name"`
	// Aliases are its names: a legacy name among them is this runtime.
	Aliases []string `json:"aliases"`
	// Roles and Verification are those of distributions; nil if missing.
	Roles        json.RawMessage `json:"roles"`
	Verification json.RawMessage `json:"verification"`
}

// coreRuntimes by ref.
var coreRuntimes = func() map[string]coreRuntime {
	var runtimes map[string]coreRuntime
	if err := json.Unmarshal(coreJSON, &runtimes); err != nil {
		panic(err) // it is part of the program
	}
	return runtimes
}()

// coreNames is a VALUES list (alias, name) of all names of the core pack's
// runtimes but the builtin.
func coreNames() string {
	var rows []string
	for _, ref := range slices.Sorted(maps.Keys(coreRuntimes)) {
		if ref == builtinRef {
			continue
		}
		name := strings.TrimPrefix(ref, corePack+".")
		names := append([]string{name}, coreRuntimes[ref].Aliases...)
		slices.Sort(names)
		for _, alias := range slices.Compact(names) {
			rows = append(rows, fmt.Sprintf("(%s, %s)", literal(alias), literal(name)))
		}
	}
	return "VALUES " + strings.Join(rows, ", ")
}

// CoreAliases returns the rows (alias, ref) of a VALUES list: every name of the core
// pack's runtimes, as frozen with this migration.
func CoreAliases() string {
	var rows []string
	for _, ref := range slices.Sorted(maps.Keys(coreRuntimes)) {
		for _, alias := range coreRuntimes[ref].Aliases {
			rows = append(rows, fmt.Sprintf("(%s, %s)", literal(alias), literal(ref)))
		}
	}
	return strings.Join(rows, ", ")
}

// coreDefinitions is a VALUES list (ref, name, aliases, roles, verification).
func coreDefinitions() string {
	return "VALUES " + list(slices.Sorted(maps.Keys(coreRuntimes)), ",\n  ", func(ref string) string {
		r := coreRuntimes[ref]
		aliases, _ := json.Marshal(r.Aliases) // strings always can
		return fmt.Sprintf("(%s, %s, %s, %s, %s)", literal(ref), literal(r.Name), jsonLiteral(aliases), jsonLiteral(r.Roles), jsonLiteral(r.Verification))
	})
}

func jsonLiteral(document json.RawMessage) string {
	if document == nil {
		return "NULL::jsonb"
	}
	return literal(string(document)) + "::jsonb"
}
