package migrations

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// sameDefault is whether the default that a column has does what a model counts
// on. Nothing is evaluated: an expression of others might do anything. It is
// read as far as a database spells one thing in several ways.
func sameDefault(want, got column) bool {
	switch {
	case got.def == "":
		return false
	case want.def == sequence:
		return got.def == sequence || numbered.MatchString(got.def)
	case want.kind == kindTime:
		return clock.MatchString(got.def)
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
	// numbered: nextval('pack_id_seq'::regclass).
	numbered = regexp.MustCompile(`(?i)\bnextval\(`)
	// clock is an expression that asks the time when a row is written. A
	// literal 'now' is none on Postgres: the server keeps the time at which it
	// was declared, and shows that.
	clock = regexp.MustCompile(`(?i)\b(now|current_timestamp|localtimestamp|(transaction|statement|clock)_timestamp)\b`)
	// cast is a cast at the end: ::jsonb, ::character varying(20)[],
	// ::"Other".worker_role_enum. In a literal a quote would follow.
	cast = regexp.MustCompile(`^(.*)::(?:[^'":()\[\]]|"(?:[^"]|"")*")+(\([0-9, ]+\))?(\[\])*$`)
	// literal of SQL.
	literal = regexp.MustCompile(`^'((?:[^']|'')*)'$`)
	// word: true, 0.
	word = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
)

// constant is the value that an expression spells out: '{}'::jsonb, (false),
// ARRAY[]::text[]. ok is false where it is anything else.
func constant(expr string) (value string, ok bool) {
	for {
		expr = strings.TrimSpace(expr)
		switch {
		case cast.MatchString(expr):
			expr = cast.FindStringSubmatch(expr)[1]
		case strings.HasPrefix(expr, "(") && strings.HasSuffix(expr, ")"):
			// Should these not be a pair, what is left is no constant.
			expr = expr[1 : len(expr)-1]
		case literal.MatchString(expr):
			return strings.ReplaceAll(expr[1:len(expr)-1], "''", "'"), true
		case strings.EqualFold(expr, "ARRAY[]"):
			return "{}", true
		default:
			return expr, word.MatchString(expr)
		}
	}
}
