package answer

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
)

// DeleteOptions control a deletion. The zero value deletes only without a hindrance.
type DeleteOptions struct {
	// DryRun reports without writing. A login that may not delete gets the error.
	DryRun bool
	// Force overrides each Hindrance. It does not override references.
	Force bool
}

// ErrHindered reports that a hindrance or a reference prevents a deletion, or would
// prevent it after a dry run. The report returned with it names each. Nothing was deleted.
var ErrHindered = errors.New("nothing was deleted")

// A Hindrance is a reason not to delete a worker.
type Hindrance string

// The hindrances. DeleteOptions.Force overrides them.
const (
	// StillRuns means that an instance sends heartbeats. It would register again.
	StillRuns Hindrance = "runs"
	// NotRegistered means that another program than attune wrote the row.
	NotRegistered Hindrance = "not_registered"
)

// A WorkersDeletion reports the deletion of workers.
type WorkersDeletion struct {
	DryRun bool `json:"dry_run"`
	// Deleted reports whether the workers were deleted: all or none.
	Deleted bool           `json:"deleted"`
	Workers []DeleteWorker `json:"workers"`
	// References lists rows of other tables that refer to the workers.
	References []store.Reference `json:"references"`
}

// A DeleteWorker is one worker to delete.
type DeleteWorker struct {
	Subject
	// SilentSeconds is the age of the last heartbeat. It is null without one.
	SilentSeconds *float64 `json:"silent_seconds"`
	// Hindrance is empty if the worker can be deleted.
	Hindrance Hindrance `json:"hindrance,omitempty"`
}

// Hindered reports whether a reference, or without force a hindrance, prevents the
// deletion.
func (d *WorkersDeletion) Hindered(force bool) bool {
	return hinder(d.References) ||
		!force && slices.ContainsFunc(d.Workers, func(w DeleteWorker) bool { return w.Hindrance != "" })
}

// hinder reports whether one of the references is known to stop a deletion.
func hinder(references []store.Reference) bool {
	return slices.ContainsFunc(references, func(r store.Reference) bool { return r.Hinders() })
}

// DeleteWorkers deletes all workers of a selection with their reports, or none. If
// something prevents the deletion of one, its error wraps ErrHindered and the report names
// the reason. The history keeps the names of deleted workers.
func DeleteWorkers(ctx context.Context, db bun.IDB, cfg store.Config, s store.Selection, opts DeleteOptions) (*WorkersDeletion, error) {
	var report *WorkersDeletion
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		st := store.New(tx, cfg)
		standing, err := st.Workers.Standing(ctx, s)
		if err != nil {
			return err
		}
		ids := make([]int64, 0, len(standing))
		for i := range standing {
			ids = append(ids, standing[i].ID)
		}
		switch {
		case !opts.DryRun: // from here on no heartbeat is written
			standing, err = st.Workers.Lock(ctx, ids...)
		case len(ids) > 0:
			err = st.Workers.MayDelete(ctx)
		}
		if err != nil {
			return err
		}
		slices.SortFunc(standing, byName)
		report = &WorkersDeletion{DryRun: opts.DryRun, Workers: []DeleteWorker{}}
		for i := range standing {
			report.Workers = append(report.Workers, deleteWorker(&standing[i]))
		}
		if report.References, err = st.Workers.References(ctx, ids...); err != nil {
			return err
		}
		if report.Hindered(opts.Force) {
			return ErrHindered
		}
		if opts.DryRun {
			return nil
		}
		n, err := st.Workers.DeleteAll(ctx, ids...)
		report.Deleted = n > 0
		return refused(err, &report.References)
	})
	if err != nil && !errors.Is(err, ErrHindered) {
		return nil, err
	}
	return report, err
}

// refused returns ErrHindered for a deletion that references prevent, and updates the
// references to those of the error. If only the database sees them, references stay as
// they were read.
func refused(err error, references *[]store.Reference) error {
	if found := (*store.ReferencedError)(nil); errors.As(err, &found) {
		*references = found.References
	}
	if errors.Is(err, store.ErrReferenced) {
		return ErrHindered
	}
	return err
}

// foreignFresh is how long a row of another program counts as running after its
// heartbeat. Its interval is unknown.
const foreignFresh = 90 * time.Second

func deleteWorker(w *store.Standing) DeleteWorker {
	d := DeleteWorker{Subject: subjectOf(w)}
	if w.Silent != nil {
		seconds := w.Silent.Seconds()
		d.SilentSeconds = &seconds
	}
	foreignRuns := w.Identity == nil && w.Silent != nil && *w.Silent < foreignFresh &&
		(d.Status == string(schema.WorkerActive) || d.Status == string(schema.WorkerBusy))
	switch {
	case w.Live || foreignRuns:
		d.Hindrance = StillRuns
	case w.Identity == nil:
		d.Hindrance = NotRegistered
	}
	return d
}

// A RuntimeDeletion reports the deletion of a runtime.
type RuntimeDeletion struct {
	DryRun bool `json:"dry_run"`
	// Deleted is false for a dry run, and if something refers to the runtime.
	Deleted bool   `json:"deleted"`
	Ref     string `json:"ref"`
	Name    string `json:"name"`
	// Versions lists the versions that are deleted with it.
	Versions []string `json:"versions"`
	// References lists rows of other tables that refer to the runtime.
	References []store.Reference `json:"references"`
	// Workers counts the workers that have it. They lose it at their next verification.
	Workers int `json:"workers"`
	// Pack is the ref of the loaded pack that has the runtime, and would create it again
	// at its next load. It is empty if no pack has it.
	Pack string `json:"pack,omitempty"`
}

// DeleteRuntime deletes a runtime with its versions. If something refers to it, its error
// wraps ErrHindered and the report names the references. For an unknown ref the error
// wraps store.ErrNotFound.
func DeleteRuntime(ctx context.Context, db bun.IDB, cfg store.Config, ref string, opts DeleteOptions) (*RuntimeDeletion, error) {
	var report *RuntimeDeletion
	err := db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		st := store.New(tx, cfg)
		def, err := st.Runtimes.Definition(ctx, ref)
		if err != nil {
			return err
		}
		report = &RuntimeDeletion{DryRun: opts.DryRun, Ref: ref, Name: def.CapabilityName(), Versions: []string{}}
		for _, v := range def.Versions {
			report.Versions = append(report.Versions, v.Version)
		}
		if report.References, err = st.Runtimes.References(ctx, ref); err != nil {
			return err
		}
		if report.Workers, err = countHolders(ctx, st, ref); err != nil {
			return err
		}
		if report.Pack, err = loadedPack(ctx, st, ref); err != nil {
			return err
		}
		if opts.DryRun {
			if err := st.Runtimes.MayDelete(ctx); err != nil {
				return err
			}
			if hinder(report.References) {
				return ErrHindered
			}
			return nil
		}
		err = st.Runtimes.Delete(ctx, ref)
		report.Deleted = err == nil
		return refused(err, &report.References)
	})
	if err != nil && !errors.Is(err, ErrHindered) {
		return nil, err
	}
	return report, err
}

// countHolders counts the workers that have the runtime of a ref by their last report.
func countHolders(ctx context.Context, st *store.Store, ref string) (int, error) {
	have, err := CountWorkers(ctx, st, store.Selection{Has: []store.RuntimeFilter{{Ref: ref}}})
	if err != nil {
		return 0, err
	}
	return have.All, nil
}

// loadedPack returns the ref of the loaded pack that has a runtime, or "".
func loadedPack(ctx context.Context, st *store.Store, ref string) (string, error) {
	pack, err := st.Packs.ByRef(ctx, metadata.PackOf(ref))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var meta struct { // the record of runtime/packs/install
		Attune struct {
			Loaded map[string]json.RawMessage `json:"loaded"`
		} `json:"attune"`
	}
	err = json.Unmarshal(pack.Meta, &meta)
	if loaded := err == nil && meta.Attune.Loaded[ref] != nil; loaded {
		return pack.Ref, nil
	}
	return "", nil
}
