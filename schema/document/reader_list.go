package document

import "fmt"

// List begins a list. It is false where there is no first element: for an empty
// list, for null, and for another value, which is a fault.
func (r *Reader) List() bool {
	if r.peek() != '[' {
		if !r.Null() {
			r.wrong("a list")
		}
		return false
	}
	return r.enterList()
}

func (r *Reader) enterList() bool {
	if !r.enter() {
		return false
	}
	if r.peek() == ']' {
		r.leave()
		return false
	}
	r.way[r.at] = place{0, noIndex}
	r.at++
	return true
}

// Element goes on to the next element of the list; false is its end.
func (r *Reader) Element() bool {
	r.at = r.depth - 1
	if r.broken {
		return false
	}
	switch r.peek() {
	case ',':
		r.pos = skipBlanks(r.src, r.pos+1)
		r.way[r.at].from++
		r.at++
		return true
	case ']':
		r.leave()
	default:
		r.syntax("a comma or ] is missing")
	}
	return false
}

// Full reports whether a list that has at most so many elements has n of them and
// yet another one. That is a fault, and the rest of the list is read over: what is
// too long is not built first.
func (r *Reader) Full(n, most int) bool {
	if n < most || most == 0 {
		return false
	}
	r.at-- // to the list
	r.fault(Most(n+1, most))
	r.at++
	for ok := true; ok; ok = r.Element() {
		r.skip()
	}
	return true
}

// Given reports whether an element is there. In a list null has no meaning, and
// is a fault: want says what must be there, such as "an object".
func (r *Reader) Given(want string) bool {
	if r.peek() != 'n' {
		return true
	}
	r.wrong(want)
	return false
}

// enter goes down into a list or an object.
func (r *Reader) enter() bool {
	if r.depth == MaxDepth {
		r.syntax(fmt.Sprintf("nested more than %d deep", MaxDepth))
		return false
	}
	r.depth++
	r.pos = skipBlanks(r.src, r.pos+1)
	return true
}

func (r *Reader) leave() {
	r.depth--
	r.pos = skipBlanks(r.src, r.pos+1)
}
