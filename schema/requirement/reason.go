package requirement

// A Kind is a kind of reason why a worker does not satisfy a requirement.
type Kind string

// The kinds, in the order in which reasons are listed.
const (
	WrongRole Kind = "role"
	// Inactive: the worker ended, a sweep marked it so, or it has a status other than active
	// and busy. Stale: it missed three heartbeats, and is not marked inactive yet.
	Inactive Kind = "inactive"
	Stale    Kind = "stale"
	// NeverReported: the worker's runtimes were never reported.
	NeverReported Kind = "never_reported"
	Cordoned      Kind = "cordoned"
	Tainted       Kind = "taint"
	NotSelected   Kind = "selector"
	NotAffine     Kind = "affinity"
	RuntimeAbsent Kind = "runtime_absent"
	// RuntimeUnknown: it could not be determined whether the worker has the runtime.
	RuntimeUnknown Kind = "runtime_unknown"
	WrongVersion   Kind = "version"
	// VersionUnknown: the runtime is there, and its version is needed and not known.
	VersionUnknown Kind = "version_unknown"
	// Prerelease: the version would satisfy the constraint if pre-releases did.
	Prerelease Kind = "prerelease"
	// DeclaredOnly: the installation is declared, and the requirement asks for a verified one.
	DeclaredOnly Kind = "declared_only"
	Busy         Kind = "busy"
)

// Kinds lists all kinds in their order.
var Kinds = []Kind{
	WrongRole, Inactive, Stale, NeverReported, Cordoned, Tainted, NotSelected, NotAffine, RuntimeAbsent, RuntimeUnknown,
	WrongVersion, VersionUnknown, Prerelease, DeclaredOnly, Busy,
}

// Passing reports whether a reason of this kind may end without a change to the worker's
// configuration or installations.
func (k Kind) Passing() bool {
	switch k {
	case Stale, NeverReported, Cordoned, RuntimeUnknown, Busy:
		return true
	}
	return false
}

// A Reason is why a worker does not satisfy a requirement.
type Reason struct {
	Kind Kind `json:"kind"`
	// Runtime is the ref for reasons about a runtime, else empty.
	Runtime string `json:"runtime,omitempty"`
	// Wanted is what the requirement asks for.
	Wanted string `json:"wanted"`
	// Actual is what the worker has. It is empty in a reason of several workers.
	Actual  string `json:"actual,omitempty"`
	Passing bool   `json:"passing"`
}

// NewReason returns a reason.
func NewReason(kind Kind, runtime, wanted, actual string) Reason {
	return Reason{Kind: kind, Runtime: runtime, Wanted: wanted, Actual: actual, Passing: kind.Passing()}
}

// Shared returns the part of the reason that workers can share: all but Actual.
func (r Reason) Shared() Reason {
	r.Actual = ""
	return r
}
