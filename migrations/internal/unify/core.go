package unify

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// coreJSON is a copy of the core pack's definitions at the time when this migration was written.
// It must never be edited, because a migration must not change when the pack does.
//
//go:embed core.json
var coreJSON []byte

const (
	corePack = "core"
	// builtinRef keeps its ref, because it is for sensors only.
	builtinRef = "core.sensor.builtin"
)

// A coreRuntime is the core pack's definition of one runtime.
type coreRuntime struct {
	Name string `json:"name"`
	// Aliases are the names of the runtime. A legacy row with one of them becomes this runtime.
	Aliases []string `json:"aliases"`
	// Roles and Verification are those of the distributions. They are nil if missing.
	Roles        json.RawMessage `json:"roles"`
	Verification json.RawMessage `json:"verification"`
}

// coreRuntimes maps refs to definitions.
var coreRuntimes = sync.OnceValue(func() map[string]coreRuntime {
	var runtimes map[string]coreRuntime
	if err := json.Unmarshal(coreJSON, &runtimes); err != nil {
		panic(err) // the file is embedded
	}
	return runtimes
})

// coreNames returns a VALUES list (alias, name) with all names of the core pack's runtimes but
// the builtin.
func coreNames() string {
	var rows []string
	for _, ref := range slices.Sorted(maps.Keys(coreRuntimes())) {
		if ref == builtinRef {
			continue
		}
		name := strings.TrimPrefix(ref, corePack+".")
		names := append([]string{name}, coreRuntimes()[ref].Aliases...)
		slices.Sort(names)
		for _, alias := range slices.Compact(names) {
			rows = append(rows, fmt.Sprintf("(%s, %s)", literal(alias), literal(name)))
		}
	}
	return "VALUES " + strings.Join(rows, ", ")
}

// CoreAliases returns the rows (alias, ref) of a VALUES list: every name of the core pack's
// runtimes at the time when this migration was written.
func CoreAliases() string {
	var rows []string
	for _, ref := range slices.Sorted(maps.Keys(coreRuntimes())) {
		for _, alias := range coreRuntimes()[ref].Aliases {
			rows = append(rows, fmt.Sprintf("(%s, %s)", literal(alias), literal(ref)))
		}
	}
	return strings.Join(rows, ", ")
}

// coreDefinitions returns a VALUES list (ref, name, aliases, roles, verification).
func coreDefinitions() string {
	return "VALUES " + list(slices.Sorted(maps.Keys(coreRuntimes())), ",\n  ", func(ref string) string {
		r := coreRuntimes()[ref]
		aliases, _ := json.Marshal(r.Aliases) // strings can always be encoded
		return fmt.Sprintf("(%s, %s, %s, %s, %s)",
			literal(ref), literal(r.Name), jsonLiteral(aliases), jsonLiteral(r.Roles), jsonLiteral(r.Verification))
	})
}

func jsonLiteral(document json.RawMessage) string {
	if document == nil {
		return "NULL::jsonb"
	}
	return literal(string(document)) + "::jsonb"
}
