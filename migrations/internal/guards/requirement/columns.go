// Package requirement describes the columns of actions and sensors that make their requirement, so
// that attune-gen writes guards for them. Go reads these columns with schema/requirement, which also
// refuses unknown keys, empty terms, and what contradicts itself.
package requirement

import "github.com/attune-go/attune/schema/document"

// Columns holds the columns.
//
//attune:document
type Columns struct {
	// Runtimes maps the names of further runtimes to constraints.
	Runtimes map[string]string `json:"required_worker_runtimes,omitempty" attune:"most=64,length=1024,guard=action.required_worker_runtimes sensor.required_worker_runtimes attune_requirement.required_worker_runtimes"`
	// Selector holds the labels that a worker must have.
	Selector map[string]string `json:"worker_selector,omitempty" attune:"most=64,length=1024,guard=action.worker_selector sensor.worker_selector attune_requirement.worker_selector"`
	// Tolerations accept taints.
	Tolerations []Toleration `json:"worker_tolerations,omitempty" attune:"most=64,guard=action.worker_tolerations sensor.worker_tolerations attune_requirement.worker_tolerations"`
	// Affinity restricts and prefers workers by their labels.
	Affinity Affinity         `json:"worker_affinity,omitzero" attune:"guard=action.worker_affinity sensor.worker_affinity attune_requirement.worker_affinity"`
	Unknown  document.Unknown `json:"-"`
}

// A Toleration accepts the taints with its key.
//
//attune:document
type Toleration struct {
	Key      string             `json:"key" attune:"required,length=1024"`
	Operator TolerationOperator `json:"operator,omitempty"`
	Value    string             `json:"value,omitempty" attune:"length=1024"`
	Effect   Effect             `json:"effect,omitempty"`
	Unknown  document.Unknown   `json:"-"`
}

// A TolerationOperator compares the value of a taint.
//
//attune:enum
type TolerationOperator string

// The operators of tolerations.
const (
	Equal  TolerationOperator = "equal"
	Exists TolerationOperator = "exists"
)

// An Effect is the effect of a taint.
//
//attune:enum
type Effect string

// The effects.
const (
	NoSchedule       Effect = "no_schedule"
	PreferNoSchedule Effect = "prefer_no_schedule"
)

// An Affinity has the terms that a worker's labels must match, must not match, and should match.
//
//attune:document
type Affinity struct {
	Required  []Term           `json:"required,omitempty" attune:"most=64"`
	Anti      []Term           `json:"anti_affinity,omitempty" attune:"most=64"`
	Preferred []Preference     `json:"preferred,omitempty" attune:"most=64"`
	Unknown   document.Unknown `json:"-"`
}

// A Preference adds its weight to workers that match its term.
//
//attune:document
type Preference struct {
	Weight  document.Optional[int] `json:"weight,omitzero" attune:"min=1,max=100"`
	Term    Term                   `json:"term,omitzero"`
	Unknown document.Unknown       `json:"-"`
}

// A Term is a condition on labels.
//
//attune:document
type Term struct {
	MatchLabels      map[string]string `json:"match_labels,omitempty" attune:"most=64,length=1024"`
	MatchExpressions []Expression      `json:"match_expressions,omitempty" attune:"most=64"`
	Unknown          document.Unknown  `json:"-"`
}

// An Expression is a condition on one label.
//
//attune:document
type Expression struct {
	Key      string           `json:"key" attune:"required,length=1024"`
	Operator Operator         `json:"operator" attune:"required"`
	Values   []string         `json:"values,omitempty" attune:"most=64,length=1024"`
	Unknown  document.Unknown `json:"-"`
}

// An Operator compares a label.
//
//attune:enum
type Operator string

// The operators of expressions.
const (
	In           Operator = "in"
	NotIn        Operator = "not_in"
	Present      Operator = "exists"
	DoesNotExist Operator = "does_not_exist"
)
