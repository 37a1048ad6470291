package metadata

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads text; null is the empty text.
func (r *reader) text() string {
	if r.null() {
		return ""
	}
	return r.element()
}

// element reads text where null has no meaning.
func (r *reader) element() string {
	if r.peek() != '"' {
		r.wrong("text")
		return ""
	}
	s := r.quoted()
	r.space()
	return s
}

func (r *reader) texts() []string {
	var out []string
	r.list(func(int) { out = append(out, r.element()) })
	return out
}

// boolean reads true or false; ok is false where there is neither.
func (r *reader) boolean() (value, ok bool) {
	if r.null() {
		return false, false
	}
	switch rest := r.src[r.pos:]; {
	case strings.HasPrefix(rest, "true"):
		r.pos += len("true")
		value = true
	case strings.HasPrefix(rest, "false"):
		r.pos += len("false")
	default:
		r.wrong("true or false")
		return false, false
	}
	r.space()
	return value, true
}

// integer reads a whole number between low and high; 1.0 and 1e2 are whole.
func (r *reader) integer(low, high int64) (value int64, ok bool) {
	if r.null() {
		return 0, false
	}
	if c := r.peek(); c != '-' && (c < '0' || c > '9') {
		r.wrong("a whole number")
		return 0, false
	}
	number := r.number()
	r.space()
	if r.broken {
		return 0, false
	}
	value, ok = whole(number)
	if !ok || value < low || value > high {
		r.fault(fmt.Sprintf("must be a whole number from %d to %d, not %s", low, high, excerpt(number)))
		return 0, false
	}
	return value, true
}

// number reads the text of a number.
func (r *reader) number() string {
	start := r.pos
	digits := func() bool {
		from := r.pos
		for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
			r.pos++
		}
		return r.pos > from
	}
	if r.peek() == '-' {
		r.pos++
	}
	ok := true
	if r.peek() == '0' {
		r.pos++
	} else {
		ok = digits()
	}
	if ok && r.peek() == '.' {
		r.pos++
		ok = digits()
	}
	if c := r.peek(); ok && (c == 'e' || c == 'E') {
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		ok = digits()
	}
	if !ok {
		r.syntax("a value is missing or is no value")
		return ""
	}
	return r.src[start:r.pos]
}

// whole is the value of a number's text, if that is a whole number of 64 bits.
func whole(number string) (int64, bool) {
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

// quoted reads text in quotes; the quote is the next byte.
func (r *reader) quoted() string {
	r.pos++
	for start := r.pos; r.pos < len(r.src); r.pos++ {
		switch c := r.src[r.pos]; {
		case c == '"':
			r.pos++
			return r.src[start : r.pos-1]
		case c == '\\':
			return r.escaped(start)
		case c < ' ':
			r.syntax("a control character in text must be escaped")
			return ""
		}
	}
	r.syntax("the quote that ends a text is missing")
	return ""
}

// escaped goes on with text in quotes from its first escape.
func (r *reader) escaped(start int) string {
	out := append(r.scrap[:0], r.src[start:r.pos]...)
	for r.pos < len(r.src) {
		switch c := r.src[r.pos]; {
		case c == '"':
			r.pos++
			r.scrap = out
			return string(out)
		case c == '\\':
			char, ok := r.escape()
			if !ok {
				return ""
			}
			out = utf8.AppendRune(out, char)
		case c < ' ':
			r.syntax("a control character in text must be escaped")
			return ""
		default:
			out = append(out, c)
			r.pos++
		}
	}
	r.syntax("the quote that ends a text is missing")
	return ""
}

// escape reads one escape sequence.
func (r *reader) escape() (rune, bool) {
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if r.pos+1 < len(r.src) {
		if i := strings.IndexByte(from, r.src[r.pos+1]); i >= 0 {
			r.pos += 2
			return rune(to[i]), true
		}
	}
	at := r.pos
	char, ok := r.unit()
	message := ""
	switch {
	case !ok:
		message = "an escape sequence is wrong"
	case char == 0:
		message = "text must not hold NUL"
	case utf16.IsSurrogate(char):
		low, ok := r.unit()
		if char = utf16.DecodeRune(char, low); !ok || char == utf8.RuneError {
			message = "half of a surrogate pair is missing"
		}
	}
	if message != "" {
		r.pos = at
		r.syntax(message)
		return 0, false
	}
	return char, true
}

// unit reads \uXXXX.
func (r *reader) unit() (rune, bool) {
	if r.pos+6 > len(r.src) || r.src[r.pos:r.pos+2] != `\u` {
		return 0, false
	}
	v, err := strconv.ParseUint(r.src[r.pos+2:r.pos+6], 16, 16)
	if err != nil {
		return 0, false
	}
	r.pos += 6
	return rune(v), true
}
