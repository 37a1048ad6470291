package requirement

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/version"
)

// Parse reads a requirement and checks it. The error is document.Faults and lists every fault.
// Unknown keys are faults: a requirement that is only understood in part would choose wrong
// hosts. Parse does not look for contradictions; see Contradictions.
func Parse(data []byte) (Requirement, error) {
	var r Requirement
	err := r.UnmarshalJSON(data)
	return r, err
}

// UnmarshalJSON reads a requirement as Parse does. After an error the receiver holds what
// could be read.
func (r *Requirement) UnmarshalJSON(data []byte) error {
	*r = Requirement{}
	if len(data) > MaxSize {
		return document.Faults{{Message: fmt.Sprintf("a requirement must have at most %d bytes, got %d", MaxSize, len(data))}}
	}
	var d reader
	if d.Open(data) {
		d.requirement(r)
	}
	d.add(document.Under("", d.Close()))
	d.unknownKeys()
	d.add(document.Under("", r.Validate()))
	return d.faults.OrNil()
}

// A reader reads a requirement. at is the pointer to the value in each of its methods.
type reader struct {
	document.Reader
	faults  document.Faults
	unknown []document.UnknownKey
}

// maxFaults bounds the faults of a hostile document.
const maxFaults = 100

// add adds the faults of places that have none yet, above or below. A value that could not be
// read has the zero value, which may be another fault.
func (d *reader) add(more document.Faults) {
	known := d.faults
	for _, f := range more {
		if !slices.ContainsFunc(known, func(k document.Fault) bool { return strings.HasPrefix(f.Pointer+"/", k.Pointer+"/") }) {
			d.fault(f.Pointer, f.Message)
		}
	}
}

func (d *reader) fault(at, message string) {
	switch n := len(d.faults); {
	case n < maxFaults:
		d.faults = append(d.faults, document.Fault{Pointer: at, Message: message})
	case n == maxFaults:
		d.faults = append(d.faults, document.Fault{Message: "more faults are not listed"})
	}
}

func (d *reader) unknownKeys() {
	for _, u := range d.unknown[:min(len(d.unknown), maxFaults+1)] {
		message := "unknown key; known are " + strings.Join(u.Known, ", ")
		if near := metadata.Nearest(u.Key, u.Known); near != "" {
			message = "unknown key; did you mean " + near + "?"
		}
		d.fault(u.Pointer, message)
	}
}

// object reads an object with known keys. field reads the value of a key.
func (d *reader) object(at string, known []string, field func(key string)) {
	var seen uint64
	var unknown document.Unknown
	for ok := d.Object(); ok; ok = d.Member() {
		key := d.Key()
		i := slices.Index(known, key)
		switch {
		case i < 0:
			d.Keep(&unknown)
		case d.Once(&seen, 1<<i):
			field(key)
		}
	}
	document.AddUnknown(&d.unknown, at, unknown, known)
}

var (
	requirementKeys = []string{"role", "runtimes", "prereleases", "verified", "selector", "affinity", "tolerations", "slots"}
	affinityKeys    = []string{"required", "anti_affinity", "preferred"}
	preferenceKeys  = []string{"weight", "term"}
	termKeys        = []string{"match_labels", "match_expressions"}
	expressionKeys  = []string{"key", "operator", "values"}
	tolerationKeys  = []string{"key", "operator", "value", "effect"}
)

func (d *reader) requirement(r *Requirement) {
	d.object("", requirementKeys, func(key string) {
		switch key {
		case "role":
			r.Role = Role(d.Text())
		case "runtimes":
			r.Runtimes = d.runtimes("/runtimes")
		case "prereleases":
			r.Prereleases = d.Bool()
		case "verified":
			r.Verified = d.Bool()
		case "selector":
			r.Selector = d.labels("/selector")
		case "affinity":
			r.Affinity = d.affinity("/affinity")
		case "tolerations":
			r.Tolerations = d.tolerations("/tolerations")
		case "slots":
			r.Slots = d.slots("/slots")
		}
	})
}

// slots reads a number that must be given as 1 or more, because 0 in the struct is the default.
func (d *reader) slots(at string) int {
	n := d.OptionalInt(-1<<31, 1<<31-1)
	if n.Set && n.Value == 0 {
		d.fault(at, document.Within(0, 1, MaxSlots))
	}
	return n.Value
}

// texts reads an object whose values are text. A value of null is the empty text.
func (d *reader) texts(at string) (keys []string, values map[string]string) {
	var members document.Unknown
	for ok := d.Object(); ok; ok = d.Member() {
		d.Keep(&members)
	}
	values = make(map[string]string, len(members))
	for _, m := range members {
		var text string
		var inner document.Reader
		if inner.Open(m.Value) {
			text = inner.Text()
		}
		d.add(document.Under(pointer(at, m.Key), inner.Close()))
		keys = append(keys, m.Key)
		values[m.Key] = text
	}
	return keys, values
}

func (d *reader) labels(at string) map[string]string {
	if keys, values := d.texts(at); len(keys) > 0 {
		return values
	}
	return nil
}

func (d *reader) runtimes(at string) []Runtime {
	var out []Runtime
	names, constraints := d.texts(at)
	for _, name := range names {
		constraint, err := ParseConstraint(constraints[name])
		d.add(document.Under(pointer(at, name), err))
		out = append(out, Runtime{Name: name, Constraint: constraint})
	}
	return out
}

// ParseConstraint reads a constraint. It returns nil for an empty one and for "*", which accept
// every version.
func ParseConstraint(text string) (*version.Constraint, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	c, err := version.ParseConstraint(text)
	if err != nil || c.String() == anyVersion {
		return nil, err
	}
	return &c, nil
}

func (d *reader) affinity(at string) (a Affinity) {
	d.object(at, affinityKeys, func(key string) {
		switch key {
		case "required":
			a.Required = d.terms(at + "/required")
		case "anti_affinity":
			a.Anti = d.terms(at + "/anti_affinity")
		case "preferred":
			a.Preferred = list(d, at+"/preferred", d.preference)
		}
	})
	return a
}

func (d *reader) terms(at string) []Term { return list(d, at, d.term) }

// list reads a list of objects.
func list[T any](d *reader, at string, element func(at string) T) []T {
	var out []T
	for ok := d.List(); ok; ok = d.Element() {
		if d.Full(len(out), MaxElements) {
			break
		}
		if d.NotNull("an object") {
			out = append(out, element(document.Index(at, len(out))))
		} else {
			var none T // keeps the indexes of later faults
			out = append(out, none)
		}
	}
	return out
}

func (d *reader) preference(at string) (p Preference) {
	d.object(at, preferenceKeys, func(key string) {
		if key == "weight" {
			p.Weight = d.Int(-1<<31, 1<<31-1)
		} else {
			p.Term = d.term(at + "/term")
		}
	})
	return p
}

func (d *reader) term(at string) (t Term) {
	d.object(at, termKeys, func(key string) {
		if key == "match_labels" {
			t.MatchLabels = d.labels(at + "/match_labels")
		} else {
			t.MatchExpressions = list(d, at+"/match_expressions", d.expression)
		}
	})
	return t
}

func (d *reader) expression(at string) (e Expression) {
	d.object(at, expressionKeys, func(key string) {
		switch key {
		case "key":
			e.Key = d.Text()
		case "operator":
			e.Operator = Operator(d.Text())
		case "values":
			e.Values = document.Texts[string](&d.Reader, MaxElements)
		}
	})
	return e
}

func (d *reader) tolerations(at string) []Toleration { return list(d, at, d.toleration) }

func (d *reader) toleration(at string) (t Toleration) {
	d.object(at, tolerationKeys, func(key string) {
		switch key {
		case "key":
			t.Key = d.Text()
		case "operator":
			t.Operator = TolerationOperator(d.Text())
		case "value":
			t.Value = d.Text()
		case "effect":
			t.Effect = Effect(d.Text())
		}
	})
	return t
}

var _ json.Unmarshaler = (*Requirement)(nil)

// pointer appends a key to a JSON pointer.
func pointer(at, key string) string {
	var c document.Checker
	c.Enter(key)
	return at + c.Pointer()
}
