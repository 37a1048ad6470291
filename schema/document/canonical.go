package document

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Canonical is what write writes, with sorted keys, no blanks, and one spelling
// for each text and number. What is no JSON stays as it is.
func Canonical(write func(*Writer)) []byte {
	var w, out Writer
	write(&w)
	if Check(w.Buf) != nil {
		return w.Buf
	}
	var r Reader
	r.Open(w.Buf)
	r.canonical(&out)
	return out.Buf
}

// canonical copies one value of a document that is known to be well-formed.
func (r *Reader) canonical(w *Writer) {
	switch c := r.peek(); {
	case c == '{':
		var members Unknown
		for ok := r.enterObject(); ok; ok = r.Member() {
			key, inner := r.Key(), &Writer{}
			r.canonical(inner)
			members = append(members, Member{Key: key, Value: inner.Buf})
		}
		slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
		w.Open()
		w.Close(members)
	case c == '[':
		w.OpenList()
		for ok := r.enterList(); ok; ok = r.Element() {
			r.canonical(w.Comma())
		}
		w.CloseList()
	case c == '"':
		w.Text(r.ElementText())
	case c == '-' || c >= '0' && c <= '9':
		digits, exp := decimal(r.number())
		r.space()
		w.Raw(json.RawMessage(digits + "e" + strconv.FormatInt(exp, 10)))
	default:
		w.Raw(r.rawValue())
	}
}
