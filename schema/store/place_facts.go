package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema"
	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/requirement"
	"github.com/attune-go/attune/schema/version"
)

// A FactsQuery says which facts of workers are read.
type FactsQuery struct {
	// Workers restricts the workers. Nil reads all.
	Workers []int64
	// Refs holds the runtimes, and Labels the keys of labels, that are read.
	Refs, Labels []string
	// Lost reads from the history which of the runtimes a worker had before. That takes a
	// look-up for each worker and runtime.
	Lost bool
	// OneSlot gives each worker one slot, for requirements of one. The slots are in the documents, which
	// then are not read.
	OneSlot bool
}

// FactsFor returns the query for what requirements ask about. Their runtimes must be resolved.
func FactsFor(all ...*requirement.Requirement) FactsQuery {
	refs, labels := map[string]bool{}, map[string]bool{}
	for _, r := range all {
		for _, runtime := range r.Runtimes {
			refs[runtime.Name] = true
		}
		for key := range r.Selector {
			labels[key] = true
		}
		terms := slices.Concat(r.Affinity.Required, r.Affinity.Anti)
		for _, p := range r.Affinity.Preferred {
			terms = append(terms, p.Term)
		}
		for _, key := range requirement.Keys(terms...) {
			labels[key] = true
		}
	}
	return FactsQuery{Refs: slices.Sorted(maps.Keys(refs)), Labels: slices.Sorted(maps.Keys(labels))}
}

// Facts returns what is known of workers, in the order of their IDs. On
// Postgres all facts are of one moment, unless the store has a transaction of read committed.
func (w *Workers) Facts(ctx context.Context, q FactsQuery) (all []requirement.Facts, err error) {
	err = w.inSnapshot(ctx, func(ctx context.Context, db bun.IDB) error {
		in := *w
		in.db = db
		all, err = in.facts(ctx, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read facts of workers: %w", w.classify("read", err))
	}
	return all, nil
}

func (w *Workers) facts(ctx context.Context, q FactsQuery) ([]requirement.Facts, error) {
	only := bun.SafeQuery("1 = 1")
	if q.Workers != nil {
		only = bun.SafeQuery("worker.id IN (?)", bun.List(q.Workers))
	}
	slots := w.slots()
	if q.OneSlot {
		slots = "NULL"
	}
	all, err := w.standings(ctx, only, slots)
	if err != nil || len(all) == 0 {
		return all, err
	}
	at := make(map[int64]*requirement.Facts, len(all)) // without workers that appear between two statements
	for i := range all {
		at[all[i].Worker] = &all[i]
	}
	if err := w.addTaints(ctx, at, only); err != nil {
		return nil, err
	}
	if err := w.addCordons(ctx, at, only); err != nil {
		return nil, err
	}
	if len(q.Labels) > 0 {
		if err := w.addLabels(ctx, at, only, q.Labels); err != nil {
			return nil, err
		}
	}
	if len(q.Refs) == 0 {
		return all, nil
	}
	reported, err := w.addInstallations(ctx, at, q)
	if err == nil {
		err = w.addNotReported(ctx, at, q.Refs, reported)
	}
	if err == nil && q.Lost {
		err = w.addLost(ctx, at, q)
	}
	return all, err
}

// standings returns the workers with what their own rows say.
func (w *Workers) standings(ctx context.Context, only any, slots bun.Safe) ([]requirement.Facts, error) {
	var rows []struct {
		ID              int64
		Name            string
		Role            schema.WorkerRole
		Status          *string
		Fresh, Reported bool
		Slots           *float64
	}
	err := w.db.NewRaw(`SELECT worker.id, worker.name, ? AS role, ? AS status, coalesce(?, 1 = 0) AS fresh,
		worker.capabilities IS NOT NULL AS reported, ? AS slots FROM ? AS worker WHERE ? ORDER BY worker.id`,
		w.text("worker.worker_role"), w.text("worker.status"), w.isFresh("worker"), slots, w.rows("worker"), only).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	all := make([]requirement.Facts, len(rows))
	for i, r := range rows {
		f := requirement.Facts{
			Worker: r.ID, Name: r.Name, Role: roleFrom(r.Role), NeverReported: !r.Reported,
			Slots: slotsFrom(r.Slots), Spread: schema.Spread(r.ID),
		}
		if r.Status != nil {
			f.Status = *r.Status
		}
		runs := f.Status == string(schema.WorkerActive) || f.Status == string(schema.WorkerBusy)
		f.Stale = runs && !r.Fresh
		all[i] = f
	}
	return all, nil
}

// addTaints adds the taints of hosts, then those of operators.
func (w *Workers) addTaints(ctx context.Context, at map[int64]*requirement.Facts, only any) error {
	for _, taints := range []struct{ table, order string }{
		{"worker_taint", "taint.id"}, {"worker_operator_taint", "taint.key, taint.effect"},
	} {
		var rows []struct {
			ID                 int64
			Key, Value, Effect string
		}
		err := w.db.NewRaw(`SELECT worker.id, taint.key, coalesce(taint.value, '') AS value, taint.effect
			FROM ? AS worker JOIN ? AS taint ON taint.worker = worker.id WHERE ? ORDER BY ?`,
			w.rows("worker"), w.rows(taints.table), only, bun.Safe(taints.order)).Scan(ctx, &rows)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if f := at[r.ID]; f != nil {
				f.Taints = append(f.Taints, requirement.Taint{Key: r.Key, Value: r.Value, Effect: requirement.Effect(r.Effect)})
			}
		}
	}
	return nil
}

func (w *Workers) addCordons(ctx context.Context, at map[int64]*requirement.Facts, only any) error {
	var rows []struct {
		ID     int64
		Reason *string
	}
	err := w.db.NewRaw("SELECT worker.id, cordon.reason FROM ? AS worker JOIN ? AS cordon ON cordon.worker = worker.id WHERE ?",
		w.rows("worker"), w.rows("worker_cordon"), only).Scan(ctx, &rows)
	for _, r := range rows {
		if f := at[r.ID]; f != nil {
			f.Cordoned, f.CordonReason = true, textOf(r.Reason)
		}
	}
	return err
}

func (w *Workers) addLabels(ctx context.Context, at map[int64]*requirement.Facts, only any, keys []string) error {
	var rows []struct {
		ID         int64
		Key, Value string
	}
	err := w.db.NewRaw(`SELECT worker.id, label.key, label.value FROM ? AS worker JOIN ? AS label ON label.worker = worker.id
		WHERE label.key IN (?) AND ?`,
		w.rows("worker"), w.rows("worker_label"), bun.List(keys), only).Scan(ctx, &rows)
	for _, r := range rows {
		f := at[r.ID]
		if f == nil {
			continue
		}
		if f.Labels == nil {
			f.Labels = map[string]string{}
		}
		f.Labels[r.Key] = r.Value
	}
	return err
}

// A reportedRuntime is a runtime that a worker has a row of.
type reportedRuntime struct {
	worker int64
	ref    string
}

// addInstallations adds what workers reported about runtimes. It returns the runtimes that they reported.
func (w *Workers) addInstallations(ctx context.Context, at map[int64]*requirement.Facts, q FactsQuery) (map[reportedRuntime]bool, error) {
	only := bun.SafeQuery("1 = 1")
	if q.Workers != nil {
		only = bun.SafeQuery("had.worker IN (?)", bun.List(q.Workers))
	}
	type installation struct {
		Worker                                          int64
		Ref, Outcome, Source, Version, Path, VersionRaw string
		Unconfirmed                                     bool
	}
	rows := make([]installation, 0, len(at)) // bun would double it again and again
	err := w.db.NewRaw(`SELECT had.worker, had.runtime_ref AS ref, had.outcome, had.source, had.version, had.version_raw, had.path,
		had.unconfirmed_since IS NOT NULL AS unconfirmed FROM ? AS had WHERE had.runtime_ref IN (?) AND ?`,
		w.rows("worker_runtime"), bun.List(q.Refs), only).Scan(ctx, &rows)
	reported := make(map[reportedRuntime]bool, len(rows))
	for _, r := range rows {
		f := at[r.Worker]
		reported[reportedRuntime{r.Worker, r.Ref}] = true
		switch {
		case f == nil:
		case r.Outcome == schema.OutcomeAvailable:
			i := requirement.Installation{Ref: r.Ref, Path: r.Path, Declared: r.Source == string(capability.Declared), Unconfirmed: r.Unconfirmed}
			// The login of a host can write any text: one that is not a version is an unknown one, so that it hinders
			// no other worker.
			if v, err := version.Parse(r.Version); err == nil {
				i.Version = v
			}
			f.Installations = append(f.Installations, i)
		case r.Path == "" && r.VersionRaw == "" && capability.Outcome(r.Outcome).CouldNotTell():
			f.Unknown = append(f.Unknown, r.Ref)
		}
	}
	return reported, err
}

// addLost adds the runtimes whose last change is a loss.
func (w *Workers) addLost(ctx context.Context, at map[int64]*requirement.Facts, q FactsQuery) error {
	only := bun.SafeQuery("1 = 1")
	if q.Workers != nil {
		only = bun.SafeQuery("lost.worker IN (?)", bun.List(q.Workers))
	}
	var rows []struct {
		Worker     int64
		Ref        string
		OldVersion *string
	}
	err := w.db.NewRaw(`SELECT lost.worker, lost.runtime_ref AS ref, lost.old_version FROM ?0 AS lost
		WHERE ?1 AND lost.runtime_ref IN (?2) AND ?3 = 'lost' AND NOT EXISTS (
			SELECT 1 FROM ?0 AS later WHERE later.worker = lost.worker AND later.runtime_ref = lost.runtime_ref AND later.id > lost.id)`,
		w.rows("capability_change"), only, bun.List(q.Refs), w.text("lost.kind")).Scan(ctx, &rows)
	for _, r := range rows {
		f := at[r.Worker]
		if f == nil {
			continue // its history outlives a worker
		}
		if f.Lost == nil {
			f.Lost = map[string]string{}
		}
		f.Lost[r.Ref] = ""
		if r.OldVersion != nil {
			f.Lost[r.Ref] = *r.OldVersion
		}
	}
	return err
}
