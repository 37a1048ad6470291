package errors

import "github.com/attune-go/attune/schema/document"

//attune:document
type T struct {
	Size document.Optional[int] `json:"size,omitzero" attune:"default=1"`
	More document.Unknown       `json:"-"`
}

// MarshalJSON is by hand.
func (t T) MarshalJSON() ([]byte, error) { return nil, nil }

// SizeOrDefault is by hand.
func (t *T) SizeOrDefault() int { return 1 }
