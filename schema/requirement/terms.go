package requirement

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/metadata"
)

// Terms holds the parts of a requirement as people write them in a line.
type Terms struct {
	// Runtimes are NAME or NAME@CONSTRAINT: "python@>=3.11".
	Runtimes []string
	// Select are KEY=VALUE.
	Select []string
	// Tolerate are KEY, which accepts every value, or KEY=VALUE. Both may end in :EFFECT.
	Tolerate []string
	// Prefer are KEY=VALUE, or KEY=VALUE:WEIGHT. A value that ends in a colon and digits needs
	// a weight too.
	Prefer []string
	// Role is worker, sensor or hybrid. Empty accepts every role.
	Role        string
	Prereleases bool
	Verified    bool
	// Slots defaults to 1.
	Slots int
}

// DefaultWeight is the weight of a preference whose term has none.
const DefaultWeight = 50

// A TermKind says which field of Terms a term is from.
type TermKind string

// The kinds of terms.
const (
	RuntimeTerm  TermKind = "runtime"
	SelectTerm   TermKind = "select"
	TolerateTerm TermKind = "tolerate"
	PreferTerm   TermKind = "prefer"
	RoleTerm     TermKind = "role"
	SlotsTerm    TermKind = "slots"
)

// A TermError is a term that cannot be read.
type TermError struct {
	Kind TermKind
	// Term is the term as it was written, shortened if it is long.
	Term string
	// Message describes the fault in words that can follow a colon.
	Message string
}

func (e *TermError) Error() string { return fmt.Sprintf("%s %q: %s", e.Kind, e.Term, e.Message) }

// Requirement reads the terms. The error joins a *TermError for each faulty term.
func (t Terms) Requirement() (Requirement, error) {
	p := termParser{r: Requirement{Prereleases: t.Prereleases, Verified: t.Verified}}
	for _, term := range t.Runtimes {
		p.runtime(term)
	}
	for _, term := range t.Select {
		p.selected(term)
	}
	for _, term := range t.Tolerate {
		p.tolerate(term)
	}
	for _, term := range t.Prefer {
		p.prefer(term)
	}
	if p.valid(RoleTerm, t.Role, Requirement{Role: Role(t.Role)}) {
		p.r.Role = Role(t.Role)
	}
	if p.valid(SlotsTerm, strconv.Itoa(t.Slots), Requirement{Slots: t.Slots}) {
		p.r.Slots = t.Slots
	}
	if err := p.r.Validate(); err != nil { // too many of one kind
		p.errs = append(p.errs, err)
	}
	return p.r, errors.Join(p.errs...)
}

type termParser struct {
	r    Requirement
	errs []error
}

func (p *termParser) refuse(kind TermKind, term, format string, args ...any) {
	p.errs = append(p.errs, &TermError{Kind: kind, Term: document.Excerpt(term), Message: fmt.Sprintf(format, args...)})
}

// valid reports whether a requirement that consists of one term has no fault.
func (p *termParser) valid(kind TermKind, term string, one Requirement) bool {
	var faults document.Faults
	if !errors.As(one.Validate(), &faults) {
		return true
	}
	for _, f := range faults {
		p.refuse(kind, term, "%s", f.Message)
	}
	return false
}

func (p *termParser) runtime(term string) {
	name, text, constrained := strings.Cut(term, "@")
	r := Runtime{Name: strings.TrimSpace(name)}
	if constrained && strings.TrimSpace(text) == "" {
		p.refuse(RuntimeTerm, term, "must have versions after the @; outside of quotes a shell redirects at > and <")
		return
	}
	if strings.ContainsAny(name, "<>=~^") {
		p.refuse(RuntimeTerm, term, `must have an @ between the runtime and its versions, such as "python@>=3.12"`)
		return
	}
	var err error
	if r.Constraint, err = ParseConstraint(text); err != nil {
		p.refuse(RuntimeTerm, term, "%v", err)
		return
	}
	for _, other := range p.r.Runtimes {
		if fold(other.Name) == fold(r.Name) {
			p.refuse(RuntimeTerm, term, `must name each runtime once; a comma joins constraints, such as "python@>=3.11,<4"`)
			return
		}
	}
	if p.valid(RuntimeTerm, term, Requirement{Runtimes: []Runtime{r}}) {
		p.r.Runtimes = append(p.r.Runtimes, r)
	}
}

func (p *termParser) selected(term string) {
	key, value, ok := strings.Cut(term, "=")
	if !ok {
		p.refuse(SelectTerm, term, "must be KEY=VALUE")
		return
	}
	if other, ok := p.r.Selector[key]; ok && other != value {
		p.refuse(SelectTerm, term, "must not contradict %q: a label has one value", document.Excerpt(key+"="+other))
		return
	}
	if p.valid(SelectTerm, term, Requirement{Selector: map[string]string{key: value}}) {
		if p.r.Selector == nil {
			p.r.Selector = map[string]string{}
		}
		p.r.Selector[key] = value
	}
}

func (p *termParser) tolerate(term string) {
	label, effect := cutEffect(term)
	if meant := misspelt(label); meant != "" {
		p.refuse(TolerateTerm, term, "must end in :%s to have this effect", meant)
		return
	}
	t := Toleration{Effect: effect, Operator: TolerateExists}
	var ok bool
	if t.Key, t.Value, ok = strings.Cut(label, "="); ok {
		t.Operator = TolerateEqual
	}
	if p.valid(TolerateTerm, term, Requirement{Tolerations: []Toleration{t}}) {
		p.r.Tolerations = append(p.r.Tolerations, t)
	}
}

// cutEffect splits what follows the last colon from a term if it is the name of an effect.
func cutEffect(term string) (label string, effect Effect) {
	if i := strings.LastIndexByte(term, ':'); i >= 0 {
		if effect = Effect(term[i+1:]); validEffect(effect) == "" {
			return term[:i], effect
		}
	}
	return term, ""
}

func (p *termParser) prefer(term string) {
	label, weight := cutWeight(term)
	key, value, ok := strings.Cut(label, "=")
	if !ok {
		p.refuse(PreferTerm, term, "must be KEY=VALUE or KEY=VALUE:WEIGHT")
		return
	}
	preference := Preference{Weight: weight, Term: Term{MatchLabels: map[string]string{key: value}}}
	if p.valid(PreferTerm, term, Requirement{Affinity: Affinity{Preferred: []Preference{preference}}}) {
		p.r.Affinity.Preferred = append(p.r.Affinity.Preferred, preference)
	}
}

// cutWeight splits a number after the last colon from a term.
func cutWeight(term string) (label string, weight int) {
	if i := strings.LastIndexByte(term, ':'); i >= 0 {
		if weight, err := strconv.Atoi(term[i+1:]); err == nil {
			return term[:i], weight
		}
	}
	return term, DefaultWeight
}

// misspelt returns the effect that a text ends in, if it is in another spelling, such as NoSchedule or
// no_scedule.
func misspelt(text string) Effect {
	i := strings.LastIndexByte(text, ':')
	if i < 0 {
		return ""
	}
	return Effect(metadata.Nearest(text[i+1:], []string{string(NoSchedule), string(PreferNoSchedule)}))
}

// ParseTaint reads KEY[=VALUE][:EFFECT]. The effect defaults to NoSchedule.
func ParseTaint(text string) (Taint, error) {
	label, effect := cutEffect(text)
	t := Taint{Effect: cmp.Or(effect, NoSchedule)}
	t.Key, t.Value, _ = strings.Cut(label, "=")
	if meant := misspelt(label); meant != "" {
		return Taint{}, fmt.Errorf("taint %q: must end in :%s to have this effect", document.Excerpt(text), meant)
	}
	if err := t.Validate(); err != nil {
		return Taint{}, fmt.Errorf("taint %q: %w", document.Excerpt(text), err)
	}
	return t, nil
}

// Terms returns the requirement as terms. ok is false if it has parts that terms cannot
// express, such as required terms of affinity.
func (r *Requirement) Terms() (t Terms, ok bool) {
	n := r.normal()
	t = Terms{Role: string(n.Role), Prereleases: n.Prereleases, Verified: n.Verified, Slots: n.Slots}
	for _, runtime := range n.Runtimes {
		t.Runtimes = append(t.Runtimes, runtime.term())
	}
	for _, key := range sortedKeys(n.Selector) {
		t.Select = append(t.Select, key+"="+n.Selector[key])
	}
	for _, toleration := range n.Tolerations {
		t.Tolerate = append(t.Tolerate, toleration.term())
	}
	for _, p := range n.Affinity.Preferred {
		for _, key := range sortedKeys(p.Term.MatchLabels) {
			t.Prefer = append(t.Prefer, key+"="+p.Term.MatchLabels[key]+":"+strconv.Itoa(p.Weight))
		}
	}
	again, err := t.Requirement()
	return t, err == nil && again.Digest() == r.Digest()
}

func (r Runtime) term() string {
	if r.Constraint == nil {
		return r.Name
	}
	return r.Name + "@" + r.Constraint.String()
}

func (t Toleration) term() string {
	term := t.Key
	if t.Operator != TolerateExists {
		term += "=" + t.Value
	}
	if t.Effect != "" {
		term += ":" + string(t.Effect)
	}
	return term
}
