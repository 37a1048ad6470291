package migrations

import (
	"context"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/migrations/internal/guards"
)

// Down undoes the newest migration and drops the tables that it created. Adopted tables stay;
// only their record is deleted. In a guest it also deletes attune's rows in worker, and
// restores the rows that attune took over. The migrator's own table goes with the last
// record.
//
// It refuses if the tables hold rows that nothing brings back, unless Config.Force is set,
// and if objects of others depend on the tables. In a guest it also refuses, at the first step
// already, while rows of the platform refer to attune's workers or a pack is loaded. Errors are those of Up, ErrInUse,
// ErrNotNewest, ErrNothingApplied, and those of unify if rows are in the way.
func (m *Migrator) Down(ctx context.Context) (*Result, error) {
	res := &Result{Done: []StepResult{}}
	var done StepResult
	err := m.write(ctx, func(ctx context.Context, tx bun.IDB) error {
		in, err := m.inspectDown(ctx, tx)
		if err == nil && in.guest() && len(in.records) > 0 {
			if err = m.lockPlatform(ctx, tx, in, "ACCESS EXCLUSIVE"); err == nil {
				in, err = m.inspectDown(ctx, tx)
			}
		}
		if err != nil {
			return err
		}
		res.Schema, res.Before = in.name, in.state
		r, s, err := m.newestStep(in)
		if err != nil {
			return err
		}
		m.cfg.Logger.InfoContext(ctx, "undoing", "schema", in.name, "migration", r.ID, "adopted", r.Adopted)
		if err := m.undo(ctx, tx, in, r, s, res); err != nil {
			return err
		}
		done = StepResult{ID: r.ID, Adopted: r.Adopted}
		if len(in.records) == 1 {
			return dropRecords(ctx, tx, in.name)
		}
		return deleteRecord(ctx, tx, in.name, r.ID)
	})
	if err != nil {
		return res, err
	}
	m.cfg.Logger.InfoContext(ctx, "undone", "schema", res.Schema, "migration", done.ID, "adopted", done.Adopted)
	res.Done = append(res.Done, done)
	return res, nil
}

// inspectDown works like inspect. A guest that lacks objects of attune's can be undone.
func (m *Migrator) inspectDown(ctx context.Context, db bun.IDB) (*inspection, error) {
	in, err := m.inspect(ctx, db)
	if err == nil && in.onlyLost() {
		in.state = StateUnified
	}
	return in, err
}

// newestStep returns the migration that Down would undo, with its record.
func (m *Migrator) newestStep(in *inspection) (record, step, error) {
	if len(in.records) == 0 && in.state != StateForeign {
		return record{}, step{}, fmt.Errorf("schema %q: %w", in.name, ErrNothingApplied)
	}
	if err := in.refuse(); err != nil {
		return record{}, step{}, err
	}
	r := in.records[len(in.records)-1]
	if m.cfg.Undo != "" && m.cfg.Undo != r.ID {
		return r, step{}, fmt.Errorf("undo %s in schema %q: %w: that is %s; nothing was changed", m.cfg.Undo, in.name, ErrNotNewest, r.ID)
	}
	s, ok := m.step(r.ID)
	if !ok {
		return r, s, fmt.Errorf("schema %q: %w: the newest migration, %s, was applied by attune %s and this is %s; undo it with that release",
			in.name, ErrTooNew, r.ID, r.Program, program)
	}
	return r, s, nil
}

// undo undoes a migration, apart from its record.
func (m *Migrator) undo(ctx context.Context, tx bun.IDB, in *inspection, r record, s step, res *Result) error {
	if dropsGuards(r.ID) {
		guarded, err := m.hasGuards(ctx, tx, in)
		if err != nil {
			return err
		}
		if err := DropGuards(ctx, tx, in.name); err != nil {
			return err
		}
		res.Guards = guarded
	}
	switch {
	case r.ID == UnifyRuntimes && m.postgres() && !in.guest():
		report, err := m.separate(ctx, tx, in)
		res.Unify = report
		return err
	case r.Adopted && !in.guest():
		return nil
	case in.guest() || len(m.droppedRelations(in, r.ID)) > 0:
		use, err := m.findUse(ctx, tx, in, r.ID)
		if err != nil {
			return err
		}
		named := !use.Named || m.cfg.Undo == r.ID
		if forced := use.Forcible && m.cfg.Force && named; len(use.Blockers) > 0 && !forced {
			return use
		}
		res.Dropped = use.tables
	}
	err := m.undoScript(ctx, tx, in, s)
	if err != nil {
		return fmt.Errorf("%s in schema %q: %w", s.id, in.name, err)
	}
	return nil
}

// undoScript runs the SQL that undoes a migration.
func (m *Migrator) undoScript(ctx context.Context, tx bun.IDB, in *inspection, s step) error {
	if in.guest() {
		return m.moveOut(ctx, tx, in, s)
	}
	if s.id == Placement { // its columns have guards
		if err := m.script(ctx, tx, in.name, guards.DropRequirements(m.postgres())); err != nil {
			return err
		}
	}
	err := m.script(ctx, tx, in.name, s.down)
	if err == nil && s.id == WorkerRuntime && m.postgres() {
		err = m.unsettle(ctx, tx, in)
	}
	return err
}

// hasGuards reports whether there are guards with any text.
func (m *Migrator) hasGuards(ctx context.Context, db bun.IDB, in *inspection) (bool, error) {
	state, err := m.guardState(ctx, db, in, guardMode{Guarding: GuardingRefuse})
	return state != GuardsMissing, err
}

// dropsGuards reports whether undoing a migration drops the guards first.
func dropsGuards(id string) bool { return id == UnifyRuntimes || id == Baseline }

// findUse returns what prevents dropping a migration's tables.
func (m *Migrator) findUse(ctx context.Context, db bun.IDB, in *inspection, id string) (*UseError, error) {
	use := &UseError{Schema: in.name, Migration: id, Named: id == Baseline}
	dropped := m.droppedRelations(in, id)
	if len(dropped) > 0 {
		dependents, err := m.dependents(ctx, db, in, dropped)
		if err != nil {
			return nil, fmt.Errorf("find dependents of the tables: %w", explain(err))
		}
		use.Blockers = dependents
	}
	if in.guest() {
		leaving, packs, err := m.leaving(ctx, db, in)
		if err != nil {
			return nil, err
		}
		use.Blockers, use.Packs = append(use.Blockers, leaving...), packs
	}
	if len(use.Blockers) > 0 {
		return use, nil
	}
	use.Forcible = true
	for _, name := range dropped {
		if name == availableView {
			continue
		}
		var n int64
		if err := db.NewRaw("SELECT count(*) FROM ?", bun.Safe(table(in.name, name))).Scan(ctx, &n); err != nil {
			return nil, fmt.Errorf("count the rows of %s: %w", table(in.name, name), explain(err))
		}
		use.tables = append(use.tables, DroppedTable{Table: name, Rows: n})
		if n > 0 && !slices.Contains(rebuiltTables, name) {
			use.Blockers = append(use.Blockers, fmt.Sprintf("table %s holds %s", name, rowCount(n)))
		}
	}
	if id == Placement {
		lost, err := m.requirementsLost(ctx, db, in)
		if err != nil {
			return nil, err
		}
		use.Blockers = append(use.Blockers, lost...)
	}
	return use, nil
}

func rowCount(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// rebuiltTables lists the tables whose rows a worker writes again when it registers.
var rebuiltTables = []string{
	workerRuntimeTable, sweepTable, markTable, "worker_label", "worker_taint",
	stateTable, guestMark, declarationRound, "attune_worker_runtime", "attune_worker_label", "attune_worker_taint", "attune_worker_sweep",
}

// droppedRelations lists the tables and views that a migration's down drops. It is empty for the
// unification, which has rules of its own.
func (m *Migrator) droppedRelations(in *inspection, id string) []string {
	var candidates, names []string
	switch {
	case in.guest():
		candidates = guestRelations[id]
	case id == WorkerRuntime:
		candidates = workerRelations
	case id == Fleet:
		candidates = fleetNames[:1]
	case id == WorkerLabels:
		candidates = labelRelations
	case id == Placement:
		candidates = operatorRelations
	case id == Server:
		candidates = serverTables
	case id == Baseline && m.postgres():
		candidates = installed
	case id == Baseline:
		candidates = append(slices.Clone(installed), versionTable)
	}
	for _, name := range candidates {
		if in.relations[name] != nil {
			names = append(names, name)
		}
	}
	return names
}

// dependents describes the foreign keys, views, functions and columns of others that depend
// on attune's tables or on the baseline's enums.
func (m *Migrator) dependents(ctx context.Context, db bun.IDB, in *inspection, names []string) ([]string, error) {
	var found []string
	enums := enumNames
	if !slices.Contains(names, "worker") {
		enums = []string{""} // the enums stay
	}
	if !m.postgres() {
		err := db.NewRaw(`
SELECT 'table ' || m.name || ' has a foreign key to ' || f."table"
FROM main.sqlite_master m, pragma_foreign_key_list(m.name, 'main') f
WHERE m.type = 'table' AND m.name NOT IN (?0) AND lower(f."table") IN (?0)
UNION
SELECT m.type || ' ' || m.name || ' uses ' || t.name
FROM main.sqlite_master m, main.sqlite_master t
WHERE m.type IN ('view', 'trigger') AND m.tbl_name NOT IN (?0) AND t.type = 'table' AND t.name IN (?0)
  AND m.name NOT IN ('worker_runtime_follow_status', 'worker_follow_labels_insert', 'worker_follow_labels_update')
  AND ' ' || replace(replace(replace(replace(replace(replace(lower(m.sql), '"', ' '), '.', ' '), char(10), ' '), ';', ' '), ',', ' '), '(', ' ') || ' '
      LIKE '% ' || t.name || ' %'
ORDER BY 1`, bun.List(names)).Scan(ctx, &found)
		return found, err
	}
	var oids []int64
	for _, name := range names {
		oids = append(oids, in.relations[name].oid)
	}
	err := db.NewRaw(`
WITH ours AS (
    SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid IN (?0)
), targets AS (
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, oid FROM ours
    UNION ALL
    SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid FROM pg_catalog.pg_type t
    WHERE t.typrelid IN (SELECT oid FROM ours) OR (t.typnamespace = ?1 AND t.typname IN (?2))
       OR t.typelem IN (SELECT e.oid FROM pg_catalog.pg_type e
                        WHERE e.typrelid IN (SELECT oid FROM ours) OR (e.typnamespace = ?1 AND e.typname IN (?2)))
)
SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_catalog.pg_depend d
JOIN targets t ON t.class = d.refclassid AND t.oid = d.refobjid
LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid
LEFT JOIN pg_catalog.pg_rewrite w ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND w.oid = d.objid
WHERE d.deptype = 'n'
  AND (k.conrelid NOT IN (SELECT oid FROM ours)
    OR w.ev_class NOT IN (SELECT oid FROM ours)
    OR d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    OR (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid > 0 AND d.objid NOT IN (SELECT oid FROM ours)))
ORDER BY 1`, bun.List(oids), in.oid, bun.List(enums)).Scan(ctx, &found)
	return found, err
}
