package document

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
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
// A value of the wrong type is a fault and is skipped, so that the faults
// behind it are found too; broken syntax ends the reading. The zero Reader is
// ready for Open.
type Reader struct {
	src string
	pos int
	// key is the one that Member has read last, if isEscaped; any other is found
	// by its place.
	key       string
	isEscaped bool
	// depth counts the open lists and objects; at is how many steps of way lead
	// to the value that is being read, which is one less between two members.
	depth, at int
	way       [MaxDepth]place
	faults    Faults
	broken    bool
	// grown is by how many bytes the numbers are longer without an exponent.
	grown int
	// stored: the text is a column's, so that its size is past complaining about.
	stored bool
	// kept are the unknown keys of large objects, by their depth.
	kept map[int]map[string]struct{}
	// texts has room for the elements of lists of text: small lists share one
	// allocation.
	texts []string
	// unescaped holds the copy of the document and, behind it as long as there is
	// room, the texts in which something was escaped.
	unescaped strings.Builder
}

// Open begins to read data, of which a copy is made. It reports whether there
// is something to read; Close says why not.
func (r *Reader) Open(data []byte) bool {
	// Before the copy: the size of what is refused must not matter.
	if !r.short(len(data)) {
		return false
	}
	r.unescaped.Grow(len(data) + escapedRoom)
	r.unescaped.Write(data)
	return r.open(r.unescaped.String())
}

// escapedRoom is how many bytes of text in which something was escaped find room
// behind the copy of the document.
const escapedRoom = 64

// OpenStored is Open for the text of a column, which is not copied. It may be up
// to MaxText long: what a database took can always be read.
func (r *Reader) OpenStored(text string) bool {
	r.stored = true
	if size, ok := withheld(text); ok {
		r.tooLarge(size, MaxText)
		return false
	}
	return r.short(len(text)) && r.open(text)
}

// withheld reports whether a text stands for a document that was too large to be
// read: a line feed and its size. As a document that would be a number, which no
// column holds.
func withheld(text string) (size int, ok bool) {
	digits, ok := strings.CutPrefix(text, "\n")
	if !ok {
		return 0, false
	}
	size, err := strconv.Atoi(digits)
	return size, err == nil
}

func (r *Reader) open(text string) bool {
	if !utf8.ValidString(text) {
		r.faults.add(Fault{Message: fmt.Sprintf("byte %d is not UTF-8", invalidUTF8(text))})
		r.broken = true
		return false
	}
	r.src = text
	r.space()
	return true
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

func invalidUTF8(s string) int {
	for i, c := range s {
		if c == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return -1
}

// Close ends the reading, and returns Faults or nil.
func (r *Reader) Close() error {
	r.space()
	if !r.broken && r.pos < len(r.src) {
		r.syntax("something follows the document")
	}
	if size := len(r.src) + r.grown; !r.broken && !r.stored && size > MaxSize {
		if size -= blanks(r.src); size > MaxSize {
			r.tooLarge(size, MaxSize)
		}
	}
	return r.faults.OrNil()
}

// Check reports whether text is a document at all, as Faults or nil.
func Check(text []byte) error {
	var r Reader
	if r.Open(text) {
		r.skip()
	}
	return r.Close()
}

// fault reports a fault at the place that is being read.
func (r *Reader) fault(message string) {
	r.faults.add(Fault{Pointer: r.pointer(), Message: message})
}

// syntax ends the reading: nothing behind broken syntax can be trusted.
func (r *Reader) syntax(message string) {
	if r.broken {
		return
	}
	r.fault(fmt.Sprintf("not JSON: %s (byte %d)", message, r.pos))
	r.broken = true
	r.pos = len(r.src)
}

// wrong reports a value of another type than is wanted, and skips it.
func (r *Reader) wrong(want string) {
	if r.broken {
		return
	}
	have := ""
	switch r.peek() {
	case '{':
		have = "an object"
	case '[':
		have = "a list"
	case '"':
		have = "text"
	case 't', 'f':
		have = "true or false"
	case 'n':
		have = "null"
	default:
		have = "a number"
	}
	before := len(r.faults)
	r.skip()
	if r.broken && len(r.faults) > before {
		return // it is not even a value of another type
	}
	r.fault("must be " + want + ", not " + have)
}

func (r *Reader) peek() byte {
	if r.pos < len(r.src) {
		return r.src[r.pos]
	}
	return 0
}

func (r *Reader) space() { r.pos = skipBlanks(r.src, r.pos) }

// Null consumes a null, which means that a value is left out.
func (r *Reader) Null() bool {
	if r.peek() != 'n' || !strings.HasPrefix(r.src[r.pos:], "null") {
		return false
	}
	r.pos += len("null")
	r.space()
	return true
}
