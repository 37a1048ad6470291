package schema

import (
	"encoding/json"
	"math"
	"time"

	"github.com/uptrace/bun"
)

// OutcomeAvailable is the outcome of an installation. Rows with other outcomes do not
// count.
const OutcomeAvailable = "available"

// A WorkerRuntime is an installation, a failure or the last negative result of one
// runtime on one worker's host. A worker has
//
//   - a row for each installation, with OutcomeAvailable
//   - for an available runtime, a row for each executable that was found and does not
//     count, and for each declared version without an installation (then without a Path,
//     and with that version as VersionRaw)
//   - at most one negative result for each runtime, with neither Path nor VersionRaw; it
//     may be out of date
type WorkerRuntime struct {
	bun.BaseModel `bun:"table:worker_runtime,alias:worker_runtime"`

	ID     int64 `bun:"id,pk,autoincrement"`
	Worker int64 `bun:"worker,notnull"`
	// Runtime is nil if no definition has the ref.
	Runtime *int64 `bun:"runtime"`
	// RuntimeRef is empty for a declared name without a definition.
	RuntimeRef string `bun:"runtime_ref,notnull"`
	// Name is the capability name.
	Name string `bun:"name,notnull"`
	// Active reports whether the row is an installation. Earlier programs read it together
	// with the worker's status.
	Active bool `bun:"active,notnull,default:false"`
	// Outcome is OutcomeAvailable, or the reason why the row does not count.
	Outcome string `bun:"outcome,notnull"`
	// Source is how it is known, as in the capability document.
	Source string `bun:"source,notnull,default:''"`
	// Version is canonical, VersionRaw the text that the tool printed. Both are empty if
	// no version is known. The version of a failure does not count.
	Version    string `bun:"version,notnull,default:''"`
	VersionRaw string `bun:"version_raw,notnull,default:''"`
	Prerelease bool   `bun:"prerelease,notnull,default:false"`
	// SortKey is version.Version.Key of Version; nil without one.
	SortKey  *string `bun:"sort_key"`
	Path     string  `bun:"path,notnull,default:''"`
	RealPath string  `bun:"real_path,notnull,default:''"`
	// Detail explains in one sentence why the row does not count; Hint names a remedy.
	Detail *string `bun:"detail"`
	Hint   *string `bun:"hint"`
	// Evidence holds the attempts as JSON.
	Evidence json.RawMessage `bun:"evidence,type:jsonb,nullzero"`
	// VerifiedAt and UnconfirmedSince are by the database's clock.
	VerifiedAt *time.Time `bun:"verified_at"`
	// UnconfirmedSince is the time of the first round that could not determine whether
	// the installation is still there; nil if it is confirmed.
	UnconfirmedSince *time.Time `bun:"unconfirmed_since"`
	Created          time.Time  `bun:"created,notnull,nullzero,default:current_timestamp"`
	Updated          time.Time  `bun:"updated,notnull,nullzero,default:current_timestamp"`
}

// IsNegative reports whether the row is a runtime's last negative result.
func (r *WorkerRuntime) IsNegative() bool {
	return r.Outcome != OutcomeAvailable && r.Path == "" && r.VersionRaw == ""
}

// Spread returns the number by which workers with the same version are ordered. It spreads
// consecutive ids evenly over 0 to 2³²-1, and an index of the database calculates it as well.
func Spread(worker int64) int64 { return worker % math.MaxInt32 * 2654435769 % (1 << 32) }

// A ChangeKind is a kind of capability change.
type ChangeKind string

// The kinds of change.
const (
	// CapabilityGained means that a runtime or a further version of it appeared.
	CapabilityGained ChangeKind = "gained"
	// CapabilityLost means that a runtime or one of its versions disappeared.
	CapabilityLost ChangeKind = "lost"
	// VersionChanged means that an executable reports another version.
	VersionChanged ChangeKind = "version_changed"
)

// A CapabilityChange is one row of the history.
type CapabilityChange struct {
	bun.BaseModel `bun:"table:capability_change,alias:capability_change"`

	ID int64 `bun:"id,pk,autoincrement"`
	// Worker is nil once the worker is deleted; its name and role stay.
	Worker     *int64     `bun:"worker"`
	WorkerName string     `bun:"worker_name,notnull"`
	WorkerRole WorkerRole `bun:"worker_role,notnull"`
	RuntimeRef string     `bun:"runtime_ref,notnull"`
	Name       string     `bun:"name,notnull"`
	Kind       ChangeKind `bun:"kind,notnull"`
	// OldVersion and NewVersion are nil if there was none or none was known.
	OldVersion *string `bun:"old_version"`
	NewVersion *string `bun:"new_version"`
	// Detail is the path of what appeared, or the reason why it disappeared.
	Detail  *string   `bun:"detail"`
	Created time.Time `bun:"created,notnull,nullzero,default:current_timestamp"`
}

// A WorkerSweep is a single row with the times of the last sweep for stale workers and the
// last pruning of old changes.
type WorkerSweep struct {
	bun.BaseModel `bun:"table:worker_sweep,alias:worker_sweep"`

	ID     int       `bun:"id,pk,default:1"`
	Swept  time.Time `bun:"swept,notnull"`
	Pruned time.Time `bun:"pruned,notnull"`
	// PrunedTo is the id up to which pruning has read changes; 0 means all of them.
	PrunedTo int64 `bun:"pruned_to,notnull"`
}
