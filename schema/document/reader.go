package document

import (
	"fmt"
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
	// kept are the unknown keys of large objects, by their depth.
	kept map[int]map[string]struct{}
	// texts has room for the elements of lists of text: small lists share one
	// allocation.
	texts []string
	// unescaped holds the texts in which something was escaped: they share one
	// allocation too.
	unescaped strings.Builder
}

// Open begins to read data, of which a copy is made. It reports whether there
// is something to read; Close says why not.
func (r *Reader) Open(data []byte) bool {
	// Before the copy: the size of what is refused must not matter.
	if len(data) > MaxSize {
		r.tooLarge(len(data))
		return false
	}
	return r.OpenText(string(data))
}

// OpenText is Open for text, which is not copied.
func (r *Reader) OpenText(text string) bool {
	if len(text) > MaxSize {
		r.tooLarge(len(text))
		return false
	}
	if !utf8.ValidString(text) {
		r.faults.add(Fault{Message: fmt.Sprintf("byte %d is not UTF-8", invalidUTF8(text))})
		r.broken = true
		return false
	}
	r.src = text
	r.space()
	return true
}

func (r *Reader) tooLarge(size int) {
	r.faults.add(Fault{Message: fmt.Sprintf("the document has %d bytes; at most %d are read", size, MaxSize)})
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
