package document

import (
	"cmp"
	"strconv"
	"strings"
)

// whole returns the value of a number's text if it is a whole number of 64 bits.
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

// hasExponent reports whether a number's text has an exponent. The loop is faster than the
// functions of package strings, because most numbers are short.
func hasExponent(number string) bool {
	for i := range len(number) {
		if number[i]|0x20 == 'e' {
			return true
		}
	}
	return false
}

// decimal returns a number as digits times ten to the power of exp, without needless zeros.
// So 1.0, 1 and 10e-1 have the same result.
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

// compareNumbers compares the texts of two numbers exactly.
func compareNumbers(a, b string) int {
	x, xExp := decimal(a)
	y, yExp := decimal(b)
	sign := signOf(x)
	if other := signOf(y); sign != other || sign == 0 {
		return cmp.Compare(sign, other)
	}
	x, y = strings.TrimPrefix(x, "-"), strings.TrimPrefix(y, "-")
	size := cmp.Compare(int64(len(x))+xExp, int64(len(y))+yExp)
	return sign * cmp.Or(size, strings.Compare(x, y))
}

// signOf returns -1, 0 or 1 for the digits of decimal.
func signOf(digits string) int {
	switch {
	case digits == "0":
		return 0
	case digits[0] == '-':
		return -1
	}
	return 1
}

// withoutExponent returns the number of digits and the length of a number's text in the form
// without an exponent.
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

// parts holds the parts of a number's text such as -12.5e3.
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
		// The error is an exponent beyond 64 bits. ParseInt returns the limit, which is
		// out of range too.
		p.exp, _ = strconv.ParseInt(number[i+1:], 10, 64)
		p.exp = max(min(p.exp, 1<<40), -1<<40)
		number = number[:i]
	}
	p.before, p.after, _ = strings.Cut(number, ".")
	return p
}
