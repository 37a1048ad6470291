package errors

import (
	"encoding/json"
	"time"

	"github.com/attune-go/attune/schema/document"
	. "github.com/attune-go/attune/schema/metadata"
	yaml "gopkg.in/yaml.v3"
)

// T is made of what is not in this package.
//
//attune:document
type T struct {
	Node    yaml.Node                  `json:"node"`
	Nodes   []yaml.Node                `json:"nodes,omitempty"`
	Number  json.Number                `json:"number"`
	Month   document.Optional[Month]   `json:"month,omitzero"`
	Command Command                    `json:"command"`
	Missing Missing                    `json:"missing"`
	Typo    document.Unknwon           `json:"-"`
	Wrong   document.Unknwon           `json:"wrong"`
	Not     document.Optional[Nowhere] `json:"not,omitzero"`
	Label   Label                      `json:"label"`
	Labels  []Label                    `json:"labels,omitempty"`
	Words   Words                      `json:"words,omitempty"`
	Of      Of[int]                    `json:"of"`
	Bytes   []byte                     `json:"bytes,omitempty"`
	Error   error                      `json:"error"`
	Self    Self                       `json:"self"`
	Started time.Time                  `json:"-"`
	lock    sync.Mutex
	More    document.Unknown `json:"-"`
}

// T is there twice.
//
//attune:document
type T struct {
	More document.Unknown `json:"-"`
}

// Self holds itself.
//
//attune:document
type Self struct {
	Self Self             `json:"self"`
	More document.Unknown `json:"-"`
}

// Month is of another package.
type Month = time.Month

// Label says itself what it is.
type Label string

// MarshalText is not called by generated code.
func (l *Label) MarshalText() ([]byte, error) { return nil, nil }

// Words has no annotation.
type Words []string

// Of has a type parameter.
type Of[E any] string
