// Package kinds has maps, floating-point numbers and times in every place where a document can hold them.
package kinds

import (
	"strings"
	"time"

	"github.com/attune-go/attune/schema/document"
)

// A State is what a sensor is in.
//
//attune:enum
type State string

// The states.
const (
	On  State = "on"
	Off State = "off"
)

// A Unit is a text of its own type.
type Unit string

// Tags are words.
//
//attune:document column format=word unique most=3
type Tags []string

// A Station measures.
//
//attune:document column
//attune:guard station.settings
type Station struct {
	Ratio  float64                    `json:"ratio" attune:"min=0,max=1"`
	Offset float64                    `json:"offset,omitempty"`
	Factor document.Optional[float64] `json:"factor,omitzero" attune:"default=1.5,min=0.1"`
	Gain   float32                    `json:"gain,omitempty"`
	Small  document.Optional[float32] `json:"small,omitzero" attune:"max=0.1"`

	Built time.Time `json:"built,omitzero" attune:"required"`
	Seen  time.Time `json:"seen,omitzero"`

	// Labels are for people.
	Labels  map[string]string            `json:"labels,omitempty" attune:"required,most=4,length=20"`
	Units   map[string]Unit              `json:"units,omitempty" attune:"format=word"`
	States  map[string]State             `json:"states,omitempty"`
	Flags   map[string]bool              `json:"flags,omitempty"`
	Ports   map[string]int               `json:"ports,omitempty" attune:"min=1,max=65535"`
	Counts  map[string]int               `json:"counts,omitempty"`
	Weights map[string]float64           `json:"weights,omitempty" attune:"min=-0.5,max=0.5"`
	Levels  map[string]float32           `json:"levels,omitempty"`
	Times   map[string]time.Time         `json:"times,omitempty"`
	Waits   map[string]document.Duration `json:"waits,omitempty" attune:"above=0s"`
	Probes  map[string]Probe             `json:"probes,omitempty"`
	Sets    map[string]Tags              `json:"sets,omitempty"`
	Words   map[string][]string          `json:"words,omitempty" attune:"format=word"`
	Modes   map[string][]State           `json:"modes,omitempty"`
	Series  map[string][]float64         `json:"series,omitempty" attune:"max=100"`
	Days    map[string][]time.Time       `json:"days,omitempty"`
	Groups  map[string][]Probe           `json:"groups,omitempty" attune:"most=3"`

	Bits    []bool              `json:"bits,omitempty"`
	Numbers []int               `json:"numbers,omitempty" attune:"max=9,most=4"`
	Points  []float64           `json:"points,omitempty"`
	Dates   []time.Time         `json:"dates,omitempty" attune:"required"`
	Delays  []document.Duration `json:"delays,omitempty" attune:"max=1m"`

	More document.Unknown `json:"-"`
	bad  document.Malformed
}

// A Probe is a part of a Station.
//
//attune:document
type Probe struct {
	ID     string                     `json:"id" attune:"required,bare"`
	Scale  document.Optional[float64] `json:"scale,omitzero" attune:"default=1"`
	Limits map[string]float64         `json:"limits,omitempty"`
	Last   time.Time                  `json:"last,omitzero"`
	More   document.Unknown           `json:"-"`
}

// A Network holds columns in maps.
//
//attune:document
type Network struct {
	Stations map[string]Station   `json:"stations,omitempty"`
	Rows     map[string][]Station `json:"rows,omitempty"`
	Tags     map[string]Tags      `json:"tags,omitempty"`
	More     document.Unknown     `json:"-"`
}

//attune:format word [a-z]+(?:-[a-z]+)*
func word(s string) string {
	for _, part := range strings.Split(s, "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") != "" {
			return "must be words in lower case with - between them"
		}
	}
	return ""
}
