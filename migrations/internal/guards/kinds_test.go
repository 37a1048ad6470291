package guards_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/gen/testdata/kinds"
	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/migrations/internal/verdicts"
	"github.com/attune-go/attune/schema/document"
)

// eachStation runs a test beside others, with the guards of a table of kinds.Station. insert returns the refusal.
func eachStation(t *testing.T, test func(t *testing.T, g *guarded, insert func(doc string) error)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		t.Parallel()
		g := &guarded{DB: db, t: t, postgres: db.Dialect().Name().String() == "pg", schema: `"main"`}
		file, kind := "sqlite.sql", "text"
		if g.postgres {
			g.schema, file, kind = `"`+db.Schema+`"`, "postgres.sql", "jsonb"
		}
		text, err := os.ReadFile("../../../gen/testdata/kinds/guards/" + file)
		if err != nil {
			t.Fatal(err)
		}
		g.must("CREATE TABLE " + g.table("station") + " (settings " + kind + ")")
		if err := migrations.ApplyGuards(context.Background(), db, db.Schema, string(text)); err != nil {
			t.Fatal(err)
		}
		test(t, g, func(doc string) error {
			_, err := g.NewRaw("INSERT INTO ? VALUES (?)", bun.Safe(g.table("station")), doc).Exec(context.Background())
			return err
		})
	})
}

// The guards see maps, floating-point numbers and times as Go does, and name the same places.
func TestKinds(t *testing.T) {
	eachStation(t, func(t *testing.T, g *guarded, insert func(string) error) {
		for _, c := range verdicts.Kinds() {
			doc := string(c.Doc)
			refused := insert(doc)
			if (refused != nil) != c.SeenBy(g.judge()) {
				t.Errorf("%s: a fault for %s, got %v", doc, c.Judges, refused)
				continue
			}
			var v kinds.Station
			var faults document.Faults
			if err := document.Decode(c.Doc, &v); err != nil && !errors.As(err, &faults) {
				t.Fatal(err)
			}
			if refused != nil && !g.namedKey(refused, faults) {
				t.Errorf("%s: refused with %v\nbut Go says %v", doc, refused, faults)
			}
		}
	})
}

// namedKey is like named, but SQLite also names the keys of maps *.
func (g *guarded) namedKey(refusal error, faults document.Faults) bool {
	if g.postgres {
		return g.named(refusal, faults)
	}
	for _, f := range faults {
		keys := strings.Split(f.Pointer, "/")
		for stars := range 1 << len(keys) { // any of the keys
			at := ""
			for i, key := range keys[1:] {
				if stars>>i&1 == 1 {
					key = "*"
				}
				at += "/" + key
			}
			text := strings.ReplaceAll(refusal.Error(), "/*: duplicate element", "/*/*: duplicate element")
			if strings.Contains(text, at+": ") || strings.Contains(text, "settings: duplicate key") && strings.Contains(f.Message, "duplicate") {
				return true
			}
		}
	}
	return false
}

// What a database returns of a valid document reads like the document.
func TestKindsComeBack(t *testing.T) {
	eachStation(t, func(t *testing.T, g *guarded, insert func(string) error) {
		for _, c := range verdicts.Kinds() {
			if len(c.Judges) > 0 {
				continue
			}
			g.must("DELETE FROM " + g.table("station"))
			var want, got kinds.Station
			if err := errors.Join(document.Decode(c.Doc, &want), insert(string(c.Doc))); err != nil {
				t.Fatal(err)
			}
			row := g.DB.DB.DB.QueryRowContext(context.Background(), "SELECT settings FROM "+g.table("station"))
			if err := row.Scan(&got); err != nil || got.Fault() != nil {
				t.Fatalf("%s: %v, %v", c.Doc, err, got.Fault())
			}
			got.More, want.More = nil, nil // Postgres rewrites their values
			for _, v := range []*kinds.Station{&got, &want} {
				for key, p := range v.Probes {
					p.More = nil
					v.Probes[key] = p
				}
			}
			a, _ := got.MarshalJSON()
			b, _ := want.MarshalJSON()
			if string(a) != strings.ReplaceAll(string(b), `"ratio":-0,`, `"ratio":0,`) && string(a) != string(b) {
				t.Errorf("%s\ncame back as %s\nwant %s", c.Doc, a, b)
			}
		}
	})
}

// The guards agree with Go on numbers around the bounds, in all spellings. SQLite compares doubles, so it
// sees the numbers that are clearly out of range.
func TestFloatsAroundTheirBounds(t *testing.T) {
	bounds := map[string][]float64{"ratio": {0, 1}, "factor": {0.1, math.MaxFloat64}, "offset": {-math.MaxFloat64, math.MaxFloat64},
		"gain": {-math.MaxFloat32, math.MaxFloat32}, "small": {0.1, -math.MaxFloat32}}
	eachStation(t, func(t *testing.T, g *guarded, insert func(string) error) {
		r := rand.New(rand.NewPCG(3, 4))
		refusals := 0
		for range 1500 {
			key := []string{"ratio", "factor", "offset", "gain", "small"}[r.IntN(5)]
			near := bounds[key][r.IntN(2)]
			bits := 64
			if key == "gain" || key == "small" {
				bits = 32
			}
			number := strconv.FormatFloat(near, 'e', -1, bits)
			digits, exp, _ := strings.Cut(number, "e")
			if !strings.Contains(digits, ".") {
				digits += "."
			}
			clear := r.IntN(3) == 0
			switch {
			case clear:
				number = strconv.FormatFloat(near*(1+r.NormFloat64()), 'g', 4, 64)
				if near == 0 {
					number = strconv.FormatFloat(r.NormFloat64(), 'g', 4, 64)
				}
			case r.IntN(2) == 0:
				number = digits + strings.Repeat("0", r.IntN(30)) + "e" + exp
			default:
				number = digits + strings.Repeat("0", r.IntN(30)) + strconv.Itoa(r.IntN(100)) + "e" + exp
			}
			if strings.Contains(number, "Inf") || strings.Contains(number, "NaN") {
				number = "1e500"
			}
			doc := `{"built": "2024-02-29T00:00:00Z", "labels": {"a": "b"}, "dates": ["2024-02-29T00:00:00Z"], "` + key + `": ` + number + "}"
			want := document.Decode([]byte(doc), new(kinds.Station))
			if want != nil {
				refusals++
			}
			if got := insert(doc); (got != nil) != (want != nil) && (g.postgres || clear || want == nil) {
				t.Errorf("%s: Go says %v, the guard %v", number, want, got)
			}
		}
		if refusals < 200 || refusals > 1300 {
			t.Errorf("%d of 1500 numbers are refused: the test shows little", refusals)
		}
	})
}

// A refusal names a key of a map as a JSON pointer that a terminal does not obey.
func TestHostileKeys(t *testing.T) {
	eachStation(t, func(t *testing.T, g *guarded, insert func(string) error) {
		const least = `{"built": "2024-02-29T00:00:00Z", "labels": {"a": "b"}, "dates": ["2024-02-29T00:00:00Z"], "ports": {`
		long := strings.Repeat("k", 100_000)
		for key, want := range map[string]string{`a/b~c`: "/ports/a~1b~0c: ", `\u001b[2Jx\n\u009b`: "/ports/?[2Jx??: ", `'\"$attune$`: `/ports/'"$attune$: `,
			`%s {schema}`: "/ports/%s {schema}: ", long: "/ports/" + long[:60] + ": "} {
			err := insert(least + `"` + key + `": 0}}`)
			if !g.postgres {
				want = "/ports/*: "
			}
			if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%.50s: got %.200q, want %s", key, err, want)
			}
		}
	})
}
