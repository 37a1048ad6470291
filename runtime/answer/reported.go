package answer

import (
	"context"
	"time"

	"github.com/attune-go/attune/schema/store"
)

// A ReportedRuntime is what a worker reported about a runtime: an installation, an executable
// that does not count, or the last negative result.
type ReportedRuntime struct {
	// Ref is empty for a declared name without a definition.
	Ref  string `json:"ref"`
	Name string `json:"name"`
	// Outcome is available, or why it does not count.
	Outcome string `json:"outcome"`
	Source  string `json:"source"`
	// Version is empty if it is not known.
	Version    string `json:"version"`
	VersionRaw string `json:"version_raw,omitempty"`
	Prerelease bool   `json:"prerelease"`
	// Path is empty for a declared runtime and for a negative result.
	Path             string     `json:"path"`
	RealPath         string     `json:"real_path,omitempty"`
	Detail           *string    `json:"detail,omitempty"`
	Hint             *string    `json:"hint,omitempty"`
	VerifiedAt       *time.Time `json:"verified_at"`
	UnconfirmedSince *time.Time `json:"unconfirmed_since"`
}

// ReportedRuntimes returns what a worker reported, by ref and name, without the evidence:
// installations first, the newest before the others. The list is never nil.
func ReportedRuntimes(ctx context.Context, st *store.Store, worker int64) ([]ReportedRuntime, error) {
	rows, err := st.WorkerRuntimes.ByWorker(ctx, worker)
	if err != nil {
		return nil, err
	}
	all := make([]ReportedRuntime, 0, len(rows))
	for i := range rows {
		r := &rows[i]
		all = append(all, ReportedRuntime{
			Ref: r.RuntimeRef, Name: r.Name, Outcome: r.Outcome, Source: r.Source, Version: r.Version, VersionRaw: r.VersionRaw,
			Prerelease: r.Prerelease, Path: r.Path, RealPath: r.RealPath, Detail: r.Detail, Hint: r.Hint,
			VerifiedAt: r.VerifiedAt, UnconfirmedSince: r.UnconfirmedSince,
		})
	}
	return all, nil
}

// A VersionCount is a version of a runtime, and how many workers have it.
type VersionCount struct {
	// Version is empty if it is not known.
	Version    string `json:"version"`
	Prerelease bool   `json:"prerelease"`
	Workers    int    `json:"workers"`
}

// VersionsOf returns the versions of a runtime that workers have by their last report, the newest
// first and the unknown one last. The list is never nil.
func VersionsOf(ctx context.Context, st *store.Store, ref string) ([]VersionCount, error) {
	rows, err := st.WorkerRuntimes.CountVersions(ctx, ref)
	if err != nil {
		return nil, err
	}
	counts := make([]VersionCount, 0, len(rows))
	for _, r := range rows {
		counts = append(counts, VersionCount(r))
	}
	return counts, nil
}
