package requirement

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"github.com/attune-go/attune/schema/document"
)

// MarshalJSON writes the canonical form: keys are sorted, defaults are left out, lists whose
// order has no meaning are sorted, names are in lower case, and a constraint that accepts every
// version is "*". Requirements with the same meaning have the same form. The first runtime stays
// the first, because the order of the hosts depends on it, and the others are sorted.
//
// The error is document.Faults if the requirement has a fault.
func (r Requirement) MarshalJSON() ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	n := r.normal()
	return document.Encode(n.write)
}

var _ json.Marshaler = Requirement{}

// Digest returns a SHA-256 of the canonical form in hexadecimal.
func (r *Requirement) Digest() string {
	sum := r.sum()
	return hex.EncodeToString(sum[:])
}

// Start returns where the order of equal workers begins for the requirement: a number from 0
// up to MaxSpread, which follows from the canonical form. So different requirements begin at
// different workers.
func (r *Requirement) Start() int64 {
	sum := r.sum()
	return int64(binary.BigEndian.Uint32(sum[:]))
}

// MaxSpread is the greatest spread of a worker.
const MaxSpread = 1<<32 - 1

func (r *Requirement) sum() [sha256.Size]byte {
	n := r.normal()
	var w document.Writer
	n.write(&w)
	return sha256.Sum256(w.Buf)
}

// normal returns the requirement that the canonical form holds.
func (r *Requirement) normal() Requirement {
	n := *r
	n.Runtimes = slices.Clone(r.Runtimes)
	for i := range n.Runtimes {
		n.Runtimes[i].Name = fold(n.Runtimes[i].Name)
	}
	if len(n.Runtimes) > 2 {
		slices.SortFunc(n.Runtimes[1:], func(a, b Runtime) int { return cmp.Compare(a.Name, b.Name) })
	}
	n.Affinity = Affinity{Required: normalTerms(r.Affinity.Required), Anti: normalTerms(r.Affinity.Anti)}
	for _, p := range r.Affinity.Preferred {
		n.Affinity.Preferred = append(n.Affinity.Preferred, Preference{Weight: p.Weight, Term: p.Term.normal()})
	}
	sortWritten(n.Affinity.Preferred)
	n.Tolerations = slices.Clone(r.Tolerations)
	for i := range n.Tolerations {
		if n.Tolerations[i].Operator == TolerateEqual {
			n.Tolerations[i].Operator = ""
		}
	}
	n.Tolerations = sortWritten(n.Tolerations)
	n.Tolerations = slices.Compact(n.Tolerations)
	if n.Slots == 1 {
		n.Slots = 0
	}
	return n
}

func normalTerms(terms []Term) []Term {
	var out []Term
	for _, t := range terms {
		out = append(out, t.normal())
	}
	sortWritten(out)
	return slices.CompactFunc(out, func(a, b Term) bool { return bytes.Equal(written(a), written(b)) })
}

// normal returns the term with its expressions and values sorted, each once. Labels to match
// stay apart from expressions.
func (t Term) normal() Term {
	n := Term{MatchLabels: maps.Clone(t.MatchLabels)}
	for _, e := range t.MatchExpressions {
		e.Values = slices.Compact(slices.Sorted(slices.Values(e.Values)))
		n.MatchExpressions = append(n.MatchExpressions, e)
	}
	sortWritten(n.MatchExpressions)
	n.MatchExpressions = slices.CompactFunc(n.MatchExpressions, func(a, b Expression) bool { return bytes.Equal(written(a), written(b)) })
	return n
}

type writable interface{ write(w *document.Writer) }

func written(v writable) []byte {
	var w document.Writer
	v.write(&w)
	return w.Buf
}

// sortWritten sorts a list by the text of its elements.
func sortWritten[T writable](list []T) []T {
	slices.SortFunc(list, func(a, b T) int { return bytes.Compare(written(a), written(b)) })
	return list
}

// write writes a normal requirement.
func (r Requirement) write(w *document.Writer) {
	w.Open()
	if a := r.Affinity; len(a.Required)+len(a.Anti)+len(a.Preferred) > 0 {
		a.write(w.Key("affinity"))
	}
	if r.Prereleases {
		w.Key("prereleases").Bool(true)
	}
	if r.Role != "" {
		w.Key("role").Text(string(r.Role))
	}
	if len(r.Runtimes) > 0 {
		w.Key("runtimes").Open()
		for _, runtime := range r.Runtimes {
			w.Key(runtime.Name).Text(runtime.Wanted())
		}
		w.Close(nil)
	}
	writeLabels(w, "selector", r.Selector)
	if r.Slots != 0 {
		w.Key("slots").Int(r.Slots)
	}
	writeList(w, "tolerations", r.Tolerations)
	if r.Verified {
		w.Key("verified").Bool(true)
	}
	w.Close(nil)
}

func writeLabels(w *document.Writer, key string, labels map[string]string) {
	if len(labels) == 0 {
		return
	}
	w.Key(key).Open()
	for _, label := range sortedKeys(labels) {
		w.Key(label).Text(labels[label])
	}
	w.Close(nil)
}

func writeList[T writable](w *document.Writer, key string, list []T) {
	if len(list) == 0 {
		return
	}
	w.Key(key).OpenList()
	for _, element := range list {
		element.write(w.Comma())
	}
	w.CloseList()
}

func writeText(w *document.Writer, key, text string) {
	if text != "" {
		w.Key(key).Text(text)
	}
}

func (a Affinity) write(w *document.Writer) {
	w.Open()
	writeList(w, "anti_affinity", a.Anti)
	writeList(w, "preferred", a.Preferred)
	writeList(w, "required", a.Required)
	w.Close(nil)
}

func (p Preference) write(w *document.Writer) {
	w.Open()
	p.Term.write(w.Key("term"))
	w.Key("weight").Int(p.Weight)
	w.Close(nil)
}

func (t Term) write(w *document.Writer) {
	w.Open()
	writeList(w, "match_expressions", t.MatchExpressions)
	writeLabels(w, "match_labels", t.MatchLabels)
	w.Close(nil)
}

func (e Expression) write(w *document.Writer) {
	w.Open()
	w.Key("key").Text(e.Key)
	w.Key("operator").Text(string(e.Operator))
	if len(e.Values) > 0 {
		document.WriteTexts(w.Key("values"), e.Values)
	}
	w.Close(nil)
}

func (t Toleration) write(w *document.Writer) {
	w.Open()
	writeText(w, "effect", string(t.Effect))
	w.Key("key").Text(t.Key)
	writeText(w, "operator", string(t.Operator))
	writeText(w, "value", t.Value)
	w.Close(nil)
}
