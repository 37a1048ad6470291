package document

import (
	"strconv"
	"strings"
)

// whole is the value of a number's text, if that is a whole number of 64 bits.
func whole(number string) (int64, bool) {
	if !strings.ContainsAny(number, ".eE") {
		v, err := strconv.ParseInt(number, 10, 64)
		return v, err == nil
	}
	digits, exp := decimal(number)
	switch {
	case exp < 0 || exp > 19:
		return 0, false
	case exp > 0:
		digits += strings.Repeat("0", int(exp))
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	return v, err == nil
}

// decimal brings a number's text to digits times ten to the power of exp,
// without needless zeros: 1.0, 1 and 10e-1 are the same pair.
func decimal(number string) (digits string, exp int64) {
	p := splitNumber(number)
	exp = p.exp - int64(len(p.after))
	digits = strings.TrimLeft(p.before+p.after, "0")
	short := strings.TrimRight(digits, "0")
	exp += int64(len(digits) - len(short))
	if short == "" {
		return "0", 0
	}
	return p.sign + short, exp
}

// withoutExponent is how many digits a number has that is written without an
// exponent, and how long its text is then.
func withoutExponent(number string) (digits, size int64) {
	p := splitNumber(number)
	after := max(int64(len(p.after))-p.exp, 0)
	digits = max(int64(len(p.before))+p.exp, 1) + after
	size = int64(len(p.sign)) + digits
	if after > 0 {
		size += int64(len("."))
	}
	return digits, size
}

// parts are those of a number's text: -12.5e3.
type parts struct {
	sign, before, after string
	exp                 int64
}

func splitNumber(number string) parts {
	var p parts
	if strings.HasPrefix(number, "-") {
		p.sign, number = "-", number[1:]
	}
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		// The error is a power beyond 64 bits: ParseInt gives the limit, which
		// is as far out of reach.
		p.exp, _ = strconv.ParseInt(number[i+1:], 10, 64)
		p.exp = max(min(p.exp, 1<<40), -1<<40)
		number = number[:i]
	}
	p.before, p.after, _ = strings.Cut(number, ".")
	return p
}
