package metadata

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/attune-go/attune/schema/document"
)

// Digest returns a SHA-256 of the definition's meaning in hexadecimal. It does not depend on
// the order of keys and versions, on the spelling of defaults and numbers, or on what a
// database does to a stored document.
func (d *Definition) Digest() string {
	n := d.normal()
	return digest(n.write)
}

// Digest returns a SHA-256 of the version's meaning, as Definition.Digest does.
func (v *VersionDefinition) Digest() string {
	n := v.plain().normal()
	return digest(n.write)
}

func digest(write func(*document.Writer)) string {
	sum := sha256.Sum256(document.Canonical(write))
	return hex.EncodeToString(sum[:])
}

// Equal reports whether both documents have the same meaning, as Definition.Digest defines it.
// A malformed document equals only the same text.
func (d Distributions) Equal(o Distributions) bool {
	if d.Fault() != nil || o.Fault() != nil {
		return d.malformed.Equal(o.malformed)
	}
	d, o = d.plain().normal(), o.plain().normal()
	return bytes.Equal(document.Canonical(d.write), document.Canonical(o.write))
}

// Equal reports whether both documents have the same meaning, as Distributions.Equal does.
func (e ExecutionConfig) Equal(o ExecutionConfig) bool {
	if e.Fault() != nil || o.Fault() != nil {
		return e.malformed.Equal(o.malformed)
	}
	return bytes.Equal(document.Canonical(e.write), document.Canonical(o.write))
}

// normal returns the definition without default values, and with lists sorted whose order has
// no meaning. Definitions of the same meaning have the same normal form.
func (d *Definition) normal() Definition {
	n := d.plain()
	n.Distributions = n.Distributions.normal()
	for i := range n.Versions {
		n.Versions[i] = n.Versions[i].normal()
	}
	slices.SortStableFunc(n.Versions, func(a, b VersionDefinition) int { return strings.Compare(a.Version, b.Version) })
	if n.PackRef == PackOf(n.Ref) {
		n.PackRef = ""
	}
	return n
}

func (v VersionDefinition) normal() VersionDefinition {
	v.Distributions = v.Distributions.normal()
	return v
}

func (d Distributions) normal() Distributions {
	if d.Roles = slices.Sorted(slices.Values(d.Roles)); slices.Equal(d.Roles, []Role{Sensor, Worker}) {
		d.Roles = nil
	}
	return d
}
