package schema

import (
	"encoding/json"
	"time"

	"github.com/uptrace/bun"
)

// OutcomeAvailable is the outcome of a row that is an installation; every other
// outcome is of what does not count.
const OutcomeAvailable = "available"

// WorkerRuntime is what one worker's host has of one runtime: an installation of
// it, a failure, or the last negative. A worker has
//
//   - a row for each installation, with OutcomeAvailable
//   - where a runtime is available, one for each executable that was found for it
//     and does not count, and for each version that its definition declares and
//     that has none (then without a Path, and with that version as VersionRaw)
//   - at most one negative for each runtime, which has neither Path nor VersionRaw;
//     it may be of before
type WorkerRuntime struct {
	bun.BaseModel `bun:"table:worker_runtime,alias:worker_runtime"`

	ID     int64 `bun:"id,pk,autoincrement"`
	Worker int64 `bun:"worker,notnull"`
	// Runtime is nil where no definition has the ref (any more).
	Runtime *int64 `bun:"runtime"`
	// RuntimeRef is empty for a declared name that no definition has.
	RuntimeRef string `bun:"runtime_ref,notnull"`
	// Name is the capability name.
	Name string `bun:"name,notnull"`
	// Active is whether the worker's status is active; the database keeps it so.
	Active bool `bun:"active,notnull,default:false"`
	// Outcome is OutcomeAvailable or why the runtime is not there.
	Outcome string `bun:"outcome,notnull"`
	// Source is how it is known, as in the capability document.
	Source string `bun:"source,notnull,default:''"`
	// Version is canonical and VersionRaw as the tool printed it; both are
	// empty where none is known. That of a failure does not count.
	Version    string `bun:"version,notnull,default:''"`
	VersionRaw string `bun:"version_raw,notnull,default:''"`
	Prerelease bool   `bun:"prerelease,notnull,default:false"`
	// SortKey is version.Version.Key of Version; nil without one.
	SortKey  *string `bun:"sort_key"`
	Path     string  `bun:"path,notnull,default:''"`
	RealPath string  `bun:"real_path,notnull,default:''"`
	// Detail is one sentence on what does not count, and Hint what would help.
	Detail *string `bun:"detail"`
	Hint   *string `bun:"hint"`
	// Evidence is the list of attempts.
	Evidence json.RawMessage `bun:"evidence,type:jsonb,nullzero"`
	// VerifiedAt and UnconfirmedSince are by the database's clock.
	VerifiedAt *time.Time `bun:"verified_at"`
	// UnconfirmedSince is when the host could first not tell any more whether
	// the installation is there; nil while it can.
	UnconfirmedSince *time.Time `bun:"unconfirmed_since"`
	Created          time.Time  `bun:"created,notnull,nullzero,default:current_timestamp"`
	Updated          time.Time  `bun:"updated,notnull,nullzero,default:current_timestamp"`
}

// IsNegative reports whether the row is a runtime's last negative.
func (r *WorkerRuntime) IsNegative() bool {
	return r.Outcome != OutcomeAvailable && r.Path == "" && r.VersionRaw == ""
}

// ChangeKind says what a capability change was.
type ChangeKind string

// The kinds of change.
const (
	// CapabilityGained: a runtime, or a further version of it, came.
	CapabilityGained ChangeKind = "gained"
	// CapabilityLost: a runtime, or one of its versions, went.
	CapabilityLost ChangeKind = "lost"
	// VersionChanged: an executable answers with another version.
	VersionChanged ChangeKind = "version_changed"
)

// CapabilityChange is one row of the history.
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
	// OldVersion and NewVersion are nil where there was none, or none was known.
	OldVersion *string `bun:"old_version"`
	NewVersion *string `bun:"new_version"`
	// Detail is the path of what came, or why it went.
	Detail  *string   `bun:"detail"`
	Created time.Time `bun:"created,notnull,nullzero,default:current_timestamp"`
}

// WorkerSweep is the one row that says when workers that stopped beating were
// last looked for, and changes that are too old.
type WorkerSweep struct {
	bun.BaseModel `bun:"table:worker_sweep,alias:worker_sweep"`

	ID     int       `bun:"id,pk,default:1"`
	Swept  time.Time `bun:"swept,notnull"`
	Pruned time.Time `bun:"pruned,notnull"`
	// PrunedTo is the id up to which changes were looked at; 0: all of them were.
	PrunedTo int64 `bun:"pruned_to,notnull"`
}
