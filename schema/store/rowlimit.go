package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"
)

// RowLimit says that row-level security shows a login a part of the rows only.
type RowLimit struct {
	// User is the role that the login acts as.
	User string `json:"user"`
	// Own: it is the policy of docs/roles.sql, by which a host sees the worker and
	// the sensor of its name.
	Own bool `json:"own"`
}

// RowLimit returns how row-level security limits what this login sees of workers,
// what they have, and the history; nil where it sees all rows. It is nil on SQLite.
//
// A policy USING (true) limits nothing, and none limits the owner, a superuser, or a
// role with BYPASSRLS.
func (w *Workers) RowLimit(ctx context.Context) (*RowLimit, error) {
	if !w.postgres {
		return nil, nil
	}
	var limits []RowLimit
	err := w.db.NewRaw(`SELECT current_user AS user, EXISTS (SELECT 1 FROM pg_catalog.pg_policy p
				WHERE p.polrelid = t.oid AND p.polname = 'attune_own' AND NOT p.polpermissive AND ?0) AS own
			FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
			WHERE n.nspname = ?1 AND t.relname IN ('worker', 'worker_runtime', 'capability_change') AND ?2
			ORDER BY own DESC LIMIT 1`,
		applies, w.schema, limited("t")).Scan(ctx, &limits)
	if err != nil {
		return nil, fmt.Errorf("look whether row-level security hides workers: %w", err)
	}
	if len(limits) == 0 {
		return nil, nil
	}
	return &limits[0], nil
}

// applies is the condition that a policy p is for what the current role reads.
const applies bun.Safe = `p.polcmd IN ('r', '*') AND EXISTS (SELECT 1 FROM pg_catalog.unnest(p.polroles) AS r (oid)
	WHERE r.oid = '0' OR pg_catalog.pg_has_role(current_user, r.oid, 'USAGE'))`

// limited returns the condition that row-level security may hide rows of a table from
// the current role. alias is that of the table's row of pg_class.
func limited(alias string) bun.Safe {
	all := bun.Safe("pg_catalog.pg_get_expr(p.polqual, p.polrelid) = 'true'")
	of := "SELECT 1 FROM pg_catalog.pg_policy p WHERE p.polrelid = " + alias + ".oid AND " + string(applies)
	return bun.Safe("(pg_catalog.row_security_active(" + alias + ".oid) AND (EXISTS (" + of + " AND NOT p.polpermissive AND NOT (" + string(all) +
		")) OR NOT EXISTS (" + of + " AND p.polpermissive AND " + string(all) + ")))")
}
