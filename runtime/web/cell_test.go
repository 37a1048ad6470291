package web

import (
	"testing"
	"time"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/capability"
)

// TestCells checks how each state of a cell is shown: with a glyph of its own, and in words where the glyph alone would say it.
func TestCells(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cell answer.Cell
		want cell
	}{
		{answer.Cell{State: answer.CellAvailable, Version: "3.12.1"}, cell{Class: "ok", Text: "● 3.12.1"}},
		{answer.Cell{State: answer.CellAvailable}, cell{Class: "ok", Text: "● present"}},
		{answer.Cell{State: answer.CellAvailable, Version: "3.12.1", Others: 2}, cell{Class: "ok", Text: "● 3.12.1 +2", Title: "2 more installed"}},
		{
			answer.Cell{State: answer.CellAvailable, Version: "3.12.1", Others: 1, Unconfirmed: true},
			cell{Class: "ok", Text: "● 3.12.1 +1 ?", Title: "1 more installed; the last verification did not confirm it"},
		},
		{
			answer.Cell{State: answer.CellAvailable, Version: "3.12.1", Unconfirmed: true},
			cell{Class: "ok", Text: "● 3.12.1 ?", Title: "the last verification did not confirm it"},
		},
		{
			answer.Cell{State: answer.CellDiscounted, Outcome: capability.ExitMismatch},
			cell{Class: "di", Text: "◐", Label: "found, but does not count: exit_mismatch", Title: "found, but does not count: exit_mismatch"},
		},
		{answer.Cell{State: answer.CellAbsent, Outcome: capability.NotFound}, cell{Class: "ab", Text: "–", Label: "absent", Title: "absent"}},
		{
			answer.Cell{State: answer.CellAbsent, Outcome: capability.InterpreterMissing},
			cell{Class: "ab", Text: "–", Label: "absent: interpreter_missing", Title: "absent: interpreter_missing"},
		},
		{
			answer.Cell{State: answer.CellUnknown, Outcome: capability.Timeout},
			cell{Class: "un", Text: "?", Label: "could not be determined: timeout", Title: "could not be determined: timeout"},
		},
		{answer.Cell{State: answer.CellUnasked}, cell{Class: "na", Text: "·", Label: "not asked", Title: "not asked"}},
	} {
		if got := cellOf(c.cell); got != c.want {
			t.Errorf("%+v is shown as %+v, want %+v", c.cell, got, c.want)
		}
	}
	seen := map[string]bool{}
	for state, g := range glyphs {
		if seen[g.glyph] || seen[g.class] {
			t.Errorf("%s looks as another state does", state)
		}
		seen[g.glyph], seen[g.class] = true, true
	}
	if len(glyphs) != len(ordered) {
		t.Errorf("%d states have a glyph, and %d a place", len(glyphs), len(ordered))
	}
}

// TestHeat checks the levels of a group: none and all have one of their own, whatever the size of the group.
func TestHeat(t *testing.T) {
	t.Parallel()
	for of, levels := range map[int][]int{
		0:  {0},
		1:  {0, 5},
		2:  {0, 3, 5},
		4:  {0, 2, 3, 4, 5},
		10: {0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5},
	} {
		for count, want := range levels {
			if got := heatOf(count, of); got != (heat{count, of, want}) {
				t.Errorf("%d of %d is %+v, want the level %d", count, of, got, want)
			}
		}
	}
	for _, c := range []struct{ count, of, want int }{{1, 10_000, 1}, {9_999, 10_000, 4}, {10_000, 10_000, 5}, {10_001, 10_000, 5}} {
		if got := heatOf(c.count, c.of).Level; got != c.want {
			t.Errorf("%d of %d has the level %d, want %d", c.count, c.of, got, c.want)
		}
	}
}

// TestAge checks that counts are shown with their age unless they are new.
func TestAge(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int]string{0: "", 9: "", 10: "10s ago", 75: "1m15s ago", 90_000: "1d1h ago"} {
		if got := agePast(time.Duration(seconds) * time.Second); got != want {
			t.Errorf("%d seconds: %q, want %q", seconds, got, want)
		}
	}
}
