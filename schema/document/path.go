package document

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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
		return appendPointer(pointer, cut(s.key, maxKey))
	}
	return strconv.AppendInt(append(pointer, '/'), int64(s.index), 10)
}

// maxKey is how many bytes of a key stand in a pointer, so that faults stay small
// whatever the document is.
const maxKey = 120

// pointerOf is the pointer with its keys shortened.
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
