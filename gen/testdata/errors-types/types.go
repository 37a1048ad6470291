package errors

import (
	"encoding/json"
	"time"

	"github.com/attune-go/attune/schema/document"
	"github.com/attune-go/attune/schema/version"
)

//attune:document
type T struct {
	Map     map[string]string            `json:"map"`
	Keys    map[int]string               `json:"keys,omitempty"`
	Labels  map[Label]string             `json:"labels,omitempty"`
	Maps    map[string]map[string]int    `json:"maps,omitempty"`
	Anys    map[string]any               `json:"anys,omitempty"`
	Chans   map[string]chan int          `json:"chans,omitempty"`
	Parts   map[string]*Other            `json:"parts,omitempty"`
	Raws    map[string][]json.RawMessage `json:"raws,omitempty"`
	Lists   [][]int                      `json:"lists,omitempty"`
	Complex complex128                   `json:"complex"`
	When    *time.Time                   `json:"when"`
	Maybe   document.Optional[time.Time] `json:"maybe,omitzero"`
	Long    int64                        `json:"long"`
	Month   time.Month                   `json:"month"`
	Wait    time.Duration                `json:"wait"`
	Func    func()                       `json:"func"`
	Chan    chan int                     `json:"chan"`
	Any     any                          `json:"any"`
	Pointer *string                      `json:"pointer"`
	Array   [3]string                    `json:"array"`
	Struct  struct{ A int }              `json:"struct"`
	Others  []*Other                     `json:"others,omitempty"`
	Plain   Plain                        `json:"plain"`
	Version version.Version              `json:"version"`
	Text    document.Optional[string]    `json:"text,omitzero"`
	Raw     json.RawMessage              `json:"raw"`
	Bare    *Other                       `json:"bare"`
	Reader  document.Reader              `json:"reader"`
	More    document.Unknown             `json:"-"`
}

//attune:document
type Other struct {
	More document.Unknown `json:"-"`
}

// Label is a text.
type Label string

// Plain is no document.
type Plain struct{ A int }
