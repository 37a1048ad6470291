package document

import (
	"fmt"
	"math"
	"strconv"
)

// Float64 reads a number from low to high. Null is 0.
func (r *Reader) Float64(low, high float64) float64 { return r.OptionalFloat64(low, high).Value }

// Float32 reads a number from low to high. Null is 0.
func (r *Reader) Float32(low, high float32) float32 { return r.OptionalFloat32(low, high).Value }

// OptionalFloat64 reads a number from low to high and rounds it to 64 bits. The result is not
// set for null and after a fault.
func (r *Reader) OptionalFloat64(low, high float64) Optional[float64] {
	return r.float(low, high, 64)
}

// OptionalFloat32 reads a number from low to high and rounds it to 32 bits. The result is not
// set for null and after a fault.
func (r *Reader) OptionalFloat32(low, high float32) Optional[float32] {
	v := r.float(float64(low), float64(high), 32)
	return Optional[float32]{Value: float32(v.Value), Set: v.Set}
}

func (r *Reader) float(low, high float64, bits int) Optional[float64] {
	if r.peek() != '0' {
		if !r.Null() {
			r.wrong("a number")
		}
		return Optional[float64]{}
	}
	number := r.number()
	if number == "" {
		return Optional[float64]{}
	}
	v, err := strconv.ParseFloat(number, bits)
	if err != nil || v < low || v > high || beyond(number, v, low, -1, bits) || beyond(number, v, high, 1, bits) {
		r.fault(fmt.Sprintf("must be a number from %s to %s, got %s", formatFloat(low, bits), formatFloat(high, bits), Excerpt(number)))
		return Optional[float64]{}
	}
	return Some(v)
}

// beyond reports whether a number that was rounded to a bound is on the other side of it. The
// databases compare such numbers exactly.
func beyond(number string, v, bound float64, side, bits int) bool {
	const unique = 6 // significant digits that every float keeps
	if v != bound || len(number) <= unique && !hasExponent(number) {
		return false
	}
	return compareNumbers(number, formatFloat(bound, bits)) == side
}

func formatFloat(v float64, bits int) string { return string(appendFloat(nil, v, bits)) }

// appendFloat appends the shortest text that reads back as v, in the form of encoding/json.
func appendFloat(b []byte, v float64, bits int) []byte {
	format, abs := byte('f'), math.Abs(v)
	small := abs < 1e-6
	if bits == 32 {
		small = float32(abs) < 1e-6
	}
	if abs != 0 && (small || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, v, format, -1, bits)
	if n := len(b); format == 'e' && b[n-4] == 'e' && b[n-2] == '0' { // e-09 becomes e-9
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// Float64 writes a number. NaN and infinity are faults.
func (w *Writer) Float64(v float64) { w.float(v, 64) }

// Float32 writes a number. NaN and infinity are faults.
func (w *Writer) Float32(v float32) { w.float(float64(v), 32) }

func (w *Writer) float(v float64, bits int) {
	if message := Finite(v); message != "" {
		w.refuse(message)
		return
	}
	w.Buf = appendFloat(w.Buf, v, bits)
}
