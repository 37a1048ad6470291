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
	sign, mantissa := "", number
	if strings.HasPrefix(number, "-") {
		sign, mantissa = "-", number[1:]
	}
	mantissa, power, _ := strings.Cut(strings.ToLower(mantissa), "e")
	if power != "" {
		// The error is a power beyond 64 bits: ParseInt gives the limit, which
		// is as far out of reach.
		exp, _ = strconv.ParseInt(power, 10, 64)
		exp = max(min(exp, 1<<40), -1<<40)
	}
	before, after, _ := strings.Cut(mantissa, ".")
	exp -= int64(len(after))
	digits = strings.TrimLeft(before+after, "0")
	short := strings.TrimRight(digits, "0")
	exp += int64(len(digits) - len(short))
	if short == "" {
		return "0", 0
	}
	return sign + short, exp
}
