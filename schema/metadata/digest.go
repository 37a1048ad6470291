package metadata

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Digest identifies what the definition says, as a SHA-256 in hexadecimal. The
// order of keys and of versions, the spelling of defaults and of numbers, and what
// a database does to a document on its way through, make no difference.
func (d *Definition) Digest() string {
	sum := sha256.Sum256(canonical(d.plain().write))
	return hex.EncodeToString(sum[:])
}

// Digest identifies what the version says, as Definition.Digest does.
func (v *VersionDefinition) Digest() string {
	sum := sha256.Sum256(canonical(v.plain().write))
	return hex.EncodeToString(sum[:])
}

// Equal reports whether both documents say the same, as Definition.Digest
// understands it. A malformed document equals only the same text.
func (d Distributions) Equal(o Distributions) bool {
	if d.fault != nil || o.fault != nil {
		return d.fault != nil && o.fault != nil && bytes.Equal(d.raw, o.raw)
	}
	return bytes.Equal(canonical(d.plain().write), canonical(o.plain().write))
}

// Equal reports whether both documents say the same, as Distributions.Equal.
func (e ExecutionConfig) Equal(o ExecutionConfig) bool {
	if e.fault != nil || o.fault != nil {
		return e.fault != nil && o.fault != nil && bytes.Equal(e.raw, o.raw)
	}
	return bytes.Equal(canonical(e.write), canonical(o.write))
}

// plain leaves out what is at its default.
func (d Definition) plain() Definition {
	d.Distributions = d.Distributions.plain()
	d.Versions = slices.Clone(d.Versions)
	for i := range d.Versions {
		d.Versions[i] = d.Versions[i].plain()
	}
	slices.SortStableFunc(d.Versions, func(a, b VersionDefinition) int { return strings.Compare(a.Version, b.Version) })
	if d.PackRef == PackOf(d.Ref) {
		d.PackRef = ""
	}
	return d
}

func (v VersionDefinition) plain() VersionDefinition {
	v.Distributions = v.Distributions.plain()
	return v
}

func (d Distributions) plain() Distributions {
	if d.Verification != nil {
		v := d.Verification.plain()
		d.Verification = &v
	}
	if d.Roles = slices.Sorted(slices.Values(d.Roles)); slices.Equal(d.Roles, []Role{Sensor, Worker}) {
		d.Roles = nil
	}
	return d
}

func (v Verification) plain() Verification {
	if v.CheckRequired.Or(true) {
		v.CheckRequired = Optional[bool]{}
	}
	v.Commands = slices.Clone(v.Commands)
	for i := range v.Commands {
		c := &v.Commands[i]
		if c.PriorityOrDefault() == DefaultPriority {
			c.Priority = Optional[int]{}
		}
		if c.Timeout.Or(DefaultTimeout) == DefaultTimeout {
			c.Timeout = Optional[Duration]{}
		}
	}
	return v
}

// canonical is what write writes, with sorted keys, no blanks, and one
// spelling for each text and number. What is no JSON stays as it is.
func canonical(write func(*writer)) []byte {
	w := &writer{}
	write(w)
	if decode(w.buf, (*reader).skip) != nil {
		return w.buf
	}
	out := &writer{}
	r := &reader{src: string(w.buf)}
	r.canonical(out)
	return out.buf
}

// canonical copies one value of a document that is known to be well-formed.
func (r *reader) canonical(w *writer) {
	switch c := r.peek(); {
	case c == '{':
		var members Unknown
		r.members(func(key string) {
			inner := &writer{}
			r.canonical(inner)
			members = append(members, Member{key, inner.buf})
		})
		slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
		w.open()
		w.close(members)
	case c == '[':
		w.buf = append(w.buf, '[')
		r.elements(func(int) {
			w.comma()
			r.canonical(w)
		})
		w.buf = append(w.buf, ']')
	case c == '"':
		w.text(r.element())
	case c == '-' || c >= '0' && c <= '9':
		digits, exp := decimal(r.number())
		r.space()
		w.raw(json.RawMessage(digits + "e" + strconv.FormatInt(exp, 10)))
	default:
		w.raw(r.rawValue())
	}
}
