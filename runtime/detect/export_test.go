package detect

import (
	"context"
	"regexp"
)

// Hasten makes commands take turns ten times as fast.
func (d *Detector) Hasten() {
	d.pace = pace{d.pace.patience / 10, d.pace.ownTime / 10, d.pace.partialInterval / 10}
}

// Remembered returns the number of answers that a Memory holds.
func Remembered(m *Memory) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.answers)
}

// Matches matches a text that often for each of so many untrusted definitions, and returns
// the number of matches made for each.
func Matches(ctx context.Context, definitions, times int, source, text string) []int {
	m, made := newMatching(definitions), make([]int, definitions)
	for i := range made {
		for range times {
			if m.use(ctx, string(rune('a'+i)), false, parsed(source), text, func(*regexp.Regexp, string) {}) == nil {
				made[i]++
			}
		}
	}
	return made
}
