package document

import (
	"encoding/json"
	"strings"
)

// Raw reads any value and gives its text, unchanged; nil for null, which means
// that the value is left out.
func (r *Reader) Raw() json.RawMessage {
	if r.Null() {
		return nil
	}
	return r.rawValue()
}

func (r *Reader) rawValue() json.RawMessage {
	start := r.pos
	r.skip()
	if r.broken {
		return nil
	}
	return json.RawMessage(strings.TrimRight(r.src[start:r.pos], " \t\r\n"))
}

// skip reads over any value, as strictly as if it were wanted.
func (r *Reader) skip() {
	switch c := r.peek(); {
	case c == '{':
		var seen keySet
		for ok := r.enterObject(); ok; ok = r.Member() {
			if seen.add(r.Key()) {
				r.skip()
			} else {
				r.twice()
			}
		}
		return
	case c == '[':
		for ok := r.enterList(); ok; ok = r.Element() {
			r.skip()
		}
		return
	case c == '"':
		r.quoted()
	case c == '-' || c >= '0' && c <= '9':
		r.number()
	case !r.word("true") && !r.word("false") && !r.word("null"):
		r.syntax("a value is missing or is no value")
		return
	}
	r.space()
}

// word consumes w, if it is next.
func (r *Reader) word(w string) bool {
	if !strings.HasPrefix(r.src[r.pos:], w) {
		return false
	}
	r.pos += len(w)
	return true
}

// keySet tells a key that was seen before.
type keySet struct {
	room [smallObject]string
	n    int
	set  map[string]struct{}
}

func (s *keySet) add(key string) bool {
	if s.set != nil {
		before := len(s.set)
		s.set[key] = struct{}{}
		return len(s.set) > before
	}
	for _, k := range s.room[:s.n] {
		if k == key {
			return false
		}
	}
	if s.n < len(s.room) {
		s.room[s.n] = key
		s.n++
		return true
	}
	s.set = make(map[string]struct{}, 64)
	for _, k := range s.room {
		s.set[k] = struct{}{}
	}
	s.set[key] = struct{}{}
	return true
}
