package errors

import (
	toolKeys "strings"

	"github.com/attune-go/attune/schema/document"
)

//attune:document column
type Column struct {
	Value string           `json:"value"`
	Scan  bool             `json:"scan"`
	Fault int              `json:"fault"`
	More  document.Unknown `json:"-"`
	bad   document.Malformed
}

//attune:document
type Tool struct {
	Validate    string `json:"validate"`
	IsZero      string `json:"is_zero"`
	UnknownKeys string `json:"unknown_keys"`
	read        string
	A           document.Optional[int] `json:"a,omitzero" attune:"default=1"`
	AOrDefault  string                 `json:"a_or_default"`
	Parts       []Part                 `json:"parts,omitempty" attune:"order=rank"`
	Ordered     string                 `json:"ordered"`
	More        document.Unknown       `json:"-"`
	own         string
}

func (t *Tool) sortedParts() { _ = toolKeys.ToLower(t.read + t.own) }

// DefaultToolA is by hand.
const DefaultToolA = 1

func toolParts() {}

//attune:document
type Part struct {
	Rank int              `json:"rank"`
	More document.Unknown `json:"-"`
}
