// Package requirement holds the requirement: what an action, a sensor or a run needs of a
// host. It reads, checks, writes and resolves requirements, and names the reasons why a worker
// does not satisfy one. It knows no SQL and no fleet.
//
// The package is below the store, because databases hold requirements in columns that the store
// checks and queries. Package placement evaluates them.
package requirement

import (
	"github.com/attune-go/attune/schema/version"
)

// Limits of a requirement.
const (
	// MaxSize is the size of the largest requirement that is read, in bytes.
	MaxSize = 64 << 10
	// MaxLabel is the greatest number of characters of a key or a value, because databases keep only
	// labels whose key and value have at most 1024 bytes together.
	MaxLabel = 1024
	// MaxName is the greatest number of characters in the name of a runtime.
	MaxName = 255
	// MaxElements is the greatest number of elements in each list and of keys in each object.
	MaxElements = 64
	// MaxSlots is the greatest number of slots.
	MaxSlots = 10_000
)

// A Requirement is what an action, a sensor or a run needs of a host. The zero Requirement is
// satisfied by every worker that is available.
type Requirement struct {
	// Role is the role of the worker. Empty accepts every role.
	Role Role
	// Runtimes are all needed. The order of the hosts depends on the version of the first one.
	Runtimes []Runtime
	// Prereleases makes pre-releases satisfy constraints like releases. By default only those
	// do that the constraint names.
	Prereleases bool
	// Verified excludes installations that are only declared.
	Verified bool
	// Selector holds the labels that the worker must have.
	Selector map[string]string
	Affinity Affinity
	// Tolerations accept taints that would keep the worker from being chosen.
	Tolerations []Toleration
	// Slots is the number of free slots. Zero stands for 1.
	Slots int
}

// A Role is the role of a worker, or the one that a requirement asks for.
type Role string

// The roles. A hybrid worker has both other roles, and only a hybrid satisfies Hybrid.
const (
	Worker Role = "worker"
	Sensor Role = "sensor"
	Hybrid Role = "hybrid"
)

// Satisfies reports whether a worker with role r has the wanted role.
func (r Role) Satisfies(wanted Role) bool { return wanted == "" || r == wanted || r == Hybrid }

// A Runtime is a runtime that a requirement needs.
type Runtime struct {
	// Name is a ref, a capability name, an alias or a display name, in any case. Resolve
	// replaces it by the ref.
	Name string
	// Constraint must match the version. Nil accepts every version, also a pre-release or an
	// unknown one.
	Constraint *version.Constraint
}

// Wanted returns the constraint as text. It is "*" without one.
func (r Runtime) Wanted() string {
	if r.Constraint == nil {
		return anyVersion
	}
	return r.Constraint.String()
}

const anyVersion = "*"

// An Affinity restricts and prefers workers by their labels.
type Affinity struct {
	// Required holds terms. One must match. Empty accepts every worker.
	Required []Term
	// Anti holds terms that must not match.
	Anti []Term
	// Preferred holds terms that raise the rank of a worker.
	Preferred []Preference
}

// A Preference adds its weight to each worker that its term matches.
type Preference struct {
	// Weight is from 1 to 100.
	Weight int
	Term   Term
}

// A Term is a condition on labels. All its parts must match.
type Term struct {
	MatchLabels      map[string]string
	MatchExpressions []Expression
}

// An Operator compares a label.
type Operator string

// The operators. A worker without the label matches NotIn.
const (
	In           Operator = "in"
	NotIn        Operator = "not_in"
	Exists       Operator = "exists"
	DoesNotExist Operator = "does_not_exist"
)

// takesValues reports whether an expression with the operator has values.
func (o Operator) takesValues() bool { return o == In || o == NotIn }

// An Expression is a condition on one label.
type Expression struct {
	Key      string
	Operator Operator
	// Values are for In and NotIn.
	Values []string
}

// An Effect is what a taint does to workers whose taint is not tolerated.
type Effect string

// The effects. NoSchedule excludes a worker, PreferNoSchedule lowers its rank.
const (
	NoSchedule       Effect = "no_schedule"
	PreferNoSchedule Effect = "prefer_no_schedule"
)

// A Taint keeps requirements off a worker unless they tolerate it.
type Taint struct {
	Key string
	// Value may be empty.
	Value  string
	Effect Effect
}

// String returns the taint as KEY[=VALUE]:EFFECT.
func (t Taint) String() string { return labelText(t.Key, t.Value) + ":" + string(t.Effect) }

// A TolerationOperator compares the value of a taint.
type TolerationOperator string

// The operators of tolerations. Empty stands for TolerateEqual.
const (
	TolerateEqual  TolerationOperator = "equal"
	TolerateExists TolerationOperator = "exists"
)

// A Toleration accepts the taints with its key.
type Toleration struct {
	Key string
	// Operator TolerateExists accepts every value. TolerateEqual, the default, accepts Value.
	Operator TolerationOperator
	Value    string
	// Effect is the effect that is tolerated. Empty stands for all.
	Effect Effect
}

// ReportOnly is the key of the taint that keeps the scheduler of a platform off attune's
// workers. Every requirement tolerates it.
const ReportOnly = "attune/report-only"

// SlotsOrDefault returns Slots, or 1 if it is not set.
func (r *Requirement) SlotsOrDefault() int { return max(r.Slots, 1) }
