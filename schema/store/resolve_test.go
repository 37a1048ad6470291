package store_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// words are parts of names that are easily confused: by case, by what LIKE and
// a regular expression make of them, by letters that only Unicode folds.
var words = []string{
	"ruby", "Ruby", "RUBY", "rubi", "r_by", "r%by", `r\by`, "node", "node.js", "Node.js", "java", "JAVA", "kelvin",
	"\u212Aelvin", "É", "é", "ı", "I", "i", "İ", "core.ruby", "acme.ruby", "CORE.RUBY", "python3", "'", "?", "ß", "SS",
}

// Resolve agrees with metadata.Index on names made at random.
func TestResolveAgreesWithIndex(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		testdb.Unguard(t, e.DB, e.schema) // rows may be older than they are
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 1))
		word := func() string { return words[random.IntN(len(words))] }
		padded := func() string {
			return []string{"", "", " ", "\t", "\u00a0"}[random.IntN(5)] + word() + []string{"", "", "\n"}[random.IntN(3)]
		}
		for round := range 4 {
			e.exec(t, "DELETE FROM {schema}.runtime")
			for _, ref := range []string{"core.ruby", "acme.ruby", "zeta.ruby", "core.node", "acme.java", "core.java",
				"a.i", "core.sensor.builtin", "acme.kelvin", "acme.r_by", "acme.rabi", "b.no-alias"} {
				aliases := metadata.Aliases{}
				for range random.IntN(3) {
					aliases = append(aliases, padded())
				}
				text, err := aliases.MarshalJSON()
				if err != nil {
					t.Fatal(err)
				}
				if random.IntN(12) == 0 {
					text = []byte(`["ruby", 5]`) // malformed: they answer to nothing
				}
				e.exec(t, "INSERT INTO {schema}.runtime (ref, name, aliases) VALUES (?, ?, ?)", ref, padded(), string(text))
			}
			defs, err := e.Definitions(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			index := metadata.NewIndex(defs)
			found := 0
			for range 60 {
				name := padded()
				want, ok := index.Resolve(name)
				got, err := e.Runtimes.Resolve(t.Context(), name)
				switch {
				case !ok && !errors.Is(err, store.ErrNotFound):
					t.Errorf("seed %d, round %d: %q resolves to %v, %v; the index has none", seed, round, name, got, err)
				case ok && err != nil:
					t.Errorf("seed %d, round %d: %q: %v; the index has %s", seed, round, name, err, want.Ref)
				case ok && got.Ref != want.Ref:
					t.Errorf("seed %d, round %d: %q resolves to %s, in the index to %s", seed, round, name, got.Ref, want.Ref)
				}
				if ok {
					found++
				}
			}
			if found < 10 {
				t.Errorf("seed %d, round %d: only %d names were found, this shows little", seed, round, found)
			}
		}
	})
}

func TestResolveOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e env) {
		for _, r := range []struct {
			ref, name string
			aliases   metadata.Aliases
		}{
			{"zeta.ruby", "Zeta Ruby", nil},
			{"acme.ruby", "Acme Ruby", metadata.Aliases{"ruby", "crystal"}},
			{"core.crystal", "Crystal", metadata.Aliases{"cr"}},
			{"core.nodejs", "Node.js", metadata.Aliases{"node", "nodejs"}},
			{"acme.nodejs", "Bun", metadata.Aliases{"node"}},
		} {
			row := aRuntime(r.ref)
			row.Name, row.Aliases = r.name, r.aliases
			if err := e.Runtimes.Create(t.Context(), row); err != nil {
				t.Fatal(err)
			}
		}
		for name, want := range map[string]string{
			"zeta.ruby": "zeta.ruby", "ZETA.Ruby": "zeta.ruby", // ref, in any case
			"ruby":    "acme.ruby",    // capability name of two: the lowest ref
			"crystal": "acme.ruby",    // an alias before a display name
			"node":    "core.nodejs",  // capability name of two: core's
			"Node.JS": "core.nodejs",  // display name
			"nodejs":  "core.nodejs",  // alias
			"cr":      "core.crystal", // capability name
		} {
			got, err := e.Runtimes.Resolve(t.Context(), name)
			if err != nil || got.Ref != want {
				t.Errorf("%q resolves to %v, %v; want %s", name, got, err, want)
			}
		}
		for _, name := range []string{"", "%", "rub_", "r%", "zeta", ".ruby", "nul\x00"} {
			if got, err := e.Runtimes.Resolve(t.Context(), name); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%q resolves to %v, %v; want nothing", name, got, err)
			}
		}
	})
}
