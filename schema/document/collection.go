package document

import (
	"iter"
	"maps"
	"slices"
)

// Elements reads a list with at most most elements, each by read. If most is 0, the list may
// have any length. want names an element for messages, such as "a number". An empty list becomes
// nil.
func Elements[T any](r *Reader, most int, want string, read func() T) []T {
	var room [8]T
	list := room[:0]
	for ok := r.List(); ok; ok = r.Element() {
		if r.Full(len(list), most) {
			break
		}
		var v T
		if r.NotNull(want) {
			v = read()
		}
		list = append(list, v)
	}
	return Exact(list)
}

// Map reads an object with at most most keys, and each value by read. If most is 0, it may
// have any number of keys. A null means the same as a missing key. An empty object becomes nil.
func Map[T any](r *Reader, most int, read func() T) map[string]T {
	var out map[string]T
	var nulls map[string]struct{}
	n := 0
	for ok := r.Object(); ok; ok = r.Member() {
		if n == most && most > 0 {
			r.overfull(n, r.Member, func(n int) string { return MostKeys(n, most) })
			break
		}
		n++
		key := r.key
		_, valued := out[key]
		_, null := nulls[key]
		switch {
		case valued || null:
			r.duplicate()
		case r.Null():
			if nulls == nil {
				nulls = map[string]struct{}{}
			}
			nulls[key] = struct{}{}
		default:
			if out == nil {
				out = map[string]T{}
			}
			out[key] = read()
		}
	}
	return out
}

// Sorted iterates over a map by ascending keys.
func Sorted[T any](m map[string]T) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}
