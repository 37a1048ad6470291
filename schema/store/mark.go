package store

import (
	"context"
	"fmt"
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
	const sum = "(SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM ?)"
	var mark string
	err := r.db.NewRaw("SELECT pg_catalog.concat("+sum+", ' ', "+sum+")", r.of("runtime"), r.of("runtime_version")).Scan(ctx, &mark)
	if err != nil {
		return "", fmt.Errorf("read mark of definitions: %w", r.classify("find", err))
	}
	return mark, nil
}
