package document_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attune-go/attune/schema/document"
)

// A number is compared with its bounds as it is written, and not as it is rounded.
func TestFloats(t *testing.T) {
	const max64, max32 = math.MaxFloat64, math.MaxFloat32
	for _, c := range []struct {
		text      string
		low, high float64
		ok        bool
	}{
		{"0", 0, 1, true}, {"-0", 0, 1, true}, {"1", 0, 1, true}, {"1.0e0", 0, 1, true}, {"10e-1", 0, 1, true}, {"0.1", 0.1, 1, true},
		{"0.1000000000000000000", 0, 0.1, true}, {"0.1000000000000000001", 0, 0.1, false}, {"0.0999999999999999999", 0.1, 1, false},
		{"-1e-400", 0, 1, false}, {"1e-400", 0, 1, true}, {"1e-400", -1, 0, false}, {"1.0000000000000000001", 0, 1, false},
		{"1.7976931348623157e308", -max64, max64, true}, {"1.7976931348623158e308", -max64, max64, false}, {"-1e309", -max64, max64, false},
		{"1e999", -max64, max64, false}, {"5e-324", 0, 1, true}, {"-2.5", -2.5, 0, true}, {"-2.50000000000000000001", -2.5, 0, false},
		{"1e1001", -max64, max64, false}, {`"1"`, 0, 1, false}, {"true", 0, 1, false}, {"null", 0, 1, true},
	} {
		r := reading(t, c.text)
		v := r.Float64(c.low, c.high)
		want, _ := strconv.ParseFloat(c.text, 64)
		if err := r.Close(); (err == nil) != c.ok || err == nil && v != want {
			t.Errorf("%s from %v to %v: %v, %v", c.text, c.low, c.high, v, err)
		}
	}
	for text, ok := range map[string]bool{"3.4028235e38": true, "3.4028236e38": false, "0.1": true, "1e-50": true} {
		r := reading(t, text)
		v := r.Float32(-max32, max32)
		if err := r.Close(); (err == nil) != ok || ok && strconv.FormatFloat(float64(v), 'g', -1, 32) == "" {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
}

// Floats are written as encoding/json writes them, and read back without a difference.
func TestFloatsAreWrittenAsByTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	values := []float64{0, 1, -1, 1e-6, 1e-7, 1e20, 1e21, 123456789, 0.1, 5e-324, math.MaxFloat64, math.MaxFloat32, math.SmallestNonzeroFloat32}
	for range 20_000 {
		values = append(values, math.Float64frombits(rng.Uint64()), float64(math.Float32frombits(rng.Uint32())), rng.NormFloat64())
	}
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		got, err := document.Encode(func(w *document.Writer) { w.Float64(v) })
		want, _ := json.Marshal(v)
		if err != nil || string(got) != string(want) || reading(t, string(got)).Float64(-math.MaxFloat64, math.MaxFloat64) != v {
			t.Fatalf("%s, %v; want %s", got, err, want)
		}
		f := float32(v)
		if math.IsInf(float64(f), 0) {
			continue
		}
		got, err = document.Encode(func(w *document.Writer) { w.Float32(f) })
		want, _ = json.Marshal(f)
		if err != nil || string(got) != string(want) || reading(t, string(got)).Float32(-math.MaxFloat32, math.MaxFloat32) != f {
			t.Fatalf("%s, %v; want %s", got, err, want)
		}
	}
}

func TestTimes(t *testing.T) {
	for text, ok := range map[string]bool{
		"2006-01-02T15:04:05Z": true, "2006-01-02T15:04:05.000000001-23:59": true, "0000-02-29T00:00:00+00:00": true, "9999-12-31T23:59:59.9Z": true,
		"2024-02-29T00:00:00Z": true, "2023-02-29T00:00:00Z": false, "2006-1-2T15:04:05Z": false, "2006-01-02T5:04:05Z": false,
		"2006-01-02T15:04:05,1Z": false, "2006-01-02T15:04:05": false, "2006-01-02 15:04:05Z": false, "2006-01-02T15:04:60Z": false,
		"2006-01-02T24:00:00Z": false, "2006-01-02T15:04:05+24:00": false, "2006-01-02T15:04:05+01:60": false, "2006-01-02t15:04:05z": false,
		"2006-01-02T15:04:05.0000000001Z": false, "2006-01-02T15:04:05.Z": false, "2006-01-02T15:04:05+0100": false, "": false, "Z": false,
		"2006-01-02T15:04:05.123456789+01:00": true, "2006-01-02T15:04:05.1234567890+01:00": false, "12006-01-02T15:04:05Z": false,
	} {
		r := reading(t, strconv.Quote(text))
		v := r.Time()
		if err := r.Close(); (err == nil) != ok {
			t.Errorf("%q: %v, %v", text, v, err)
		}
		if !ok {
			continue
		}
		want, err := time.Parse(time.RFC3339, text)
		back, _ := document.Encode(func(w *document.Writer) { w.Time(v) })
		if err != nil || !v.Equal(want) || !reading(t, string(back)).Time().Equal(v) {
			t.Errorf("%q is %v, %v, and was written as %s", text, v, err, back)
		}
	}
	for name, v := range map[string]time.Time{
		`"1900-01-01T00:00:00Z"`:                     time.Date(1900, 1, 1, 0, 19, 32, 0, time.FixedZone("AMT", 19*60+32)),
		`"2000-01-01T00:00:00Z"`:                     time.Date(2000, 1, 2, 1, 0, 0, 0, time.FixedZone("", 25*60*60)),
		`"2000-01-01T01:00:00.5+23:59"`:              time.Date(2000, 1, 1, 1, 0, 0, 5e8, time.FixedZone("", 24*60*60-60)),
		"must have a year from 0 to 9999, got 10000": time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		got, err := document.Encode(func(w *document.Writer) { w.Time(v) })
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != name {
			t.Errorf("%v was written as %s, want %s", v, got, name)
		}
	}
}

// Each value that JSON cannot express is a fault of its own, with its place.
func TestWhatCannotBeWritten(t *testing.T) {
	_, err := document.Encode(func(w *document.Writer) {
		w.Open()
		w.Key("a/b").Float64(math.NaN())
		w.Key("list").OpenList()
		w.Comma().Float32(1)
		w.Comma().Float32(float32(math.Inf(-1)))
		w.CloseList()
		w.Key("at").Time(time.Time{}.AddDate(-2, 0, 0))
		w.Key("bad").Raw(json.RawMessage("["))
		w.Close(nil)
	})
	want := "/a~1b: must be a finite number, got NaN; /list/1: must be a finite number, got -Inf; /at: must have a year from 0 to 9999, got -1; " +
		"/bad/0: not JSON: *"
	if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSuffix(want, "/bad/0: not JSON: *")) || !strings.Contains(err.Error(), "not JSON: ") {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestMaps(t *testing.T) {
	for doc, want := range map[string]struct {
		value  map[string]int
		faults string
	}{
		`{}`:                                {nil, ""},
		`null`:                              {nil, ""},
		`{"a": 1, "b": null, "": 2}`:        {map[string]int{"a": 1, "": 2}, ""},
		`{"a": 1, "\u0061": 2}`:             {map[string]int{"a": 1}, "/a: duplicate key"},
		`{"a": null, "a": 2}`:               {nil, "/a: duplicate key"},
		`{"a/b~": "x", "c": 10}`:            {map[string]int{"a/b~": 0, "c": 0}, "/a~1b~0: must be a whole number, got text; /c: must be a whole number from 0 to 9, got 10"},
		`{"a": 1, "b": 2, "c": 3, "d": {}}`: {map[string]int{"a": 1, "b": 2, "c": 3}, "must have at most 3 keys, got 4"},
		`[1]`:                               {nil, "must be an object, got a list"},
		`{"a": 1, "b\u0000": 2}`:            {map[string]int{"a": 1, "b\x00": 2}, "/b\x00: must not contain NUL"},
	} {
		r := reading(t, doc)
		got := document.Map(r, 3, func() int { return r.Int(0, 9) })
		faults := ""
		if err := r.Close(); err != nil {
			faults = err.Error()
		}
		if !reflect.DeepEqual(got, want.value) || faults != want.faults {
			t.Errorf("%s\n got %v, %s\nwant %v, %s", doc, got, faults, want.value, want.faults)
		}
	}
}

// The shape of faults in JSON is documented and does not change.
func TestFaultsAsJSON(t *testing.T) {
	for want, faults := range map[string]document.Faults{
		`[]`: nil,
		`[{"pointer":"/a~1b","message":"is \"x\""},{"pointer":"","message":"more"}]`: {{Pointer: "/a/b", Message: `is "x"`}, {Message: "more"}},
	} {
		if len(faults) > 0 {
			faults[0].Pointer = document.Child("", "a/b")
		}
		got, err := json.Marshal(faults)
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
		var again document.Faults
		if err := json.Unmarshal(got, &again); err != nil || again.Error() != faults.Error() {
			t.Errorf("read back as %v, %v", again, err)
		}
	}
}
