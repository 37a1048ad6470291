package document

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Canonical returns what write writes, with sorted keys, without blanks, and with one
// spelling for each text and number. Text that is not JSON stays unchanged.
func Canonical(write func(*Writer)) []byte {
	var w, out Writer
	write(&w)
	if Check(w.Buf) != nil {
		return w.Buf
	}
	var r Reader
	if r.Open(w.Buf) {
		r.canonical(&out)
	}
	_ = r.Close() // the text was checked above
	return out.Buf
}

// canonical copies one value of a document without faults.
func (r *Reader) canonical(w *Writer) {
	switch r.peek() {
	case '{':
		var members Unknown
		for ok := r.enter(); ok && r.Member(); {
			key, inner := r.key, &Writer{}
			r.canonical(inner)
			members = append(members, Member{Key: key, Value: inner.Buf})
		}
		slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
		w.Open()
		w.Close(members)
	case '[':
		w.OpenList()
		for ok := r.enter(); ok && r.Element(); {
			r.canonical(w.Comma())
		}
		w.CloseList()
	case '"':
		w.Text(r.text())
	case '0':
		digits, exp := decimal(r.number())
		w.Raw(json.RawMessage(digits + "e" + strconv.FormatInt(exp, 10)))
	default:
		w.Raw(r.rawValue())
	}
}
