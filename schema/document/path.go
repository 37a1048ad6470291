package document

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A step is one part of the way to a value: a key, for which index is noIndex, or the index
// of an element.
type step struct {
	key   string
	index int
}

const noIndex = -1

func (s step) appendTo(pointer []byte) []byte {
	if s.index == noIndex {
		return appendPointer(pointer, cut(s.key, maxKey))
	}
	return strconv.AppendInt(append(pointer, '/'), int64(s.index), 10)
}

// maxKey is the greatest number of bytes of a key in a pointer, so that faults stay small
// for every document.
const maxKey = 120

// pointerOf returns the pointer with shortened keys.
func pointerOf(pointer jsontext.Pointer) string {
	if len(pointer) <= maxKey {
		return string(pointer)
	}
	keys := strings.Split(string(pointer), "/")
	for i, key := range keys {
		keys[i] = cut(key, maxKey)
	}
	return strings.Join(keys, "/")
}
