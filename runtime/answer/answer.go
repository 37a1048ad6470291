// Package answer computes what operators ask about workers and runtimes: lists, why a worker
// does or does not have a runtime, the differences of two hosts, their history, and the
// effects of a deletion. Answers are data: the command line prints them, and an API can
// return them as JSON.
package answer

import (
	"strings"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
)

// RoleName returns the name that users know a stored role by: worker for action.
func RoleName(r schema.WorkerRole) string {
	if r == schema.RoleAction {
		return string(metadata.Worker)
	}
	return string(r)
}

// definitionRole returns the role whose definitions a worker's service verifies. It is empty for a hybrid,
// whose service may have either role.
func definitionRole(r schema.WorkerRole) metadata.Role {
	if r == schema.RoleHybrid {
		return ""
	}
	return metadata.Role(RoleName(r))
}

// Natural compares names in natural order, as cmp.Compare does: build-2 comes before
// build-10. Case matters only between otherwise equal names.
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

// digits returns the number of digits at the beginning of text.
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
