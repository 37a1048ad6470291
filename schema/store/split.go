package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/layout"
)

// In a guest, a row of runtime or worker is in two tables: the platform's and one of
// attune's beside it. A row that has nothing beside it is the platform's, and is not
// written.

// putSplit is put for a row in two tables. Both rows are written or none.
func (t table[M]) putSplit(ctx context.Context, s *layout.Split, row *M, replaced []string) error {
	return t.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		t := t
		t.db = tx
		columns := t.insertColumns(row)
		var empty []string // the platform's table may have no default for them
		for _, f := range t.model().Fields {
			if f.NotNull && !slices.Contains(columns, f.Name) && !slices.Contains(managedColumns, f.Name) {
				empty = append(empty, f.Name)
			}
		}
		platform, beside := parts(s, append(columns, empty...))
		replacedThere, replacedBeside := parts(s, replaced)
		q := t.inserting(row, platform, replacedThere)
		if replaced != nil {
			_, _, alias := t.into()
			q = q.Where("EXISTS (SELECT FROM ? AS beside WHERE beside.? = ?.id)", bun.Safe(s.Beside), bun.Safe(s.Key), alias)
		}
		for _, c := range empty {
			if slices.Contains(platform, c) {
				q = q.Value(c, "?", t.value(row, c))
			}
		}
		for _, c := range s.ListsOfText {
			q = q.Value(c, "?", t.listOfText(row, c))
		}
		var id int64
		err := q.Returning("id").Scan(ctx, &id)
		switch {
		case errors.Is(err, sql.ErrNoRows) && replaced == nil:
			return fmt.Errorf("%w %s", ErrDuplicate, t.unique[len(t.unique)-1])
		case errors.Is(err, sql.ErrNoRows):
			return ErrForeign
		case err != nil:
			return err
		}
		if err := t.putBeside(ctx, s, id, row, beside, replacedBeside); err != nil {
			return err
		}
		return t.readBack(ctx, row, id)
	})
}

// parts divides columns into those of the platform's table and those beside it.
func parts(s *layout.Split, columns []string) (platform, beside []string) {
	for _, c := range columns {
		isThere, isBeside := s.Where(c)
		if isThere {
			platform = append(platform, c)
		}
		if isBeside {
			beside = append(beside, c)
		}
	}
	return platform, beside
}

// putBeside writes the part of a row that is beside the platform's.
func (t table[M]) putBeside(ctx context.Context, s *layout.Split, id int64, row *M, columns, replaced []string) error {
	values := []any{id}
	for _, c := range columns {
		values = append(values, t.value(row, c))
	}
	query, args := "INSERT INTO ? (?) VALUES (?)", []any{bun.Safe(s.Beside), names(append([]string{s.Key}, columns...)), bun.List(values)}
	if len(replaced) > 0 {
		query, args = query+" ON CONFLICT (?) DO UPDATE SET ", append(args, bun.Name(s.Key))
		for i, c := range replaced {
			if i > 0 {
				query += ", "
			}
			query, args = query+"? = EXCLUDED.?", append(args, bun.Name(c), bun.Name(c))
		}
	}
	_, err := t.db.NewRaw(query, args...).Exec(ctx)
	return err
}

// listOfText returns a list's value for a column of type text[].
func (t table[M]) listOfText(row *M, column string) any {
	return bun.SafeQuery("ARRAY(SELECT pg_catalog.jsonb_array_elements_text(CAST(? AS pg_catalog.jsonb)))", t.value(row, column))
}

// updateSplit is update for a row in two tables.
func (t table[M]) updateSplit(ctx context.Context, s *layout.Split, row *M, columns []string, where string, args ...any) error {
	return t.db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		t := t
		t.db = tx
		id, err := t.lockBeside(ctx, s, where, args...)
		if err != nil {
			return err
		}
		platform, beside := parts(s, columns)
		expr, name, alias := t.into()
		q := t.db.NewUpdate().Model(row).ModelTableExpr(expr, name, alias).
			Column(append(platform, "updated")...).Value("updated", "?", t.now()).Where("?.id = ?", alias, id)
		for column, text := range t.documents(row, platform) {
			q = q.Value(column, "?", text)
		}
		for _, c := range s.ListsOfText {
			if slices.Contains(platform, c) {
				q = q.Value(c, "?", t.listOfText(row, c))
			}
		}
		if _, err := q.Exec(ctx); err != nil {
			return err
		}
		for _, c := range beside {
			_, err := t.db.NewRaw("UPDATE ? SET ? = ? WHERE ? = ?", bun.Safe(s.Beside), bun.Name(c), t.value(row, c), bun.Name(s.Key), id).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return t.readBack(ctx, row, id)
	})
}

// lockBeside locks the part beside the row that matches a condition, and returns the row's
// id. Errors: ErrNotFound, ErrForeign.
func (t table[M]) lockBeside(ctx context.Context, s *layout.Split, where string, args ...any) (int64, error) {
	row, err := t.one(ctx, where, args...)
	if err != nil {
		return 0, err
	}
	id := t.id(row)
	result, err := t.db.NewRaw("SELECT 1 FROM ? WHERE ? = ? FOR UPDATE", bun.Safe(s.Beside), bun.Name(s.Key), id).Exec(ctx)
	if err != nil {
		return 0, err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return id, err
	}
	return 0, ErrForeign
}

// readBack reads a row that was just written.
func (t table[M]) readBack(ctx context.Context, row *M, id int64) error {
	found, err := t.one(ctx, t.name+".id = ?", id)
	if err == nil {
		*row = *found
	}
	return err
}
