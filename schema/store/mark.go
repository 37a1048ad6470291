package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/attune-go/attune/schema/capability"
)

// DefinitionsMark returns a text that changes whenever the result of Definitions changes,
// and is much cheaper to read. It returns "" on SQLite, where the caller must compare the
// definitions themselves.
//
// On Postgres the mark is computed from the id of each row and the transaction that last
// wrote it. It needs no trigger, and sees every write.
func (s *Store) DefinitionsMark(ctx context.Context) (string, error) {
	r := s.Runtimes
	if !r.postgres {
		return "", nil
	}
	var sums []any
	for _, from := range r.layout.Definitions() {
		sums = append(sums, bun.SafeQuery("(SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(?, ' ', xmin), 0)) FROM ?)",
			bun.Name(from.Key), bun.Safe(from.Table)))
	}
	var mark string
	err := r.db.NewRaw("SELECT pg_catalog.concat(?"+strings.Repeat(", ' ', ?", len(sums)-1)+")", sums...).Scan(ctx, &mark)
	if err != nil {
		return "", fmt.Errorf("read mark of definitions: %w", r.classify("find", err))
	}
	return mark, nil
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
