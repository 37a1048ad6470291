package document

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Object begins an object and reads its first key. It returns false for an empty object, for
// null, and for another value, which is a fault.
func (r *Reader) Object() bool { return r.begin('{', "an object") && r.Member() }

// List begins a list. It returns false for an empty list, for null, and for another value,
// which is a fault.
func (r *Reader) List() bool { return r.begin('[', "a list") && r.Element() }

func (r *Reader) begin(kind jsontext.Kind, want string) bool {
	if r.peek() == kind {
		return r.enter()
	}
	if !r.Null() {
		r.wrong(want)
	}
	return false
}

// enter descends into a list or an object.
func (r *Reader) enter() bool {
	r.token()
	if !r.broken && r.decoder.StackDepth() > MaxDepth {
		r.breakOff(r.decoder.StackPointer(), fmt.Sprintf("must be nested at most %d deep", MaxDepth), int(r.decoder.InputOffset())-1)
	}
	return !r.broken
}

// Member reads the next key of the object, and reports whether there was one.
func (r *Reader) Member() bool {
	if r.peek() == '}' {
		r.token()
		return false
	}
	raw := r.scalar()
	if r.broken {
		return false
	}
	r.key = r.unquote(raw)
	return true
}

// Element advances to the next element of the list, and reports whether there is one.
func (r *Reader) Element() bool {
	switch r.peek() {
	case ']', 0: // token reports the error that 0 means
		r.token()
		return false
	}
	return true
}

// Full reports whether a list has more than most elements, when n of them have been read. That
// is a fault, and the rest of the list is skipped instead of read into memory. If most is 0, a
// list is never full.
func (r *Reader) Full(n, most int) bool {
	if n < most || most == 0 {
		return false
	}
	r.overfull(n, r.Element, func(n int) string { return Most(n, most) })
	return true
}

// overfull skips the rest of a list or an object, and reports how many members it has.
func (r *Reader) overfull(n int, next func() bool, message func(n int) string) {
	at := pointerOf(r.decoder.StackPointer().Parent())
	for ok := true; ok; ok = next() {
		r.skip()
		n++
	}
	if len(r.faults) <= maxFaults {
		r.faults.add(Fault{Pointer: at, Message: message(n)})
	}
}

// NotNull reports whether an element is not null. A null in a list is a fault. want names the
// expected value for the message, such as "an object".
func (r *Reader) NotNull(want string) bool {
	if r.peek() != 'n' {
		return true
	}
	r.wrong(want)
	return false
}

// Key returns the key that Member read, until the next one is read.
func (r *Reader) Key() string { return r.key }

// Once reports whether the key of a bit in seen occurs for the first time. A duplicate is a
// fault, and its value is skipped.
func (r *Reader) Once(seen *uint64, bit uint64) bool {
	if *seen&bit == 0 {
		*seen |= bit
		return true
	}
	r.duplicate()
	return false
}

const duplicateKey = "duplicate key"

func (r *Reader) duplicate() {
	r.fault(duplicateKey)
	r.skip()
}

// Keep keeps an unknown member.
func (r *Reader) Keep(unknown *Unknown) {
	key := r.key
	if r.keeps(*unknown, key) {
		r.duplicate()
		return
	}
	value := r.rawValue()
	if *unknown == nil {
		*unknown = make(Unknown, 0, 4)
	}
	*unknown = append(*unknown, Member{Key: key, Value: value})
}

// smallObject is the number of keys up to which they are compared one by one.
const smallObject = 16

// keeps reports whether the current object already has the key.
func (r *Reader) keeps(unknown Unknown, key string) bool {
	n := len(unknown)
	if n < smallObject {
		for i := range unknown {
			if unknown[i].Key == key {
				return true
			}
		}
		return false
	}
	depth := r.decoder.StackDepth()
	if n == smallObject {
		// The keys of another object of this depth are replaced.
		set := make(map[string]struct{}, 4*smallObject)
		for _, m := range unknown {
			set[m.Key] = struct{}{}
		}
		if r.kept == nil {
			r.kept = map[int]map[string]struct{}{}
		}
		r.kept[depth] = set
	}
	if _, ok := r.kept[depth][key]; ok {
		return true
	}
	r.kept[depth][key] = struct{}{}
	return false
}
