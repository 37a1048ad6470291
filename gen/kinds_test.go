package gen_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"

	"github.com/attune-go/attune/fixtures/testdb"
	"github.com/attune-go/attune/gen/internal/model"
	"github.com/attune-go/attune/gen/testdata/kinds"
	"github.com/attune-go/attune/schema/document"
)

// leastStation has what a kinds.Station requires.
const leastStation = `"built": "2024-02-29T00:00:00Z", "labels": {"a": "b"}, "dates": ["2024-02-29T12:00:00+02:00"]`

func station(t testing.TB, more string) kinds.Station {
	t.Helper()
	var v kinds.Station
	if err := document.Decode([]byte("{"+leastStation+more+"}"), &v); err != nil {
		t.Fatalf("read %s: %v", more, err)
	}
	return v
}

// Maps are written by ascending keys, and numbers and times in one form.
func TestKindsAreWrittenInOneForm(t *testing.T) {
	v := station(t, `, "ratio": 2.50e-1, "factor": 3, "gain": 0.10, "seen": "2006-01-02T15:04:05.500Z", "ports": {"z": 8e1, "a/b": 1.0, "": 2, "Z": 3},
		"units": {}, "flags": null, "probes": {"b": {"id": "q", "own": 1.50, "limits": {"y": 1e21, "x": 1e-7}}, "a": {"id": "p"}},
		"series": {"b": [], "a": [1e0]}, "groups": {"g": [{"id": "r"}]}, "waits": {"w": "90s"}, "own": {"b": 1.0, "a": null}`)
	text, err := v.MarshalJSON()
	want := `{"ratio":0.25,"factor":3,"gain":0.1,"built":"2024-02-29T00:00:00Z","seen":"2006-01-02T15:04:05.5Z","labels":{"a":"b"},` +
		`"ports":{"":2,"Z":3,"a/b":1,"z":80},"waits":{"w":"1m30s"},` +
		`"probes":{"a":{"id":"p"},"b":{"id":"q","limits":{"x":1e-7,"y":1e+21},"own":1.50}},"series":{"a":[1],"b":[]},` +
		`"groups":{"g":[{"id":"r"}]},"dates":["2024-02-29T12:00:00+02:00"],"own":{"b": 1.0, "a": null}}`
	if err != nil || string(text) != want {
		t.Errorf("written as %s, %v\nwant %s", text, err, want)
	}
	if v.FactorOrDefault() != 3 || (kinds.Station{}).FactorOrDefault() != 1.5 || kinds.DefaultStationFactor != 1.5 || v.IsZero() {
		t.Errorf("the factor is %v", v.FactorOrDefault())
	}
	var got []string
	for _, u := range station(t, `, "x": 1, "probes": {"b": {"id": "q", "y/": 1}, "a": {"id": "p", "z": 1}}, "groups": {"g": [{"id": "r", "w": 1}]}`).UnknownKeys() {
		got = append(got, u.Pointer)
	}
	if diff := cmp.Diff([]string{"/x", "/probes/a/z", "/probes/b/y~1", "/groups/g/0/w"}, got); diff != "" {
		t.Errorf("unknown keys (-want +got):\n%s", diff)
	}
	for path, want := range map[string]bool{"probes/a/id": true, "groups/g/0/id": true, "probes/a": false, "groups/g/id": false, "probes": false, "labels/a": false} {
		if (*kinds.Station)(nil).Bare(strings.Split(path, "/")) != want {
			t.Errorf("%s may be bare: %v", path, !want)
		}
	}
}

// Decoding returns the faults of the text and of the values at once, and none that only follows from another.
func TestDecodeReturnsEveryFault(t *testing.T) {
	const doc = `{"ratio": 2, "gain": "x", "built": 7, "seen": "never", "labels": {"a": 1, "b/c~": "012345678901234567890"},
		"states": {"s": "x", "t": "y"}, "ports": {"p": 0, "q": 1.5, "p": 1}, "times": {"t": ""}, "waits": {"w": "0s"},
		"probes": {"a": null, "b": [], "c": {}, "d": {"id": "x", "limits": {"l": 1e999}, "last": "now"}}, "sets": {"s": ["x", "x"]},
		"series": {"n": [1, null, 101]}, "groups": {"g": [{"id": 1}, 3]}, "bits": [0], "numbers": [1, 2, 3, 4, 5], "dates": []}`
	var v kinds.Station
	err := document.Decode([]byte(doc), &v)
	want := []string{
		"/ratio: must be a number from 0 to 1, got 2", "/gain: must be a number, got text", "/built: must be text, got a number",
		`/seen: must be a time such as "2006-01-02T15:04:05Z", got "never"`, "/labels/a: must be text, got a number",
		"/ports/p: must be a whole number from 1 to 65535, got 0", "/ports/q: must be a whole number from 1 to 65535, got 1.5", "/ports/p: duplicate key",
		`/times/t: must be a time such as "2006-01-02T15:04:05Z", got ""`, "/probes/b: must be an object, got a list",
		"/probes/d/limits/l: must be a number from -1.7976931348623157e+308 to 1.7976931348623157e+308, got 1e999",
		`/probes/d/last: must be a time such as "2006-01-02T15:04:05Z", got "now"`, "/series/n/1: must be a number, got null",
		"/series/n/2: must be a number from -1.7976931348623157e+308 to 100, got 101", "/groups/g/0/id: must be text, got a number",
		"/groups/g/1: must be an object, got a number", "/bits/0: must be true or false, got a number", "/numbers: must have at most 4 elements, got 5",
		"/labels/b~1c~0: must have at most 20 characters, got 21", `/states/s: must be on or off, got "x"`, `/states/t: must be on or off, got "y"`,
		"/waits/w: must be greater than 0s, got 0s", "/probes/c/id: is required", `/sets/s/1: duplicate "x"`, "/dates: is required",
	}
	var faults document.Faults
	errors.As(err, &faults)
	var got []string
	for _, f := range faults {
		got = append(got, f.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := json.Marshal(faults[:1])
	if err != nil || string(text) != `[{"pointer":"/ratio","message":"must be a number from 0 to 1, got 2"}]` {
		t.Errorf("as JSON: %s, %v", text, err)
	}
	// A list that is too long and the first of two equal keys are read and checked.
	err = document.Decode([]byte("{"+leastStation+`, "waits": {"w": "0s", "w": "1s"}, "sets": {"s": ["X", "y", "y", "z"]}}`), &v)
	const both = "/waits/w: duplicate key; /sets/s: must have at most 3 elements, got 4; /waits/w: must be greater than 0s, got 0s; " +
		`/sets/s/0: must be words in lower case with - between them; /sets/s/2: duplicate "y"`
	if err == nil || err.Error() != both {
		t.Errorf("got %v\nwant %s", err, both)
	}
	// After broken syntax keys only seem to be missing.
	for _, doc := range []string{`{"ratio": 2, "gain": x}`, `{"labels": {"a": 1}} 1`, `{"x": ` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "}"} {
		if err := document.Decode([]byte(doc), &v); err == nil || strings.Contains(err.Error(), "is required") {
			t.Errorf("%.30s: %v", doc, err)
		}
	}
}

// Values that JSON cannot express are faults, with their places, wherever Go code set them.
func TestKindsThatCannotBeWritten(t *testing.T) {
	v := station(t, "")
	nan := math.NaN()
	v.Ratio, v.Gain, v.Points, v.Weights = nan, float32(math.Inf(1)), []float64{1, math.Inf(-1)}, map[string]float64{"b/": nan, "a": 9}
	v.Series, v.Probes = map[string][]float64{"s": {nan}}, map[string]kinds.Probe{"p": {ID: "p", Limits: map[string]float64{"l": nan}}}
	v.Seen = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := v.MarshalJSON()
	want := "/ratio: must be a finite number, got NaN; /gain: must be a finite number, got +Inf; /seen: must have a year from 0 to 9999, got 12000; " +
		"/weights/b~1: must be a finite number, got NaN; /probes/p/limits/l: must be a finite number, got NaN; " +
		"/series/s/0: must be a finite number, got NaN; /points/1: must be a finite number, got -Inf"
	if err == nil || err.Error() != want {
		t.Errorf("written: %v\nwant %s", err, want)
	}
	want = "/ratio: must be from 0 to 1, got NaN; /gain: must be a finite number, got +Inf; /seen: must have a year from 0 to 9999, got 12000; " +
		"/weights/a: must be from -0.5 to 0.5, got 9; /weights/b~1: must be from -0.5 to 0.5, got NaN; " +
		"/probes/p/limits/l: must be a finite number, got NaN; /series/s/0: must be from -1.7976931348623157e+308 to 100, got NaN; " +
		"/points/1: must be a finite number, got -Inf"
	if err := v.Validate(); err == nil || err.Error() != want {
		t.Errorf("checked: %v\nwant %s", err, want)
	}
	if _, err := v.Value(); err == nil {
		t.Error("the database was given NaN")
	}
}

// A document that is not a column collects the faults of columns in maps.
func TestFaultOfWhatIsInMaps(t *testing.T) {
	var bad kinds.Station
	var tags kinds.Tags
	for _, column := range []interface{ Scan(any) error }{&bad, &tags} {
		if err := column.Scan("7"); err != nil {
			t.Fatal(err)
		}
	}
	n := kinds.Network{Stations: map[string]kinds.Station{"b": bad, "a": {}, "a/": bad}, Rows: map[string][]kinds.Station{"r": {{}, bad}},
		Tags: map[string]kinds.Tags{"t": tags}}
	want := "/stations/a~1: must be an object, got a number; /stations/b: must be an object, got a number; " +
		"/rows/r/1: must be an object, got a number; /tags/t: must be a list, got a number"
	if err := n.Fault(); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// A row is a model of bun with a document.
type row struct {
	bun.BaseModel `bun:"table:station"`
	Settings      kinds.Station `bun:"settings"`
}

func (r *row) BeforeAppendModel(_ context.Context, query bun.Query) error {
	return document.BeforeAppend(query, map[string]document.Checked{"settings": r.Settings})
}

// bun returns the faults of such documents instead of writing them, and reads what it wrote.
func TestKindsThroughBun(t *testing.T) {
	testdb.Each(t, func(t *testing.T, db *testdb.DB) {
		guardedTable(t, db, "kinds", "station", "settings")
		want := row{Settings: station(t, `, "ratio": 0.1, "gain": 0.1, "seen": "2006-01-02T15:04:05.123456789-07:00", "ports": {"a/b": 80},
			"probes": {"p": {"id": "x", "limits": {"l": 1e-300}}}, "series": {"s": [0.1, 1e-7, 100]}`)}
		faulty := want
		faulty.Settings.Points = []float64{math.NaN()}
		_, err := db.NewInsert().Model(&faulty).Exec(t.Context())
		var faults document.Faults
		if !errors.As(err, &faults) || faults.Error() != "/settings/points/0: must be a finite number, got NaN" {
			t.Errorf("insert of NaN: %v", err)
		}
		if _, err := db.NewInsert().Model(&want).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got row
		if err := db.NewSelect().Model(&got).Scan(t.Context()); err != nil || !reflect.DeepEqual(got.Settings, want.Settings) {
			t.Errorf("%v, %v\n got %+v\nwant %+v", err, got.Settings.Fault(), got.Settings, want.Settings)
		}
	})
}

// A row without a document has nothing to check.
func TestNoDocumentBeforeAppend(t *testing.T) {
	insert := new(bun.DB).NewInsert()
	for _, doc := range []document.Checked{nil, (*kinds.Station)(nil)} {
		if err := document.BeforeAppend(insert, map[string]document.Checked{"settings": doc}); err != nil {
			t.Errorf("%#v: %v", doc, err)
		}
	}
	if err := document.BeforeAppend(insert, map[string]document.Checked{"settings": new(kinds.Station)}); err == nil {
		t.Error("a document without its required keys is taken")
	}
}

// plainStation is what one would write for encoding/json.
type plainStation struct {
	Ratio   float64                 `json:"ratio"`
	Offset  float64                 `json:"offset,omitempty"`
	Factor  *float64                `json:"factor,omitempty"`
	Gain    float32                 `json:"gain,omitempty"`
	Built   time.Time               `json:"built,omitzero"`
	Seen    time.Time               `json:"seen,omitzero"`
	Labels  map[string]string       `json:"labels,omitempty"`
	Flags   map[string]bool         `json:"flags,omitempty"`
	Ports   map[string]int          `json:"ports,omitempty"`
	Weights map[string]float64      `json:"weights,omitempty"`
	Levels  map[string]float32      `json:"levels,omitempty"`
	Times   map[string]time.Time    `json:"times,omitempty"`
	Probes  map[string]plainProbe   `json:"probes,omitempty"`
	Words   map[string][]string     `json:"words,omitempty"`
	Series  map[string][]float64    `json:"series,omitempty"`
	Days    map[string][]time.Time  `json:"days,omitempty"`
	Groups  map[string][]plainProbe `json:"groups,omitempty"`
	Bits    []bool                  `json:"bits,omitempty"`
	Numbers []int                   `json:"numbers,omitempty"`
	Points  []float64               `json:"points,omitempty"`
	Dates   []time.Time             `json:"dates,omitempty"`
}

type plainProbe struct {
	ID     string             `json:"id"`
	Scale  *float64           `json:"scale,omitempty"`
	Limits map[string]float64 `json:"limits,omitempty"`
	Last   time.Time          `json:"last,omitzero"`
}

// What equal structs write with encoding/json is read and written with the same values.
func TestKindsAgreeWithTheStandardLibrary(t *testing.T) {
	for seed := range uint64(3000) {
		r := drawing{rand.New(rand.NewPCG(seed, 7))}
		want := r.station()
		doc, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var v kinds.Station
		if err := document.Decode(doc, &v); err != nil || len(v.More) > 0 {
			t.Fatalf("seed %d: %v, unknown %v\n%s", seed, err, v.More, doc)
		}
		text, err := v.MarshalJSON()
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, doc)
		}
		if sorted, err := json.Marshal(json.RawMessage(text)); err != nil || string(sorted) != string(doc) { // both sort maps and format numbers in one way
			t.Fatalf("seed %d:\nread    %s\nwritten %s", seed, doc, text)
		}
		var again kinds.Station
		var got plainStation
		if err := errors.Join(document.Decode(text, &again), json.Unmarshal(text, &got)); err != nil || !reflect.DeepEqual(v, again) {
			t.Fatalf("seed %d: %v\n got %+v\nwant %+v", seed, err, again, v)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

// A drawing draws stations that have no fault.
type drawing struct{ *rand.Rand }

func (r drawing) key() string {
	return []string{"", "a", "a/b", "~", "é", "x\"\\", " ", "\n", "😀", "label"}[r.IntN(10)] + strconv.Itoa(r.IntN(5))
}

func (r drawing) number() float64 {
	for {
		f := []float64{float64(r.IntN(9)), r.NormFloat64(), math.Float64frombits(r.Uint64()), -r.ExpFloat64() * 1e-9}[r.IntN(4)]
		if !math.IsNaN(f) && !math.IsInf(f, 0) && !(f == 0 && math.Signbit(f)) {
			return f
		}
	}
}

func (r drawing) time() time.Time {
	zone := time.UTC
	if r.IntN(2) == 0 {
		zone = time.FixedZone("", 60*(r.IntN(2*1439)-1439))
	}
	at := time.Date(1+r.IntN(9998), time.Month(1+r.IntN(12)), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e9), zone)
	return at.Truncate([]time.Duration{time.Nanosecond, time.Millisecond, time.Second}[r.IntN(3)])
}

// drawMap returns nil or a map of some values.
func drawMap[T any](r drawing, draw func() T) map[string]T {
	var out map[string]T
	for range r.IntN(4) {
		if out == nil {
			out = map[string]T{}
		}
		out[r.key()] = draw()
	}
	return out
}

func drawList[T any](r drawing, draw func() T) []T {
	var out []T
	for range r.IntN(4) {
		out = append(out, draw())
	}
	return out
}

// present returns a list that is not nil, which encoding/json writes as null.
func present[T any](list []T) []T { return append([]T{}, list...) }

func (r drawing) probe() plainProbe {
	p := plainProbe{ID: "p" + r.key(), Limits: drawMap(r, r.number)}
	if r.IntN(2) == 0 {
		f := r.number()
		p.Scale, p.Last = &f, r.time()
	}
	return p
}

func (r drawing) station() plainStation {
	small := func() float64 { return r.Float64() - 0.5 }
	factor := 0.1 + r.Float64()
	return plainStation{
		Ratio: r.Float64(), Offset: r.number(), Factor: &factor, Gain: float32(r.NormFloat64()), Built: r.time(), Seen: r.time(),
		Labels: map[string]string{r.key(): r.key()}, Flags: drawMap(r, func() bool { return r.IntN(2) == 0 }),
		Ports: drawMap(r, func() int { return 1 + r.IntN(65535) }), Weights: drawMap(r, small), Levels: drawMap(r, func() float32 { return float32(r.NormFloat64()) }),
		Times: drawMap(r, r.time), Probes: drawMap(r, r.probe), Words: drawMap(r, func() []string { return present(drawList(r, func() string { return "a-b" })) }),
		Series: drawMap(r, func() []float64 { return present(drawList(r, func() float64 { return min(r.number(), 100) })) }),
		Days:   drawMap(r, func() []time.Time { return present(drawList(r, r.time)) }),
		Groups: drawMap(r, func() []plainProbe { return present(drawList(r, r.probe)) }),
		Bits:   drawList(r, func() bool { return r.IntN(2) == 0 }), Numbers: drawList(r, func() int { return 9 - r.IntN(1e9) }),
		Points: drawList(r, r.number), Dates: []time.Time{r.time()},
	}
}

func FuzzKinds(f *testing.F) {
	f.Add([]byte("{" + leastStation + "}"))
	f.Add([]byte(`{"ratio": 1e-400, "gain": 3.4028235e38, "seen": "2006-01-02T15:04:05.123456789+23:59", "probes": {"a/b": {"id": "p", "limits": {"": -0}}}}`))
	f.Add([]byte(`{"groups": {"\u0061": [{"id": "x"}], "a": null}, "series": {"s": [1e308, 5e-324]}, "waits": {"w": "-1h"}, "numbers": [1.0, 1e0]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var v kinds.Station
		bad := v.UnmarshalJSON(doc)
		_, _, _ = v.Validate(), v.UnknownKeys(), document.Decode(doc, new(kinds.Station))
		if bad != nil {
			return
		}
		text, err := v.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var again kinds.Station
		if err := again.UnmarshalJSON(text); err != nil || !reflect.DeepEqual(v, again) {
			t.Errorf("%v\n got %+v\nwant %+v", err, again, v)
		}
	})
}

// The pattern of times, which JSON Schema and Postgres check, accepts exactly what is read.
func TestPatternOfTimes(t *testing.T) {
	pattern := regexp.MustCompile("^(?:" + model.Times.Text + ")$")
	r := drawing{rand.New(rand.NewPCG(1, 1))}
	valid := 0
	for range 200_000 {
		text := []byte(r.time().Format(time.RFC3339Nano))
		for range r.IntN(4) {
			at := r.IntN(len(text))
			switch r.IntN(5) {
			case 0:
				text = append(text[:at:at], text[at+1:]...)
			case 1:
				text = append(text[:at:at], append([]byte{"0123456789.:-+TZ,t "[r.IntN(19)]}, text[at:]...)...)
			default:
				text[at] = "0123456789"[r.IntN(10)]
			}
			if len(text) == 0 {
				break
			}
		}
		doc, _ := json.Marshal(map[string]string{"seen": string(text)})
		var v kinds.Station
		err := v.UnmarshalJSON(doc)
		if pattern.Match(text) != (err == nil) {
			t.Fatalf("%q: the pattern accepts it: %v, and Go says %v", text, err != nil, err)
		}
		if err == nil {
			valid++
		}
	}
	if valid < 50_000 || valid > 180_000 {
		t.Errorf("%d of 200000 texts are valid: the test shows little", valid)
	}
}
