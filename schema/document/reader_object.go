package document

// Object begins an object and reads its first key. It is false where there is
// none: for an empty object, for null, and for another value, which is a fault.
func (r *Reader) Object() bool {
	if r.peek() != '{' {
		if !r.Null() {
			r.wrong("an object")
		}
		return false
	}
	return r.enterObject()
}

func (r *Reader) enterObject() bool {
	if !r.enter() {
		return false
	}
	if r.peek() == '}' {
		r.leave()
		return false
	}
	return r.readKey()
}

// Member goes on to the next key of the object; false is its end.
func (r *Reader) Member() bool {
	r.at = r.depth - 1
	if r.broken {
		return false
	}
	switch r.peek() {
	case ',':
		r.pos = skipBlanks(r.src, r.pos+1)
		return r.readKey()
	case '}':
		r.leave()
	default:
		r.syntax("a comma or } is missing")
	}
	return false
}

// readKey reads a key and the colon behind it.
func (r *Reader) readKey() bool {
	src, start := r.src, r.pos+1
	if r.peek() != '"' {
		r.syntax("a key in quotes is missing")
		return false
	}
	// The quick way is that of nearly every key: nothing is escaped.
	end := textEnd(src, start)
	pos := skipBlanks(src, end+1)
	if end == len(src) || src[end] != '"' || pos >= len(src) || src[pos] != ':' {
		return r.readEscapedKey()
	}
	r.pos = skipBlanks(src, pos+1)
	r.isEscaped = false
	r.way[r.at] = place{int32(start), int32(end)}
	r.at++
	return true
}

// readEscapedKey reads a key in which something is escaped, or says what is
// wrong with it.
func (r *Reader) readEscapedKey() bool {
	start := r.pos + 1
	key := r.quoted()
	end := r.pos - 1
	r.space()
	if r.peek() != ':' {
		r.syntax("a colon is missing")
		return false
	}
	r.pos = skipBlanks(r.src, r.pos+1)
	r.key, r.isEscaped = key, true
	r.way[r.at] = place{int32(start), int32(end)}
	r.at++
	return true
}

// Key is the key whose value is read next. Ask before reading it.
func (r *Reader) Key() string {
	if r.isEscaped {
		return r.key
	}
	p := r.way[r.at-1]
	return r.src[p.from:p.to]
}

// Once reports whether the key, whose bit that is in seen, is there for the
// first time. A second time is a fault, and its value is skipped.
func (r *Reader) Once(seen *uint64, bit uint64) bool {
	if *seen&bit == 0 {
		*seen |= bit
		return true
	}
	r.twice()
	return false
}

func (r *Reader) twice() {
	r.fault("the key is there twice")
	r.skip()
}

// Keep keeps a member that its type does not name.
func (r *Reader) Keep(unknown *Unknown) {
	key := r.Key()
	if r.keeps(*unknown, key) {
		r.twice()
		return
	}
	value := r.rawValue()
	if *unknown == nil {
		*unknown = make(Unknown, 0, 4)
	}
	*unknown = append(*unknown, Member{Key: key, Value: value})
}

// smallObject is how many keys are compared one by one. Most objects are small.
const smallObject = 16

// keeps reports whether key is kept already, in the object that is being read.
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
	if n == smallObject {
		// What another object of this depth has left is replaced.
		set := make(map[string]struct{}, 4*smallObject)
		for _, m := range unknown {
			set[m.Key] = struct{}{}
		}
		if r.kept == nil {
			r.kept = map[int]map[string]struct{}{}
		}
		r.kept[r.depth] = set
	}
	set := r.kept[r.depth]
	if _, ok := set[key]; ok {
		return true
	}
	set[key] = struct{}{}
	return false
}
