package metadata

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of a document.
const (
	// MaxSize is the largest document that is read, in bytes.
	MaxSize = 1 << 20
	// MaxDepth is how deep lists and objects may be nested.
	MaxDepth = 64
)

// maxFaults bounds what one hostile document can make us remember.
const maxFaults = 1000

// reader reads one JSON document strictly: UTF-8, no duplicate keys, no NUL in
// text, bounded depth and size. A value of the wrong type is a fault and is
// skipped, so that the faults behind it are found too; broken syntax ends the
// reading.
type reader struct {
	src    string
	pos    int
	depth  int
	path   []byte
	faults Faults
	broken bool
	scrap  []byte
}

// decode reads the whole of data with read, and returns Faults or nil.
func decode(data []byte, read func(*reader)) error {
	if len(data) > MaxSize {
		return Faults{{Message: fmt.Sprintf("the document has %d bytes; at most %d are read", len(data), MaxSize)}}
	}
	r := &reader{src: string(data)}
	if at := invalidUTF8(r.src); at >= 0 {
		return Faults{{Message: fmt.Sprintf("byte %d is not UTF-8", at)}}
	}
	r.space()
	read(r)
	r.space()
	if !r.broken && r.pos < len(r.src) {
		r.syntax("something follows the document")
	}
	return r.faults.orNil()
}

func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, c := range s {
		if c == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
	}
	return -1
}

// fault reports a fault at the place that is being read.
func (r *reader) fault(message string) {
	switch {
	case len(r.faults) < maxFaults:
		r.faults = append(r.faults, Fault{string(r.path), message})
	case len(r.faults) == maxFaults:
		r.faults = append(r.faults, Fault{Message: "there are more faults than are listed"})
	}
}

// syntax ends the reading: nothing behind broken syntax can be trusted.
func (r *reader) syntax(message string) {
	if r.broken {
		return
	}
	r.fault(fmt.Sprintf("not JSON: %s (byte %d)", message, r.pos))
	r.broken = true
	r.pos = len(r.src)
}

func (r *reader) wrong(want string) {
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
	at := len(r.faults)
	mark := Fault{string(r.path), "must be " + want + ", not " + have}
	r.skip()
	if r.broken && len(r.faults) > at {
		return // it is not even a value of another type
	}
	r.fault(mark.Message)
}

func (r *reader) peek() byte {
	if r.pos < len(r.src) {
		return r.src[r.pos]
	}
	return 0
}

func (r *reader) space() {
	for r.pos < len(r.src) {
		switch r.src[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// take consumes c and the space behind it.
func (r *reader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.pos++
	r.space()
	return true
}

// null consumes a null, which means that a value is left out.
func (r *reader) null() bool {
	if !strings.HasPrefix(r.src[r.pos:], "null") {
		return false
	}
	r.pos += len("null")
	r.space()
	return true
}

// enter goes down into a list or an object.
func (r *reader) enter(open byte) bool {
	if r.depth == MaxDepth {
		r.syntax(fmt.Sprintf("nested more than %d deep", MaxDepth))
		return false
	}
	r.depth++
	return r.take(open)
}

// object reads an object. It hands each key to member, which reads the value
// and reports true, or reports false to have the value kept in unknown.
func (r *reader) object(unknown *Unknown, member func(key string) bool) {
	if r.null() {
		return
	}
	if r.peek() != '{' {
		r.wrong("an object")
		return
	}
	r.members(func(key string) {
		if !member(key) {
			*unknown = append(*unknown, Member{strings.Clone(key), r.rawValue()})
		}
	})
}

// members reads an object, and has value read the value of each key.
func (r *reader) members(value func(key string)) {
	if !r.enter('{') {
		return
	}
	var room [16]string
	seen := keySet{list: room[:0]}
	for first := true; !r.broken && !r.take('}'); first = false {
		if !first && !r.take(',') {
			r.syntax("a comma or } is missing")
			return
		}
		if r.peek() != '"' {
			r.syntax("a key in quotes is missing")
			return
		}
		key := r.quoted()
		r.space()
		if !r.take(':') {
			r.syntax("a colon is missing")
			return
		}
		mark := r.push(key)
		if seen.add(key) {
			value(key)
		} else {
			r.fault("the key is there twice")
			r.skip()
		}
		r.path = r.path[:mark]
	}
	r.depth--
}

// list reads a list, and has element read each element.
func (r *reader) list(element func(i int)) {
	if r.null() {
		return
	}
	if r.peek() != '[' {
		r.wrong("a list")
		return
	}
	r.elements(element)
}

func (r *reader) elements(element func(i int)) {
	if !r.enter('[') {
		return
	}
	for i := 0; !r.broken && !r.take(']'); i++ {
		if i > 0 && !r.take(',') {
			r.syntax("a comma or ] is missing")
			return
		}
		mark := len(r.path)
		r.path = strconv.AppendInt(append(r.path, '/'), int64(i), 10)
		element(i)
		r.path = r.path[:mark]
	}
	r.depth--
}

// push adds key to the path, and returns what to cut it back to. A very long
// key is shortened, so that faults stay small whatever the document is.
func (r *reader) push(key string) int {
	mark := len(r.path)
	if len(key) > 120 {
		key = strings.ToValidUTF8(key[:120], "") + "…"
	}
	r.path = appendPointer(r.path, key)
	return mark
}

// rawValue reads any value and gives its text, unchanged.
func (r *reader) rawValue() json.RawMessage {
	start := r.pos
	r.skip()
	if r.broken {
		return nil
	}
	return json.RawMessage(strings.TrimRight(r.src[start:r.pos], " \t\r\n"))
}

// rawUnlessNull is rawValue where null means that the value is left out.
func (r *reader) rawUnlessNull() json.RawMessage {
	if r.null() {
		return nil
	}
	return r.rawValue()
}

// skip reads over any value, as strictly as if it were wanted.
func (r *reader) skip() {
	switch c := r.peek(); {
	case c == '{':
		r.members(func(string) { r.skip() })
		return
	case c == '[':
		r.elements(func(int) { r.skip() })
		return
	case c == '"':
		r.quoted()
	case c == '-' || c >= '0' && c <= '9':
		r.number()
	default:
		word := ""
		for _, w := range []string{"true", "false", "null"} {
			if strings.HasPrefix(r.src[r.pos:], w) {
				word = w
			}
		}
		if word == "" {
			r.syntax("a value is missing or is no value")
			return
		}
		r.pos += len(word)
	}
	r.space()
}

// keySet tells a key that was seen before. Most objects are small.
type keySet struct {
	list []string
	set  map[string]struct{}
}

func (s *keySet) add(key string) bool {
	if s.set == nil {
		for _, k := range s.list {
			if k == key {
				return false
			}
		}
		if s.list = append(s.list, key); len(s.list) <= 16 {
			return true
		}
		s.set = make(map[string]struct{}, 64)
		for _, k := range s.list {
			s.set[k] = struct{}{}
		}
		return true
	}
	if _, ok := s.set[key]; ok {
		return false
	}
	s.set[key] = struct{}{}
	return true
}
