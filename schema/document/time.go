package document

import (
	"fmt"
	"time"
)

// SampleTime is an example of a time in a document.
const SampleTime = "2006-01-02T15:04:05Z"

// parseTime parses a time as RFC 3339 defines it, without leap seconds. time.Parse is more
// liberal: it accepts a comma, hours of one digit, an offset of 24 hours, and digits beyond
// nanoseconds, which it drops.
func parseTime(s string) (time.Time, bool) {
	t, err := time.ParseInLocation(time.RFC3339, s, time.UTC)
	if err != nil || len(s) < len(SampleTime) || s[len("2006-01-02T15")] != ':' || s[len("2006-01-02T15:04:05")] == ',' {
		return time.Time{}, false
	}
	rest, zone := s[len("2006-01-02T15:04:05"):], s[len(s)-1:]
	if zone != "Z" {
		zone = s[len(s)-len("+07:00"):]
		if zone[1:3] > "23" || zone[4:] > "59" {
			return time.Time{}, false
		}
	}
	return t, len(rest)-len(zone) <= len(".000000000")
}

// Year returns the fault of a time whose year does not have four digits, or an empty text.
func Year(t time.Time) string {
	if y := t.Year(); y < 0 || y > 9999 {
		return fmt.Sprintf("must have a year from 0 to 9999, got %d", y)
	}
	return ""
}

// Time writes a time in the format of RFC 3339. An offset that the format does not have, such
// as one with seconds, becomes UTC.
func (w *Writer) Time(t time.Time) {
	if _, offset := t.Zone(); offset%60 != 0 || offset <= -24*60*60 || offset >= 24*60*60 {
		t = t.UTC()
	}
	if message := Year(t); message != "" {
		w.refuse(message)
		return
	}
	w.Buf = append(w.Buf, '"')
	w.Buf = append(t.AppendFormat(w.Buf, time.RFC3339Nano), '"')
}
