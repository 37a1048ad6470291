package store

import (
	"context"
	"fmt"
)

// DefinitionsMark is one narrow question instead of all of Definitions: as long
// as the answer is the same, so are they. It is empty where the database has no
// such answer, as SQLite, and Definitions has to be asked.
//
// On Postgres each row counts by its id and the transaction that wrote it as it
// is, whoever that was and by whatever means; no trigger is needed.
func (s *Store) DefinitionsMark(ctx context.Context) (string, error) {
	r := s.Runtimes
	if !r.postgres {
		return "", nil
	}
	const of = "(SELECT pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat(id, ' ', xmin), 0)) FROM ?)"
	var mark string
	err := r.db.NewRaw("SELECT pg_catalog.concat("+of+", ' ', "+of+")", r.of("runtime"), r.of("runtime_version")).Scan(ctx, &mark)
	if err != nil {
		return "", fmt.Errorf("look whether definitions have changed: %w", r.classify("find", err))
	}
	return mark, nil
}
