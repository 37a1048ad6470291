package document

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// A Writer appends a document to Buf. Generated code writes the known keys in the order of
// the type, and then the unknown ones as they were read.
type Writer struct {
	Buf []byte
	// refused holds the values that could not be written. Null is in their place.
	refused []refusal
}

// A refusal is a value that JSON cannot express.
type refusal struct {
	// at is the place in Buf.
	at      int
	message string
}

// refuse writes null instead of a value that JSON cannot express.
func (w *Writer) refuse(message string) {
	w.refused = append(w.refused, refusal{len(w.Buf), message})
	w.Raw(nil)
}

// Encode writes a document and checks the result, because Go code may have set text that is
// not UTF-8, NaN, an unknown key that equals a known one, or a raw value that is not JSON. The
// error is Faults.
func Encode(write func(*Writer)) ([]byte, error) {
	w := &Writer{Buf: make([]byte, 0, 512)}
	write(w)
	faults := append(w.refusals(), Under("", Check(w.Buf))...)
	if len(faults) > 0 {
		return nil, faults
	}
	return w.Buf, nil
}

// refusals returns the faults of the values that could not be written.
func (w *Writer) refusals() Faults {
	if len(w.refused) == 0 {
		return nil
	}
	var faults Faults
	d := jsontext.NewDecoder(bytes.NewReader(w.Buf), allowDuplicates)
	for _, f := range w.refused {
		for d.InputOffset() <= int64(f.at) {
			if _, err := d.ReadToken(); err != nil {
				return faults // Encode reports the broken syntax
			}
		}
		faults.add(Fault{Pointer: pointerOf(d.StackPointer()), Message: f.message})
	}
	return faults
}

// Open begins an object.
func (w *Writer) Open() { w.Buf = append(w.Buf, '{') }

// Close writes the unknown members and ends the object.
func (w *Writer) Close(unknown Unknown) {
	for _, m := range unknown {
		w.Key(m.Key).Raw(m.Value)
	}
	w.Buf = append(w.Buf, '}')
}

// OpenList begins a list. Comma must precede each element.
func (w *Writer) OpenList() { w.Buf = append(w.Buf, '[') }

// CloseList ends a list.
func (w *Writer) CloseList() { w.Buf = append(w.Buf, ']') }

// Comma separates the next element or key from a previous one.
func (w *Writer) Comma() *Writer {
	if n := len(w.Buf); n > 0 && w.Buf[n-1] != '{' && w.Buf[n-1] != '[' {
		w.Buf = append(w.Buf, ',')
	}
	return w
}

// Key writes a key. Its value must follow.
func (w *Writer) Key(k string) *Writer {
	w.Comma().Text(k)
	w.Buf = append(w.Buf, ':')
	return w
}

// Raw writes a value unchanged. Nil becomes null.
func (w *Writer) Raw(v json.RawMessage) {
	if v == nil {
		v = json.RawMessage("null")
	}
	w.Buf = append(w.Buf, v...)
}

// Bool writes true or false.
func (w *Writer) Bool(v bool) { w.Buf = strconv.AppendBool(w.Buf, v) }

// Int writes a whole number.
func (w *Writer) Int(v int) { w.Buf = strconv.AppendInt(w.Buf, int64(v), 10) }

// Text writes s in quotes. It escapes only what JSON demands, so that the < and > of patterns
// stay readable.
func (w *Writer) Text(s string) {
	quoted, err := jsontext.AppendQuote(w.Buf, s)
	if err != nil {
		quoted = append(append(append(w.Buf, '"'), s...), '"') // Encode reports the invalid UTF-8
	}
	w.Buf = quoted
}

// WriteTexts writes a list of text.
func WriteTexts[T ~string](w *Writer, list []T) {
	w.OpenList()
	for _, s := range list {
		w.Comma().Text(string(s))
	}
	w.CloseList()
}
