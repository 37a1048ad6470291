package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// A Reader reads one document. Generated code uses it like this:
//
//	var r document.Reader
//	if r.Open(data) {
//		var seen uint64
//		for ok := r.Object(); ok; ok = r.Member() {
//			switch r.Key() {
//			case "name":
//				if r.Once(&seen, 1<<0) {
//					v.Name = r.Text()
//				}
//			default:
//				r.Keep(&v.Unknown)
//			}
//		}
//	}
//	return r.Close()
//
// A value of the wrong type is a fault and is skipped, so that later faults are found too.
// Broken syntax ends the reading. The zero Reader is ready for Open.
type Reader struct {
	*tokens
	// src is the document. Texts without escapes are slices of it.
	src    string
	key    string
	faults Faults
	// broken means that nothing more can be read.
	broken bool
	// growth counts the bytes by which numbers are longer without an exponent.
	growth int
	// stored means that the document is the text of a column. Its size is not checked again.
	stored bool
	// kept holds the unknown keys of large objects, by depth.
	kept map[int]map[string]struct{}
}

// A tokens reads the tokens of a document.
type tokens struct {
	decoder jsontext.Decoder
	buffer  bytes.Buffer
	// unquoted is the buffer for texts with escapes.
	unquoted []byte
}

var (
	tokensPool = sync.Pool{New: func() any { return new(tokens) }}
	// A duplicate key is a fault, but does not end the reading.
	allowDuplicates = jsontext.AllowDuplicateNames(true)
)

// Open begins to read data, which must not change before Close. It reports whether there is
// something to read. If not, Close returns the reason.
func (r *Reader) Open(data []byte) bool {
	return r.short(len(data)) && r.open(data, string(data))
}

// OpenStored opens the text of a column. It accepts up to MaxText bytes, so that every
// document that a database accepted can be read.
func (r *Reader) OpenStored(text string) bool {
	r.stored = true
	if size, ok := withheld(text); ok {
		r.tooLarge(size, MaxText)
		return false
	}
	return r.short(len(text)) && r.open([]byte(text), text)
}

func (r *Reader) open(data []byte, text string) bool {
	r.src = text
	r.tokens = tokensPool.Get().(*tokens)
	r.buffer = *bytes.NewBuffer(data)
	r.decoder.Reset(&r.buffer, allowDuplicates)
	return true
}

// withheld reports whether a text stands for a document that was too large to be fetched: a
// line feed and the size. As a document it would be a number, which no column holds.
func withheld(text string) (size int, ok bool) {
	digits, ok := strings.CutPrefix(text, "\n")
	if !ok {
		return 0, false
	}
	size, err := strconv.Atoi(digits)
	return size, err == nil
}

// short reports whether a text is short enough to be read.
func (r *Reader) short(size int) bool {
	if size > MaxText {
		r.tooLarge(size, MaxText)
	}
	return !r.broken
}

func (r *Reader) tooLarge(size, most int) {
	r.faults.add(Fault{Message: fmt.Sprintf("the document must have at most %d bytes, got %d", most, size)})
	r.broken = true
}

// Close ends the reading. It returns Faults or nil.
func (r *Reader) Close() error {
	if r.tokens == nil {
		return r.faults.OrNil()
	}
	if !r.broken {
		end := r.decoder.InputOffset()
		if _, err := r.decoder.ReadToken(); err == nil {
			r.breakOff("", "unexpected data after the document", int(end))
		} else if !errors.Is(err, io.EOF) {
			r.syntax(err)
		}
	}
	if !r.broken && !r.stored && len(r.src)+r.growth > MaxSize {
		compact := jsontext.Value(r.src)
		if err := compact.Compact(allowDuplicates); err == nil && len(compact)+r.growth > MaxSize {
			r.tooLarge(len(compact)+r.growth, MaxSize)
		}
	}
	r.buffer = bytes.Buffer{}
	tokensPool.Put(r.tokens)
	r.tokens = nil
	return r.faults.OrNil()
}

// Check returns the faults of a text as a document of any type, as Faults, or nil.
func Check(text []byte) error {
	var r Reader
	if r.Open(text) {
		r.skip()
	}
	return r.Close()
}

// fault reports a fault of the last value.
func (r *Reader) fault(message string) {
	if len(r.faults) <= maxFaults { // a pointer can be as long as the document
		r.faults.add(Fault{Pointer: pointerOf(r.decoder.StackPointer()), Message: message})
	}
}

// syntax ends the reading, because nothing after broken syntax can be trusted.
func (r *Reader) syntax(err error) {
	var broken *jsontext.SyntacticError
	if errors.As(err, &broken) {
		r.breakOff(broken.JSONPointer, broken.Err.Error(), int(broken.ByteOffset))
		return
	}
	r.breakOff(r.decoder.StackPointer(), "unexpected end of the document", len(r.src)) // io.EOF
}

func (r *Reader) breakOff(at jsontext.Pointer, message string, offset int) {
	if !r.broken {
		r.faults.add(Fault{Pointer: pointerOf(at), Message: fmt.Sprintf("not JSON: %s (byte %d)", message, offset)})
		r.broken = true
	}
}

// peek returns the kind of the next token, or 0 if nothing can be read.
func (r *Reader) peek() jsontext.Kind {
	if r.broken {
		return 0
	}
	return r.decoder.PeekKind()
}

// token reads a token.
func (r *Reader) token() (token jsontext.Token) {
	if !r.broken {
		var err error
		if token, err = r.decoder.ReadToken(); err != nil {
			r.syntax(err)
		}
	}
	return token
}

// scalar reads a value other than an object or a list, and returns its text as a slice of
// the document. After broken syntax it returns an empty text.
func (r *Reader) scalar() string {
	if r.broken {
		return ""
	}
	raw, err := r.decoder.ReadValue()
	if err != nil {
		r.syntax(err)
		return ""
	}
	end := int(r.decoder.InputOffset())
	return r.src[end-len(raw) : end]
}

// Null reads null, which means a missing value. It reports whether there was one.
func (r *Reader) Null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.token()
	return true
}

// Raw reads any value and returns its unchanged text. It returns nil for null, which means a
// missing value.
func (r *Reader) Raw() json.RawMessage {
	if r.Null() {
		return nil
	}
	return r.rawValue()
}

func (r *Reader) rawValue() json.RawMessage {
	from := r.decoder.InputOffset()
	r.skip()
	if r.broken {
		return nil
	}
	return json.RawMessage(strings.TrimLeft(r.src[from:r.decoder.InputOffset()], ":, \t\r\n"))
}

// skip reads any value and checks its syntax.
func (r *Reader) skip() {
	switch r.peek() {
	case '{':
		seen := map[string]struct{}{}
		for ok := r.enter(); ok && r.Member(); {
			if _, duplicate := seen[r.key]; duplicate {
				r.duplicate()
				continue
			}
			seen[r.key] = struct{}{}
			r.skip()
		}
	case '[':
		for ok := r.enter(); ok && r.Element(); {
			r.skip()
		}
	case '"':
		r.text()
	case '0':
		r.number()
	default:
		r.token()
	}
}

// kindNames holds the names of kinds in messages.
var kindNames = map[jsontext.Kind]string{
	'{': "an object", '[': "a list", '"': "text", 't': "true or false", 'f': "true or false", 'n': "null", '0': "a number",
}

// wrong reports a value of another type than want, and skips it.
func (r *Reader) wrong(want string) {
	have := kindNames[r.peek()]
	if r.skip(); !r.broken {
		r.fault("must be " + want + ", got " + have)
	}
}
