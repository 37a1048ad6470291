package capability

import (
	"fmt"
	"regexp"
	"strings"
)

// ExitDetail returns the detail of ExitMismatch. line is the first line of the output.
func ExitDetail(status, want int, line string) string {
	return fmt.Sprintf("exit status %d, want %d: %s", status, want, line)
}

// PatternDetail returns the detail of PatternMismatch. line is the first line of the output.
func PatternDetail(pattern, line string) string {
	return fmt.Sprintf("its output does not match %s: %s", pattern, line)
}

// VersionDetail returns the detail of VersionUnreadable. line is the first line of the output.
func VersionDetail(least, line string) string {
	return fmt.Sprintf("min_version is %s, and its output has no version: %s", least, line)
}

// quoting matches the details that quote an output. A pattern may have colons, so it is left out with the output.
var quoting = regexp.MustCompile(`(?s)(exit status -?\d+, want -?\d+|its output has no version): .*|its output does not match .*`)

// unreadable begins the detail of OutputUnreadable, which quotes nothing.
const unreadable = "its output does not match the pattern, but "

// WithoutOutput returns a detail, or a sentence that ends with one, without the output that it quotes.
func WithoutOutput(detail string) string {
	return quoting.ReplaceAllStringFunc(detail, func(found string) string {
		if kept := quoting.FindStringSubmatch(found)[1]; kept != "" {
			return kept
		}
		if strings.HasPrefix(found, unreadable) { // it says why
			return found
		}
		return "its output does not match the pattern"
	})
}
