package errors

import (
	"encoding/json"
	"time"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/version"
)

//attune:document
type T struct {
	Map     map[string]string         `json:"map"`
	Float   float64                   `json:"float"`
	Long    int64                     `json:"long"`
	Time    time.Time                 `json:"time"`
	Wait    time.Duration             `json:"wait"`
	Func    func()                    `json:"func"`
	Chan    chan int                  `json:"chan"`
	Any     any                       `json:"any"`
	Pointer *string                   `json:"pointer"`
	Array   [3]string                 `json:"array"`
	Struct  struct{ A int }           `json:"struct"`
	Numbers []int                     `json:"numbers,omitempty"`
	Others  []*Other                  `json:"others,omitempty"`
	Plain   Plain                     `json:"plain"`
	Version version.Version           `json:"version"`
	Text    document.Optional[string] `json:"text,omitzero"`
	Raw     json.RawMessage           `json:"raw"`
	Bare    *Other                    `json:"bare"`
	Reader  document.Reader           `json:"reader"`
	More    document.Unknown          `json:"-"`
}

//attune:document
type Other struct {
	More document.Unknown `json:"-"`
}

// Plain is no document.
type Plain struct{ A int }
