package packs_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attune-go/attune/gen/testdata/kinds"
	"github.com/attune-go/attune/runtime/packs"
)

// Maps, floating-point numbers and times are read from YAML, whose times need no quotes.
func TestReadYAMLOfKinds(t *testing.T) {
	const least = "built: 2024-02-29T00:00:00Z\nlabels: {a: b}\ndates:\n  - 2024-02-29T12:00:00+02:00\n"
	var v kinds.Station
	faults := packs.ReadYAML("station.yaml", []byte(least+"ratio: .5\noffset: 1e3\nports:\n  a/b: 0x50\nseries: {s: [1, 2.50]}\nprobes: {p: {id: 3.10}}\n"), &v)
	if err := faults.Err(); err != nil || !v.Built.Equal(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)) || v.Ratio != 0.5 || v.Offset != 1000 ||
		v.Ports["a/b"] != 80 || v.Series["s"][1] != 2.5 || v.Probes["p"].ID != "3.10" {
		t.Errorf("%v, %+v", err, v)
	}
	faults = packs.ReadYAML("station.yaml", []byte(least+"ratio: .nan\noffset: -.inf\nports:\n  a/b: 0\n  c: 1\n  c: 2\nseen: 2024-02-30\nweights: {w: 0.7}\n"), &v)
	want := "station.yaml:5:8: error: /ratio: JSON has no number .nan\n" +
		"station.yaml:6:9: error: /offset: JSON has no number -.inf\n" +
		"station.yaml:8:8: error: /ports/a~1b: must be a whole number from 1 to 65535, got 0\n" +
		"station.yaml:10:3: error: /ports: duplicate key \"c\": the first is in line 9\n" +
		"station.yaml:11:7: error: /seen: must be a time such as \"2006-01-02T15:04:05Z\", got \"2024-02-30\"\n" +
		"station.yaml:12:14: error: /weights/w: must be a number from -0.5 to 0.5, got 0.7"
	got := ""
	if err := faults.Err(); err != nil {
		got = err.Error()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
