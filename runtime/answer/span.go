package answer

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// longestSpan is the longest time that ParseSpan reads, in days.
const longestSpan = 99_999

// ParseSpan reads a time such as 10s, 1h30m or, as time.ParseDuration does not, 7d:
// days of 24 hours. It refuses more than 99,999 days.
func ParseSpan(text string) (time.Duration, error) {
	wrong := fmt.Errorf("must be a time such as 10s, 1h30m or 7d, of at most %dd, got %q", longestSpan, text)
	days, rest, some := strings.Cut(text, "d")
	if !some {
		d, err := time.ParseDuration(text)
		if err != nil || d > longestSpan*24*time.Hour {
			return 0, wrong
		}
		return d, nil
	}
	n, err := strconv.ParseUint(days, 10, 64)
	if err != nil || n > longestSpan {
		return 0, wrong
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil || more < 0 || more > longestSpan*24*time.Hour-d {
			return 0, wrong
		}
		d += more
	}
	return d, nil
}

// Ago returns a time that has passed in its two largest units, such as 1h5m ago.
func Ago(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds ago", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm ago", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh ago", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}
