package detect_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/attune-go/attune/runtime/detect"
)

// TestMatchesAreShared: definitions outside the trusted packs have equal parts of the matches
// of a round, and none after its time.
func TestMatchesAreShared(t *testing.T) {
	text := strings.Repeat("a", 1000)
	made := detect.Matches(t.Context(), 400, 50, "a{1,40}b", text)
	if slices.Min(made) != slices.Max(made) || made[0] == 0 || made[0] == 50 {
		t.Errorf("between %d and %d matches of 50, want equal parts", slices.Min(made), slices.Max(made))
	}
	over, end := context.WithCancel(t.Context())
	end()
	if made := detect.Matches(over, 2, 1, "a", text); made[0]+made[1] > 0 {
		t.Errorf("%d matches after the time", made)
	}
}
