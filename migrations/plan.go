package migrations

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// A Plan is what Up would do.
type Plan struct {
	// Database is postgres or sqlite.
	Database string `json:"database"`
	Schema   string `json:"schema"`
	State    State  `json:"state"`
	// Pending lists the migrations that Up would apply.
	Pending []Step `json:"pending"`
	// Guards is the state of the guards of metadata. Up creates or replaces them in every
	// state but GuardsInPlace and GuardsOff.
	Guards GuardState `json:"guards"`
	// Guarding is what the guards will do with wrong metadata.
	Guarding Guarding `json:"guarding"`
	// Guest reports that somebody else unified the tables, so that attune keeps everything in
	// tables of its own.
	Guest bool `json:"guest,omitempty"`
	// Counts reports that changes of a runtime_version that the platform created since would be counted.
	Counts bool `json:"counts,omitempty"`
	// Creates lists the tables and views that would be created in a guest.
	Creates []string `json:"creates,omitempty"`
	// Notes holds what an operator should know before Up runs in a guest, and why the database
	// accepts no writes.
	Notes []string `json:"notes,omitempty"`
	// Unify is what unifying would do. It is nil if unifying is not pending, on an empty schema, in
	// a guest and on SQLite.
	Unify *unify.Plan `json:"unify,omitempty"`
}

// Due reports whether Up would do anything.
func (p *Plan) Due() bool { return len(p.Pending) > 0 || !p.Guards.isSettled() || p.Counts }

// A Step is one migration that would be applied or undone.
type Step struct {
	ID string `json:"id"`
	// Requires is the oldest program that runs on a database with it.
	Requires string `json:"requires"`
	// Adopt reports that the schema is already as the migration would leave it, so that only the
	// record is written. In a guest attune's own tables are created too.
	Adopt bool `json:"adopt"`
}

// Plan returns what Up would do. It writes nothing, because its transaction is read-only. Its
// errors are those of Up, except that obstacles to unifying are part of the plan.
func (m *Migrator) Plan(ctx context.Context) (*Plan, error) {
	p := &Plan{Pending: []Step{}}
	err := m.read(ctx, func(ctx context.Context, tx bun.IDB) error {
		in, err := m.inspect(ctx, tx)
		if err != nil {
			return err
		}
		if err := m.checkUp(in); err != nil {
			return err
		}
		p.Database, _ = folderOf(m.db.Dialect().Name())
		p.Schema, p.State = in.name, in.state
		for _, s := range m.pending(in) {
			adopt := in.state != StateEmpty && m.postgres() &&
				(s.id == Baseline || s.id == UnifyRuntimes && in.state == StateUnified)
			p.Pending = append(p.Pending, Step{ID: s.id, Requires: s.requires, Adopt: adopt})
		}
		if err := m.checkPending(ctx, tx, in, m.pending(in)); err != nil {
			return err
		}
		mode, err := m.guardMode(ctx, tx, in)
		if err != nil {
			return err
		}
		if p.Guards, err = m.guardState(ctx, tx, in, mode); err != nil {
			return err
		}
		p.Guarding = mode.Guarding
		if in.guest() {
			p.Guest = true
			for _, s := range m.pending(in) {
				p.Creates = append(p.Creates, guestRelations[s.id]...)
			}
			if p.Counts, err = m.isUncounted(ctx, tx, in); err != nil {
				return err
			}
			if p.Notes, err = m.guestNotes(ctx, tx, in); err != nil {
				return err
			}
		}
		if m.postgres() && p.Due() {
			if p.Notes, err = m.withReadOnly(ctx, tx, p.Notes); err != nil {
				return err
			}
		}
		if !in.guest() && m.postgres() && in.state != StateEmpty && !in.isRecorded(UnifyRuntimes) {
			err = onCallersPath(ctx, tx, func() (err error) {
				p.Unify, err = unify.Examine(ctx, tx, in.name)
				return err
			})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// withReadOnly adds why the database accepts no writes. Only Up refuses it, because a plan is often made on
// a standby.
func (m *Migrator) withReadOnly(ctx context.Context, db bun.IDB, notes []string) ([]string, error) {
	err := m.checkWritable(ctx, db)
	if errors.Is(err, ErrReadOnly) {
		return append(notes, "up is refused here: "+err.Error()), nil
	}
	return notes, err
}

// A DownPlan is what Down would do.
type DownPlan struct {
	// Database is postgres or sqlite.
	Database string `json:"database"`
	Schema   string `json:"schema"`
	State    State  `json:"state"`
	// Step is the migration that would be undone.
	Step Step `json:"step"`
	// Drops lists the tables and views that would be dropped.
	Drops []string `json:"drops,omitempty"`
	// Rows counts the rows of the tables that are not empty.
	Rows map[string]int64 `json:"rows,omitempty"`
	// Blockers lists why Down would refuse. Forcible reports that Config.Force would override
	// them.
	Blockers []string `json:"blockers,omitempty"`
	Forcible bool     `json:"forcible,omitempty"`
	// Named reports that Config.Undo is required too.
	Named bool `json:"named,omitempty"`
	// Packs lists the packs that must be unloaded first, in a guest.
	Packs []string `json:"packs,omitempty"`
	// Guards reports that the guards of metadata would be dropped.
	Guards bool `json:"guards,omitempty"`
	// Unify is what undoing the unification would do. It is nil if another migration is the
	// newest, in a guest and on SQLite.
	Unify *unify.DownPlan `json:"unify,omitempty"`
}

// PlanDown returns what Down would do. It writes nothing. Errors are ErrNothingApplied,
// ErrTooNew, ErrMixed, ErrNotOurs, ErrAmbiguousSchema and those of the connection.
func (m *Migrator) PlanDown(ctx context.Context) (*DownPlan, error) {
	p := &DownPlan{}
	err := m.read(ctx, func(ctx context.Context, tx bun.IDB) error {
		in, err := m.inspectDown(ctx, tx)
		if err != nil {
			return err
		}
		p.Database, _ = folderOf(m.db.Dialect().Name())
		p.Schema, p.State = in.name, in.state
		r, s, err := m.newestStep(in)
		if err != nil {
			return err
		}
		p.Step = Step{ID: s.id, Requires: s.requires, Adopt: r.Adopted}
		if dropsGuards(r.ID) {
			if p.Guards, err = m.hasGuards(ctx, tx, in); err != nil {
				return err
			}
		}
		switch {
		case r.ID == UnifyRuntimes && m.postgres() && !in.guest():
			return onCallersPath(ctx, tx, func() (err error) {
				p.Unify, err = unify.ExamineDown(ctx, tx, in.name)
				return err
			})
		case in.guest() || !r.Adopted && len(m.droppedRelations(in, r.ID)) > 0:
			p.Drops = m.droppedRelations(in, r.ID)
			use, err := m.findUse(ctx, tx, in, r.ID)
			if err != nil {
				return err
			}
			p.Rows = map[string]int64{}
			for _, t := range use.tables {
				if t.Rows > 0 {
					p.Rows[t.Table] = t.Rows
				}
			}
			p.Blockers, p.Forcible, p.Packs = use.Blockers, use.Forcible && len(use.Blockers) > 0, use.Packs
			p.Named = p.Forcible && use.Named
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}
