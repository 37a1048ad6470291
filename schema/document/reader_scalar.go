package document

import (
	"fmt"
	"strconv"
	"time"
)

// Bool reads true or false; null is false.
func (r *Reader) Bool() bool { return r.OptionalBool().Value }

// OptionalBool reads true or false; it is not set for null, and for a fault.
func (r *Reader) OptionalBool() Optional[bool] {
	value := false
	switch c := r.peek(); {
	case c == 't' && r.word("true"):
		value = true
	case c == 'f' && r.word("false"):
	default:
		if !r.Null() {
			r.wrong("true or false")
		}
		return Optional[bool]{}
	}
	r.space()
	return Some(value)
}

// Int reads a whole number between low and high; null is 0.
func (r *Reader) Int(low, high int64) int { return r.OptionalInt(low, high).Value }

// OptionalInt reads a whole number between low and high; 1.0 and 1e2 are whole.
// It is not set for null, and for a fault.
func (r *Reader) OptionalInt(low, high int64) Optional[int] {
	if c := r.peek(); c != '-' && (c < '0' || c > '9') {
		if !r.Null() {
			r.wrong("a whole number")
		}
		return Optional[int]{}
	}
	value, ok := r.smallInt()
	number := ""
	if !ok {
		number = r.number()
		r.space()
		if number == "" {
			return Optional[int]{}
		}
		value, ok = whole(number)
	}
	if !ok || value < low || value > high {
		if number == "" {
			number = strconv.FormatInt(value, 10)
		}
		r.fault(fmt.Sprintf("must be a whole number from %d to %d, not %s", low, high, Excerpt(number)))
		return Optional[int]{}
	}
	return Some(int(value))
}

// smallInt reads a number as most are: a few digits and nothing else. Where it
// is otherwise, nothing is consumed.
func (r *Reader) smallInt() (value int64, ok bool) {
	src, i := r.src, r.pos
	if src[i] == '0' {
		i++
	} else {
		for ; i < len(src) && src[i] >= '0' && src[i] <= '9' && i < r.pos+9; i++ {
			value = value*10 + int64(src[i]-'0')
		}
	}
	if i == r.pos || i == len(src) || !blank[src[i]] && src[i] != ',' && src[i] != '}' && src[i] != ']' {
		return 0, false
	}
	r.pos = skipBlanks(src, i)
	return value, true
}

// Duration reads a duration; null is 0. sample is one, for the message.
func (r *Reader) Duration(sample string) Duration { return r.OptionalDuration(sample).Value }

// OptionalDuration reads a duration such as sample. It is not set for null, and
// for a fault.
func (r *Reader) OptionalDuration(sample string) Optional[Duration] {
	if r.peek() != '"' {
		if !r.Null() {
			r.wrong("text")
		}
		return Optional[Duration]{}
	}
	s := r.quoted()
	r.space()
	if r.broken {
		return Optional[Duration]{}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		r.fault(fmt.Sprintf("must be a duration such as %q, not %q", sample, Excerpt(s)))
		return Optional[Duration]{}
	}
	return Some(Duration(d))
}

// number reads the text of a number; empty after a fault.
func (r *Reader) number() string {
	start := r.pos
	if r.peek() == '-' {
		r.pos++
	}
	ok := true
	if r.peek() == '0' {
		r.pos++
	} else {
		ok = r.digits()
	}
	if ok && r.peek() == '.' {
		r.pos++
		ok = r.digits()
	}
	power := r.pos
	if c := r.peek(); ok && (c == 'e' || c == 'E') {
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		ok = r.digits()
	}
	if !ok {
		r.syntax("a value is missing or is no value")
		return ""
	}
	number := r.src[start:r.pos]
	if power == r.pos && len(number) <= MaxDigits {
		return number
	}
	digits, size := withoutExponent(number)
	if digits > MaxDigits {
		r.fault(fmt.Sprintf("has more than %d digits without an exponent", MaxDigits))
		return ""
	}
	r.grown += max(int(size)-len(number), 0)
	return number
}

func (r *Reader) digits() bool {
	from := r.pos
	for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
		r.pos++
	}
	return r.pos > from
}
