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

// Reader reads one document. Generated code drives it:
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
// A value of the wrong type is a fault and is skipped, so that the faults after
// it are found too. Broken syntax ends the reading. The zero Reader is ready for
// Open.
type Reader struct {
	*tokens
	// src is the document. Texts without escapes are parts of it.
	src    string
	key    string
	faults Faults
	// broken is set once nothing more can be read.
	broken bool
	// grown is by how many bytes the numbers are longer without an exponent.
	grown int
	// stored is set for the text of a column, whose size is not judged again.
	stored bool
	// kept are the unknown keys of large objects, by their depth.
	kept map[int]map[string]struct{}
}

// tokens reads the tokens of a document.
type tokens struct {
	decoder jsontext.Decoder
	buffer  bytes.Buffer
	// unquoted is room for text with escapes.
	unquoted []byte
}

var (
	tokensPool = sync.Pool{New: func() any { return new(tokens) }}
	// A key that occurs twice is a fault, and not the end of the reading.
	allowTwice = jsontext.AllowDuplicateNames(true)
)

// Open begins to read data, which must not be changed before Close. It reports
// whether there is something to read; the error of Close says why not.
func (r *Reader) Open(data []byte) bool {
	return r.short(len(data)) && r.open(data, string(data))
}

// OpenStored is Open for the text of a column. It may be up to MaxText long:
// what a database has taken can always be read.
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
	r.decoder.Reset(&r.buffer, allowTwice)
	return true
}

// withheld reports whether a text stands for a document that was too large to be
// read: a line feed and its size. As a document that would be a number, which no
// column has.
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
	r.faults.add(Fault{Message: fmt.Sprintf("the document has %d bytes; at most %d are read", size, most)})
	r.broken = true
}

// Close ends the reading, and returns Faults or nil.
func (r *Reader) Close() error {
	if r.tokens == nil {
		return r.faults.OrNil()
	}
	if !r.broken {
		end := r.decoder.InputOffset()
		if _, err := r.decoder.ReadToken(); err == nil {
			r.breakOff("", "something follows the document", int(end))
		} else if !errors.Is(err, io.EOF) {
			r.syntax(err)
		}
	}
	if !r.broken && !r.stored && len(r.src)+r.grown > MaxSize {
		compact := jsontext.Value(r.src)
		if err := compact.Compact(allowTwice); err == nil && len(compact)+r.grown > MaxSize {
			r.tooLarge(len(compact)+r.grown, MaxSize)
		}
	}
	r.buffer = bytes.Buffer{}
	tokensPool.Put(r.tokens)
	r.tokens = nil
	return r.faults.OrNil()
}

// Check reports the faults of a text as a document of any type: Faults, or nil.
func Check(text []byte) error {
	var r Reader
	if r.Open(text) {
		r.skip()
	}
	return r.Close()
}

// fault reports a fault at the value that was read last.
func (r *Reader) fault(message string) {
	if len(r.faults) <= maxFaults { // a pointer can be as long as the document
		r.faults.add(Fault{Pointer: pointerOf(r.decoder.StackPointer()), Message: message})
	}
}

// syntax ends the reading: nothing after broken syntax can be trusted.
func (r *Reader) syntax(err error) {
	var broken *jsontext.SyntacticError
	if errors.As(err, &broken) {
		r.breakOff(broken.JSONPointer, broken.Err.Error(), int(broken.ByteOffset))
		return
	}
	r.breakOff(r.decoder.StackPointer(), "the document ends too early", len(r.src)) // io.EOF
}

func (r *Reader) breakOff(at jsontext.Pointer, message string, offset int) {
	if !r.broken {
		r.faults.add(Fault{Pointer: pointerOf(at), Message: fmt.Sprintf("not JSON: %s (byte %d)", message, offset)})
		r.broken = true
	}
}

// peek is the kind of what is read next; 0 where nothing can be.
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

// scalar reads the text of a value that is neither an object nor a list. It is a
// part of the document, and empty after broken syntax.
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

// Null reads a null, which means that a value is left out, and reports whether
// it was there.
func (r *Reader) Null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.token()
	return true
}

// Raw reads any value and returns its text, unchanged. It returns nil for null,
// which means that the value is left out.
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

// skip reads any value and judges it like one that is wanted.
func (r *Reader) skip() {
	switch r.peek() {
	case '{':
		seen := map[string]struct{}{}
		for ok := r.enter(); ok && r.Member(); {
			if _, twice := seen[r.key]; twice {
				r.twice()
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

// wrong reports a value of another type than is wanted, and skips it.
func (r *Reader) wrong(want string) {
	have := map[jsontext.Kind]string{'{': "an object", '[': "a list", '"': "text", 't': "true or false", 'f': "true or false", 'n': "null", '0': "a number"}[r.peek()]
	if r.skip(); !r.broken {
		r.fault("must be " + want + ", not " + have)
	}
}
