package unify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
)

// ExamineDown returns what Down would do and what would be lost. It writes nothing, and works in
// a read-only transaction. With a *bun.DB it begins one. The error wraps ErrNoRecord if this
// package has not unified the schema.
func ExamineDown(ctx context.Context, db bun.IDB, schema string) (*DownPlan, error) {
	var plan *DownPlan
	err := reading(ctx, db, func(db bun.IDB) error {
		return with(ctx, db, schema, Options{}, func(s *session) error {
			d, err := s.readRecord(ctx)
			if err != nil {
				return err
			}
			plan, err = d.examineDown(ctx)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("plan to undo the unification of schema %q: %w", schema, err)
	}
	return plan, nil
}

// Down undoes what Up did. Rows that were added or changed since become an action row or a sensor
// row. Data without a legacy form is a [*LossError] unless Options.Force gives it up. The other
// errors are those of Up and ExamineDown.
func Down(ctx context.Context, tx bun.IDB, schema string, opts Options) (*Report, error) {
	report, err := down(ctx, tx, schema, opts)
	if err != nil {
		return nil, fmt.Errorf("undo the unification of schema %q: %w", schema, err)
	}
	return report, nil
}

func down(ctx context.Context, tx bun.IDB, schema string, opts Options) (report *Report, err error) {
	err = with(ctx, tx, schema, opts, func(s *session) error {
		if _, err := s.readRecord(ctx); err != nil {
			return err
		}
		if err := s.lock(ctx); err != nil {
			return err
		}
		d, err := s.readRecord(ctx)
		if err != nil {
			return err
		}
		losses, err := d.refuse(ctx)
		if err != nil {
			return err
		}
		if report, err = d.separate(ctx); report != nil {
			report.Losses = losses
		}
		return err
	})
	return report, err
}

// refuse returns an error that prevents Down, or else the losses.
func (d *downSession) refuse(ctx context.Context) ([]Loss, error) {
	obstacles, err := d.downObstacles(ctx)
	if err != nil {
		return nil, err
	}
	if len(obstacles) > 0 {
		return nil, &ObstacleError{Obstacles: obstacles}
	}
	losses, err := d.losses(ctx)
	if err != nil {
		return nil, err
	}
	if len(losses) > 0 && !d.opts.Force {
		return nil, &LossError{Losses: losses}
	}
	return losses, nil
}

// separate restores the legacy schema. All locks are held and there are no obstacles.
func (d *downSession) separate(ctx context.Context) (*Report, error) {
	report := &Report{Schema: d.schema}
	var err error
	if report.Before, err = d.count(ctx, "count the runtimes", "SELECT count(*) FROM "+d.runtime.from()); err != nil {
		return nil, err
	}
	if err := d.materialize(ctx); err != nil {
		return nil, err
	}
	err = d.withoutTriggers(ctx, func() error {
		if err := d.runUndo(ctx, true); err != nil {
			return err
		}
		// runtime_type exists again. The caller's path is not used, because it may find other
		// relations than the catalog.
		if err := d.inspect(ctx); err != nil {
			return err
		}
		if err := d.onCallersPath(ctx, func() error { return d.putBack(ctx, report) }); err != nil {
			return err
		}
		return d.runUndo(ctx, false)
	})
	if err != nil {
		return nil, err
	}
	if report.After, err = d.count(ctx, "count the runtimes", "SELECT count(*) FROM "+d.runtime.from()); err != nil {
		return nil, err
	}
	_, err = d.exec(ctx, "drop the record", "DROP TABLE "+
		list([]string{rowsTable, ledgerTable, catalogTable, restoredTable}, ", ", d.record))
	d.log.InfoContext(ctx, "separated", "runtimes_before", report.Before, "runtimes_after", report.After, "repointed", report.Rows())
	return report, err
}

// runUndo undoes the changes of the catalog, the latest first.
func (d *downSession) runUndo(ctx context.Context, early bool) error {
	for _, u := range d.undo {
		if u.Early != early {
			continue
		}
		if _, err := d.exec(ctx, "put "+u.Object+" back", u.Undo); err != nil {
			return err
		}
	}
	return nil
}

// putBack restores all rows to their former values. It begins with runtime, because the others
// refer to it, and continues in the opposite order of Up, because a re-pointed column may be part
// of a key in the ledger.
func (d *downSession) putBack(ctx context.Context, report *Report) error {
	if err := d.writeFormer(ctx); err != nil {
		return err
	}
	for _, r := range slices.Backward(d.loose) {
		n, err := d.unpointText(ctx, r)
		if err != nil {
			return err
		}
		report.Tables = append(report.Tables, Repointed{Table: r.table.text(), Column: r.column(), Rows: n})
	}
	for _, r := range slices.Backward(d.references) {
		if r.isSelf(d.runtime) || r.table.Name == versionTable && r.table.Schema == d.schema {
			continue
		}
		n, err := d.unpoint(ctx, r)
		if err != nil {
			return err
		}
		d.log.InfoContext(ctx, "re-pointed", "table", r.table.text(), "column", r.column(), "rows", n)
		report.Tables = append(report.Tables, Repointed{Table: r.table.text(), Column: r.column(), Rows: n})
	}
	n, err := d.unpointDeps(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		report.Tables = append(report.Tables, Repointed{Table: d.ownTable("pack").text(), Column: depsColumn, Rows: n})
	}
	return d.giveUp(ctx)
}

// giveUp deletes the rows whose place another row has taken.
func (d *downSession) giveUp(ctx context.Context) error {
	_, err := d.exec(ctx, "delete the rows without a place", fmt.Sprintf(
		"DELETE FROM %s r USING %s m WHERE m.id = r.id AND m.into_id <> m.id", d.runtime.from(), d.record(restoredTable)))
	return err
}

// A Loss is data without a legacy form.
type Loss struct {
	// Object names the object: column action.runtime_version_constraint.
	Object string `json:"object"`
	Reason string `json:"reason"`
}

// A LossError lists the data without a legacy form. It unwraps to ErrLoss.
type LossError struct {
	Losses []Loss
}

func (e *LossError) Unwrap() error { return ErrLoss }

func (e *LossError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v; nothing was changed:", ErrLoss)
	for _, l := range e.Losses {
		fmt.Fprintf(&b, "\n  %s: %s", l.Object, l.Reason)
	}
	return b.String()
}
