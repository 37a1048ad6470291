package unify

import (
	"context"
	"fmt"
	"strings"
)

// unify unifies the schema. All locks are held and there are no obstacles.
func (s *session) unify(ctx context.Context) (*Report, error) {
	// The catalog is read before anything changes.
	first, then, err := s.changes(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{Schema: s.schema}
	if err := s.createRecord(ctx); err != nil {
		return nil, err
	}
	if report.Before, err = s.keepRows(ctx); err != nil {
		return nil, err
	}
	err = s.withoutTriggers(ctx, func() error {
		if err := s.moveRows(ctx, report); err != nil {
			return err
		}
		if err := s.apply(ctx, 1, first); err != nil {
			return err
		}
		if err := s.writeRows(ctx); err != nil {
			return err
		}
		return s.apply(ctx, 1+len(first), then)
	})
	if err != nil {
		return nil, err
	}
	report.After, err = s.count(ctx, "count the runtimes", "SELECT count(*) FROM "+s.runtime.from())
	s.log.InfoContext(ctx, "unified", "runtimes_before", report.Before, "runtimes_after", report.After, "repointed", report.Rows())
	return report, err
}

// keepRows writes every row of runtime into the record, with what it becomes.
func (s *session) keepRows(ctx context.Context) (int64, error) {
	n, err := s.exec(ctx, "keep the rows of runtime", "INSERT INTO "+s.record(rowsTable)+
		" (id, ref, became, became_ref, legacy, merged)\nSELECT id, ref, became, target, row, merged FROM (\n"+s.merge()+"\n) m")
	if err != nil {
		return 0, err
	}
	_, err = s.exec(ctx, "analyze the record", "ANALYZE "+s.record(rowsTable))
	return n, err
}

// moveRows re-points everything, and then deletes the rows that nothing refers to any more.
func (s *session) moveRows(ctx context.Context, report *Report) error {
	// This must come before any row changes: see temporaryIndexes.
	bare, err := s.temporaryIndexes(ctx)
	if err != nil {
		return err
	}
	for _, r := range s.references {
		var n int64
		err := s.onCallersPath(ctx, func() (err error) {
			n, err = s.repoint(ctx, r)
			return err
		})
		if err != nil {
			return err
		}
		s.log.InfoContext(ctx, "re-pointed", "table", r.table.text(), "column", r.column(), "rows", n)
		report.Tables = append(report.Tables, Repointed{Table: r.table.text(), Column: r.column(), Rows: n})
	}
	if err := s.keepSelfReferences(ctx); err != nil {
		return err
	}
	for _, r := range s.loose {
		var n int64
		err := s.onCallersPath(ctx, func() (err error) {
			n, err = s.repointText(ctx, r)
			return err
		})
		if err != nil {
			return err
		}
		report.Tables = append(report.Tables, Repointed{Table: r.table.text(), Column: r.column(), Rows: n})
	}
	n, err := s.repointDeps(ctx)
	if err != nil {
		return err
	}
	if pack := s.ownTable("pack"); n > 0 {
		report.Tables = append(report.Tables, Repointed{Table: pack.text(), Column: depsColumn, Rows: n})
	}
	if _, err := s.exec(ctx, "analyze the ledger", "ANALYZE "+s.record(ledgerTable)); err != nil {
		return err
	}
	return s.deleteMerged(ctx, bare)
}

// keepSelfReferences adds to the record what the surviving rows refer to now, so that Down does not
// take it for a later change.
func (s *session) keepSelfReferences(ctx context.Context) error {
	for _, r := range s.references {
		if !r.isSelf(s.runtime) {
			continue
		}
		if _, err := s.exec(ctx, "keep runtime."+r.column(), fmt.Sprintf(
			"UPDATE %s u SET merged = u.merged || jsonb_build_object(%s, r.%s) FROM %s r WHERE r.id = u.id AND u.merged IS NOT NULL",
			s.record(rowsTable), literal(r.column()), ident(r.column()), s.runtime.from())); err != nil {
			return err
		}
	}
	return nil
}

// writeRows writes the merged values into the surviving rows. By now the old checks are dropped, and
// the new ones do not exist yet.
func (s *session) writeRows(ctx context.Context) error {
	if err := s.inspect(ctx); err != nil {
		return err
	}
	var sets []string
	for _, name := range mergedColumns {
		if c, ok := s.runtime.column(name); ok && !c.Generated {
			sets = append(sets, ident(name)+" = "+decode("u.merged", c))
		}
	}
	return s.onCallersPath(ctx, func() error {
		_, err := s.exec(ctx, "write the unified rows", fmt.Sprintf(
			"UPDATE %s r SET %s FROM %s u WHERE u.id = r.id", s.runtime.from(), strings.Join(sets, ", "), s.record(rowsTable)))
		return err
	})
}

// mergedColumns lists the columns whose values the merge decides.
var mergedColumns = []string{"ref", "name", "description", "pack", "pack_ref", "distributions", "installation", "aliases"}
