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

// DeleteOptions say how to delete. The zero value deletes what nothing speaks against.
type DeleteOptions struct {
	// DryRun reports and writes nothing.
	DryRun bool
	// Force deletes workers that still run, and rows that attune did not register.
	// References are not overruled.
	Force bool
}

// ErrHindered means that something speaks against a deletion, also against that of a
// dry run. The report that comes with it says what; nothing was deleted.
var ErrHindered = errors.New("nothing was deleted")

// Hindrance is what speaks against deleting a worker.
type Hindrance string

// The hindrances. Each can be overruled by DeleteOptions.Force.
const (
	// StillRuns: an instance beats, and would register anew.
	StillRuns Hindrance = "runs"
	// NotRegistered: the row is somebody else's; no process of attune registered it.
	NotRegistered Hindrance = "not_registered"
)

// WorkersDeletion is what became of workers that were to be deleted, or would.
type WorkersDeletion struct {
	DryRun bool `json:"dry_run"`
	// Deleted: all of them were. False for a dry run, and where something hinders.
	Deleted bool           `json:"deleted"`
	Workers []DeleteWorker `json:"workers"`
	// References are rows of other tables that refer to the workers.
	References []store.Reference `json:"references"`
}

// DeleteWorker is one worker that is to be deleted.
type DeleteWorker struct {
	Subject
	// SilentSeconds is how long ago it last beat; null: never.
	SilentSeconds *float64 `json:"silent_seconds"`
	// Hindrance is empty where nothing speaks against it.
	Hindrance Hindrance `json:"hindrance,omitempty"`
}

// Hindered reports whether something speaks against the deletion, for want of force
// or whatever the options.
func (d *WorkersDeletion) Hindered(force bool) bool {
	return hinder(d.References) ||
		!force && slices.ContainsFunc(d.Workers, func(w DeleteWorker) bool { return w.Hindrance != "" })
}

// hinder reports whether one of the references is known to stop a deletion.
func hinder(references []store.Reference) bool {
	return slices.ContainsFunc(references, func(r store.Reference) bool { return r.Hinders() })
}

// DeleteWorkers deletes all workers of a selection, or none: where something speaks
// against one of them, the error wraps ErrHindered, and the report says what. What the
// workers reported goes with them; the history keeps their names. A selection that
// nothing fits deletes nothing.
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
		if !opts.DryRun { // from here on nobody beats
			if standing, err = st.Workers.Lock(ctx, ids...); err != nil {
				return err
			}
		}
		query := WorkersQuery{}
		if err := query.sort(ctx, st, standing); err != nil {
			return err
		}
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

// refused returns ErrHindered for a deletion that references stop. Those that came
// since they were read replace what was read; where the database alone sees them, what
// was read stays.
func refused(err error, references *[]store.Reference) error {
	if found := (*store.ReferencedError)(nil); errors.As(err, &found) {
		*references = found.References
	}
	if errors.Is(err, store.ErrReferenced) {
		return ErrHindered
	}
	return err
}

// strangersFresh is how long a row that attune did not register counts as running
// after its heartbeat: its interval is not known.
const strangersFresh = 90 * time.Second

func deleteWorker(w *store.Standing) DeleteWorker {
	d := DeleteWorker{Subject: Subject{ID: w.ID, Name: w.Name, Role: RoleName(w.WorkerRole), Stale: w.Stale}}
	if w.Status != nil {
		d.Status = string(*w.Status)
	}
	if w.Silent != nil {
		seconds := w.Silent.Seconds()
		d.SilentSeconds = &seconds
	}
	strangerRuns := w.Identity == nil && w.Silent != nil && *w.Silent < strangersFresh &&
		(d.Status == string(schema.WorkerActive) || d.Status == string(schema.WorkerBusy))
	switch {
	case w.Live || strangerRuns:
		d.Hindrance = StillRuns
	case w.Identity == nil:
		d.Hindrance = NotRegistered
	}
	return d
}

// RuntimeDeletion is what became of a runtime that was to be deleted, or would.
type RuntimeDeletion struct {
	DryRun bool `json:"dry_run"`
	// Deleted is false for a dry run, and where something refers to the runtime.
	Deleted bool   `json:"deleted"`
	Ref     string `json:"ref"`
	Name    string `json:"name"`
	// Versions are those that go with it.
	Versions []string `json:"versions"`
	// References are rows of other tables that refer to the runtime.
	References []store.Reference `json:"references"`
	// Workers is how many have it now: they lose it when they next verify.
	Workers int `json:"workers"`
	// Pack is the ref of a pack that was loaded and brings the runtime back when it is
	// loaded again; empty where there is none.
	Pack string `json:"pack,omitempty"`
}

// DeleteRuntime deletes the runtime of a ref with its versions, unless something
// refers to it: then the error wraps ErrHindered and the report says what. Errors:
// store.ErrNotFound.
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
		if report.Workers, err = Holders(ctx, st, ref); err != nil {
			return err
		}
		if report.Pack, err = broughtBy(ctx, st, ref); err != nil {
			return err
		}
		if opts.DryRun {
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

// Holders returns how many workers have the runtime of a ref, by what they reported
// last.
func Holders(ctx context.Context, st *store.Store, ref string) (int, error) {
	have, err := st.Workers.Standing(ctx, store.Selection{Has: []store.Requirement{{Ref: ref}}})
	return len(have), err
}

// broughtBy is the ref of the pack that was loaded with a runtime in it; empty where
// there is none.
func broughtBy(ctx context.Context, st *store.Store, ref string) (string, error) {
	pack, err := st.Packs.ByRef(ctx, metadata.PackOf(ref))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var meta struct { // as runtime/packs/install keeps it
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
