// Package answer has what operators ask of a database as data: lists, how two hosts
// differ, what happened to them, and what a deletion would do. The command line
// prints it, and an API can give it as JSON.
package answer

import (
	"strings"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// RoleName returns a stored role in the words of users: worker for action.
func RoleName(r schema.WorkerRole) string {
	if r == schema.RoleAction {
		return string(metadata.Worker)
	}
	return string(r)
}

// Natural compares names as people order them: build-2 comes before build-10, and
// case counts only between names that are else equal. It returns a number below 0, 0
// or above 0.
func Natural(a, b string) int {
	x, y := strings.ToLower(a), strings.ToLower(b)
	for x != "" && y != "" {
		m, n := digits(x), digits(y)
		if m > 0 && n > 0 {
			if c := compareNumbers(x[:m], y[:n]); c != 0 {
				return c
			}
			x, y = x[m:], y[n:]
			continue
		}
		if x[0] != y[0] {
			return int(x[0]) - int(y[0])
		}
		x, y = x[1:], y[1:]
	}
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	return strings.Compare(a, b)
}

// digits is how many digits a text begins with.
func digits(text string) int {
	return len(text) - len(strings.TrimLeft(text, "0123456789"))
}

// compareNumbers compares numbers of any length by value.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
