package document

import (
	"strconv"
	"strings"
)

// step is one part of the way to a value that is judged: a key, where index is
// noIndex, or the index of an element.
type step struct {
	key   string
	index int
}

const noIndex = -1

func (s step) appendTo(pointer []byte) []byte {
	if s.index == noIndex {
		return appendPointer(pointer, cut(s.key, 120))
	}
	return strconv.AppendInt(append(pointer, '/'), int64(s.index), 10)
}

// place is the same for a value that is being read. It has no pointers, because
// it is written for each key: where a key stands in the document, or from is the
// index of an element and to is noIndex.
type place struct{ from, to int32 }

// pointer is the JSON pointer to what is being read. A very long key is
// shortened, so that faults stay small whatever the document is.
func (r *Reader) pointer() string {
	var out []byte
	for _, p := range r.way[:r.at] {
		s := step{index: int(p.from)}
		if p.to != noIndex {
			s = step{key: r.keyAt(p), index: noIndex}
		}
		out = s.appendTo(out)
	}
	return string(out)
}

// keyAt is the key that stands at p.
func (r *Reader) keyAt(p place) string {
	key := r.src[p.from:p.to]
	if strings.IndexByte(key, '\\') < 0 {
		return key
	}
	again := Reader{src: r.src, pos: int(p.from) - 1}
	return again.quoted()
}
