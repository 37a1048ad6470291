package migrations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/unify"
)

// A StepResult is one migration that Up applied or Down undid.
type StepResult struct {
	ID string `json:"id"`
	// Adopted reports that the schema already had the migration's result, so that only the record
	// was written or deleted. In a guest attune's own tables were created too.
	Adopted bool `json:"adopted"`
}

// A DroppedTable is a table that Down dropped.
type DroppedTable struct {
	Table string `json:"table"`
	// Rows is the number of rows that were dropped with it.
	Rows int64 `json:"rows"`
}

// A Result is what Up or Down did.
type Result struct {
	// Schema is the schema.
	Schema string `json:"schema"`
	// Before is the state before.
	Before State `json:"before"`
	// Done lists the migrations in the order in which they were applied or undone.
	Done []StepResult `json:"done"`
	// Dropped lists the tables that Down dropped.
	Dropped []DroppedTable `json:"dropped,omitempty"`
	// Unify reports what unifying did. It is nil if unifying was not part of it.
	Unify *unify.Report `json:"unify,omitempty"`
	// Guards reports that Up created or replaced the guards of metadata, or that Down
	// dropped them.
	Guards bool `json:"guards,omitempty"`
	// Counted reports that changes of a runtime_version that the platform created since are counted from now on.
	Counted bool `json:"counted,omitempty"`
}

// Up applies the missing migrations, each in its own transaction, and then creates or replaces
// the guards of metadata. The first Up of a schema is one transaction, so that it does not leave
// a baseline behind when the next migration is refused. Several processes may call Up at once;
// each result lists what that process did.
//
// With an error, the result lists what was applied before. Errors are ErrMixed, ErrNotOurs,
// ErrTooNew, ErrAmbiguousSchema, ErrSecondSchema, ErrLocked, ErrUndone, ErrReadOnly, ErrPrivilege, and those of
// unify if rows are in the way.
func (m *Migrator) Up(ctx context.Context) (*Result, error) {
	res := &Result{Done: []StepResult{}}
	for {
		more, err := m.upNext(ctx, res)
		if err != nil {
			return res, err
		}
		if !more {
			if err := m.upCounter(ctx, res); err != nil {
				return res, err
			}
			return res, m.upGuards(ctx, res)
		}
	}
}

// upNext runs one transaction of Up. more reports whether it did anything.
func (m *Migrator) upNext(ctx context.Context, res *Result) (more bool, err error) {
	var found *inspection
	var done []StepResult
	var report *unify.Report
	err = m.write(ctx, func(ctx context.Context, tx bun.IDB) error {
		in, err := m.inspectUp(ctx, tx)
		if err != nil {
			return err
		}
		found = in
		if err := m.checkKept(in, res.Done); err != nil {
			return err
		}
		for {
			d, after, unified, err := m.upOne(ctx, tx, in)
			if err != nil || d == nil {
				return err
			}
			in = after
			done = append(done, *d)
			if unified != nil {
				report = unified
			}
			if done[0].ID != Baseline {
				return nil
			}
		}
	})
	if found != nil && res.Before == "" {
		res.Schema, res.Before = found.name, found.state
	}
	if err != nil || len(done) == 0 {
		return false, err
	}
	for _, d := range done {
		m.cfg.Logger.InfoContext(ctx, "migrated", "schema", found.name, "migration", d.ID, "adopted", d.Adopted)
	}
	res.Done = append(res.Done, done...)
	if report != nil {
		res.Unify = report
	}
	return true, nil
}

// checkKept returns an error if one of the migrations that this Up applied is pending again. Without it, an Up and
// a process that undoes migrations would take turns for ever.
func (m *Migrator) checkKept(in *inspection, done []StepResult) error {
	for _, s := range m.pending(in) {
		if slices.ContainsFunc(done, func(d StepResult) bool { return d.ID == s.id }) {
			return fmt.Errorf("schema %q: %w: %s was applied a moment ago and is gone; migrate again when that process has ended",
				in.name, ErrUndone, s.id)
		}
	}
	return nil
}

// inspectUp works like inspect. If migrations are pending in a guest, it has locked the platform's tables.
func (m *Migrator) inspectUp(ctx context.Context, tx bun.IDB) (*inspection, error) {
	in, err := m.inspect(ctx, tx)
	if err != nil || !in.guest() || len(m.pending(in)) == 0 || in.refuse() != nil {
		return in, err
	}
	if err := m.lockPlatform(ctx, tx, in, "SHARE ROW EXCLUSIVE"); err != nil {
		return nil, err
	}
	return m.inspect(ctx, tx) // the platform may have changed them before
}

// upOne applies the oldest missing migration. done is nil if none is missing, and after is the schema with it.
func (m *Migrator) upOne(
	ctx context.Context, tx bun.IDB, in *inspection,
) (done *StepResult, after *inspection, report *unify.Report, err error) {
	if err := m.checkUp(in); err != nil {
		return nil, nil, nil, err
	}
	pending := m.pending(in)
	if len(pending) == 0 {
		return nil, nil, nil, nil
	}
	if err := m.checkPending(ctx, tx, in, pending); err != nil {
		return nil, nil, nil, err
	}
	s := pending[0]
	m.cfg.Logger.InfoContext(ctx, "migrating", "schema", in.name, "migration", s.id, "state", in.state)
	done = &StepResult{ID: s.id}
	if done.Adopted, report, err = m.apply(ctx, tx, in, s); err != nil {
		return nil, nil, nil, fmt.Errorf("%s in schema %q: %w", s.id, in.name, err)
	}
	if err := insertRecord(ctx, tx, in.name, record{ID: s.id, Adopted: done.Adopted, Requires: s.requires, Program: program}); err != nil {
		return nil, nil, nil, fmt.Errorf("record %s in %s: %w", s.id, table(in.name, recordTable), err)
	}
	after, err = m.checkState(ctx, tx, s)
	return done, after, report, err
}

// checkUp returns an error for a schema that Up must not touch.
func (m *Migrator) checkUp(in *inspection) error {
	if err := m.checkVersion(in); err != nil {
		return err
	}
	if err := in.refuse(); err != nil {
		return err
	}
	if in.state == StateEmpty && len(in.others) > 0 {
		return &SchemaError{Wanted: in.name, Found: in.others, kind: ErrSecondSchema}
	}
	return nil
}

// checkPending returns an error for what prevents pending migrations.
func (m *Migrator) checkPending(ctx context.Context, db bun.IDB, in *inspection, pending []step) error {
	switch {
	case len(pending) == 0:
		return nil
	case in.guest():
		return in.checkReady(ctx, db, pending)
	}
	return m.checkOwnReady(ctx, db, in)
}

// pending returns the migrations that are not recorded, oldest first.
func (m *Migrator) pending(in *inspection) []step {
	var steps []step
	for _, s := range m.steps {
		if !in.isRecorded(s.id) {
			steps = append(steps, s)
		}
	}
	return steps
}

// apply applies one migration. adopted reports that the schema already had its result.
func (m *Migrator) apply(ctx context.Context, tx bun.IDB, in *inspection, s step) (adopted bool, report *unify.Report, err error) {
	if err := m.prepare(ctx, tx, in); err != nil {
		return false, nil, err
	}
	switch {
	case s.id == Baseline && in.state != StateEmpty:
		return true, nil, nil
	case in.guest():
		return s.id == UnifyRuntimes, nil, m.moveIn(ctx, tx, in, s)
	case s.id == UnifyRuntimes && m.postgres():
		report, err := m.unify(ctx, tx, in)
		return false, report, err
	}
	err = m.script(ctx, tx, in.name, s.up)
	switch {
	case err != nil || !m.postgres():
	case s.id == WorkerRuntime:
		err = m.settle(ctx, tx, in)
	case s.id == SafeFunctions:
		err = m.shareFunctions(ctx, tx, in)
	case s.id == Fleet:
		err = m.shareMark(ctx, tx, in, markTable)
	case s.id == WorkerLabels:
		err = m.shareReading(ctx, tx, in, labelRelations, labelFunctions)
	case s.id == Placement:
		err = m.shareReading(ctx, tx, in, operatorRelations, nil)
	case s.id == Server:
		err = m.ownServer(ctx, tx, in)
	}
	return false, nil, err
}

// prepare creates the schema and the table of records if they are missing.
func (m *Migrator) prepare(ctx context.Context, tx bun.IDB, in *inspection) error {
	if m.postgres() && in.oid == 0 {
		if _, err := tx.ExecContext(ctx, "CREATE SCHEMA "+quote(in.name)); err != nil {
			return fmt.Errorf("create the schema: %w", err)
		}
	}
	if in.relations[recordTable] != nil {
		return nil
	}
	if err := createRecords(ctx, tx, in.name); err != nil {
		return fmt.Errorf("create %s: %w", table(in.name, recordTable), err)
	}
	if m.postgres() && in.relations["runtime"] != nil {
		if err := shareRecords(ctx, tx, in); err != nil {
			return fmt.Errorf("share %s: %w", table(in.name, recordTable), err)
		}
	}
	return nil
}

// script runs the statements of a file. On Postgres the search_path contains no tables, so that a
// statement without a schema fails instead of reaching another table of that name.
func (m *Migrator) script(ctx context.Context, tx bun.IDB, schema, text string) error {
	_, err := tx.ExecContext(ctx, strings.ReplaceAll(text, "{schema}", quote(schema)))
	return err
}

// checkState inspects the schema after a migration. It returns an error if the migration did not lead to the
// intended state, so that the transaction has no effect.
func (m *Migrator) checkState(ctx context.Context, tx bun.IDB, s step) (*inspection, error) {
	in, err := m.inspect(ctx, tx)
	if err != nil {
		return nil, err
	}
	if err := in.refuse(); err != nil {
		return nil, fmt.Errorf("after %s: %w", s.id, err)
	}
	if s.id == UnifyRuntimes && in.state != StateUnified {
		return nil, fmt.Errorf("after %s the schema must be unified, got %s", s.id, in.state)
	}
	return in, nil
}
