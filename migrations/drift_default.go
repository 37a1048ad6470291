package migrations

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/attune-go/attune/migrations/internal/lazy"
)

// sameDefault reports whether a column's default has the effect that a model needs. It
// compares the spellings that databases use, and evaluates nothing, because an expression of
// others may do anything.
func sameDefault(want, got column) bool {
	switch {
	case got.def == "":
		return false
	case want.def == sequence:
		return got.def == sequence || sequenceDefault().MatchString(got.def)
	case want.kind == kindTime:
		return clock().MatchString(got.def)
	}
	w, _ := constant(want.def)
	g, ok := constant(got.def)
	switch {
	case !ok:
		return false
	case want.kind == kindBoolean:
		x, errX := strconv.ParseBool(w)
		y, errY := strconv.ParseBool(strings.ToLower(g))
		return errX == nil && errY == nil && x == y
	case want.kind == kindJSON:
		var x, y any
		return json.Unmarshal([]byte(w), &x) == nil && json.Unmarshal([]byte(g), &y) == nil && reflect.DeepEqual(x, y)
	}
	return w == g
}

var (
	// sequenceDefault matches the default of a serial column: nextval('pack_id_seq'::regclass).
	sequenceDefault = lazy.Regexp(`(?i)\bnextval\(`)
	// clock matches expressions of the time at which a row is written. It does not match a
	// literal 'now' on Postgres: the server replaces it by the time of the declaration.
	clock = lazy.Regexp(`(?i)\b(now|current_timestamp|localtimestamp|(transaction|statement|clock)_timestamp)\b`)
	// cast matches a cast at the end: ::jsonb, ::character varying(20)[],
	// ::"Other".worker_role_enum. In a literal a quote would follow.
	cast = lazy.Regexp(`^(.*)::(?:[^'":()\[\]]|"(?:[^"]|"")*")+(\([0-9, ]+\))?(\[\])*$`)
	// literal matches a string literal.
	literal = lazy.Regexp(`^'((?:[^']|'')*)'$`)
	// word matches other constants: true, 0.
	word = lazy.Regexp(`^[A-Za-z0-9_]+$`)
)

// constant returns the value of a constant expression such as '{}'::jsonb, (false) or
// ARRAY[]::text[]. ok is false for other expressions.
func constant(expr string) (value string, ok bool) {
	for {
		expr = strings.TrimSpace(expr)
		switch {
		case cast().MatchString(expr):
			expr = cast().FindStringSubmatch(expr)[1]
		case strings.HasPrefix(expr, "(") && strings.HasSuffix(expr, ")"):
			// If the parentheses do not match, the rest is not a constant.
			expr = expr[1 : len(expr)-1]
		case literal().MatchString(expr):
			return strings.ReplaceAll(expr[1:len(expr)-1], "''", "'"), true
		case strings.EqualFold(expr, "ARRAY[]"):
			return "{}", true
		default:
			return expr, word().MatchString(expr)
		}
	}
}
