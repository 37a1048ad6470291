package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/capability"
	"github.com/attune-go/attune/schema/layout"
	"github.com/attune-go/attune/schema/statement"
)

// DefinitionsMark returns a text that changes whenever the result of Definitions changes,
// and is much cheaper to read. It returns "" on SQLite, where the caller must compare the
// definitions themselves.
//
// On Postgres triggers count the transactions that change definitions, so the mark costs the
// same with any number of them. Disabling a trigger or enabling it again changes the mark too. A
// table without the trigger, such as one that a platform created since, is read: its part of the
// mark is computed from the id of each row and the transaction that last wrote it.
func (s *Store) DefinitionsMark(ctx context.Context) (string, error) {
	r := s.Runtimes
	if !r.postgres {
		return "", nil
	}
	var parts []any
	table, trigger := r.layout.DefinitionMark()
	if table != "" {
		parts = append(parts, bun.SafeQuery("(SELECT pg_catalog.concat(pg_catalog.count(*), '+', pg_catalog.sum(changes)) FROM ?)",
			bun.Safe(table)))
	}
	for _, from := range r.layout.Definitions() {
		parts = append(parts, r.markOf(from, trigger))
	}
	var mark string
	query := "SELECT pg_catalog.concat(?" + strings.Repeat(", ' ', ?", len(parts)-1) + ")"
	err := r.db.NewRaw(query, parts...).Scan(statement.WithPreparation(ctx), &mark)
	if err != nil {
		return "", fmt.Errorf("read mark of definitions: %w", r.classify("find", err))
	}
	return mark, nil
}

// markOf returns the part of the mark for one table. An empty trigger counts nothing.
func (r *Runtimes) markOf(from layout.Source, trigger string) any {
	rows := bun.SafeQuery(`(SELECT CAST(pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(?, ' ', xmin), 0)) AS pg_catalog.text)
		FROM ?)`, bun.Name(from.Key), bun.Safe(from.Table))
	if trigger == "" {
		return rows
	}
	return bun.SafeQuery(`coalesce((SELECT CAST(t.xmin AS pg_catalog.text) FROM pg_catalog.pg_trigger t
		WHERE t.tgrelid = CAST(CAST(? AS pg_catalog.regclass) AS pg_catalog.oid) AND t.tgname = ? AND t.tgenabled = 'A'), ?)`, from.Table, trigger, rows)
}

// DefinitionsState returns the mark of the definitions and the database's time. Definitions that
// are read afterwards contain every row that was committed until then.
func (s *Store) DefinitionsState(ctx context.Context) (capability.Definitions, error) {
	mark, err := s.DefinitionsMark(ctx)
	if err != nil {
		return capability.Definitions{}, err
	}
	state := capability.Definitions{Mark: mark}
	if err := s.Runtimes.db.NewRaw("SELECT ?", s.Runtimes.clock()).Scan(ctx, &state.Read); err != nil {
		return capability.Definitions{}, fmt.Errorf("read the database's time: %w", s.Runtimes.classify("find", err))
	}
	state.Read = state.Read.UTC()
	return state, nil
}
